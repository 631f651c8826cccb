"""A refresh of 20 000 ShipBob orders: how much of its time is ours, and whether its memory knows the number of pages.

The vendor runs in a process of its own, with its real limit of 150 calls a minute and no latency but its own work. Ours is
what is not waiting for its answers or its pace: the first round has a fresh allowance, the later ones do not. For memory, a vendor
without held orders is read at 20 000 and at 40 000 orders: what grows then grows with pages.
"""

from statistics import median
from typing import Any

from bench.harness import Outcome, Void
from bench.vendors import refresh_from, vendor

__all__ = ["measure"]

ORDERS = 20_000
ROUNDS = 3
OUTSIDE, GROWTH = 0.25, 1.10


def measure() -> Outcome:
    """Refresh in rounds, then from two sizes without held orders."""
    with vendor("shipbob", f"--size={ORDERS}") as settings:
        rounds = [_counted(refresh_from(settings, "refresh-whole")) for _ in range(ROUNDS)]
    once, twice = (_peak(size) for size in (ORDERS, 2 * ORDERS))
    outside = median(1 - each["waiting_s"] / each["wall_s"] for each in rounds)
    return Outcome(
        value=f"{outside:.0%} of the wall time outside waiting, {twice / once:.2f}x memory at twice the pages",
        goal=f"<= {OUTSIDE:.0%}, <= {GROWTH:.2f}x",
        passed=outside <= OUTSIDE and twice / once <= GROWTH,
        rounds=[*(_line(each) for each in rounds), f"without held orders: {once:.0f} MiB, {twice:.0f} MiB"],
    )


def _peak(size: int) -> float:
    with vendor("shipbob", f"--size={size}", "--scenario=calm") as settings:
        seen = refresh_from(settings, "refresh-calm")
    if seen["fetched"] != size:
        raise Void(f"{seen['fetched']} of {size} orders were read")
    return float(seen["peak_mib"])


def _counted(seen: dict[str, Any]) -> dict[str, Any]:
    if seen["fetched"] != ORDERS:
        raise Void(f"{seen['fetched']} of {ORDERS} orders were read")
    return seen


def _line(seen: dict[str, Any]) -> str:
    return (
        f"{seen['fetched']} orders in {seen['pages']} pages, {seen['held']} held: {seen['wall_s']:.1f} s, "
        f"waiting {seen['waiting_s']:.1f} s, CPU {seen['cpu_s']:.1f} s, peak {seen['peak_mib']:.0f} MiB"
    )
