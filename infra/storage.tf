# Buckets: the functions' source, and files that people import.
resource "google_storage_bucket" "source" {
  project                     = var.project
  name                        = "${var.project}-onhand-source"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !local.production

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      num_newer_versions = 10
      with_state         = "ARCHIVED"
    }
  }
}

resource "google_storage_bucket" "imports" {
  project                     = var.project
  deletion_policy             = local.deletion
  name                        = "${var.project}-onhand-imports"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = !local.production

  versioning {
    enabled = true
  }

  # An import is applied within days; its file is not an archive.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = 90
    }
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 7
    }
  }
}
