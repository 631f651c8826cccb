"""What can be said of the configuration without terraform, on any machine."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from google.cloud.monitoring_dashboard_v1 import Dashboard
from google.protobuf import json_format

from local.manifest import manifests
from shared.adapters.bigquery.schema_files import declared_tables
from shared.core.settings import VARIABLES
from tests.house.infra import hcl_check
from tests.house.infra.faults import FAULTS, Fault
from tests.house.infra.make_schema import used_types
from tests.house.infra.terraform import VERSIONS

INFRA = Path(__file__).resolve().parents[3] / "infra"
FILES = sorted(INFRA.rglob("*.tf"))
PYTHON = [fault for fault in FAULTS if fault.by == "python"]
_DURATION = re.compile(r'(?:duration|period|timeout|retention|backoff|deadline)\w*\s*=\s*"([^"$]+)"')


@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_fits_the_providers_schema(version: str) -> None:
    known = hcl_check.schema(version)

    assert [line for path in FILES for line in hcl_check.complaints(path.read_text(), known)] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_holds_every_type_in_use(version: str) -> None:
    """Else: python -m tests.house.infra.make_schema WHEEL..."""
    assert used_types() - set(hcl_check.schema(version)["resource_schemas"]) == set()


@pytest.mark.parametrize("fault", PYTHON, ids=lambda fault: fault.name)
def test_a_planted_fault_is_found_without_terraform(fault: Fault) -> None:
    text = (INFRA / fault.file).read_text()
    assert fault.old in text

    broken = text.replace(fault.old, fault.new, 1)

    assert list(hcl_check.complaints(broken, hcl_check.schema(VERSIONS[0]))) != []


def test_no_data_sources_and_no_commands_are_used() -> None:
    for path in FILES:
        assert re.search(r'^data "|local-exec|remote-exec|external', path.read_text(), re.MULTILINE) is None, path


def test_the_dashboard_is_one_that_google_can_read() -> None:
    read = json_format.ParseDict(_dashboard(), Dashboard.pb(Dashboard()))

    assert len(read.mosaic_layout.tiles) == 7
    assert re.findall(r"logging.googleapis.com/user/onhand-(\w+)-dev", json.dumps(_dashboard())) == [
        "refreshes",
        "errors",
    ]


def test_a_misspelt_dashboard_is_refused() -> None:
    broken = _dashboard()
    broken["mosaicLayout"]["tiles"][0]["widget"]["xyChart"]["dataSets"][0]["plotType"] = "STAPLED"

    with pytest.raises(json_format.ParseError):
        json_format.ParseDict(broken, Dashboard.pb(Dashboard()))


def test_durations_are_written_as_google_reads_them() -> None:
    found = [text for path in FILES for text in _DURATION.findall(path.read_text())]

    assert len(found) > 10
    assert [text for text in found if not re.fullmatch(r"\d+(\.\d+)?s", text)] == []


def test_every_setting_the_cloud_gives_is_one_the_product_reads() -> None:
    given = set(re.findall(r"^    ([A-Z_]+) +=", (INFRA / "functions.tf").read_text(), re.MULTILINE))
    known = {name.upper() for name in VARIABLES}

    assert given >= {"ENVIRONMENT", "STORE_URL", "WAREHOUSE_URL", "TASKS_URL", "WORKER_AUDIENCE", "WORKER_INVOKERS"}
    assert given - known == set()
    for environment in sorted((INFRA / "env").glob("*.tfvars")):
        text = environment.read_text()
        assert set(re.findall(r"^  ([A-Z][A-Z_]+) +=", text, re.MULTILINE)) - known == set(), environment


def test_every_secret_is_one_the_product_reads_and_every_configured_one_is_needed() -> None:
    needed = {secret for facts in manifests().values() for secret in facts.needs.secrets}

    assert {secret.replace("-", "_") for secret in needed} - set(VARIABLES) == set()
    for environment in sorted((INFRA / "env").glob("*.tfvars")):
        block = re.search(r"secret_versions = \{(.*?)\}", environment.read_text(), re.DOTALL)
        configured = set(re.findall(r"^  ([a-z-]+) += \d", block[1] if block else "", re.MULTILINE))
        assert configured, environment
        assert configured - needed == set(), environment


def test_every_queue_that_a_function_needs_exists() -> None:
    made = set(re.findall(r"^    (\w+) += \{ per_second", (INFRA / "queues.tf").read_text(), re.MULTILINE))

    assert {queue for facts in manifests().values() for queue in facts.needs.queues} - made == set()


def test_the_edge_can_route_every_path() -> None:
    """A load balancer knows no placeholders: every prefix is literal."""
    assert [
        path for facts in manifests().values() for path in facts.paths if not re.fullmatch(r"/[\w./-]*", path)
    ] == []


def test_views_read_columns_that_their_tables_have() -> None:
    tables = {table.name: {column.name for column in table.columns} for table in declared_tables()}
    for path in sorted((INFRA / "views").glob("*.sql")):
        text = path.read_text()
        table = re.findall(r"\$\{dataset\}\.(\w+)", text)
        assert len(table) == 1, path
        names = set(re.findall(r"\b[a-z_]+\b", re.sub(r"`[^`]*`|'[^']*'|AS \w+", "", text)))
        assert names - tables[table[0]] == set(), path
    assert {path.stem for path in (INFRA / "views").glob("*.sql")} == {"last_refresh", "shipbob_oos", "stord_oos"}


def _dashboard() -> dict[str, Any]:
    text = (INFRA / "dashboards" / "onhand.json").read_text().replace("${environment}", "dev")
    read: dict[str, Any] = json.loads(text)
    return read
