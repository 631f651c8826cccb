"""Simulated vendors in processes of their own, and refreshes from them: the vendor's work does not count as ours."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bench.harness import ROOT, Void
from bench.ours import fresh_data

__all__ = ["refresh_from", "vendor"]

_PATIENCE_S = 300


@contextmanager
def vendor(name: str, *words: str) -> Iterator[Mapping[str, str]]:
    """Run a simulator; yield the settings with which it is talked to."""
    line = [sys.executable, "-m", "local.simulators", name, "--warm", *words]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        settings = {key: str(value) for key, value in told.items() if key.isupper()}
        origin = next(value for key, value in settings.items() if key.endswith("_BASE_URL")).split("/")[2]
        try:
            yield {**settings, "FETCH_ALLOW_HOSTS": origin}
        finally:
            process.stdin.close()


def refresh_from(settings: Mapping[str, str], name: str) -> dict[str, Any]:
    """Refresh once from a running vendor on fresh data; raise Void when the run did not succeed."""
    line = [sys.executable, "-m", "bench.one_refresh", str(fresh_data(name))]
    done = subprocess.run(
        line, cwd=ROOT, input=json.dumps(settings), capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    if done.returncode != 0:
        raise Void(done.stderr[-800:])
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if seen["status"] != "succeeded":
        raise Void(f"the refresh {seen['status']}")
    return seen
