# The warehouse: tables from the models' own declarations, and the older tables' names as views.
locals {
  production = var.environment == "production"
  deletion   = local.production ? "PREVENT" : "DELETE"
  _tables    = jsondecode(file("${path.module}/tables.json"))
  _views     = { for view in fileset("${path.module}/views", "*.sql") : trimsuffix(view, ".sql") => view }
}

resource "google_bigquery_dataset" "main" {
  project                    = var.project
  dataset_id                 = "onhand_${var.environment}"
  location                   = var.location
  description                = "Onhand's warehouse"
  max_time_travel_hours      = 168
  delete_contents_on_destroy = !local.production
  deletion_policy            = local.deletion

  depends_on = [google_project_service.all]
}

resource "google_bigquery_table" "all" {
  for_each = local._tables

  project                  = var.project
  dataset_id               = google_bigquery_dataset.main.dataset_id
  table_id                 = each.key
  description              = each.value.description
  schema                   = file("${path.module}/schemas/${each.key}.json")
  clustering               = each.value.clustering
  require_partition_filter = each.value.require_partition_filter
  deletion_protection      = local.production
  deletion_policy          = local.deletion

  time_partitioning {
    type  = each.value.time_partitioning.type
    field = each.value.time_partitioning.field
  }
}

resource "google_bigquery_table" "older" {
  for_each = local._views

  project             = var.project
  dataset_id          = google_bigquery_dataset.main.dataset_id
  table_id            = each.key
  description         = "The name that older reports ask for"
  deletion_protection = local.production

  view {
    query          = templatefile("${path.module}/views/${each.value}", { dataset = "${var.project}.${google_bigquery_dataset.main.dataset_id}" })
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.all]
}
