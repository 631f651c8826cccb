variable "function" {
  description = "The function: name of its folder, the zip that `make build` wrote, its function.json (a missing fact makes the plan fail), from where and by whom it may be called, its settings, versions of its secrets, and instances kept warm instead of what the facts say."
  type = object({
    name   = string
    bundle = string
    facts = object({
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
    ingress       = string
    invokers      = map(string)
    environment   = map(string)
    secrets       = map(string)
    min_instances = optional(number)
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,14}$", var.function.name))
    error_message = "a function's name is at most 15 lower-case letters and digits, because its account id is made of it."
  }

  validation {
    condition     = alltrue([for need in [var.function.facts.needs.documents, var.function.facts.needs.warehouse, var.function.facts.needs.files] : contains(["none", "read", "write"], need)])
    error_message = "needs are none, read or write."
  }

  validation {
    condition     = var.function.facts.concurrency == 1 || tonumber(var.function.facts.cpu) >= 1
    error_message = "concurrency above 1 needs a whole cpu."
  }

  validation {
    condition     = var.function.facts.timeout_s >= 1 && var.function.facts.timeout_s <= (var.function.facts.public ? 3600 : 1800)
    error_message = "timeout_s is 1 to 3600, for internal functions at most 1800 (the longest a queue waits)."
  }

  validation {
    condition     = length(var.function.facts.schedules) == 0 || !var.function.facts.public
    error_message = "only internal functions have schedules."
  }

  validation {
    condition     = var.function.facts.max_instances >= 1 && var.function.facts.max_instances <= 50
    error_message = "max_instances is 1 to 50."
  }

  validation {
    condition     = contains(["ALLOW_ALL", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_INTERNAL_ONLY"], var.function.ingress)
    error_message = "ingress is ALLOW_ALL, ALLOW_INTERNAL_AND_GCLB or ALLOW_INTERNAL_ONLY."
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
    sealed_by     = string
    sealing_keys  = optional(string)
  })

  validation {
    condition     = contains(["kms", "secret", "own"], var.place.sealed_by)
    error_message = "sealed_by is kms, secret or own."
  }
}
