resource "google_pubsub_topic" "topic" {
  for_each = local.topics
  name     = each.key
}

resource "google_pubsub_topic" "dead" {
  for_each = local.topics
  name     = "${each.key}.dead"
}

# What operators see and redrive under /ops/deadletters.
resource "google_pubsub_subscription" "dead" {
  for_each                   = local.topics
  name                       = "${each.key}.dead"
  topic                      = google_pubsub_topic.dead[each.key].id
  message_retention_duration = "1209600s"
  expiration_policy {
    ttl = ""
  }
}

resource "google_pubsub_subscription" "push" {
  for_each             = local.topics
  name                 = each.key
  topic                = google_pubsub_topic.topic[each.key].id
  ack_deadline_seconds = 600
  depends_on           = [google_pubsub_topic_iam_member.puts_aside, google_cloud_run_v2_service_iam_member.caller]

  push_config {
    push_endpoint = "${google_cloud_run_v2_service.door[each.value].uri}/"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = var.audience
    }
  }
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  expiration_policy {
    ttl = ""
  }
  dead_letter_policy { # what waits in Redis is announced again by the relay, so a letter here is only what nobody can read
    dead_letter_topic     = google_pubsub_topic.dead[each.key].id
    max_delivery_attempts = 20
  }
}

# --- who may do what ---
resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = local.sends
  topic    = google_pubsub_topic.topic[each.value.topic].id
  role     = "roles/pubsub.publisher"
  member   = "serviceAccount:${google_service_account.run[each.value.door].email}"
}

resource "google_pubsub_subscription_iam_member" "looks" {
  for_each     = local.topics
  subscription = google_pubsub_subscription.dead[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = "serviceAccount:${google_service_account.run["ops"].email}"
}

# Pub/Sub itself: it signs tokens as the caller, and moves messages to the dead-letter topics.
locals {
  pubsub_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_service_account_iam_member" "pubsub_signs" {
  service_account_id = google_service_account.caller.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_topic_iam_member" "puts_aside" {
  for_each = local.topics
  topic    = google_pubsub_topic.dead[each.key].id
  role     = "roles/pubsub.publisher"
  member   = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "takes_away" {
  for_each     = local.topics
  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
