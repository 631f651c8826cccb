"""Every invoice of the public retail data set as an order, through the whole pipeline: read, judged, merged, published."""

from typing import Any

from bench.harness import Missing, Outcome, Void
from bench.vendors import refresh_from, vendor
from local.dataset import found

__all__ = ["measure"]

INVOICES = 25_900
SOURCES = ("shipbob", "stord")
SECONDS = 120.0


def measure() -> Outcome:
    """Serve the invoices from each vendor in turn and refresh from it."""
    path = found()
    if path is None:
        raise Missing("online-retail.csv.gz (make data)")
    seen = {}
    for source in SOURCES:
        with vendor(source, f"--retail={path}") as settings:
            seen[source] = refresh_from(settings, f"retail-{source}")
    lost = seen["shipbob"]["fetched"] - INVOICES
    if lost:
        raise Void(f"{seen['shipbob']['fetched']} orders came of {INVOICES} invoices")
    slowest = max(each["wall_s"] for each in seen.values())
    clean = all(each["rejected"] == 0 for each in seen.values())
    return Outcome(
        value="; ".join(f"{source} {_line(each)}" for source, each in seen.items()),
        goal=f"all {INVOICES:,} invoices read, none rejected, each source within {SECONDS:.0f} s",
        passed=clean and slowest <= SECONDS,
    )


def _line(seen: dict[str, Any]) -> str:
    return f"{seen['fetched']:,} orders, {seen['held']:,} held, {seen['wall_s']:.0f} s, peak {seen['peak_mib']:.0f} MiB"
