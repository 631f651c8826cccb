"""A bundle is complete, is the same every time, and starts under the real framework with nothing else on the path."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bench.coldstart import READY
from bench.ours import BASIC, environment
from local import bundle
from local.bytecode import RUNTIME, bytecode_name
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
STARTED = """
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path

root, path = Path(sys.argv[1]).parent, sys.argv[2]
compiled = []
plain = SourceFileLoader.source_to_code

def noted(self, data, path, **options):
    compiled.append(path)
    return plain(self, data, path, **options)

SourceFileLoader.source_to_code = noted
from functions_framework import create_app

app = create_app("main", sys.argv[1])
if path:
    assert app.test_client().get(path, headers={"Authorization": sys.argv[3]}).status_code == 200
import shared

print(shared.__file__)
print(len([path for path in compiled if root in Path(path).parents]))
"""
"""Starts a bundle; prints where `shared` came from and how many files of the bundle Python had to compile."""
ELSEWHERE = """
import hashlib, marshal
from local.bytecode import compiled

source = b"def total(seldom, often):\\n    return {often: '{', 'x y': seldom in {'a', 'b', 'c'}}\\n"
plain = marshal.dumps(compile(source, "total.py", "exec"))
print(*(hashlib.sha256(body).hexdigest() for body in (compiled("total.py", source), plain)))
"""
HOLDING = """
import sys
held = [sys.intern(text) for text in ("{", "seldom", "often", "total", "x y")]
"""
MANY = 50
BUILD_SETTING = {"SOURCE_DATE_EPOCH": "315532800"}
"""What Terraform tells the build of the cloud: bytecode is then checked by content and not by date."""
BUILT_AT = 315532801
"""The time that an image gives to every file: 1980-01-01 and a second."""


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
    bundle.write_zip(bundle.bundle_files(function), tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        bytecode = [bytecode_name(name) for name in names if name.endswith(".py")]
        assert archive.namelist() == sorted([*names, *bytecode])
        assert {entry.date_time for entry in archive.infolist()} == {bundle.EPOCH}
        assert archive.read("requirements.txt") == (bundle.ROOT / "requirements.txt").read_bytes()


@pytest.mark.serial
@pytest.mark.xdist_group("servers")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bundle_answers_under_the_frameworks_own_command(function: str, tmp_path: Path) -> None:
    source = _unzipped(function, tmp_path / "bundle")
    target = manifests()[function].entry_point

    settings, said = environment(tmp_path / "data") | clean_environment(tmp_path / "data"), list[str]()
    traced = {**BASIC, "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}

    with serving(source, target, settings, said) as url:
        asked = [get(f"{url}{path}", traced)[0] for path in (*PATHS[function], "/no-such-path")]

    assert asked == [*(200 for _ in PATHS[function]), 404]
    logged = [json.loads(line) for line in said if line.startswith("{")]
    told = [line for line in logged if line["logger"] == "onhand.request"]
    assert [(line["severity"], line["status"]) for line in told] == [("INFO", status) for status in asked]
    assert {(line["logging.googleapis.com/trace"], line["spanId"]) for line in told} == {("a" * 32, "b" * 16)}
    assert not any(BASIC["Authorization"].split()[1] in line for line in said)


@pytest.mark.serial
@pytest.mark.xdist_group("servers")
def test_the_workers_bundle_refuses_whoever_is_not_the_platform(tmp_path: Path) -> None:
    source = _unzipped("worker", tmp_path / "bundle")

    with serving(source, manifests()["worker"].entry_point, clean_environment(tmp_path / "data")) as url:
        told = [get(f"{url}{path}", headers)[0] for path, headers in (("/health", BASIC), ("/internal/tasks/x", None))]

    assert told == [404, 405]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_bundle_starts_from_its_own_shared_without_compiling_any_of_it(function: str, tmp_path: Path) -> None:
    source = _unzipped(function, tmp_path / "bundle")

    shared, compiled = _started(source, READY.get(function, ""), tmp_path)

    assert Path(shared) == source.parent / "shared" / "__init__.py"
    assert compiled == 0


def test_a_bundle_without_bytecode_is_noticed_and_starts_all_the_same(tmp_path: Path) -> None:
    source = _unzipped("meta", tmp_path / "bundle", bytecode=False)

    assert _started(source, READY["meta"], tmp_path)[1] > MANY


def test_a_bundle_for_another_python_starts_by_compiling(tmp_path: Path) -> None:
    source = _unzipped("meta", tmp_path / "bundle")
    for path in source.parent.rglob("*.pyc"):
        path.write_bytes(b"\x00\x00\r\n" + path.read_bytes()[4:])

    assert _started(source, READY["meta"], tmp_path)[1] > MANY


@pytest.mark.parametrize(
    ("setting", "least", "most"), [(BUILD_SETTING, 0, 0), ({}, MANY, 10_000)], ids=["told", "untold"]
)
def test_what_the_build_compiles_anew_counts_although_the_image_changes_dates(
    setting: dict[str, str], least: int, most: int, tmp_path: Path
) -> None:
    """The build compiles over what travels, by date unless it is told (read in its source): and an image resets all dates."""
    source = _unzipped("meta", tmp_path / "bundle")
    line = [sys.executable, "-m", "compileall", "-f", "-q", "."]
    subprocess.run(line, cwd=source.parent, env=clean_environment(tmp_path / "data") | setting, check=True)
    for path in source.parent.rglob("*"):
        os.utime(path, (BUILT_AT, BUILT_AT))

    assert least <= _started(source, READY["meta"], tmp_path)[1] <= most


def test_terraform_tells_the_build_and_names_the_python_that_the_bytecode_is_for() -> None:
    module = (bundle.ROOT / "infra" / "modules" / "function" / "main.tf").read_text()
    runtime = re.search(r'runtime += "python(\d+)"', module)

    assert runtime is not None
    assert f"cpython-{runtime[1]}" == RUNTIME
    assert dict(re.findall(r'(SOURCE_DATE_EPOCH) = "(\d+)"', module)) == BUILD_SETTING


def test_bytecode_is_the_same_in_a_process_that_holds_other_strings_and_hashes_otherwise(tmp_path: Path) -> None:
    """Marshalled code depends on its process unless that is undone: the plain way differs here, which shows the check can fail."""
    written = {seed: _compiled_elsewhere(seed, before) for seed, before in (("1", ""), ("2", HOLDING))}

    assert written["1"][0] == written["2"][0]
    assert written["1"][1] != written["2"][1]


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


def _unzipped(function: str, folder: Path, *, bytecode: bool = True) -> Path:
    """Unzip a bundle into a folder that cannot be written; return its main.py."""
    zipped = folder.with_suffix(".zip")
    bundle.write_zip(bundle.bundle_files(function), zipped, bytecode=bytecode)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(folder)
    return folder / "main.py"


def _started(source: Path, path: str, folder: Path) -> tuple[str, int]:
    """Start a bundle and ask one path, if any; return where `shared` is from and how many files were compiled."""
    settings = environment(folder / "data") | clean_environment(folder / "data")
    done = subprocess.run(
        [sys.executable, "-c", STARTED, str(source), path, BASIC["Authorization"]],
        cwd=folder,
        env=settings | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shared, compiled = done.stdout.splitlines()[-2:]
    return shared, int(compiled)


def _compiled_elsewhere(seed: str, before: str) -> list[str]:
    """Compile a source in a process of its own; return the checksum of its bytecode, ours and the plain way."""
    done = subprocess.run(
        [sys.executable, "-c", before + ELSEWHERE],
        cwd=bundle.ROOT,
        env={"PATH": "", "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()
