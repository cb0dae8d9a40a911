# Secrets are made by hand (docs/deploy.md); a service may read those that it is given, and no other.
resource "google_secret_manager_secret_iam_member" "reads" {
  for_each   = local.reads
  secret_id  = each.value.secret
  role       = "roles/secretmanager.secretAccessor"
  member     = "serviceAccount:${google_service_account.run[each.value.door].email}"
  depends_on = [google_secret_manager_secret.redis]
}
