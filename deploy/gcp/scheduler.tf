resource "google_cloud_scheduler_job" "call" {
  for_each         = local.schedules
  name             = "bitbylaw-${each.key}"
  schedule         = each.value.when
  time_zone        = "Europe/Berlin"
  attempt_deadline = "${local.seconds[each.value.door]}s"
  depends_on       = [google_project_service.api, google_cloud_run_v2_service_iam_member.caller]

  http_target {
    http_method = "POST"
    uri         = "${google_cloud_run_v2_service.door[each.value.door].uri}${each.value.path}"
    oidc_token {
      service_account_email = google_service_account.caller.email
      audience              = var.audience
    }
  }
}
