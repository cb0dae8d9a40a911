# bitbylaw on Google Cloud: one Cloud Run service per door, one Pub/Sub topic per topic with push and dead letters,
# Scheduler, Secret Manager, Memorystore. The state holds Redis' password: keep it in a bucket that few may read.
terraform {
  required_version = ">= 1.6"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

data "google_project" "this" {}

resource "google_project_service" "api" {
  for_each           = toset(["run", "pubsub", "cloudscheduler", "secretmanager", "redis", "compute"])
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}
