resource "google_project_service" "all" {
  for_each = toset([
    "artifactregistry", "bigquery", "billingbudgets", "cloudbuild", "cloudfunctions", "cloudkms", "cloudscheduler", "cloudtasks",
    "compute", "firestore", "iam", "iamcredentials", "logging", "monitoring", "run", "secretmanager", "storage", "sts",
  ])

  project            = var.project
  service            = "${each.value}.googleapis.com"
  disable_on_destroy = false
}
