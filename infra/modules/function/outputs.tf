output "account" {
  description = "The function's own account."
  value       = google_service_account.own.member
}

output "name" {
  description = "Name of the function and of the service below it."
  value       = google_cloudfunctions2_function.this.name
}

output "uri" {
  description = "The run.app address: the only one at which the platform's queue and scheduler count as internal."
  value       = google_cloudfunctions2_function.this.service_config[0].uri
}
