# What the function's own account may do: exactly what `needs` in its function.json says, each an additive grant.
locals {
  _project_roles = toset(compact([
    { none = "", read = "roles/datastore.viewer", write = "roles/datastore.user" }[var.function.facts.needs.documents],
    var.function.facts.needs.warehouse == "none" ? "" : "roles/bigquery.jobUser",
  ]))

  _dataset_roles = toset(compact([
    { none = "", read = "roles/bigquery.dataViewer", write = "roles/bigquery.dataEditor" }[var.function.facts.needs.warehouse],
  ]))

  _bucket_roles = toset(compact([
    { none = "", read = "roles/storage.objectViewer", write = "roles/storage.objectUser" }[var.function.facts.needs.files],
  ]))
}

resource "google_project_iam_member" "uses" {
  for_each = local._project_roles

  project = var.place.project
  role    = each.value
  member  = google_service_account.own.member
}

resource "google_bigquery_dataset_iam_member" "uses" {
  for_each = local._dataset_roles

  project    = var.place.project
  dataset_id = var.place.dataset
  role       = each.value
  member     = google_service_account.own.member
}

resource "google_storage_bucket_iam_member" "uses" {
  for_each = local._bucket_roles

  bucket = var.place.imports
  role   = each.value
  member = google_service_account.own.member
}

resource "google_cloud_tasks_queue_iam_member" "enqueues" {
  for_each = toset(var.function.facts.needs.queues)

  project  = var.place.project
  location = var.place.region
  name     = each.value
  role     = "roles/cloudtasks.enqueuer"
  member   = google_service_account.own.member
}

# A task carries the invoker's identity: whoever makes tasks must be allowed to act as it.
resource "google_service_account_iam_member" "acts" {
  for_each = length(var.function.facts.needs.queues) > 0 ? toset(["invoker"]) : toset([])

  service_account_id = var.place.invoker
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.own.member
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each = var.function.secrets

  project   = var.place.project
  secret_id = each.key
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.own.member
}

# Who seals credentials uses the one key, or reads the secret whose versions are the keys; listing versions is a right of viewers only.
resource "google_kms_crypto_key_iam_member" "seals" {
  for_each = var.function.facts.needs.kms && var.place.sealed_by == "kms" ? toset(["key"]) : toset([])

  crypto_key_id = var.place.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_service_account.own.member
}

resource "google_secret_manager_secret_iam_member" "seals" {
  for_each = var.function.facts.needs.kms && var.place.sealed_by == "secret" ? toset(["roles/secretmanager.secretAccessor", "roles/secretmanager.viewer"]) : toset([])

  project   = split("/", var.place.sealing_keys)[1]
  secret_id = var.place.sealing_keys
  role      = each.value
  member    = google_service_account.own.member
}
