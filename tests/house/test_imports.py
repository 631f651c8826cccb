"""The direction of imports is kept by contracts, the contracts cover the whole tree, and they do bite."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")
NOT_DOMAINS = {"core", "ports", "http", "adapters", "app"}


def test_every_contract_is_kept() -> None:
    done = _lint(ROOT)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("shared/core/clock.py", "import shared.ports.documents", "imports point one way"),
        ("shared/oos/rules.py", "import shared.adapters", "imports point one way"),
        ("shared/oos/rules.py", "import flask", "only the edge knows HTTP frameworks"),
        (
            "shared/ports/fetch.py",
            "import requests",
            "only adapters, the composition root and the local run touch the world",
        ),
    ],
)
def test_a_planted_import_breaks_its_contract(tmp_path: Path, file: str, line: str, broken: str) -> None:
    for folder in ("shared", "functions", "local"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    victim = tmp_path / file
    victim.write_text(f"{victim.read_text()}\n{line}\n")

    done = _lint(tmp_path)

    assert done.returncode == 1
    assert f"{broken} BROKEN" in done.stdout


def test_the_contracts_name_every_domain() -> None:
    domains = {path.parent.name for path in (ROOT / "shared").glob("*/__init__.py")} - NOT_DOMAINS
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers, _, *forbidden = contracts

    named = {word.strip("() ") for layer in layers["layers"] for word in layer.replace("|", ":").split(":")}
    assert {f"shared.{name}" for name in domains} <= named
    for contract in forbidden:
        assert {f"shared.{name}" for name in domains} <= set(contract["source_modules"]), contract["name"]


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    line = [str(LINTER), "--no-logo", "--no-cache"]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_dataclasses_are_ours_which_compile_nothing_at_a_start() -> None:
    files = [path for folder in ("shared", "functions", "local") for path in (ROOT / folder).rglob("*.py")]
    values = ROOT / "shared/core/values.py"

    assert [path for path in files if _takes_dataclass(path.read_text())] == [values]


def _takes_dataclass(source: str) -> bool:
    return re.search(r"from dataclasses import .*\b(dataclass|field)\b|@dataclasses\.", source) is not None
