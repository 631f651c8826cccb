# Secrets are made for what the manifests name and the environment configures. Values enter once, write-only, and are in no state.
locals {
  _named   = toset(flatten([for facts in values(local.functions) : facts.needs.secrets]))
  _secrets = { for name, version in var.secret_versions : name => version if contains(local._named, name) }
}

check "secrets" {
  assert {
    condition     = length(setsubtract(keys(var.secret_versions), local._named)) == 0
    error_message = "secret_versions names secrets that no function needs: ${join(", ", setsubtract(keys(var.secret_versions), local._named))}."
  }
}

check "public_keys" {
  assert {
    condition     = !contains(keys(var.secret_versions), "auth-signing-key") || contains(keys(var.settings), "AUTH_PUBLIC_KEYS")
    error_message = "settings.AUTH_PUBLIC_KEYS is missing: only the function auth could check access tokens (docs/operations.md, step 6)."
  }
}

resource "google_secret_manager_secret" "all" {
  for_each = local._secrets

  project         = var.project
  secret_id       = each.key
  deletion_policy = local.deletion

  replication {
    auto {}
  }

  depends_on = [google_project_service.all]
}

resource "google_secret_manager_secret_version" "all" {
  for_each = local._secrets

  secret                 = google_secret_manager_secret.all[each.key].id
  secret_data_wo         = lookup(var.secret_values, each.key, null)
  secret_data_wo_version = each.value
}
