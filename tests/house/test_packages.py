"""C04: what we depend on is pinned, justified, licensed, used, and stays out of our names."""

import ast
import re
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ("requirements", "requirements-local", "requirements-dev")
MOST_DIRECT = 20
OURS = {"shared", "functions", "infra", "local"}
# Distributions whose import name is not their own name.
IMPORTS = {
    "pyjwt": "jwt",
    "argon2-cffi": "argon2",
    "google-cloud-firestore": "google.cloud.firestore_v1",
    "google-cloud-bigquery": "google.cloud.bigquery",
    "google-cloud-tasks": "google.cloud.tasks_v2",
    "google-cloud-scheduler": "google.cloud.scheduler_v1",
    "google-cloud-kms": "google.cloud.kms_v1",
    "google-auth": "google.auth",
    "google-api-core": "google.api_core",
    "functions-framework": "functions_framework",
}
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)


def test_the_runtime_has_at_most_twenty_direct_packages_each_with_a_reason() -> None:
    blocks = re.split(r"\n\s*\n", (ROOT / "requirements.in").read_text())
    unexplained = [block for block in blocks if PIN.search(block) and not block.lstrip().startswith("#")]

    assert unexplained == []
    assert len(_pins("requirements.in")) <= MOST_DIRECT


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_exactly_and_carries_hashes(name: str) -> None:
    text = re.sub(r"\\\n\s*", " ", (ROOT / f"{name}.txt").read_text())
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]

    assert [line for line in lines if not PIN.match(line) or "--hash=sha256:" not in line] == []
    assert _pins(f"{name}.in").items() <= _pins(f"{name}.txt").items()


def test_the_three_files_agree_on_every_version() -> None:
    runtime, local, dev = (_pins(f"{name}.txt") for name in FILES)

    assert runtime.items() <= dev.items()
    assert local.items() <= dev.items()


def test_the_installed_packages_are_the_pinned_ones() -> None:
    pinned = _pins("requirements-dev.txt")
    installed = {_normal(dist.metadata["Name"]): dist.version for dist in metadata.distributions()}

    assert {name: installed[name] for name in pinned if name in installed} == {
        name: version for name, version in pinned.items() if name in installed
    }


def test_no_pinned_package_takes_one_of_our_names() -> None:
    """The platform *appends* the source folder to the module path: an installed `shared` would win over ours."""
    taken = {
        (dist.metadata["Name"], top)
        for dist in metadata.distributions()
        for top in {file.parts[0] for file in dist.files or ()} & OURS
        if _normal(dist.metadata["Name"]) in _pins("requirements-dev.txt")
    }

    assert taken == set()


def test_every_direct_runtime_package_is_imported_somewhere() -> None:
    used = {
        name for folder in ("functions", "shared") for path in (ROOT / folder).rglob("*.py") for name in _used(path)
    }
    wanted = {name: IMPORTS.get(name, name) for name in _pins("requirements.in")}

    assert [name for name, module in wanted.items() if not _imported(module, used)] == []


def test_pyarrow_and_pandas_stay_out_of_the_runtime() -> None:
    assert {"pyarrow", "pandas", "boto3"} & _pins("requirements.txt").keys() == set()


def _pins(file: str) -> dict[str, str]:
    text = (ROOT / file).read_text()
    nested = re.findall(r"^-r (\S+)", text, re.MULTILINE)
    return {**{k: v for name in nested for k, v in _pins(name).items()}, **dict(PIN.findall(text))}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported(module: str, used: set[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in used)


def _used(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names
