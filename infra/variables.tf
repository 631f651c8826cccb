variable "alert_email" {
  description = "Who is told when an alert policy fires."
  type        = string

  validation {
    condition     = can(regex("^[^@ ]+@[^@ ]+\\.[^@ ]+$", var.alert_email))
    error_message = "alert_email must be an e-mail address."
  }
}

variable "budget" {
  description = "A budget that warns at half, nine tenths and all of the monthly amount; null makes none."
  type = object({
    billing_account = string
    amount          = number
    currency        = optional(string, "EUR")
  })
  default = null

  validation {
    condition     = var.budget == null ? true : var.budget.amount > 0
    error_message = "budget.amount must be above 0."
  }
}

variable "deploy_account" {
  description = "E-mail of the account that the pipeline deploys as (bootstrap/ makes it); null without a pipeline."
  type        = string
  default     = null

  validation {
    condition     = var.deploy_account == null ? true : can(regex("^[a-z0-9-]+@[a-z0-9-]+\\.iam\\.gserviceaccount\\.com$", var.deploy_account))
    error_message = "deploy_account must be the e-mail of a service account."
  }
}

variable "domain" {
  description = "One domain in front of all public functions (a load balancer with a managed certificate); null leaves each at its own address."
  type        = string
  default     = null

  validation {
    condition     = var.domain == null ? true : can(regex("^[a-z0-9-]+(\\.[a-z0-9-]+)+$", var.domain))
    error_message = "domain must be a host name such as api.shop.example."
  }
}

variable "environment" {
  description = "dev, staging or production, each in a project of its own."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "production"], var.environment)
    error_message = "environment must be dev, staging or production."
  }
}

variable "location" {
  description = "Where data lies: of the document database, the data set and the buckets."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]$", var.location))
    error_message = "location must be a region such as europe-west1."
  }
}

variable "min_instances" {
  description = "Instances kept warm, by function; those not named take what their function.json says."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for count in values(var.min_instances) : count >= 0 && count <= 50])
    error_message = "min_instances must be between 0 and 50."
  }
}

variable "pipeline" {
  description = "The repository and branch whose pipeline may deploy, without keys; null makes no federation."
  type = object({
    repository = string
    branch     = optional(string, "main")
    issuer     = optional(string, "https://token.actions.githubusercontent.com")
  })
  default = null

  validation {
    condition     = var.pipeline == null ? true : can(regex("^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$", var.pipeline.repository))
    error_message = "pipeline.repository must be owner/name."
  }
}

variable "project" {
  description = "Id of the project."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project must be a project id."
  }
}

variable "project_number" {
  description = "Number of the project; the worker's own address is made of it."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{6,}$", var.project_number))
    error_message = "project_number must be the project's number."
  }
}

variable "region" {
  description = "Where functions, queues and schedules run."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]$", var.region))
    error_message = "region must be a region such as europe-west1."
  }
}

variable "secret_values" {
  description = "Values of secrets by name, given when a version is new; never stored in state or plan."
  type        = map(string)
  default     = {}
  ephemeral   = true
}

variable "secret_versions" {
  description = "Which secrets exist and the version of each; raise the number together with a new value. A secret not named here is not configured."
  type        = map(number)
  default     = {}

  validation {
    condition     = alltrue([for version in values(var.secret_versions) : version >= 1 && floor(version) == version])
    error_message = "secret_versions must be whole numbers from 1."
  }
}

variable "settings" {
  description = "Further settings of every function, by the names of docs/settings.md; never a secret."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.settings) : !can(regex("(PASSWORD|SECRET|_TOKEN|API_KEY|SIGNING_KEY|ENCRYPTION_KEY)", name))])
    error_message = "a setting whose name says secret belongs into secret_versions."
  }

  validation {
    condition     = can(regex("^projects/[a-z0-9-]+/secrets/[A-Za-z0-9_-]+$", lookup(var.settings, "SEALING_KEYS", "projects/none/secrets/none")))
    error_message = "SEALING_KEYS must be projects/PROJECT/secrets/NAME."
  }

  validation {
    condition     = !(contains(keys(var.settings), "SEALING_KEYS") && contains(keys(var.secret_versions), "encryption-key"))
    error_message = "SEALING_KEYS and the secret encryption-key exclude each other."
  }
}
