"""Importing a function's entry point stays cheap: nothing heavy, a bounded number of modules, a bounded memory.

Counts decide, not times: each function is imported in a fresh process, by the framework's own way of loading a source.
"""

import ast
from pathlib import Path

import pytest

from bench.imports import MOST_MIB, MOST_MODULES, imported
from bench.ours import IN_CLOUD
from local.bundle import function_names

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ("bigquery", "firestore_v1", "kms_v1", "scheduler_v1", "tasks_v2")


@pytest.mark.parametrize("function", function_names())
def test_an_entry_point_loads_nothing_heavy(function: str) -> None:
    seen = imported(ROOT / "functions" / function / "main.py")

    print(f"{function}: {len(seen.modules)} modules, {seen.mib:.1f} MiB")
    assert seen.heavy == []
    assert "main.legacy" not in seen.modules
    assert len(seen.modules) <= MOST_MODULES
    assert seen.mib <= MOST_MIB


@pytest.mark.parametrize(
    ("function", "clients"),
    [
        ("auth", {"firestore_v1"}),
        ("catalog", {"firestore_v1", "tasks_v2"}),
        ("worker", {"bigquery", "firestore_v1", "tasks_v2"}),
    ],
)
def test_in_the_cloud_an_entry_point_loads_the_clients_its_manifest_names_before_the_first_request(
    function: str, clients: set[str]
) -> None:
    seen = imported(ROOT / "functions" / function / "main.py", IN_CLOUD)

    assert {name for name in CLIENTS if f"google.cloud.{name}" in seen.modules} == clients


def test_a_heavy_import_is_seen(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import requests\n")

    assert imported(tmp_path / "main.py").heavy == ["requests"]


def test_naming_every_kind_of_job_loads_nothing_that_carries_one_out(tmp_path: Path) -> None:
    """Starting or listing jobs needs the names of all of them: else each such function would load the whole product."""
    asked = f"App(Settings.from_env({{'DATA_DIR': {str(tmp_path)!r}}})).job_kinds"
    source = tmp_path / "main.py"
    source.write_text(f"from shared.app import App\nfrom shared.core.settings import Settings\nkinds = {asked}\n")

    loaded = {".".join(name.split(".")[:2]) for name in imported(source).modules if name.startswith("shared.")}

    assert loaded - {"shared.app", "shared.core", "shared.ports"} == {"shared.jobs"}


def test_models_are_built_when_they_are_first_used() -> None:
    """A function declares many models and a request uses few; building all of them was a quarter of a cold start."""
    eager = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sorted((ROOT / "shared").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef) and _is_model(node) and "defer_build=True" not in ast.unparse(node)
    ]

    assert eager == []


def _is_model(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "BaseModel" for base in node.bases)


def test_what_every_application_is_made_of_is_loaded_just_before_a_server_forks(tmp_path: Path) -> None:
    source = tmp_path / "main.py"
    source.write_text(
        "import os, sys\n"
        "from shared.app import App\n"
        "before = 'shared.app.whole' in sys.modules\n"
        "assert not before, 'the import alone loads it'\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if {'shared.app.whole', 'shared.identity.access'} <= sys.modules.keys() else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0, 'the worker has to load it'\n"
    )

    assert {"shared.app.whole", "shared.core.settings"} <= set(imported(source).modules)
