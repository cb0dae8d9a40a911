# One address in front of the open doors, so that Kong has one target: APP_TARGET=<var.host>:443, APP_PROTOCOL=https.
resource "google_compute_region_network_endpoint_group" "door" {
  for_each              = local.open
  name                  = each.key
  region                = var.region
  network_endpoint_type = "SERVERLESS"
  cloud_run {
    service = google_cloud_run_v2_service.door[each.key].name
  }
}

resource "google_compute_backend_service" "door" {
  for_each              = local.open
  name                  = each.key
  load_balancing_scheme = "EXTERNAL_MANAGED"
  protocol              = "HTTPS"
  backend {
    group = google_compute_region_network_endpoint_group.door[each.key].id
  }
}

resource "google_compute_url_map" "doors" {
  name            = "bitbylaw"
  default_service = google_compute_backend_service.door["advoware-proxy"].id # for Kong's /health; every other path is a 404 there

  host_rule {
    hosts        = [var.host]
    path_matcher = "doors"
  }
  path_matcher {
    name            = "doors"
    default_service = google_compute_backend_service.door["advoware-proxy"].id
    dynamic "path_rule" {
      for_each = local.paths
      content {
        paths   = [path_rule.key]
        service = google_compute_backend_service.door[path_rule.value].id
      }
    }
  }
}

resource "google_compute_managed_ssl_certificate" "host" {
  name = "bitbylaw"
  managed {
    domains = [var.host]
  }
}

resource "google_compute_target_https_proxy" "doors" {
  name             = "bitbylaw"
  url_map          = google_compute_url_map.doors.id
  ssl_certificates = [google_compute_managed_ssl_certificate.host.id]
}

resource "google_compute_global_address" "host" {
  name = "bitbylaw"
}

resource "google_compute_global_forwarding_rule" "doors" {
  name                  = "bitbylaw"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  target                = google_compute_target_https_proxy.doors.id
  ip_address            = google_compute_global_address.host.id
  port_range            = "443"
}

output "address" {
  description = "Where the name var.host has to point"
  value       = google_compute_global_address.host.address
}
