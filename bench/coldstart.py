"""Goal 1: process start to the first answer, worst function, against the platform's hello and against eager clients.

The store is there already, as it is when a platform starts one more instance: laying out an empty one is measured nowhere here.
Warmed is the function with most clients in its manifest, started with the cloud's settings: its clients are loaded before the
first request, and what it is asked (an unknown path) needs none of them to answer. Processor time of the tree is told beside the
wall's: on a busy machine it is the steadier of the two, and the goal stays on the wall's.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.harness import BENCH_PYTHON, Outcome, Server, interleaved, ratio, serving
from bench.ours import IN_CLOUD, fresh_data, function
from bench.yardsticks import hello
from local.bundle import function_names
from local.manifest import manifests

__all__ = ["READY", "measure"]

TO_HELLO, TO_EAGER, WARMED_TO_HELLO = 1.5, 0.65, 2.5
TRIAL_ROUNDS, ROUNDS = 3, 9
# What each function is first asked: a route of its own that reads its store.
READY: Mapping[str, str] = {
    "alerts": "/api/v1/alerts?limit=1",
    "auth": "/.well-known/jwks.json",
    "catalog": "/api/v1/products?limit=1",
    "content": "/api/v1/ai/drafts?limit=1",
    "forecasts": "/api/v1/predictions/batch?limit=1",
    "imports": "/api/v1/imports?limit=1",
    "inventory": "/api/v1/inventory?limit=1",
    "jobs": "/api/v1/jobs?limit=1",
    "meta": "/health",
    "oos": "/api/v1/oos/orders?limit=1",
    "orders": "/api/v1/transfer-orders?limit=1",
    "refresh": "/api/v1/refresh/status",
    "sales": "/api/v1/sales?limit=1",
    "suppliers": "/api/v1/vendors?limit=1",
}


def measure() -> Outcome:
    """Find the slowest function, then run it between its yardsticks."""
    functions = [name for name in function_names() if name in READY]
    tried = interleaved(TRIAL_ROUNDS, {"hello": _hello, **{name: _ours(name) for name in functions}})
    trial = [{name: start.wall_s for name, start in each.items()} for each in tried]
    worst = max(functions, key=lambda name: ratio(trial, name, "hello"))
    variants = {
        "hello": _hello,
        "ours": _ours(worst),
        "eager": _ours(worst, eager=True),
        "warmed": _warmed(_most_clients(functions)),
        "fastapi": _fastapi,
    }
    timed = interleaved(ROUNDS, variants)
    rounds = [{name: start.wall_s for name, start in each.items()} for each in timed]
    to_hello, to_eager = ratio(rounds, "ours", "hello"), ratio(rounds, "ours", "eager")
    warmed = ratio(rounds, "warmed", "hello")
    cpu = [{name: start.cpu_s for name, start in each.items()} for each in timed]
    return Outcome(
        value=f"{worst} {to_hello:.2f}x hello, {to_eager:.2f}x eager, warmed {warmed:.2f}x hello; "
        f"processor {ratio(cpu, 'ours', 'hello'):.2f}x, {ratio(cpu, 'ours', 'eager'):.2f}x, {ratio(cpu, 'warmed', 'hello'):.2f}x; "
        f"FastAPI hello {ratio(rounds, 'fastapi', 'hello'):.2f}x",
        goal=f"<= {TO_HELLO}x hello, <= {TO_EAGER}x eager, warmed <= {WARMED_TO_HELLO}x hello",
        passed=to_hello <= TO_HELLO and to_eager <= TO_EAGER and warmed <= WARMED_TO_HELLO,
        rounds=[
            *(f"trial {name}: {ratio(trial, name, 'hello'):.2f}x hello" for name in functions),
            *(", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in each.items()) for each in rounds),
        ],
    )


class Start(NamedTuple):
    """How long a process took to its first answer, by the wall's clock and in processor time of its tree."""

    wall_s: float
    cpu_s: float


def _of(server: Server) -> Start:
    return Start(server.start_s, server.start_cpu_s)


def _hello() -> Start:
    with hello() as server:
        return _of(server)


def _ours(name: str, *, eager: bool = False) -> Callable[[], Start]:
    def start() -> Start:
        with function(name, READY[name], data=_laid_out(), eager=eager) as server:
            return _of(server)

    return start


@cache
def _laid_out() -> Path:
    """Return the data folder of an installation that has answered a request before."""
    data = fresh_data("coldstart")
    with function("catalog", READY["catalog"], data=data):
        return data


def _most_clients(functions: Sequence[str]) -> str:
    """Return the public function whose manifest names most of what a client is loaded for."""

    def clients(name: str) -> int:
        needs = manifests()[name].needs
        return sum((needs.documents == "write", needs.warehouse != "none", bool(needs.queues), needs.kms))

    return max(functions, key=clients)


def _warmed(name: str) -> Callable[[], Start]:
    def start() -> Start:
        with function(name, ("/no-such-path", 404), data=_laid_out(), extra=IN_CLOUD) as server:
            return _of(server)

    return start


def _fastapi() -> Start:
    line: list[str | Path] = [
        BENCH_PYTHON,
        "-m",
        "uvicorn",
        "bench.floor.fastapi_hello:app",
        "--port={port}",
        "--log-level=warning",
    ]
    with serving([*line, "--no-access-log"], ready="/") as server:
        return _of(server)
