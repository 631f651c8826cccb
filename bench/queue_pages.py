"""Any filtered page over 5,000 open orders, against the peer's full list of the very same rows, one connection each.

The pages are those that cost most: a rare SKU, a search, a value sort with a filter, a facility far down the list, and the
exact total. Each is another address, so nothing but the snapshot itself is remembered between them; the worst page counts.
"""

from contextlib import ExitStack

from bench.feed import GZIP, feed, peer_rows
from bench.harness import Outcome, Server, interleaved, ratio
from bench.load import Ask, Load, load
from bench.ours import BASIC
from bench.yardsticks import peer_of_feed

__all__ = ["measure"]

ROUNDS, FASTER, PEER_S = 3, 20, 8
QUEUE = "/api/v1/oos/orders?limit=50"
PAGES = {
    "rare sku": f"{QUEUE}&sku=SKU-00777",
    "search": f"{QUEUE}&search=customer+77",
    "value and channel": f"{QUEUE}&sort=-value&channel=Retail",
    "nothing found": f"{QUEUE}&search=zzzz",
    "with total": f"{QUEUE}&facility=Cicero+(IL)&include_total=true",
}


def measure() -> Outcome:
    """Load every page and the peer in turns."""
    with ExitStack() as running:
        ours = running.enter_context(feed())
        peer = running.enter_context(peer_of_feed(peer_rows(ours)))
        rounds = interleaved(ROUNDS, {"peer": lambda: load(peer, Ask("/oos", 1, GZIP, seconds=PEER_S))} | _pages(ours))
    speeds = [{name: seen.per_second for name, seen in each.items()} for each in rounds]
    times = {name: ratio(speeds, name, "peer") for name in PAGES}
    worst = min(times, key=lambda name: times[name])
    return Outcome(
        value=f"{times[worst]:.0f}x peer req/s at worst ({worst}); "
        + ", ".join(f"{n} {t:.0f}x" for n, t in times.items()),
        goal=f">= {FASTER}x",
        passed=times[worst] >= FASTER,
        rounds=[", ".join(f"{name} {_line(seen)}" for name, seen in each.items()) for each in rounds],
    )


def _pages(ours: Server) -> dict[str, "_Run"]:
    return {name: _Run(ours, path) for name, path in PAGES.items()}


class _Run:
    """One page under load."""

    def __init__(self, server: Server, path: str) -> None:
        self._server, self._path = server, path

    def __call__(self) -> Load:
        return load(self._server, Ask(self._path, 1, BASIC, steady=False))


def _line(seen: Load) -> str:
    return f"{seen.per_second:.0f} req/s, p50 {seen.p50_ms:.1f} ms, CPU {seen.cpu_ms:.1f} ms"
