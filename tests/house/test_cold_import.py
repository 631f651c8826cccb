"""Importing a function's entry point stays cheap: nothing heavy, a bounded number of modules, a bounded memory.

Counts decide, not times: each function is imported in a fresh process, by the framework's own way of loading a source.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from local.bundle import function_names

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("google", "grpc", "requests", "duckdb", "sqlglot", "numpy", "pandas", "boto3", "pyarrow")
MOST_MODULES = 449
MOST_MIB = 50
PROBE = """
import json, resource, sys
from functions_framework._function_registry import load_function_module
source = sys.argv[1]
module, spec = load_function_module(source)
sys.path.append(str(__import__("pathlib").Path(source).parent))
spec.loader.exec_module(module)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
mib = peak / (2**20 if sys.platform == "darwin" else 2**10)
print(json.dumps({"modules": sorted(sys.modules), "mib": mib}))
"""


class Seen(NamedTuple):
    """What one import did to a fresh process."""

    modules: list[str]
    mib: float


@pytest.mark.parametrize("function", function_names())
def test_an_entry_point_loads_nothing_heavy(function: str) -> None:
    seen = _import(ROOT / "functions" / function / "main.py")

    print(f"{function}: {len(seen.modules)} modules, {seen.mib:.1f} MiB")
    assert [name for name in seen.modules if name.split(".")[0] in HEAVY] == []
    assert len(seen.modules) <= MOST_MODULES
    assert seen.mib <= MOST_MIB


def test_a_heavy_import_is_seen(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import requests\n")

    seen = _import(tmp_path / "main.py")

    assert "requests" in {name.split(".")[0] for name in seen.modules} & set(HEAVY)


def _import(source: Path) -> Seen:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(source)],
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Seen(**json.loads(done.stdout))
