"""Goal 5: the OOS feed of 5 000 rows, gzip, 4 connections, against the peer serving the very same rows.

The rows are the contract's, each with its held lines: twice the bytes that the goal was set with, for both sides.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.feed_data import ORDERS, SOURCE, publish
from bench.harness import Outcome, Server, Void, fetch, interleaved, ratio, workspace
from bench.load import Ask, Load, load
from bench.ours import BASIC, fresh_data, function
from bench.yardsticks import peer_of_feed

__all__ = ["FEED", "GZIP", "feed", "measure", "peer_rows"]

ROUNDS, CONNECTIONS = 5, 4
# The peer answers so slowly that three seconds would hold a handful of answers.
PEER_S = 10
FASTER, P99 = 40, 1 / 20
FEED = f"/api/{SOURCE}/oos-orders"
GZIP = {"Accept-Encoding": "gzip"}


@contextmanager
def feed() -> Iterator[Server]:
    """Serve our feed from a fresh store holding the snapshot."""
    data = fresh_data("feed")
    publish(data)
    with function("oos", f"{FEED}?limit=1", data=data) as server:
        yield server


def measure() -> Outcome:
    """Load both in turns."""
    with ExitStack() as running:
        ours = running.enter_context(feed())
        peer = running.enter_context(peer_of_feed(peer_rows(ours)))
        variants = {
            "ours": lambda: load(ours, Ask(FEED, CONNECTIONS, {**BASIC, **GZIP})),
            "peer": lambda: load(peer, Ask("/oos", CONNECTIONS, GZIP, seconds=PEER_S)),
        }
        rounds = interleaved(ROUNDS, variants)
    faster = ratio([{name: seen.per_second for name, seen in each.items()} for each in rounds], "ours", "peer")
    p99 = ratio([{name: seen.p99_ms for name, seen in each.items()} for each in rounds], "ours", "peer")
    return Outcome(
        value=f"{faster:.1f}x peer req/s, p99 {p99:.3f}x",
        goal=f">= {FASTER}x, <= {P99:.2f}x",
        passed=faster >= FASTER and p99 <= P99,
        rounds=[", ".join(f"{name} {_line(seen)}" for name, seen in each.items()) for each in rounds],
    )


def peer_rows(ours: Server) -> Path:
    """Store our answer as the peer's rows, after a look at it."""
    answer = fetch(ours.url + FEED, headers=BASIC)
    if answer.status != 200 or answer.body.count(b'"order_id"') != ORDERS:
        raise Void(f"the feed answered {answer.status} with {answer.body.count(b'order_id')} orders")
    rows = workspace() / "feed-rows.json"
    rows.write_bytes(answer.body)
    return rows


def _line(seen: Load) -> str:
    return (
        f"{seen.per_second:.0f} req/s, p50 {seen.p50_ms:.1f} ms, p99 {seen.p99_ms:.1f} ms, "
        f"CPU {seen.cpu_ms:.2f} ms, {seen.bytes_each / 1000:.0f} kB"
    )
