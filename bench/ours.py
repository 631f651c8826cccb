"""How our own functions are started for a measurement: from their bundles, with bytecode, limits off, on fresh data."""

import compileall
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.harness import Server, serving, workspace
from bench.yardsticks import framework
from local.bundle import unpack
from local.manifest import manifests

__all__ = ["BASIC", "IN_CLOUD", "environment", "function", "laid_out"]

# base64 of bench:bench-password-1, the legacy Basic pair that the environment below allows.
BASIC = {"Authorization": "Basic YmVuY2g6YmVuY2gtcGFzc3dvcmQtMQ=="}
IN_CLOUD = {
    "K_SERVICE": "function",
    "ENVIRONMENT": "dev",
    "STORE_URL": "firestore://p/(default)",
    "WAREHOUSE_URL": "bigquery://p/onhand_dev",
    "TASKS_URL": "cloudtasks://p/europe-west1",
    "SCHEDULES_URL": "cloudscheduler://p/europe-west1",
    "KMS_KEY": "projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "AUTH_PUBLIC_KEYS": '{"keys": []}',
    "WORKER_URL": "https://worker.example",
    "WORKER_AUDIENCE": "https://worker.example",
    "WORKER_INVOKERS": "invoker@p.iam.gserviceaccount.com",
}
"""Settings as Terraform gives them, for what needs no answer from the cloud."""
_EAGER = """import google.cloud.bigquery, google.cloud.firestore, google.cloud.scheduler_v1
import google.cloud.storage, google.cloud.tasks_v2
"""


def environment(data: Path) -> dict[str, str]:
    """Return the settings of every measured function."""
    policies = ("IP", "USER", "LOGIN", "REFRESH", "COSTLY")
    return {
        "DATA_DIR": str(data),
        "BASIC_AUTH_USERNAME": "bench",
        "BASIC_AUTH_PASSWORD": "bench-password-1",
        "BASIC_AUTH_ROLE": "admin",
        "THREADS": "8",
        **{f"RATE_LIMIT_{policy}": "0" for policy in policies},
    }


def laid_out(name: str, *, eager: bool = False) -> Path:
    """Lay out and compile a function's bundle; the eager one imports every Google client first. Return its main.py."""
    folder = workspace() / "bundles" / f"{name}{'-eager' if eager else ''}"
    shutil.rmtree(folder, ignore_errors=True)
    source = unpack(name, folder)
    if eager:
        lines = source.read_text()
        source.write_text(f"{_EAGER}{lines}" if "from __future__" not in lines else lines)
    compileall.compile_dir(folder, quiet=1)
    return source


def fresh_data(name: str) -> Path:
    """Return an empty folder for embedded backends."""
    folder = workspace() / f"data-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextmanager
def function(
    name: str,
    ready: str | tuple[str, int],
    *,
    data: Path,
    eager: bool = False,
    extra: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Serve one function from its bundle by the framework's command, ready when `ready` answers 200 or the status beside it."""
    line = framework(laid_out(name, eager=eager), manifests()[name].entry_point)
    with serving(line, ready=ready, headers=BASIC, env={**environment(data), **(extra or {})}) as server:
        yield server
