# A pipeline deploys without keys: its own short-lived token stands for the deploy account, from one repository and branch only.
locals {
  _pipeline = var.pipeline == null ? {} : { pipeline = var.pipeline }
}

resource "google_iam_workload_identity_pool" "pipeline" {
  for_each = local._pipeline

  project                   = var.project
  workload_identity_pool_id = "onhand-${var.environment}"
  display_name              = "Onhand pipeline"
}

resource "google_iam_workload_identity_pool_provider" "pipeline" {
  for_each = local._pipeline

  project                            = var.project
  workload_identity_pool_id          = google_iam_workload_identity_pool.pipeline[each.key].workload_identity_pool_id
  workload_identity_pool_provider_id = "repository"
  attribute_condition                = "assertion.sub == 'repo:${each.value.repository}:ref:refs/heads/${each.value.branch}' && assertion.repository == '${each.value.repository}'"

  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = each.value.issuer
  }
}

resource "google_service_account_iam_member" "pipeline" {
  for_each = var.deploy_account == null ? {} : local._pipeline

  service_account_id = "projects/${var.project}/serviceAccounts/${var.deploy_account}"
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.pipeline[each.key].name}/attribute.repository/${each.value.repository}"
}
