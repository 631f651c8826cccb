# One queue for each family of jobs. They repeat more often than a job's own attempts: the job's document decides when to stop and
# answers 200 then, so a queue never gives up on work that the document still wants done.
locals {
  # How fast and how many at once; refresh and sync: one for each source, the lease on the account does the rest.
  _queues = {
    refresh  = { per_second = 5, at_once = 2 }
    sync     = { per_second = 5, at_once = 2 }
    scraping = { per_second = 2, at_once = 4 }
    import   = { per_second = 5, at_once = 4 }
    orders   = { per_second = 20, at_once = 8 }
    ai       = { per_second = 2, at_once = 2 }
    ml       = { per_second = 1, at_once = 1 }
    alerts   = { per_second = 10, at_once = 4 }
  }
}

resource "google_cloud_tasks_queue" "all" {
  for_each = local._queues

  project  = var.project
  location = var.region
  name     = each.key

  rate_limits {
    max_dispatches_per_second = each.value.per_second
    max_concurrent_dispatches = each.value.at_once
  }

  retry_config {
    max_attempts  = 12
    min_backoff   = "30s"
    max_backoff   = "600s"
    max_doublings = 5
  }

  stackdriver_logging_config {
    sampling_ratio = local.production ? 0.1 : 1
  }

  depends_on = [google_project_service.all]
}
