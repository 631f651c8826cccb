# Accounts that belong to no single function, and the key that seals suppliers' credentials.
resource "google_service_account" "invoker" {
  project      = var.project
  account_id   = "invoker-${var.environment}"
  display_name = "Onhand: whom queue and scheduler call the worker as"
}

resource "google_service_account" "build" {
  project      = var.project
  account_id   = "build-${var.environment}"
  display_name = "Onhand: builds the functions"
}

resource "google_project_iam_member" "build" {
  for_each = toset(["roles/logging.logWriter", "roles/artifactregistry.writer", "roles/storage.objectViewer"])

  project = var.project
  role    = each.value
  member  = google_service_account.build.member
}

resource "google_artifact_registry_repository" "functions" {
  project       = var.project
  location      = var.region
  repository_id = "functions-${var.environment}"
  format        = "DOCKER"
  description   = "Images of the functions"

  cleanup_policies {
    id     = "keep-ten"
    action = "KEEP"

    most_recent_versions {
      keep_count = 10
    }
  }

  depends_on = [google_project_service.all]
}

resource "google_kms_key_ring" "main" {
  project  = var.project
  location = var.region
  name     = "onhand-${var.environment}"

  depends_on = [google_project_service.all]
}

resource "google_kms_crypto_key" "credentials" {
  key_ring        = google_kms_key_ring.main.id
  name            = "supplier-credentials"
  rotation_period = "7776000s"
  deletion_policy = local.deletion
}
