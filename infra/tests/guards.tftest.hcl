# What the configuration itself refuses, and what production must hold. Run by `terraform test`; no cloud, no credentials.
mock_provider "google" {}

variables {
  project        = "onhand-test"
  project_number = "123456789012"
  alert_email    = "oncall@example.com"
  environment    = "dev"
}

run "an_unknown_environment_is_refused" {
  command = plan

  variables {
    environment = "prod"
  }

  expect_failures = [var.environment]
}

run "a_secret_among_the_settings_is_refused" {
  command = plan

  variables {
    settings = { STORD_API_TOKEN = "it" }
  }

  expect_failures = [var.settings]
}

run "two_ways_to_seal_credentials_are_refused" {
  command = plan

  variables {
    settings        = { SEALING_KEYS = "projects/onhand-test/secrets/keys" }
    secret_versions = { encryption-key = 1 }
  }

  expect_failures = [var.settings]
}

run "a_secret_that_no_function_needs_is_noticed" {
  command = plan

  variables {
    secret_versions = { nobodys = 1 }
  }

  expect_failures = [check.secrets]
}

run "tokens_that_only_one_function_could_check_are_noticed" {
  command = plan

  variables {
    secret_versions = { auth-signing-key = 1 }
  }

  expect_failures = [check.public_keys]
}

run "production_is_protected_from_deletion" {
  command = plan

  variables {
    environment = "production"
  }

  assert {
    condition     = google_firestore_database.main.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.main.deletion_policy == "PREVENT"
    error_message = "the document database can be deleted"
  }

  assert {
    condition     = alltrue([for table in google_bigquery_table.all : table.deletion_protection])
    error_message = "a table can be deleted"
  }
}

run "dev_can_be_destroyed" {
  command = plan

  assert {
    condition     = google_firestore_database.main.deletion_policy == "DELETE" && google_bigquery_dataset.main.delete_contents_on_destroy
    error_message = "dev cannot be taken down"
  }
}
