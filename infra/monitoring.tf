# What is counted from logs, who is told when, and the one page to look at.
locals {
  _errors_of = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=monitoring.regex.full_match(\".*-${var.environment}\")"
  _services  = "resource.type=\"cloud_run_revision\""

  _log_metrics = {
    errors    = "${local._services} AND severity>=ERROR"
    trouble   = "${local._services} AND jsonPayload.message:\"a backend is in trouble\""
    refreshes = "${local._services} AND resource.labels.service_name=\"worker-${var.environment}\" AND httpRequest.requestUrl:\"/internal/tasks/refresh-source\" AND httpRequest.status=200"
    schedules = "resource.type=\"cloud_scheduler_job\" AND severity>=ERROR"
  }

  # filter, how points become one line, the limit, for how long, and what to look at first
  _limits = {
    "slow-answers" = {
      filter  = "${local._errors_of} AND metric.type=\"run.googleapis.com/request_latencies\" AND resource.labels.service_name!=\"worker-${var.environment}\""
      aligner = "ALIGN_PERCENTILE_95", reducer = "REDUCE_MAX", above = 2000, seconds = 600
      advice  = "The slowest twentieth of answers takes more than two seconds. See the dashboard's latency by function."
    }
    "queue-depth" = {
      filter  = "resource.type=\"cloud_tasks_queue\" AND metric.type=\"cloudtasks.googleapis.com/queue/depth\""
      aligner = "ALIGN_MAX", reducer = "REDUCE_MAX", above = 1000, seconds = 900
      advice  = "Tasks wait. Is the worker failing, or is a queue paused?"
    }
    "scheduler-failures" = {
      filter  = "resource.type=\"cloud_scheduler_job\" AND metric.type=\"logging.googleapis.com/user/onhand-schedules-${var.environment}\""
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", above = 2, seconds = 0
      advice  = "The scheduler could not call the worker. Look at the job's last attempt."
    }
    "backend-trouble" = {
      filter  = "${local._services} AND metric.type=\"logging.googleapis.com/user/onhand-trouble-${var.environment}\""
      aligner = "ALIGN_SUM", reducer = "REDUCE_SUM", above = 20, seconds = 300
      advice  = "Requests meet a backend that does not answer. See the platform's status page and /ready."
    }
  }
}

resource "google_logging_metric" "all" {
  for_each = local._log_metrics

  project = var.project
  name    = "onhand-${each.key}-${var.environment}"
  filter  = each.value

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }
}

resource "google_monitoring_notification_channel" "email" {
  project      = var.project
  display_name = "Onhand ${var.environment}"
  type         = "email"
  labels       = { email_address = var.alert_email }
}

resource "google_monitoring_alert_policy" "limits" {
  for_each = local._limits

  project               = var.project
  display_name          = "Onhand ${var.environment}: ${each.key}"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = each.key

    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.above
      duration        = "${each.value.seconds}s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = each.value.reducer
      }
    }
  }

  documentation {
    content   = each.value.advice
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.all]
}

resource "google_monitoring_alert_policy" "failures" {
  project               = var.project
  display_name          = "Onhand ${var.environment}: failed-requests"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = "more than one answer in fifty is a failure of ours"

    condition_threshold {
      filter             = "${local._errors_of} AND metric.type=\"run.googleapis.com/request_count\" AND metric.labels.response_code_class=\"5xx\""
      denominator_filter = "${local._errors_of} AND metric.type=\"run.googleapis.com/request_count\""
      comparison         = "COMPARISON_GT"
      threshold_value    = 0.02
      duration           = "300s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_RATE"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "More than 2 % of requests end in 5xx. Look for severity=ERROR in the logs of the last minutes."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_alert_policy" "stale" {
  project               = var.project
  display_name          = "Onhand ${var.environment}: no-refresh"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = "no refresh was carried out for an hour"

    condition_absent {
      filter   = "${local._services} AND metric.type=\"logging.googleapis.com/user/onhand-refreshes-${var.environment}\""
      duration = "3600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "The held orders shown are getting old. Is the schedule `refresh` paused, the queue `refresh` stuck, or the 3PL down?"
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.all]
}

resource "google_monitoring_uptime_check_config" "ready" {
  project      = var.project
  display_name = "Onhand ${var.environment}: ready"
  timeout      = "10s"
  period       = "300s"

  http_check {
    path         = "/ready"
    port         = 443
    use_ssl      = true
    validate_ssl = true
  }

  monitored_resource {
    type = "uptime_url"
    labels = {
      project_id = var.project
      host       = coalesce(var.domain, trimprefix(module.public["meta"].uri, "https://"))
    }
  }
}

resource "google_monitoring_alert_policy" "down" {
  project               = var.project
  display_name          = "Onhand ${var.environment}: not-ready"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.email.id]

  conditions {
    display_name = "/ready fails from more than one place"

    condition_threshold {
      filter          = "resource.type=\"uptime_url\" AND metric.type=\"monitoring.googleapis.com/uptime_check/check_passed\" AND metric.labels.check_id=\"${google_monitoring_uptime_check_config.ready.uptime_check_id}\""
      comparison      = "COMPARISON_GT"
      threshold_value = 1
      duration        = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_NEXT_OLDER"
        cross_series_reducer = "REDUCE_COUNT_FALSE"
      }
    }
  }

  documentation {
    content   = "Nobody outside gets an answer from /ready. Roll back if a deployment just ended: docs/operations.md."
    mime_type = "text/markdown"
  }
}

resource "google_monitoring_dashboard" "main" {
  project        = var.project
  dashboard_json = templatefile("${path.module}/dashboards/onhand.json", { environment = var.environment })
}

resource "google_billing_budget" "monthly" {
  for_each = var.budget == null ? toset([]) : toset(["monthly"])

  billing_account = var.budget.billing_account
  display_name    = "Onhand ${var.environment}"

  budget_filter {
    projects = ["projects/${var.project_number}"]
  }

  amount {
    specified_amount {
      currency_code = var.budget.currency
      units         = tostring(floor(var.budget.amount))
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]

    content {
      threshold_percent = threshold_rules.value
    }
  }

  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.email.id]
  }
}
