"""What must hold of a plan or a state, each rule a list of complaints; planted faults show that each can complain."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.manifest import Manifest
from local.rights import Right

__all__ = ["Resource", "broken_protection", "broken_rules", "granted", "resources", "schedules"]

Resource = Mapping[str, Any]
_BASIC = {"roles/owner", "roles/editor", "roles/viewer"}
_EVERYONE = {"allUsers", "allAuthenticatedUsers"}
_LONGEST_ID = 30
_FUNCTION = re.compile(r'module\.(?:public|internal)\["(\w+)"\]')
_ACCOUNT = re.compile(r"serviceAccount:([a-z0-9-]+)-(?:dev|staging|production)@")


def resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    """Yield every resource of a plan's or a state's module and the modules below it."""
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from resources(child)


def broken_rules(found: list[Resource], functions: Mapping[str, Manifest]) -> list[str]:
    """Return what is wrong with the resources of a plan, whatever the environment."""
    return [
        *_wrong_functions(found, functions),
        *(
            f"{each['address']}: a basic role"
            for each in found
            if "_iam_" in each["type"] and each["values"].get("role") in _BASIC
        ),
        *(
            f"{each['address']}: a policy or binding that removes others' grants"
            for each in found
            if each["type"].endswith(("_iam_policy", "_iam_binding"))
        ),
        *_wrong_callers(found, functions),
        *_values_of_secrets(found),
        *_wrong_buckets(found),
    ]


def broken_protection(found: list[Resource], environment: str) -> list[str]:
    """Return which data could be deleted by a mistake in production, or could not be anywhere else."""
    wanted = "PREVENT" if environment == "production" else "DELETE"
    kinds = {"google_firestore_database", "google_bigquery_dataset", "google_secret_manager_secret"}
    return [each["address"] for each in found if each["type"] in kinds and each["values"]["deletion_policy"] != wanted]


def granted(found: list[Resource]) -> list[Right]:
    """Return the grants in an applied state in the words of `local.rights`."""
    members = [each for each in found if each["type"].endswith("_iam_member") and "pipeline" not in each["address"]]
    return sorted(Right(_who(each["values"]["member"]), each["values"]["role"], _on(each)) for each in members)


def schedules(found: list[Resource]) -> dict[str, Mapping[str, Any]]:
    """Return the scheduler's jobs by name without the environment."""
    jobs = [each["values"] for each in found if each["type"] == "google_cloud_scheduler_job"]
    return {job["name"].rpartition("-")[0]: job for job in jobs}


def _wrong_functions(found: list[Resource], functions: Mapping[str, Manifest]) -> Iterator[str]:
    planned = {_name(each): each["values"] for each in found if each["type"] == "google_cloudfunctions2_function"}
    if set(planned) != set(functions):
        yield f"planned functions {sorted(planned)}, folders {sorted(functions)}"
    for name in sorted(set(planned) & set(functions)):
        yield from (f"{name}: {wrong}" for wrong in _wrong_service(planned[name]["service_config"][0], functions[name]))
    accounts = [each for each in found if each["type"] == "google_service_account" and _FUNCTION.match(each["address"])]
    names = {each["values"]["account_id"] for each in accounts}
    if len(names) != len(planned):
        yield "not every function has an account of its own"
    yield from (f"{name}: longer than an account's id may be" for name in names if len(name) > _LONGEST_ID)


def _wrong_service(service: Mapping[str, Any], facts: Manifest) -> Iterator[str]:
    environment = service["environment_variables"] or {}
    given = service["max_instance_request_concurrency"], environment.get("THREADS", str(facts.concurrency))
    if given != (facts.concurrency, str(facts.concurrency)):
        yield f"concurrency and THREADS are {given}"
    if (service["ingress_settings"] == "ALLOW_INTERNAL_ONLY") == facts.public:
        yield f"ingress {service['ingress_settings']}"
    keys = {secret["key"] for secret in service["secret_environment_variables"]}
    ways = {"KMS_KEY", "SEALING_KEYS", "ENCRYPTION_KEY"} & (keys | set(environment))
    # A plan leaves out what is made of names that only the cloud knows: the key of KMS, and the invoker, which everybody is told.
    if "WORKER_INVOKERS" in environment and len(ways) != facts.needs.kms:
        yield f"seals with {sorted(ways)}, although kms is {facts.needs.kms}"
    foreign = keys - {secret.upper().replace("-", "_") for secret in facts.needs.secrets}
    if foreign:
        yield f"secrets {sorted(foreign)} that it does not name"


def _wrong_callers(found: list[Resource], functions: Mapping[str, Manifest]) -> Iterator[str]:
    for each in found:
        member = each["values"].get("member")
        if member not in _EVERYONE:
            continue
        facts = functions.get(_name(each))
        if each["type"] != "google_cloud_run_service_iam_member" or facts is None or not facts.public:
            yield f"{each['address']}: open to everyone"


def _values_of_secrets(found: list[Resource]) -> Iterator[str]:
    for each in found:
        if each["type"] == "google_secret_manager_secret_version" and (
            each["values"].get("secret_data") or each["values"].get("secret_data_wo")
        ):
            yield f"{each['address']}: the value is in the plan"
        if each["type"] == "google_cloudfunctions2_function":
            secret = {one["key"] for one in each["values"]["service_config"][0]["secret_environment_variables"]}
            plain = set(each["values"]["service_config"][0]["environment_variables"] or {})
            yield from (f"{each['address']}: {key} both plain and secret" for key in sorted(secret & plain))


def _wrong_buckets(found: list[Resource]) -> Iterator[str]:
    for each in found:
        if each["type"] == "google_storage_bucket" and (
            not each["values"]["uniform_bucket_level_access"]
            or each["values"]["public_access_prevention"] != "enforced"
        ):
            yield f"{each['address']}: can be made public"


def _name(each: Resource) -> str:
    match = _FUNCTION.match(each["address"])
    return match[1] if match else ""


def _who(member: str) -> str:
    if member == "allUsers":
        return "everyone"
    match = _ACCOUNT.match(member)
    return match[1] if match else member


def _on(each: Resource) -> str:
    return _ON[each["type"]](each["values"])


def _account(name: str) -> str:
    return name.rpartition("/")[2].partition("@")[0].rpartition("-")[0]


def _secret(name: str) -> str:
    """Name a secret; one with a path is not of this configuration, but what SEALING_KEYS names."""
    return "of SEALING_KEYS" if "/" in name else name


_ON: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "google_project_iam_member": lambda _: "project",
    "google_bigquery_dataset_iam_member": lambda _: "dataset",
    "google_storage_bucket_iam_member": lambda values: f"bucket {values['bucket'].rpartition('-')[2]}",
    "google_cloud_tasks_queue_iam_member": lambda values: f"queue {values['name']}",
    "google_service_account_iam_member": lambda values: f"account {_account(values['service_account_id'])}",
    "google_secret_manager_secret_iam_member": lambda values: f"secret {_secret(values['secret_id'])}",
    "google_kms_crypto_key_iam_member": lambda values: f"key {values['crypto_key_id'].split('/')[1]}",
    "google_cloud_run_service_iam_member": lambda values: f"function {values['service'].rpartition('-')[0]}",
}
