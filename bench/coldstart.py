"""Goal 1: process start to the first 200, worst function, against the platform's hello and against eager clients."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.harness import BENCH_PYTHON, Outcome, interleaved, ratio, serving
from bench.ours import fresh_data, function
from bench.yardsticks import hello
from local.bundle import function_names

__all__ = ["READY", "measure"]

TO_HELLO, TO_EAGER = 1.5, 0.65
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
    trial = interleaved(TRIAL_ROUNDS, {"hello": _hello, **{name: _ours(name) for name in functions}})
    worst = max(functions, key=lambda name: ratio(trial, name, "hello"))
    variants = {"hello": _hello, "ours": _ours(worst), "eager": _ours(worst, eager=True), "fastapi": _fastapi}
    rounds = interleaved(ROUNDS, variants)
    to_hello, to_eager = ratio(rounds, "ours", "hello"), ratio(rounds, "ours", "eager")
    return Outcome(
        value=f"{worst} {to_hello:.2f}x hello, {to_eager:.2f}x eager; FastAPI hello {ratio(rounds, 'fastapi', 'hello'):.2f}x",
        goal=f"<= {TO_HELLO}x hello, <= {TO_EAGER}x eager",
        passed=to_hello <= TO_HELLO and to_eager <= TO_EAGER,
        rounds=[
            *(f"trial {name}: {ratio(trial, name, 'hello'):.2f}x hello" for name in functions),
            *(", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in each.items()) for each in rounds),
        ],
    )


def _hello() -> float:
    with hello() as server:
        return server.start_s


def _ours(name: str, *, eager: bool = False) -> Callable[[], float]:
    def start() -> float:
        with function(name, READY[name], data=fresh_data("coldstart"), eager=eager) as server:
            return server.start_s

    return start


def _fastapi() -> float:
    line: list[str | Path] = [
        BENCH_PYTHON,
        "-m",
        "uvicorn",
        "bench.floor.fastapi_hello:app",
        "--port={port}",
        "--log-level=warning",
    ]
    with serving([*line, "--no-access-log"], ready="/") as server:
        return server.start_s
