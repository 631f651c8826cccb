# Schedules are declared by the internal function that carries them out.
locals {
  _schedules = merge([
    for name, facts in local.internal : { for schedule in facts.schedules : schedule.name => merge(schedule, { function = name }) }
  ]...)
}

resource "google_cloud_scheduler_job" "all" {
  for_each = local._schedules

  project          = var.project
  region           = var.region
  name             = "${each.key}-${var.environment}"
  schedule         = each.value.cron
  time_zone        = each.value.time_zone
  attempt_deadline = "${each.value.deadline_s}s"

  retry_config {
    retry_count          = 3
    min_backoff_duration = "10s"
    max_backoff_duration = "120s"
    max_doublings        = 3
  }

  http_target {
    uri         = "${module.internal[each.value.function].uri}${each.value.path}"
    http_method = "POST"
    headers     = { "Content-Type" = "application/json" }
    body        = base64encode("{}")

    oidc_token {
      service_account_email = google_service_account.invoker.email
      audience              = local.worker_url
    }
  }
}
