# The document database. Its indexes and times to live come from the one file that also drives SQLite and the tests.
locals {
  _declared = jsondecode(file("${path.module}/firestore.indexes.json"))

  _indexes = {
    for index in local._declared.indexes :
    join("/", concat([index.collectionGroup], [for field in index.fields : "${field.fieldPath}.${lower(try(field.order, field.arrayConfig))}"])) => index
  }

  _fields = { for field in local._declared.fieldOverrides : "${field.collectionGroup}/${field.fieldPath}" => field }
}

resource "google_firestore_database" "main" {
  project                           = var.project
  name                              = "(default)"
  location_id                       = var.location
  type                              = "FIRESTORE_NATIVE"
  point_in_time_recovery_enablement = "POINT_IN_TIME_RECOVERY_ENABLED"
  delete_protection_state           = local.production ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = local.deletion

  depends_on = [google_project_service.all]
}

resource "google_firestore_index" "all" {
  for_each = local._indexes

  project     = var.project
  database    = google_firestore_database.main.name
  collection  = each.value.collectionGroup
  query_scope = each.value.queryScope
  skip_wait   = true

  dynamic "fields" {
    for_each = each.value.fields

    content {
      field_path   = fields.value.fieldPath
      order        = try(fields.value.order, null)
      array_config = try(fields.value.arrayConfig, null)
    }
  }
}

resource "google_firestore_field" "all" {
  for_each = local._fields

  project    = var.project
  database   = google_firestore_database.main.name
  collection = each.value.collectionGroup
  field      = each.value.fieldPath

  # Without any index inside, the field is left out of the automatic ones.
  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes

      content {
        query_scope  = try(indexes.value.queryScope, "COLLECTION")
        order        = try(indexes.value.order, null)
        array_config = try(indexes.value.arrayConfig, null)
      }
    }
  }

  dynamic "ttl_config" {
    for_each = try(each.value.ttl, false) ? ["ttl"] : []

    content {}
  }
}

resource "google_firestore_backup_schedule" "daily" {
  project   = var.project
  database  = google_firestore_database.main.name
  retention = "604800s"

  daily_recurrence {}
}

resource "google_firestore_backup_schedule" "weekly" {
  project   = var.project
  database  = google_firestore_database.main.name
  retention = "4838400s"

  weekly_recurrence {
    day = "SUNDAY"
  }
}
