"""The two shapes of a report: a list of periods, or an object keyed by their bounds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.sales.buckets import Bucket, Span
from shared.sales.made import Figures, Made

__all__ = ["as_list", "as_map"]

Data = dict[str, Any]
_MONEY = ("price_per_unit", "revenue")


def as_list(made: Made, currency: str) -> Data:
    """Return totals and one entry per period, empty ones included."""
    wanted = made.wanted
    return {
        "currency": currency,
        "timezone": wanted.query.timezone,
        "start": wanted.written(wanted.start),
        "end": wanted.written(wanted.end),
        "total_revenue": sum(each.cents for each in made.figures) / 100,
        "total_quantity": sum(each.quantity for each in made.figures),
        "sale_count": sum(each.count for each in made.figures),
        "buckets": [_entry(made, span, figures) for span, figures in zip(wanted.spans, made.figures, strict=True)],
        "excluded_currencies": [{"currency": name, "lines": lines} for name, lines in made.excluded.items()],
        "as_of": made.as_of,
        "sales": [_shown(item) for item in made.items],
    }


def as_map(made: Made) -> Data:
    """Return one value per period by "<start>,<end>"; without buckets the one value itself."""
    wanted = made.wanted
    items = _by_span(made)
    values = [_value(figures, own) for figures, own in zip(made.figures, items, strict=True)]
    if wanted.query.bucket is Bucket.NONE:
        return values[0]
    keys = [f"{wanted.written(span.start)},{wanted.written(span.end)}" for span in wanted.spans]
    return dict(zip(keys, values, strict=True))


def _entry(made: Made, span: Span, figures: Figures) -> Data:
    return {
        "period": span.period,
        "start_time": made.wanted.written(span.start),
        "end_time": made.wanted.written(span.end),
        "revenue": figures.cents / 100,
        "quantity": figures.quantity,
        "count": figures.count,
        **figures.maps(),
    }


def _value(figures: Figures, items: Sequence[Data]) -> Data:
    return {"sales": [_shown(item) for item in items], "total_revenue": figures.cents / 100, **figures.maps()}


def _shown(item: Data) -> Data:
    return {name: float(value) if name in _MONEY else value for name, value in item.items()}


def _by_span(made: Made) -> list[list[Data]]:
    """Deal the lines, which come oldest first, out to their periods."""
    dealt: list[list[Data]] = [[] for _ in made.wanted.spans]
    at = 0
    for item in made.items:
        moment: datetime = item["created_at"]
        while at < len(dealt) - 1 and moment > made.wanted.spans[at].end:
            at += 1
        dealt[at].append(item)
    return dealt
