# Once for each project, by a person who owns it: the bucket that holds the state, and the account that deploys.
terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.46, < 9.0"
    }
  }
}

variable "project" {
  description = "Id of the project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project id."
  }
}

variable "location" {
  description = "Where the state lies."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]$", var.location))
    error_message = "location must be a region such as europe-west1."
  }
}

provider "google" {
  project = var.project
}

resource "google_project_service" "first" {
  for_each = toset(["cloudresourcemanager", "iam", "serviceusage", "storage"])

  project            = var.project
  service            = "${each.value}.googleapis.com"
  disable_on_destroy = false
}

resource "google_storage_bucket" "state" {
  project                     = var.project
  name                        = "${var.project}-state"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      num_newer_versions = 50
    }
  }
}

resource "google_service_account" "deploy" {
  project      = var.project
  account_id   = "deploy"
  display_name = "Onhand: deploys"

  depends_on = [google_project_service.first]
}

resource "google_project_iam_member" "deploy" {
  for_each = toset([
    "roles/artifactregistry.admin", "roles/bigquery.admin", "roles/cloudfunctions.admin", "roles/cloudkms.admin",
    "roles/cloudscheduler.admin", "roles/cloudtasks.queueAdmin", "roles/compute.loadBalancerAdmin", "roles/datastore.owner",
    "roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountUser", "roles/iam.workloadIdentityPoolAdmin",
    "roles/logging.configWriter", "roles/monitoring.editor", "roles/resourcemanager.projectIamAdmin", "roles/run.admin",
    "roles/secretmanager.admin", "roles/serviceusage.serviceUsageAdmin", "roles/storage.admin",
  ])

  project = var.project
  role    = each.value
  member  = google_service_account.deploy.member
}

output "bucket" {
  description = "Name for env/<environment>.backend."
  value       = google_storage_bucket.state.name
}

output "deploy_account" {
  description = "For deploy_account in env/<environment>.tfvars."
  value       = google_service_account.deploy.email
}
