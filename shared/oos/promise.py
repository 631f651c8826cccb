"""When will a held order be released? P50 and P90 from how long such orders took before, or a refusal with the reason.

The samples are finished episodes that stock ended (released, shipped): those that waited for one of the order's SKUs where
there are enough, else those of its facility, else those of its source. What the order has waited already is known, so only
samples that took longer count (the empirical distribution given survival); quantiles are interpolated between them. Units on
their way and the order's place in the queue for its scarcest SKU are told beside the dates: 3PLs give no date of arrival, so
nothing is computed from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import instant, parse_instant
from shared.core.values import dataclass
from shared.oos.analytics import percentile
from shared.oos.coverage import short_lines

if TYPE_CHECKING:
    from shared.oos.rules import Row
    from shared.oos.samples import Sample

__all__ = ["LEAST", "Queue", "promise"]

LEAST = 20
"""Fewer samples than this say nothing."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The order's place among those waiting for its scarcest SKU (1 = next), and units of that SKU on their way."""

    position: int | None = None
    incoming_units: int | None = None


def promise(row: Row, at: datetime, samples: Sequence[Sample], queue: Queue) -> dict[str, Any]:
    """Return the release dates of an open order, as the wire's `promise`."""
    lines = short_lines(row)
    shown: dict[str, Any] = {"status": "refused", "p50_at": None, "p90_at": None, "basis": None, "samples": 0}
    shown |= {"queue_position": queue.position, "incoming_units": queue.incoming_units}
    if len(lines) < len(row["lines"]):
        return shown | {"reason": "It is also held for something other than stock, which stock does not release."}
    waited = max(0.0, (at - parse_instant(row["opened_at"])).total_seconds() / 3600)
    skus = {line["sku"] for line in lines if line["sku"]}
    best = 0
    for basis, alike in _bases(row, samples, skus):
        longer = [sample.hours for sample in alike if sample.hours > waited]
        best = max(best, len(longer))
        if len(longer) >= LEAST:
            return shown | _dates(row, longer, basis)
    reason = f"Only {best} orders like it took longer than it has waited; {LEAST} are needed to say a date."
    return shown | {"samples": best, "reason": reason}


def _bases(row: Row, samples: Sequence[Sample], skus: set[str]) -> Sequence[tuple[str, Sequence[Sample]]]:
    facility = next((line["facility"] for line in row["lines"]), None)
    return (
        ("sku", [sample for sample in samples if not skus.isdisjoint(sample.skus)]),
        ("facility", [sample for sample in samples if facility and sample.facility == facility]),
        ("source", samples),
    )


def _dates(row: Row, hours: Sequence[float], basis: str) -> dict[str, Any]:
    opened = parse_instant(row["opened_at"])
    dates = {name: instant(opened + timedelta(hours=percentile(hours, share))) for name, share in _SHARES.items()}
    reason = f"{len(hours)} orders of the same {basis} took longer than it has waited."
    return {"status": "estimated", **dates, "basis": basis, "samples": len(hours), "reason": reason}


_SHARES = {"p50_at": 0.5, "p90_at": 0.9}
