resource "google_service_account" "run" {
  for_each   = local.doors
  account_id = "bbl-${each.key}"
}

resource "google_service_account" "caller" {
  account_id = "bbl-caller" # whom pushes and schedules speak as
}

resource "google_cloud_run_v2_service" "door" {
  for_each            = local.doors
  name                = each.key
  location            = var.region
  deletion_protection = false
  ingress             = local.ingress[each.key]
  custom_audiences    = [var.audience]
  depends_on          = [google_project_service.api, google_secret_manager_secret_iam_member.reads, google_secret_manager_secret_version.redis]

  template {
    service_account                  = google_service_account.run[each.key].email
    timeout                          = "${local.seconds[each.key]}s"
    max_instance_request_concurrency = each.value.open ? 16 : 4
    scaling {
      max_instance_count = 4
    }
    vpc_access {
      egress = "ALL_TRAFFIC" # upstreams may know us by our address
      network_interfaces {
        network    = var.network
        subnetwork = var.subnet
      }
    }
    dynamic "volumes" {
      for_each = local.files[each.key]
      content {
        name = volumes.key
        secret {
          secret = volumes.value.secret
          items {
            path    = volumes.value.path
            version = "latest"
          }
        }
      }
    }
    containers {
      image = var.image
      resources {
        limits = { cpu = "1", memory = each.key == "calendar-sync-employee" ? "1Gi" : "512Mi" }
      }
      startup_probe {
        period_seconds    = 2
        failure_threshold = 30
        http_get {
          path = "/health"
        }
      }
      dynamic "volume_mounts" {
        for_each = local.files[each.key]
        content {
          name       = volume_mounts.key
          mount_path = "/secrets/${volume_mounts.key}"
        }
      }
      dynamic "env" {
        for_each = merge(local.settings[each.key], {
          EVENT_OIDC_AUDIENCE = var.audience
          EVENT_OIDC_ACCOUNT  = google_service_account.caller.email
        })
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = local.secrets[each.key]
        content {
          name = env.value
          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }
  }
}

# Whoever comes to an open door proves itself to the function: by the gateway's secret, or by a signature.
resource "google_cloud_run_v2_service_iam_member" "anybody" {
  for_each = local.open
  name     = google_cloud_run_v2_service.door[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}

resource "google_cloud_run_v2_service_iam_member" "caller" {
  for_each = { for name, door in local.doors : name => door if !door.open }
  name     = google_cloud_run_v2_service.door[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "serviceAccount:${google_service_account.caller.email}"
}

resource "google_cloud_run_v2_service_iam_member" "operators" {
  for_each = toset(var.operators)
  name     = google_cloud_run_v2_service.door["ops"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = each.value
}
