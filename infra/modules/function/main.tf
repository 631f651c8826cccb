# One function: its source, itself, its own account. What the account may do is in rights.tf.
terraform {
  required_providers {
    google = { source = "hashicorp/google" }
  }
}

locals {
  id = "${var.function.name}-${var.place.environment}"
}

resource "google_service_account" "own" {
  project      = var.place.project
  account_id   = "fn-${local.id}"
  display_name = "Onhand function ${var.function.name}"
}

# The name holds the content's checksum, so a changed bundle is a new object and an unchanged one is no change at all.
resource "google_storage_bucket_object" "source" {
  bucket = var.place.bucket
  name   = "functions/${var.function.name}-${filemd5(var.function.bundle)}.zip"
  source = var.function.bundle
}

resource "google_cloudfunctions2_function" "this" {
  project     = var.place.project
  location    = var.place.region
  name        = local.id
  description = var.function.facts.description

  build_config {
    runtime           = "python311"
    entry_point       = var.function.facts.entry_point
    service_account   = var.place.build_account
    docker_repository = var.place.repository

    # The build compiles by date, and the image changes every date: told so, it compiles by content, and no start compiles again.
    environment_variables = { SOURCE_DATE_EPOCH = "315532800" }

    on_deploy_update_policy {}

    source {
      storage_source {
        bucket = var.place.bucket
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    available_memory                 = var.function.facts.memory
    available_cpu                    = var.function.facts.cpu
    max_instance_request_concurrency = var.function.facts.concurrency
    min_instance_count               = coalesce(var.function.min_instances, var.function.facts.min_instances)
    max_instance_count               = var.function.facts.max_instances
    timeout_seconds                  = var.function.facts.timeout_s
    ingress_settings                 = var.function.ingress
    all_traffic_on_latest_revision   = true
    service_account_email            = google_service_account.own.email
    environment_variables            = merge(var.function.environment, { THREADS = tostring(var.function.facts.concurrency) })

    dynamic "secret_environment_variables" {
      for_each = var.function.secrets
      iterator = secret

      content {
        key        = upper(replace(secret.key, "-", "_"))
        project_id = var.place.project
        secret     = secret.key
        version    = secret.value
      }
    }
  }

  # Rights first: a function that starts without them would fail its first check.
  depends_on = [google_secret_manager_secret_iam_member.reads, google_secret_manager_secret_iam_member.seals, google_kms_crypto_key_iam_member.seals]
}

resource "google_cloud_run_service_iam_member" "invokes" {
  for_each = var.function.invokers

  project  = var.place.project
  location = var.place.region
  service  = google_cloudfunctions2_function.this.name
  role     = "roles/run.invoker"
  member   = each.value

  lifecycle {
    # A service made anew has lost its policy.
    replace_triggered_by = [google_cloudfunctions2_function.this.id]
  }
}
