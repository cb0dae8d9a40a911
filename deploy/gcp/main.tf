# bitbylaw on Google Cloud: one Cloud Run service per target, one Pub/Sub topic per topic with push and dead letters, Scheduler.
terraform {
  required_version = ">= 1.6"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.0"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

variable "project" { type = string }
variable "image" { type = string }
variable "network" { type = string }
variable "subnet" { type = string }
variable "region" {
  type    = string
  default = "europe-west3"
}
variable "audience" {
  type    = string
  default = "https://bitbylaw.internal"
}

locals {
  http = {
    advoware_proxy     = ["ADVOWARE_API_KEY", "ADVOWARE_PASSWORD"]
    calendar_sync_api  = ["ADVOWARE_API_KEY", "ADVOWARE_PASSWORD", "GOOGLE_CALENDAR_SERVICE_ACCOUNT"]
    calendar_sync_cron = ["ADVOWARE_API_KEY", "ADVOWARE_PASSWORD", "GOOGLE_CALENDAR_SERVICE_ACCOUNT"]
    calendar_push      = ["ADVOWARE_API_KEY", "CALENDAR_PUSH_TOKEN"]
    vmh_webhooks       = ["ESPOCRM_API_KEY", "ESPOCRM_WEBHOOK_SECRETS", "ADVOWARE_API_KEY", "ADVOWARE_PASSWORD"]
    leads              = ["VERMIETERHELDEN_WEBHOOK_SECRET", "LEAD_ENCRYPTION_KEY", "ESPOCRM_API_KEY"]
    leads_maintenance  = ["VERMIETERHELDEN_WEBHOOK_SECRET", "LEAD_ENCRYPTION_KEY", "ESPOCRM_API_KEY"]
    threecx            = ["THREECX_API_KEY", "THREECX_WEBHOOK_SECRET", "THREECX_TEMPLATE_KEY", "ESPOCRM_API_KEY"]
    ops                = ["OPS_PASSWORD"]
  }
  subscribers = {
    calendar_sync_all      = ["ADVOWARE_API_KEY", "ADVOWARE_PASSWORD", "GOOGLE_CALENDAR_SERVICE_ACCOUNT"]
    calendar_sync_employee = ["ADVOWARE_API_KEY", "ADVOWARE_PASSWORD", "GOOGLE_CALENDAR_SERVICE_ACCOUNT"]
    beteiligte_sync        = ["ESPOCRM_API_KEY", "ESPOCRM_WEBHOOK_SECRETS", "ADVOWARE_API_KEY", "ADVOWARE_PASSWORD"]
    lead_intake            = ["VERMIETERHELDEN_WEBHOOK_SECRET", "LEAD_ENCRYPTION_KEY", "ESPOCRM_API_KEY"]
    call_journal           = ["THREECX_API_KEY", "THREECX_WEBHOOK_SECRET", "ESPOCRM_API_KEY"]
  }
  topics = {
    "calendar_sync_all"      = "calendar_sync_all"
    "calendar_sync_employee" = "calendar_sync_employee"
    "vmh.beteiligte.create"  = "beteiligte_sync"
    "vmh.beteiligte.update"  = "beteiligte_sync"
    "vmh.beteiligte.delete"  = "beteiligte_sync"
    "lead.received"          = "lead_intake"
    "threecx.call"           = "call_journal"
  }
  schedules = {
    calendar-daily = { target = "calendar_sync_cron", path = "/calendar/cron", when = "0 5 * * *" }
    calendar-poll  = { target = "calendar_sync_cron", path = "/calendar/cron", when = "*/15 * * * *" }
    vmh-changed    = { target = "vmh_webhooks", path = "/vmh/reconcile", when = "*/10 * * * *" }
    vmh-full       = { target = "vmh_webhooks", path = "/vmh/reconcile?full=true", when = "30 2 * * *" }
    threecx        = { target = "threecx", path = "/threecx/reconcile", when = "0 * * * *" }
    leads          = { target = "leads_maintenance", path = "/leads/maintenance", when = "0 * * * *" }
    relay          = { target = "ops", path = "/ops/relay", when = "* * * * *" }
  }
  services = merge(local.http, local.subscribers)
  grants = merge([for name, secrets in local.services : {
    for secret in concat(["GATEWAY_SECRET", "REDIS_URL"], secrets) : "${name}/${secret}" => { name = name, secret = secret }
  }]...)
}

resource "google_service_account" "run" {
  for_each   = local.services
  account_id = replace(substr("bbl-${each.key}", 0, 30), "_", "-")
}

resource "google_service_account" "caller" {
  account_id = "bbl-caller" # whom pushes and schedules speak as: EVENT_OIDC_ACCOUNT
}

resource "google_secret_manager_secret_iam_member" "reads" {
  for_each  = local.grants
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${google_service_account.run[each.value.name].email}"
}

resource "google_cloud_run_v2_service" "target" {
  for_each            = local.services
  name                = replace(each.key, "_", "-")
  location            = var.region
  deletion_protection = false
  ingress             = contains(keys(local.http), each.key) ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"

  template {
    service_account                  = google_service_account.run[each.key].email
    timeout                          = contains(keys(local.subscribers), each.key) ? "600s" : "300s"
    max_instance_request_concurrency = contains(keys(local.subscribers), each.key) ? 4 : 16
    vpc_access {
      network_interfaces {
        network    = var.network
        subnetwork = var.subnet
      }
    }
    containers {
      image = var.image
      dynamic "env" {
        for_each = {
          FUNCTION_TARGET            = each.key
          ENVIRONMENT                = "production"
          REDIS_DURABILITY           = "managed"
          EVENT_TRANSPORT            = "pubsub"
          EVENT_PUBSUB_PROJECT       = var.project
          EVENT_OIDC_AUDIENCE        = var.audience
          EVENT_OIDC_ACCOUNT         = google_service_account.caller.email
          CALENDAR_RUN_LIMIT_SECONDS = "540" # a push has to be acknowledged within 600
        }
        content {
          name  = env.key
          value = env.value
        }
      }
      dynamic "env" {
        for_each = toset([for name in concat(["GATEWAY_SECRET", "REDIS_URL"], each.value) : name if name != "GOOGLE_CALENDAR_SERVICE_ACCOUNT"])
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

resource "google_pubsub_topic" "topic" {
  for_each = local.topics
  name     = each.key
}

resource "google_pubsub_topic" "dead" {
  for_each = local.topics
  name     = "${each.key}.dead"
}

resource "google_pubsub_subscription" "dead" {
  for_each                   = local.topics
  name                       = "${each.key}.dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  message_retention_duration = "1209600s"
}

resource "google_pubsub_subscription" "push" {
  for_each             = local.topics
  name                 = each.key
  topic                = google_pubsub_topic.topic[each.key].id
  ack_deadline_seconds = 600

  push_config {
    push_endpoint = "${google_cloud_run_v2_service.target[each.value].uri}/"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = var.audience
    }
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy { # what waits in Redis is announced again by the relay, so a letter here is only what nobody can read
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = 20
  }
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = { for pair in setproduct(keys(local.topics), keys(local.services)) : "${pair[0]}/${pair[1]}" => pair }
  topic    = google_pubsub_topic.topic[each.value[0]].id
  role     = "roles/pubsub.publisher"
  member   = "serviceAccount:${google_service_account.run[each.value[1]].email}"
}

resource "google_cloud_run_v2_service_iam_member" "calls" {
  for_each = local.services
  name     = google_cloud_run_v2_service.target[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = contains(keys(local.http), each.key) ? "allUsers" : "serviceAccount:${google_service_account.caller.email}"
}

resource "google_cloud_scheduler_job" "call" {
  for_each         = local.schedules
  name             = "bitbylaw-${each.key}"
  schedule         = each.value.when
  time_zone        = "Europe/Berlin"
  attempt_deadline = "300s"
  http_target {
    http_method = "POST"
    uri         = "${google_cloud_run_v2_service.target[each.value.target].uri}${each.value.path}"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = var.audience
    }
  }
}
