"""Planted faults: one change of the configuration each, and what must notice it."""

from typing import Literal, NamedTuple

__all__ = ["FAULTS", "Fault"]


class Fault(NamedTuple):
    """A text to replace in a file, and the check that must fail: in Python, by validate, by plan, or by our rules."""

    name: str
    file: str
    old: str
    new: str
    by: Literal["python", "validate", "plan", "rules"]


_FUNCTION = "modules/function/main.tf"
_RIGHTS = "modules/function/rights.tf"
FAULTS = (
    Fault("an unknown argument", "queues.tf", "  name     = each.key", "  nam      = each.key", "python"),
    Fault("a missing argument", "queues.tf", "  location = var.region\n", "", "python"),
    Fault("an unknown nested argument", "queues.tf", "max_attempts ", "max_attempt ", "python"),
    Fault("an unknown block", "queues.tf", "retry_config {", "retries {", "python"),
    Fault(
        "a value outside an enumeration",
        "bigquery.tf",
        "type  = each.value.time_partitioning.type",
        "kind  = 1",
        "python",
    ),
    Fault(
        "a block written as an argument", "firestore.tf", "  daily_recurrence {}", "  daily_recurrence = {}", "python"
    ),
    Fault(
        "a read-only argument",
        "identity.tf",
        '  display_name = "Onhand: builds',
        '  email = "a@b.c"\n  display_name = "Onhand: builds',
        "python",
    ),
    Fault("an unknown resource", "services.tf", '"google_project_service"', '"google_project_services"', "python"),
    Fault("a constant outside an enumeration", "edge.tf", '= "SERVERLESS"', '= "SERVERLES"', "python"),
    Fault(
        "a second copy of a single block",
        "firestore.tf",
        "  daily_recurrence {}",
        "  daily_recurrence {}\n  daily_recurrence {}",
        "python",
    ),
    Fault("a reference to nothing", "queues.tf", "var.region\n", "google_bigquery_dataset.main.place\n", "validate"),
    Fault("an undeclared variable", "queues.tf", "location = var.region", "location = var.place", "validate"),
    Fault("a wrong type", _FUNCTION, "= var.function.facts.timeout_s", '= "soon"', "validate"),
    Fault(
        "an unknown argument of the provider",
        "versions.tf",
        "  region                = var.region",
        "  reegion               = var.region",
        "validate",
    ),
    Fault(
        "a bad enumeration inside for_each",
        "firestore.tf",
        "query_scope = each.value.queryScope",
        'query_scope = "${each.value.queryScope}S"',
        "plan",
    ),
    Fault("an ingress that does not exist", "functions.tf", '"ALLOW_INTERNAL_ONLY"', '"ALLOW_INSIDE"', "plan"),
    Fault(
        "a worker open to everyone",
        "functions.tf",
        "google_service_account.invoker.member })",
        '"allUsers" })',
        "rules",
    ),
    Fault("a worker reachable from outside", "functions.tf", '"ALLOW_INTERNAL_ONLY"', '"ALLOW_ALL"', "rules"),
    Fault("a basic role", _RIGHTS, '"roles/bigquery.jobUser"', '"roles/editor"', "rules"),
    Fault(
        "a secret's value in the plan",
        "secrets.tf",
        "secret_data_wo         = lookup(var.secret_values, each.key, null)",
        'secret_data = "value"',
        "rules",
    ),
    Fault("a bucket that can be public", "storage.tf", '= "enforced"', '= "inherited"', "rules"),
    Fault("threads that are not the concurrency", _FUNCTION, "= var.function.facts.concurrency\n", "= 1\n", "rules"),
    Fault(
        "one account for several functions",
        _FUNCTION,
        'account_id   = "fn-${local.id}"',
        'account_id   = "fn-all-functions"',
        "rules",
    ),
)
