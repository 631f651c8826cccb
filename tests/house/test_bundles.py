"""A bundle is complete, is the same every time, and starts under the real framework with nothing else on the path."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench.coldstart import READY
from bench.ours import BASIC, environment
from local import bundle
from local.manifest import manifests
from tests.house.servers import clean_environment, get, serving

FUNCTIONS = bundle.function_names()
OLDER = {
    "auth": "/api/users",
    "catalog": "/api/products",
    "inventory": "/api/stores",
    "oos": "/api/stord/oos-orders",
    "orders": "/api/orders",
    "sales": "/ecommerce/v1/get_sales_data?start_date=2025-01-01&end_date=2025-01-31",
}
"""A path of an older backend for each function that has some: they are loaded only when one of them is asked for."""
PATHS = {name: [path for path in (READY.get(name), OLDER.get(name)) if path] for name in FUNCTIONS}
WHERE_SHARED = """
import sys
from functions_framework import create_app
app = create_app("main", sys.argv[1])
import shared
print(shared.__file__)
"""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_two_builds_are_byte_equal(function: str, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        bundle.write_zip(bundle.bundle_files(function), tmp_path / name)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bundle_holds_the_function_and_its_part_of_shared_and_nothing_else(function: str, tmp_path: Path) -> None:
    names = list(bundle.bundle_files(function))

    assert {"main.py", "routes.py", "function.json", "requirements.txt", "shared/app/__init__.py"} <= set(names)
    assert [name for name in names if name.split("/")[0] in {"functions", "local", "tests", "bench"}] == []
    assert [name for name in names if name.endswith(".pyc")] == []
    bundle.write_zip(bundle.bundle_files(function), tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.namelist() == sorted(names)
        assert {entry.date_time for entry in archive.infolist()} == {bundle.EPOCH}
        assert archive.read("requirements.txt") == (bundle.ROOT / "requirements.txt").read_bytes()


@pytest.mark.serial
@pytest.mark.xdist_group("servers")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bundle_answers_under_the_frameworks_own_command(function: str, tmp_path: Path) -> None:
    source = _unzipped(function, tmp_path / "bundle")
    target = manifests()[function].entry_point

    with serving(source, target, environment(tmp_path / "data") | clean_environment(tmp_path / "data")) as url:
        asked = [get(f"{url}{path}", BASIC)[0] for path in (*PATHS[function], "/no-such-path")]

    assert asked == [*(200 for _ in PATHS[function]), 404]


@pytest.mark.serial
@pytest.mark.xdist_group("servers")
def test_the_workers_bundle_refuses_whoever_is_not_the_platform(tmp_path: Path) -> None:
    source = _unzipped("worker", tmp_path / "bundle")

    with serving(source, manifests()["worker"].entry_point, clean_environment(tmp_path / "data")) as url:
        told = [get(f"{url}{path}", headers)[0] for path, headers in (("/health", BASIC), ("/internal/tasks/x", None))]

    assert told == [404, 405]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_shared_comes_from_the_bundle(function: str, tmp_path: Path) -> None:
    source = _unzipped(function, tmp_path / "bundle")

    done = subprocess.run(
        [sys.executable, "-c", WHERE_SHARED, str(source)],
        cwd=tmp_path,
        env=clean_environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[-1]) == source.parent / "shared" / "__init__.py"


def test_reachable_source_includes_imports_inside_functions_and_data_files(tmp_path: Path) -> None:
    """The adapter that is only imported inside the composition root is there, and so are the queries it needs."""
    names = set(bundle.bundle_files(FUNCTIONS[0]))

    assert "infra/firestore.indexes.json" in names
    assert any(name.startswith("shared/adapters/sqlite/") for name in names)


def test_a_service_that_no_route_of_a_function_can_reach_stays_out() -> None:
    auth, inventory = set(bundle.bundle_files("auth")), set(bundle.bundle_files("inventory"))

    assert "shared/inventory/figures.py" in inventory
    assert "shared/inventory/figures.py" not in auth
    assert "shared/jobs/runner.py" in set(bundle.bundle_files("worker"))
    assert "shared/jobs/runner.py" not in inventory


def test_what_another_part_does_when_stock_changes_comes_along() -> None:
    """The hook is called by its name only: sales names nothing of alerts."""
    assert [name for name in bundle.bundle_files("sales") if name.startswith("shared/alerts/")] != []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bundle_can_be_compiled_whole(function: str, tmp_path: Path) -> None:
    """The cloud build compiles every file to bytecode and stops at one that it cannot; no bytecode travels in the zip."""
    for name, path in bundle.bundle_files(function).items():
        if name.endswith(".py"):
            compile(path.read_bytes(), name, "exec", dont_inherit=True)


def _unzipped(function: str, folder: Path) -> Path:
    zipped = folder.with_suffix(".zip")
    bundle.write_zip(bundle.bundle_files(function), zipped)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder / "main.py"
