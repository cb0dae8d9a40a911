variable "project" {
  description = "Id of the project"
  type        = string
}

variable "image" {
  description = "The image of the Dockerfile's stage runtime, by digest"
  type        = string
}

variable "network" {
  description = "VPC in which Redis lives and from which the services speak to it"
  type        = string
}

variable "subnet" {
  description = "Subnet of that VPC in the region; its outgoing traffic leaves by Cloud NAT with a fixed address"
  type        = string
}

variable "host" {
  description = "Name of the address in front of the open doors; Kong alone calls it"
  type        = string
}

variable "region" {
  description = "Where everything runs"
  type        = string
  default     = "europe-west3"
}

variable "audience" {
  description = "What tokens of pushes and schedules are for"
  type        = string
  default     = "https://bitbylaw.internal"
}

variable "operators" {
  description = "Who may open /ops with `gcloud run services proxy ops`, as IAM members"
  type        = list(string)
  default     = []
}

variable "settings" {
  description = "Settings that are no secrets, by group: common, advoware, google, espocrm, leads, threecx"
  type        = map(map(string))
  default     = {}
}

variable "secrets" {
  description = "Names of the secrets that exist in Secret Manager, by group; each is named like its setting"
  type        = map(list(string))
  default = {
    common   = ["GATEWAY_SECRET", "SIGNING_KEY"]
    ops      = ["OPS_PASSWORD"]
    advoware = ["ADVOWARE_API_KEY", "ADVOWARE_PASSWORD"]
    google   = ["CALENDAR_HMAC_KEY"]
    espocrm  = ["ESPOCRM_API_KEY", "ESPOCRM_WEBHOOK_SECRETS"]
    leads    = ["VERMIETERHELDEN_WEBHOOK_SECRET", "LEAD_ENCRYPTION_KEY"]
    threecx  = ["THREECX_API_KEY", "THREECX_WEBHOOK_SECRET", "THREECX_TEMPLATE_KEY"]
  }
}

variable "redis_memory_gb" {
  description = "Memory of Redis"
  type        = number
  default     = 1
}
