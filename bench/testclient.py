"""Goal 19: what our tests' own HTTP client costs per request, against Flask's test client, each on an empty operation."""

import time
from collections.abc import Callable

from flask import Flask

from bench.harness import Outcome, interleaved, ratio
from shared.http.context import Context
from shared.http.router import Router
from tests.client import Client
from tests.http.builders import FakeApp, a_kernel

__all__ = ["measure"]

GOAL = 1.5
ROUNDS, REQUESTS = 7, 2000


def measure() -> Outcome:
    """Send requests in turns; the kernel's own work (guard, limits, log) is included in ours."""
    rounds = interleaved(ROUNDS, {"ours": _ours(), "flask": _flask()})
    times = ratio(rounds, "ours", "flask")
    return Outcome(
        value=f"{times:.2f}x Flask's test client",
        goal=f"<= {GOAL}x CPU",
        passed=times <= GOAL,
        rounds=[", ".join(f"{name} {us:.0f} us" for name, us in each.items()) for each in rounds],
    )


def _ours() -> Callable[[], float]:
    router = Router("bench")

    @router.get("/api/v1/nothing", access="public", etag=False)
    def nothing(_: Context[FakeApp]) -> dict[str, bool]:
        """Do nothing."""
        return {"ok": True}

    client: Client = a_kernel([router]).client
    return lambda: _cpu_us(lambda: client.get("/api/v1/nothing").status)


def _flask() -> Callable[[], float]:
    app = Flask("bench")

    @app.get("/nothing")
    def nothing() -> dict[str, bool]:
        return {"ok": True}

    client = app.test_client()
    return lambda: _cpu_us(lambda: client.get("/nothing").status_code)


def _cpu_us(ask: Callable[[], int]) -> float:
    assert ask() == 200
    began = time.process_time()
    for _ in range(REQUESTS):
        ask()
    return (time.process_time() - began) / REQUESTS * 1e6
