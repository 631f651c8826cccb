variable "bundle" {
  description = "Path of the zip that `make build` wrote."
  type        = string
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
}

variable "facts" {
  description = "The function's function.json; a missing fact makes the plan fail."
  type = object({
    description   = string
    entry_point   = string
    public        = bool
    paths         = list(string)
    memory        = string
    cpu           = string
    concurrency   = number
    timeout_s     = number
    min_instances = number
    max_instances = number
    schedules     = list(object({ name = string, cron = string, time_zone = string, path = string, deadline_s = number }))
    needs = object({
      documents = string
      warehouse = string
      queues    = list(string)
      secrets   = list(string)
      files     = string
      kms       = bool
    })
  })

  validation {
    condition     = alltrue([for need in [var.facts.needs.documents, var.facts.needs.warehouse, var.facts.needs.files] : contains(["none", "read", "write"], need)])
    error_message = "needs are none, read or write."
  }

  validation {
    condition     = var.facts.concurrency == 1 || tonumber(var.facts.cpu) >= 1
    error_message = "concurrency above 1 needs a whole cpu."
  }

  validation {
    condition     = var.facts.timeout_s >= 1 && var.facts.timeout_s <= (var.facts.public ? 3600 : 1800)
    error_message = "timeout_s is 1 to 3600, for internal functions at most 1800 (the longest a queue waits)."
  }

  validation {
    condition     = length(var.facts.schedules) == 0 || !var.facts.public
    error_message = "only internal functions have schedules."
  }

  validation {
    condition     = var.facts.max_instances >= 1 && var.facts.max_instances <= 50
    error_message = "max_instances is 1 to 50."
  }
}

variable "ingress" {
  description = "From where the function may be called."
  type        = string

  validation {
    condition     = contains(["ALLOW_ALL", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_INTERNAL_ONLY"], var.ingress)
    error_message = "ingress is ALLOW_ALL, ALLOW_INTERNAL_AND_GCLB or ALLOW_INTERNAL_ONLY."
  }
}

variable "invokers" {
  description = "Who may call, by a name for the reader."
  type        = map(string)
}

variable "min_instances" {
  description = "Instances kept warm, instead of what the facts say."
  type        = number
  default     = null
}

variable "name" {
  description = "Name of the function's folder."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,14}$", var.name))
    error_message = "a function's name is at most 15 lower-case letters and digits, because its account id is made of it."
  }
}

variable "place" {
  description = "What all functions of an environment share."
  type = object({
    project       = string
    region        = string
    environment   = string
    bucket        = string
    build_account = string
    repository    = string
    dataset       = string
    imports       = string
    invoker       = string
    kms_key       = string
  })
}

variable "secrets" {
  description = "Versions of the secrets that are configured, by name."
  type        = map(string)
}
