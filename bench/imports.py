"""Goal 2: what importing a function's entry point loads. Exact counts, so a house test asserts the same."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench.harness import ROOT, Outcome
from local.bundle import function_names

__all__ = ["HEAVY", "MOST_MIB", "MOST_MODULES", "Seen", "imported", "measure"]

HEAVY = frozenset({"google", "grpc", "requests", "duckdb", "sqlglot", "numpy", "pandas", "boto3", "pyarrow"})
MOST_MODULES = 449
MOST_MIB = 50
# Loads a source file the way the framework does, in a process that has loaded nothing else.
_PROBE = """
import json, pathlib, resource, sys
from functions_framework._function_registry import load_function_module
source = sys.argv[1]
module, spec = load_function_module(source)
sys.path.append(str(pathlib.Path(source).parent))
spec.loader.exec_module(module)
status = pathlib.Path("/proc/self/status")
if status.exists():  # the kernel's ru_maxrss survives exec and would show the parent's peak
    mib = int(status.read_text().split("VmHWM:")[1].split()[0]) / 2**10
else:
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps({"modules": sorted(sys.modules), "mib": mib}))
"""


class Seen(NamedTuple):
    """What one import did to a fresh process."""

    modules: list[str]
    mib: float

    @property
    def heavy(self) -> list[str]:
        """Return the heavy packages among the modules."""
        theirs = [name for name in self.modules if not _of_framework(name)]
        return sorted({name.split(".")[0] for name in theirs} & HEAVY)


def _of_framework(module: str) -> bool:
    """Say whether a module of the google namespace belongs to functions-framework itself, or is the bare namespace."""
    return module in {"google", "google.cloud"} or module.startswith("google.cloud.functions")


def imported(source: Path, environment: Mapping[str, str] | None = None) -> Seen:
    """Import one source file in a fresh process, with these variables besides, and say what it loaded."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, str(source)],
        env={**kept, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return Seen(**json.loads(done.stdout))


def measure() -> Outcome:
    """Import every function's main.py."""
    seen = {name: imported(ROOT / "functions" / name / "main.py") for name in function_names()}
    modules = max(len(each.modules) for each in seen.values())
    mib = max(each.mib for each in seen.values())
    heavy = sorted({name for each in seen.values() for name in each.heavy})
    return Outcome(
        value=f"{len(heavy)} heavy packages, {modules} modules, {mib:.0f} MiB in the worst of {len(seen)} functions",
        goal=f"0 heavy, <= {MOST_MODULES} modules, <= {MOST_MIB} MiB",
        passed=not heavy and modules <= MOST_MODULES and mib <= MOST_MIB,
        rounds=[f"{name}: {len(each.modules)} modules, {each.mib:.1f} MiB" for name, each in seen.items()],
    )
