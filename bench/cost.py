"""Goal 18: US dollars per million feed requests when nine tenths are answered 304, from counted calls and bytes.

A million requests a month reach one instance evenly. An hour of them is sent to the real function on virtual time, with a
refresh published every five minutes: document reads, answered bytes and processor time are counted. What a refresh itself
writes is counted on the real handler reading a simulator of 20 000 orders in which little has changed. The rest is
arithmetic on `bench/prices.json`; the naive yardstick asks BigQuery per request and compresses.

The client names the encodings that browsers, and with them a front end, name over https. It is answered gzip, the only one
we make, so a client that takes nothing else costs the same. The rows are those of the goals 5 and 6, all first seen by one
refresh; a second hour, with rows first seen by the refreshes of several days, is reported beside it.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.feed_data import publish
from bench.harness import Outcome, Void
from bench.ours import BASIC, environment, fresh_data
from shared.app import App
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.serve import serve
from tests.client import Client
from tests.installation import installed

__all__ = ["measure"]

GOAL, TIMES_BELOW = 10.0, 13.0
FEED = "/api/shipbob/oos-orders"
MONTH_S, REQUESTS = 30 * 86_400, 1_000_000
EVERY_S, REFRESH_S = MONTH_S / REQUESTS, 300.0
HOUR_S = 3600.0
UNCHANGED = 10
ACCEPTED = {"Accept-Encoding": "gzip, deflate, br, zstd"}
AGED_DAYS = 4.0
GIB = 2**30
PRICES: Mapping[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text())
# The model of performance.md 5: one vCPU, half a GiB, one request at a time; a naive request waits 1.5 s for its query.
VCPU, MEMORY_GIB, NAIVE_S, PLAIN_BODY = 1.0, 0.5, 1.5, 301_000


@dataclass(frozen=True, slots=True)
class Hour:
    """What an hour of requests came to, per request."""

    reads: float
    body_bytes: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Refresh:
    """What one refresh came to."""

    reads: int
    writes: int
    deletes: int
    merges: int


def measure() -> Outcome:
    """Count, multiply, compare."""
    hour, aged, refresh = _hour(), _hour(AGED_DAYS), _refresh()
    parts, later = (_parts(each, refresh) for each in (hour, aged))
    ours, naive = sum(parts.values()), _naive()
    shown = [
        f"per request: {hour.reads:.2f} reads, {hour.body_bytes:.0f} bytes, {hour.cpu_s * 1000:.2f} ms CPU",
        f"per refresh: {refresh.reads} reads, {refresh.writes} writes, {refresh.deletes} deletes, {refresh.merges} merges",
        f"{_told(parts)}; naive {naive:.0f} USD",
        f"rows first seen over days ({AGED_DAYS:.0f} on average): {sum(later.values()):.2f} USD: {_told(later)}",
    ]
    return Outcome(
        value=f"{ours:.2f} USD per million requests, {naive / ours:.1f}x below a query per request",
        goal=f"<= {GOAL:.0f} USD, >= {TIMES_BELOW:.0f}x below",
        passed=ours <= GOAL and naive / ours >= TIMES_BELOW,
        rounds=shown,
    )


def _parts(hour: Hour, refresh: Refresh) -> dict[str, float]:
    """Return what a month comes to, in USD."""
    return {
        "reads": hour.reads * REQUESTS * PRICES["firestore_per_100k_reads"] / 1e5,
        "compute": _compute(hour.cpu_s),
        "egress": hour.body_bytes * REQUESTS / GIB * PRICES["egress_per_gib"],
        "refresh": MONTH_S / REFRESH_S * _refreshed(refresh),
    }


def _told(parts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {usd:.2f}" for name, usd in parts.items())


def _hour(aged_days: float = 0.0) -> Hour:
    """Send an hour of requests; a new snapshot comes every five minutes."""
    from functions.oos.legacy import router as legacy
    from functions.oos.routes import router

    data, clock = fresh_data("cost"), ManualClock()
    publish(data, aged_days=aged_days)
    app = App(Settings.from_env(environment(data)), clock)
    client = Client(serve([router, legacy], lambda: app), {**BASIC, **ACCEPTED})
    sent, size, next_refresh, tag = 0, 0, REFRESH_S, ""
    spent = 0.0
    reads = app.documents.counts.reads
    while sent * EVERY_S < HOUR_S:
        if sent * EVERY_S >= next_refresh:
            publish(data, aged_days=aged_days)
            next_refresh += REFRESH_S
        conditional = {} if sent % UNCHANGED == 0 else {"If-None-Match": tag}
        began = time.process_time()
        answer = client.get(FEED, headers=conditional)
        spent += time.process_time() - began
        whole = answer.status == 200 and answer.headers.get("Content-Encoding") == "gzip"
        if answer.status != 304 and (not whole or len(answer.body) < PLAIN_BODY):
            raise Void(f"the feed answered {answer.status}")
        tag = answer.headers["ETag"]
        size += len(answer.body)
        sent += 1
        clock.advance(EVERY_S)
    return Hour((app.documents.counts.reads - reads) / sent, size / sent, spent / sent)


def _refresh() -> Refresh:
    """Refresh once more after a first refresh, and count what the second one did."""
    with installed(fresh_data("cost-refresh"), size=20_000) as made:
        made.refresh("shipbob")
        made.clock.advance(REFRESH_S)
        merges = _count_merges(made.app)
        counts = made.app.documents.counts
        before = (counts.reads, counts.writes, counts.deletes)
        run = made.refresh("shipbob")
        if run["status"] != "succeeded":
            raise Void(f"the refresh {run['status']}")
        reads, writes, deletes = (
            now - then for now, then in zip((counts.reads, counts.writes, counts.deletes), before, strict=True)
        )
    return Refresh(reads, writes, deletes, len(merges))


def _count_merges(app: App) -> list[str]:
    seen: list[str] = []
    merge = app.warehouse.merge

    def counted(table: Any, rows: Any, *, batch_id: str) -> int:
        seen.append(batch_id)
        return merge(table, rows, batch_id=batch_id)

    app.warehouse.merge = counted  # type: ignore[method-assign]
    return seen


def _refreshed(refresh: Refresh) -> float:
    """Return what one refresh costs; a merge scans two small tables, its target and its stage."""
    documents = (
        refresh.reads * PRICES["firestore_per_100k_reads"]
        + refresh.writes * PRICES["firestore_per_100k_writes"]
        + refresh.deletes * PRICES["firestore_per_100k_deletes"]
    ) / 1e5
    return float(documents + refresh.merges * 2 * _query())


def _query() -> float:
    return float(PRICES["bigquery_least_mib_per_table_and_query"]) / 2**20 * float(PRICES["bigquery_per_tib"])


def _compute(seconds: float) -> float:
    billed = max(1, -(-seconds // PRICES["time_rounded_up_to_s"])) * PRICES["time_rounded_up_to_s"]
    each = billed * (VCPU * PRICES["vcpu_second"] + MEMORY_GIB * PRICES["gib_second"])
    return float(each * REQUESTS + PRICES["million_requests"])


def _naive() -> float:
    """Return a query per request over one small table, compressed each time."""
    return _query() * REQUESTS + _compute(NAIVE_S) + PLAIN_BODY * REQUESTS / GIB * float(PRICES["egress_per_gib"])
