# Optional: one domain in front of all public functions. Paths stay as they are; the longest prefix decides, as in the local run.
locals {
  _edge   = { for name, facts in local.public : name => facts if var.domain != null }
  _domain = var.domain == null ? toset([]) : toset([var.domain])
}

resource "google_compute_region_network_endpoint_group" "function" {
  for_each = local._edge

  project               = var.project
  region                = var.region
  name                  = "fn-${each.key}-${var.environment}"
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = module.public[each.key].name
  }
}

resource "google_compute_backend_service" "function" {
  for_each = local._edge

  project               = var.project
  name                  = "fn-${each.key}-${var.environment}"
  load_balancing_scheme = "EXTERNAL_MANAGED"

  backend {
    group = google_compute_region_network_endpoint_group.function[each.key].id
  }
}

resource "google_compute_url_map" "edge" {
  for_each = local._domain

  project         = var.project
  name            = "onhand-${var.environment}"
  default_service = google_compute_backend_service.function["meta"].id

  host_rule {
    hosts        = [each.value]
    path_matcher = "functions"
  }

  path_matcher {
    name            = "functions"
    default_service = google_compute_backend_service.function["meta"].id

    dynamic "path_rule" {
      for_each = local._edge
      iterator = function

      content {
        paths   = flatten([for path in function.value.paths : path == "/" ? ["/"] : [path, "${path}/*"]])
        service = google_compute_backend_service.function[function.key].id
      }
    }
  }
}

resource "google_compute_global_address" "edge" {
  for_each = local._domain

  project = var.project
  name    = "onhand-${var.environment}"
}

resource "google_compute_managed_ssl_certificate" "edge" {
  for_each = local._domain

  project = var.project
  name    = "onhand-${var.environment}"

  managed {
    domains = [each.value]
  }
}

resource "google_compute_ssl_policy" "edge" {
  for_each = local._domain

  project         = var.project
  name            = "onhand-${var.environment}"
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_target_https_proxy" "edge" {
  for_each = local._domain

  project          = var.project
  name             = "onhand-${var.environment}"
  url_map          = google_compute_url_map.edge[each.key].id
  ssl_certificates = [google_compute_managed_ssl_certificate.edge[each.key].id]
  ssl_policy       = google_compute_ssl_policy.edge[each.key].id
}

resource "google_compute_global_forwarding_rule" "edge" {
  for_each = local._domain

  project               = var.project
  name                  = "onhand-${var.environment}"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  port_range            = "443"
  target                = google_compute_target_https_proxy.edge[each.key].id
  ip_address            = google_compute_global_address.edge[each.key].id
}
