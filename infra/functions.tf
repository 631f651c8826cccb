# Every folder of functions/ with a function.json is one function: adding a folder deploys it, nothing here changes.
locals {
  functions = {
    for manifest in fileset("${path.module}/../functions", "*/function.json") :
    dirname(manifest) => jsondecode(file("${path.module}/../functions/${manifest}"))
  }

  public   = { for name, facts in local.functions : name => facts if facts.public }
  internal = { for name, facts in local.functions : name => facts if !facts.public }

  # The worker cannot be told its own generated address without a cycle; the address made of the project's number is known before.
  worker_url = "https://worker-${var.environment}-${var.project_number}.${var.region}.run.app"

  # Settings that are refused alone: each goes only where the secret beside it goes.
  _pairs = {
    ADMIN_EMAIL         = "admin-password"
    BASIC_AUTH_USERNAME = "basic-auth-password"
  }

  _environment = merge({ for key, value in var.settings : key => value if key != "SEALING_KEYS" }, {
    ENVIRONMENT        = var.environment
    STORE_URL          = "firestore://${var.project}/${google_firestore_database.main.name}"
    WAREHOUSE_URL      = "bigquery://${var.project}/${google_bigquery_dataset.main.dataset_id}"
    TASKS_URL          = "cloudtasks://${var.project}/${var.region}"
    SCHEDULES_URL      = "cloudscheduler://${var.project}/${var.region}"
    TRUSTED_PROXY_HOPS = var.domain == null ? "1" : "2"
    WORKER_AUDIENCE    = local.worker_url
    WORKER_INVOKERS    = google_service_account.invoker.email
  })

  # What credentials are sealed with: the one key of KMS, keys in a secret named by a setting, or a key that the functions hold.
  _sealed_by = contains(keys(var.settings), "SEALING_KEYS") ? "secret" : contains(keys(var.secret_versions), "encryption-key") ? "own" : "kms"

  _environments = {
    for name, facts in local.functions : name => merge(
      { for key, value in local._environment : key => value if !contains(keys(local._pairs), key) || contains(keys(local._secrets_of[name]), lookup(local._pairs, key, "")) },
      facts.needs.kms && local._sealed_by == "kms" ? { KMS_KEY = google_kms_crypto_key.credentials.id } : {},
      facts.needs.kms && local._sealed_by == "secret" ? { SEALING_KEYS = var.settings["SEALING_KEYS"] } : {},
      facts.needs.files == "none" ? {} : { FILES_URL = "gs://${google_storage_bucket.imports.name}" },
    )
  }

  _secrets_of = {
    for name, facts in local.functions : name => {
      for secret in facts.needs.secrets : secret => tostring(var.secret_versions[secret]) if contains(keys(var.secret_versions), secret)
    }
  }

  _calls = {
    for name, facts in local.functions : name => {
      name          = name
      facts         = facts
      bundle        = "${path.module}/../build/${name}.zip"
      ingress       = !facts.public ? "ALLOW_INTERNAL_ONLY" : var.domain == null ? "ALLOW_ALL" : "ALLOW_INTERNAL_AND_GCLB"
      invokers      = facts.public ? tomap({ everyone = "allUsers" }) : tomap({ platform = google_service_account.invoker.member })
      environment   = local._environments[name]
      secrets       = local._secrets_of[name]
      min_instances = lookup(var.min_instances, name, null)
    }
  }

  _place = {
    project       = var.project
    region        = var.region
    environment   = var.environment
    bucket        = google_storage_bucket.source.name
    build_account = google_service_account.build.name
    repository    = google_artifact_registry_repository.functions.id
    dataset       = google_bigquery_dataset.main.dataset_id
    imports       = google_storage_bucket.imports.name
    invoker       = google_service_account.invoker.name
    kms_key       = google_kms_crypto_key.credentials.id
    sealed_by     = local._sealed_by
    sealing_keys  = lookup(var.settings, "SEALING_KEYS", null)
  }
}

# Two calls of one module, because public functions are told the worker's address, which it has only once it is made.
module "internal" {
  source   = "./modules/function"
  for_each = { for name, call in local._calls : name => call if !call.facts.public }

  function = merge(each.value, { environment = merge(each.value.environment, { WORKER_URL = local.worker_url }) })
  place    = local._place

  depends_on = [google_project_service.all, google_cloud_tasks_queue.all, google_secret_manager_secret_version.all, google_project_iam_member.build]
}

module "public" {
  source   = "./modules/function"
  for_each = { for name, call in local._calls : name => call if call.facts.public }

  function = merge(each.value, { environment = merge(each.value.environment, { WORKER_URL = module.internal["worker"].uri }) })
  place    = local._place

  depends_on = [google_project_service.all, google_cloud_tasks_queue.all, google_secret_manager_secret_version.all, google_project_iam_member.build]
}
