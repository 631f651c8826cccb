"""Goal 7: pages of 50 out of 20,000 levels, filtered, against the peer and the peer with the index a careful team adds.

Mix L is one store and one category; mix W is what runs low in one store, 500 rows in: by `skip`, and by the cursor of that place.
Page 2,000 of ten levels is as fast as page 1.
"""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from urllib.parse import quote

from bench.harness import Outcome, Server, Void, fetch, interleaved, ratio
from bench.load import Ask, Load, load
from bench.ours import BASIC, function
from bench.stock_data import stocked, store_id
from bench.yardsticks import bearer, peer

__all__ = ["measure"]

ROUNDS = 5
CONNECTIONS = (1, 8, 32)
GOALS = {"@1": 8.0, "@8": 4.0, "@32": 4.0}
INDEXED_GOAL, P99_GOAL, DEPTH_GOAL = 2.5, 0.35, 1.1
DEEP_PAGE, DEEP_SIZE, DEEP_TIMES = 2000, 10, 200
_PATH = "/api/v1/inventory"


@dataclass(frozen=True, slots=True)
class Servers:
    """Who is measured, and what each is asked."""

    ours: Server
    theirs: Mapping[str, Server]
    store: str
    sent: Mapping[str, str]

    def path(self, mix: str) -> str:
        """Return our address of a mix."""
        if mix == "L":
            return f"{_PATH}?store_id={self.store}&category=cat-7&limit=50"
        return f"{_PATH}?store_id={self.store}&low_stock=true&limit=50"


_PEER = {
    "L": "/inventory?store=store-1&category=cat-7&limit=50",
    "W": "/inventory?store=store-1&low_stock=true&limit=50&offset=500",
}


def measure() -> Outcome:
    """Load ours, the peer and the indexed peer in turns."""
    data = stocked("list")
    with ExitStack() as running:
        theirs = {name: running.enter_context(peer(name)) for name in ("peer", "indexed")}
        ours = running.enter_context(function("inventory", "/api/v1/stores", data=data))
        servers = Servers(ours, theirs, store_id(data, "store-1"), bearer())
        depth = _depth(servers)
        rounds = interleaved(ROUNDS, _variants(servers))
    return _outcome(rounds, depth)


def _variants(servers: Servers) -> dict[str, Callable[[], Load]]:
    cursor = _cursor(servers, servers.path("W"), 500)
    paths = {
        "L": servers.path("L"),
        "W skip": f"{servers.path('W')}&skip=500",
        "W cursor": f"{servers.path('W')}&cursor={quote(cursor)}",
    }
    variants: dict[str, Callable[[], Load]] = {}
    for connections in CONNECTIONS:
        for mix, path in paths.items():
            ask = Ask(path, connections, BASIC, steady=False)  # a page's cursor says when it was made
            variants[f"ours {mix} @{connections}"] = partial(load, servers.ours, ask)
        for name, server in servers.theirs.items():
            if name == "indexed" and connections > 8:
                continue
            for mix, path in _PEER.items():
                ask = Ask(path, connections, servers.sent)
                variants[f"{name} {mix} @{connections}"] = partial(load, server, ask)
    return variants


def _outcome(rounds: list[dict[str, Load]], depth: float) -> Outcome:
    if any(one.requests == 0 for each in rounds for one in each.values()):
        raise Void("somebody answered nothing within a run: the machine is too busy")
    speed = [{name: one.per_second for name, one in each.items()} for each in rounds]
    tail = [{name: one.p99_ms for name, one in each.items()} for each in rounds]
    told, passed = [], depth <= DEPTH_GOAL
    for mix, other in (("L", "L"), ("W skip", "W"), ("W cursor", "W")):
        parts = []
        for at, goal in GOALS.items():
            times = ratio(speed, f"ours {mix} {at}", f"peer {other} {at}")
            late = ratio(tail, f"ours {mix} {at}", f"peer {other} {at}")
            parts.append(f"{times:.1f}x {at} (p99 {late:.2f}x)")
            passed &= times >= goal and late <= P99_GOAL
        for at in ("@1", "@8"):
            times = ratio(speed, f"ours {mix} {at}", f"indexed {other} {at}")
            parts.append(f"{times:.1f}x indexed {at}")
            passed &= times >= INDEXED_GOAL
        told.append(f"{mix}: {', '.join(parts)}")
    return Outcome(
        value=f"{'; '.join(told)}; page {DEEP_PAGE} at {depth:.2f}x page 1",
        goal=f">= 8x @1, >= 4x @8 and @32 vs peer, >= {INDEXED_GOAL}x vs indexed, p99 <= {P99_GOAL}x, depth <= {DEPTH_GOAL}x",
        passed=passed,
        rounds=[
            ", ".join(
                f"{name} {one.per_second:.0f}/s {one.p99_ms:.1f} ms {one.cpu_ms:.2f} CPU" for name, one in each.items()
            )
            for each in rounds
        ],
    )


def _depth(servers: Servers) -> float:
    """Return how long page 2,000 takes against page 1: medians of many, in turns."""
    path = f"{_PATH}?limit={DEEP_SIZE}"
    cursor = _cursor(servers, _PATH + "?", (DEEP_PAGE - 1) * DEEP_SIZE)
    pages = {"first": path, "deep": f"{path}&cursor={quote(cursor)}"}
    took = interleaved(DEEP_TIMES, {name: partial(_took, servers, page) for name, page in pages.items()})
    return median(each["deep"] for each in took) / median(each["first"] for each in took)


def _took(servers: Servers, path: str) -> float:
    began = time.perf_counter()
    _page(servers, path)
    return time.perf_counter() - began


def _cursor(servers: Servers, path: str, rows: int) -> str:
    """Return the cursor of the place behind so many rows, walked to in big pages."""
    cursor = ""
    while rows > 0:
        size = min(1000, rows)
        begin = path.split("limit=", maxsplit=1)[0].rstrip("&")
        joint = "" if begin.endswith("?") else "&"
        page = _page(servers, f"{begin}{joint}limit={size}" + (f"&cursor={quote(cursor)}" if cursor else ""))
        cursor, rows = page["next_cursor"], rows - size
    return cursor


def _page(servers: Servers, path: str) -> dict[str, str]:
    answer = fetch(servers.ours.url + path, headers=BASIC)
    if answer.status != 200:
        raise Void(f"{path} answered {answer.status}: {answer.body[:200]!r}")
    page: dict[str, str] = json.loads(answer.body)
    return page
