# Two nodes and hourly snapshots; Memorystore has no `appendfsync always`, so a failover may lose the last moment.
resource "google_redis_instance" "state" {
  name                    = "bitbylaw"
  tier                    = "STANDARD_HA"
  memory_size_gb          = var.redis_memory_gb
  region                  = var.region
  redis_version           = "REDIS_7_2"
  authorized_network      = var.network
  auth_enabled            = true
  transit_encryption_mode = "SERVER_AUTHENTICATION"
  redis_configs           = { "maxmemory-policy" = "noeviction" }
  depends_on              = [google_project_service.api]

  persistence_config {
    persistence_mode    = "RDB"
    rdb_snapshot_period = "ONE_HOUR"
  }
}

resource "google_secret_manager_secret" "redis" {
  for_each   = toset(["REDIS_URL", "REDIS_CA"])
  secret_id  = each.key
  depends_on = [google_project_service.api]
  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "redis" {
  for_each = {
    # its certificate is made out to no name, but only this instance's own authority is believed
    REDIS_URL = "rediss://:${google_redis_instance.state.auth_string}@${google_redis_instance.state.host}:${google_redis_instance.state.port}?ssl_ca_certs=/secrets/redis/ca.pem&ssl_check_hostname=false"
    REDIS_CA  = google_redis_instance.state.server_ca_certs[0].cert
  }
  secret      = google_secret_manager_secret.redis[each.key].id
  secret_data = each.value
}
