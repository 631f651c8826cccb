"""The real terraform over the whole configuration: validated, planned, applied and tested against the provider's schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from local.manifest import manifests
from local.rights import Sealing, rights
from tests.house.infra.faults import FAULTS, Fault
from tests.house.infra.rules import broken_protection, broken_rules, granted, resources, schedules
from tests.house.infra.terraform import ENVIRONMENTS, NOT_HERE, VERSIONS, Workspace, present, workspace

pytestmark = [
    pytest.mark.serial,
    pytest.mark.xdist_group("terraform"),
    pytest.mark.skipif(not present(), reason=NOT_HERE),
]
SECRET = "the-value-that-must-be-nowhere"
SETTINGS = {"ADMIN_EMAIL": "admin@example.com", "BASIC_AUTH_USERNAME": "onhand"}
KEYS = "projects/keys/secrets/sealing"
FUNCTIONS = manifests()
ROOT = Path(__file__).resolve().parents[3]
INDEXES = json.loads((ROOT / "infra" / "firestore.indexes.json").read_text())


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give an initialised copy for the newer provider."""
    made = workspace(tmp_path_factory.mktemp("infra"))
    made.must("init", "-no-color")
    return made


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Give an initialised copy with every index."""
    made = workspace(tmp_path_factory.mktemp("whole"), whole=True)
    made.must("init", "-no-color")
    return made


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, list[str]]:
    """Give production applied with every secret configured, and the arguments it was applied with."""
    made = workspace(tmp_path_factory.mktemp("applied"))
    made.must("init", "-no-color")
    arguments = _everything()
    made.must("apply", "-auto-approve", *arguments)
    return made, arguments


def _everything(sealing: Sealing = "kms") -> list[str]:
    """Return the arguments of production with every secret configured, sealing credentials in one of the ways."""
    secrets = {secret for facts in FUNCTIONS.values() for secret in facts.needs.secrets}
    secrets -= set() if sealing == "own" else {"encryption-key"}
    settings = SETTINGS | ({"SEALING_KEYS": KEYS} if sealing == "secret" else {})
    return [
        "-no-color",
        "-var-file=env/production.tfvars",
        f"-var=secret_versions={json.dumps(dict.fromkeys(sorted(secrets), 1))}",
        f"-var=secret_values={json.dumps(dict.fromkeys(sorted(secrets), SECRET))}",
        f"-var=settings={json.dumps(settings)}",
    ]


def test_the_files_are_laid_out_as_terraform_does(ready: Workspace) -> None:
    ready.must("fmt", "-check", "-recursive", str(ROOT / "infra"))


@pytest.mark.parametrize("version", VERSIONS)
def test_both_roots_are_valid_with_either_major_version(version: str, tmp_path: Path) -> None:
    made = workspace(tmp_path, version)
    for folder in (made.infra, made.infra / "bootstrap"):
        made.must("init", "-no-color", folder=folder)
        made.must("validate", "-no-color", folder=folder)


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_the_older_major_version_plans_the_same_resources(version: str, ready: Workspace, tmp_path: Path) -> None:
    older = workspace(tmp_path, version)
    older.must("init", "-no-color")

    plans = [sorted(each["address"] for each in _planned(made, "staging")) for made in (older, ready)]

    assert plans[0] == plans[1]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_plans_what_folders_and_manifests_say(environment: str, whole: Workspace) -> None:
    planned = _planned(whole, environment)

    assert broken_rules(planned, FUNCTIONS) == []
    assert broken_protection(planned, environment) == []
    declared = {schedule.name for facts in FUNCTIONS.values() for schedule in facts.schedules}
    assert set(schedules(planned)) == declared
    assert len([each for each in planned if each["type"] == "google_firestore_index"]) == len(INDEXES["indexes"])
    assert len([each for each in planned if each["type"] == "google_firestore_field"]) == len(INDEXES["fieldOverrides"])
    edge = [each for each in planned if each["type"] == "google_compute_url_map"]
    assert len(edge) == (environment == "production")
    for url_map in edge:
        rules = url_map["values"]["path_matcher"][0]["path_rule"]
        paths = {path for rule in rules for path in rule["paths"]}
        assert {path for facts in FUNCTIONS.values() if facts.public for path in facts.paths} <= paths


def test_the_state_grants_exactly_what_the_manifests_say(applied: tuple[Workspace, list[str]]) -> None:
    assert granted(_state(applied[0])) == rights(FUNCTIONS)


@pytest.mark.parametrize("sealing", ["secret", "own"])
def test_another_way_to_seal_grants_and_tells_what_it_needs_and_nothing_of_the_key(
    sealing: Sealing, tmp_path: Path
) -> None:
    made = workspace(tmp_path)
    made.must("init", "-no-color")

    made.must("apply", "-auto-approve", *_everything(sealing))

    found = _state(made)
    assert granted(found) == rights(FUNCTIONS, sealing)
    assert broken_rules(found, FUNCTIONS) == []
    told = [_told(each) for each in found if each["type"] == "google_cloudfunctions2_function"]
    assert [KEYS for names in told if "SEALING_KEYS" in names] == [
        KEYS for facts in FUNCTIONS.values() if facts.needs.kms and sealing == "secret"
    ]


def test_one_grant_too_many_is_noticed(applied: tuple[Workspace, list[str]]) -> None:
    found = _state(applied[0])
    one = next(each for each in found if each["type"] == "google_project_iam_member")
    extra = {**one, "values": {**one["values"], "role": "roles/storage.admin"}}

    assert granted([*found, extra]) != rights(FUNCTIONS)


def test_a_second_way_to_seal_is_noticed(applied: tuple[Workspace, list[str]]) -> None:
    found = _state(applied[0])
    assert broken_rules(found, FUNCTIONS) == []

    for each in found:
        if each["type"] == "google_cloudfunctions2_function":
            each["values"]["service_config"][0]["environment_variables"]["SEALING_KEYS"] = KEYS

    wrong = {complaint.partition(":")[0] for complaint in broken_rules(found, FUNCTIONS)}
    assert wrong == set(FUNCTIONS)


def test_schedules_call_the_worker_at_the_address_that_counts_as_internal(
    applied: tuple[Workspace, list[str]],
) -> None:
    jobs = schedules(_state(applied[0]))
    declared = {schedule.name: schedule for schedule in FUNCTIONS["worker"].schedules}

    for name, job in jobs.items():
        target = job["http_target"][0]
        assert target["uri"] == f"https://worker-production-hash.run.example{declared[name].path}"
        assert target["oidc_token"][0]["service_account_email"].startswith("invoker-production@")
        assert (job["schedule"], job["time_zone"]) == (declared[name].cron, declared[name].time_zone)


def test_every_function_is_told_what_it_needs(applied: tuple[Workspace, list[str]]) -> None:
    told = {
        each["values"]["name"].rpartition("-")[0]: each["values"]["service_config"][0]
        for each in _state(applied[0])
        if each["type"] == "google_cloudfunctions2_function"
    }
    for name, facts in FUNCTIONS.items():
        given = told[name]["environment_variables"]
        secrets = {one["key"] for one in told[name]["secret_environment_variables"]}
        assert secrets == {secret.upper().replace("-", "_") for secret in facts.needs.secrets} - {"ENCRYPTION_KEY"}
        assert ("KMS_KEY" in given) == facts.needs.kms
        assert given.get("FILES_URL", "none").startswith("gs://") == (facts.needs.files != "none")
        assert ("BASIC_AUTH_USERNAME" in given) == ("BASIC_AUTH_PASSWORD" in secrets)
        assert ("ADMIN_EMAIL" in given) == ("ADMIN_PASSWORD" in secrets)
        assert given["WORKER_AUDIENCE"].startswith("https://worker-production-")
        assert given["WORKER_INVOKERS"].startswith("invoker-production@")


def test_nothing_is_left_to_change_after_applying(applied: tuple[Workspace, list[str]]) -> None:
    made, arguments = applied

    assert made.run("plan", "-detailed-exitcode", *arguments).returncode == 0


def test_nothing_in_the_configuration_itself_keeps_an_environment_from_being_taken_down(
    applied: tuple[Workspace, list[str]],
) -> None:
    made, arguments = applied

    assert made.run("plan", "-destroy", *arguments).returncode == 0


def test_no_secret_value_is_in_the_state(applied: tuple[Workspace, list[str]]) -> None:
    state = (applied[0].infra / "terraform.tfstate").read_text()

    assert SECRET not in state
    assert '"secret_data_wo"' in state


def test_terraforms_own_tests_pass(ready: Workspace) -> None:
    assert "7 passed, 0 failed" in ready.must("test", "-no-color")


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.by != "plan"], ids=lambda fault: fault.name)
def test_a_planted_fault_is_found(fault: Fault, ready: Workspace) -> None:
    with _planted(ready, fault):
        if fault.by == "rules":
            assert broken_rules(_planned(ready, "dev"), FUNCTIONS) != []
        else:
            assert ready.run("validate", "-no-color").returncode == 1


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.by == "plan"], ids=lambda fault: fault.name)
def test_a_planted_fault_makes_the_plan_fail(fault: Fault, ready: Workspace) -> None:
    with _planted(ready, fault):
        assert ready.run("plan", "-no-color", "-var-file=env/dev.tfvars").returncode == 1


def test_a_manifest_without_a_fact_makes_the_plan_fail(ready: Workspace) -> None:
    path = ready.folder / "functions" / "meta" / "function.json"
    text = path.read_text()
    facts = json.loads(text)
    del facts["memory"]
    path.write_text(json.dumps(facts))
    try:
        done = ready.run("plan", "-no-color", "-var-file=env/dev.tfvars")
    finally:
        path.write_text(text)

    assert done.returncode == 1
    assert "memory" in done.stderr


class _planted:  # noqa: N801 - reads as a statement
    """Change one file of the workspace for a while."""

    def __init__(self, made: Workspace, fault: Fault) -> None:
        self._path, self._fault = made.infra / fault.file, fault

    def __enter__(self) -> None:
        self._text = self._path.read_text()
        assert self._fault.old in self._text, self._fault.name
        self._path.write_text(self._text.replace(self._fault.old, self._fault.new, 1))

    def __exit__(self, *_: object) -> None:
        self._path.write_text(self._text)


def _planned(made: Workspace, environment: str) -> list[Any]:
    return list(resources(made.plan(environment)["planned_values"]["root_module"]))


def _told(function: Any) -> set[str]:
    return set(function["values"]["service_config"][0]["environment_variables"])


def _state(made: Workspace) -> list[Any]:
    return list(resources(json.loads(made.must("show", "-json"))["values"]["root_module"]))
