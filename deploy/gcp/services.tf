# A door is one Cloud Run service. Open doors are called through Kong and believe the gateway's secret. Closed ones let in
# nobody but pushes, schedules and operators: Cloud Run's IAM checks their tokens, and takes the signature away doing so.
locals {
  doors = {
    advoware-proxy         = { target = "advoware_proxy", open = true, groups = ["advoware"], publishes = [] }
    calendar-api           = { target = "calendar_sync_api", open = true, groups = ["advoware", "google"], publishes = ["calendar_sync_all", "calendar_sync_employee"] }
    calendar-push          = { target = "calendar_push", open = true, groups = ["advoware", "google"], publishes = ["calendar_sync_employee"] }
    vmh-webhooks           = { target = "vmh_webhooks", open = true, groups = ["espocrm"], publishes = local.parties }
    leads                  = { target = "leads", open = true, groups = ["leads", "espocrm"], publishes = ["lead.received"] }
    threecx                = { target = "threecx", open = true, groups = ["threecx", "espocrm", "advoware"], publishes = ["threecx.call"] }
    calendar-cron          = { target = "calendar_sync_cron", open = false, groups = ["advoware", "google"], publishes = ["calendar_sync_all"] }
    vmh-reconcile          = { target = "vmh_webhooks", open = false, groups = ["espocrm", "advoware"], publishes = local.parties }
    leads-maintenance      = { target = "leads_maintenance", open = false, groups = ["leads", "espocrm", "threecx"], publishes = ["lead.received"] }
    threecx-reconcile      = { target = "threecx", open = false, groups = ["threecx", "espocrm", "advoware"], publishes = ["threecx.call"] }
    ops                    = { target = "ops", open = false, groups = ["ops"], publishes = keys(local.topics) }
    calendar-sync-all      = { target = "calendar_sync_all", open = false, groups = ["advoware", "google"], publishes = ["calendar_sync_all", "calendar_sync_employee"] }
    calendar-sync-employee = { target = "calendar_sync_employee", open = false, groups = ["advoware", "google"], publishes = ["calendar_sync_employee"] }
    beteiligte-sync        = { target = "beteiligte_sync", open = false, groups = ["espocrm", "advoware"], publishes = local.parties }
    lead-intake            = { target = "lead_intake", open = false, groups = ["leads", "espocrm", "advoware", "threecx"], publishes = ["lead.received"] }
    call-journal           = { target = "call_journal", open = false, groups = ["threecx", "espocrm"], publishes = ["threecx.call"] }
  }
  parties = ["vmh.beteiligte.create", "vmh.beteiligte.update", "vmh.beteiligte.delete"]
  topics = {
    "calendar_sync_all"      = "calendar-sync-all"
    "calendar_sync_employee" = "calendar-sync-employee"
    "vmh.beteiligte.create"  = "beteiligte-sync"
    "vmh.beteiligte.update"  = "beteiligte-sync"
    "vmh.beteiligte.delete"  = "beteiligte-sync"
    "lead.received"          = "lead-intake"
    "threecx.call"           = "call-journal"
  }
  schedules = {
    calendar-daily = { door = "calendar-cron", path = "/calendar/cron", when = "0 5 * * *" }
    calendar-poll  = { door = "calendar-cron", path = "/calendar/cron", when = "*/15 * * * *" }
    vmh-changed    = { door = "vmh-reconcile", path = "/vmh/reconcile", when = "*/10 * * * *" }
    vmh-full       = { door = "vmh-reconcile", path = "/vmh/reconcile?full=true", when = "30 2 * * *" }
    threecx        = { door = "threecx-reconcile", path = "/threecx/reconcile", when = "0 * * * *" }
    leads          = { door = "leads-maintenance", path = "/leads/maintenance", when = "0 * * * *" }
    relay          = { door = "ops", path = "/ops/relay", when = "* * * * *" }
  }
  paths = {
    "/advoware/*"    = "advoware-proxy"
    "/calendar/*"    = "calendar-api"
    "/calendar/push" = "calendar-push"
    "/vmh/webhook/*" = "vmh-webhooks"
    "/api/leads/*"   = "leads"
    "/threecx/*"     = "threecx"
  }

  # --- what follows from that ---
  open = { for name, door in local.doors : name => door if door.open }
  ingress = { for name, door in local.doors : name => (
    door.open ? "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER" : name == "ops" ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
  ) }
  secrets = { for name, door in local.doors : name => toset(concat(
    ["REDIS_URL"], flatten([for group in concat(["common"], door.groups) : lookup(var.secrets, group, [])])
  )) }
  files = { for name, door in local.doors : name => merge(
    { redis = { secret = "REDIS_CA", path = "ca.pem" } },
    contains(door.groups, "google") ? { google = { secret = "GOOGLE_CALENDAR_SERVICE_ACCOUNT_JSON", path = "service-account.json" } } : {}
  ) }
  settings = { for name, door in local.doors : name => merge(concat(
    [for group in concat(["common"], door.groups) : lookup(var.settings, group, {})],
    [
      contains(door.groups, "google") ? { GOOGLE_CALENDAR_SERVICE_ACCOUNT_PATH = "/secrets/google/service-account.json" } : {},
      door.open ? {} : { EVENT_OIDC_CHECKED_BY = "platform" },
      {
        FUNCTION_TARGET            = door.target
        ENVIRONMENT                = "production"
        REDIS_DURABILITY           = "managed"
        EVENT_TRANSPORT            = "pubsub"
        EVENT_PUBSUB_PROJECT       = var.project
        CALENDAR_RUN_LIMIT_SECONDS = "540" # a push has to be acknowledged within 600
      }
    ]
  )...) }
  seconds = { for name, door in local.doors : name => contains(values(local.topics), name) ? 600 : door.open ? 150 : 900 }
  reads = merge([for name, secrets in local.secrets : {
    for secret in setunion(secrets, [for file in local.files[name] : file.secret]) : "${name}/${secret}" => { door = name, secret = secret }
  }]...)
  sends = merge([for name, door in local.doors : {
    for topic in door.publishes : "${name}/${topic}" => { door = name, topic = topic }
  }]...)
}
