"""The queue of held orders as an operator asks for it: filters and order over rows in memory.

Filters are ANDed; a list is OR inside. Ties in the order are broken by the order's name (source and order id), in the same
direction: just as the document store orders resolved ones, so that both can be merged.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

from shared.core.words import matches, words
from shared.oos.views import Row, age_hours, reasons

__all__ = ["SORTS", "Filter", "Place", "order_name", "place_of", "placed", "selected"]

Place = tuple[str, str]
_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; empty means no filter. `reasons` None means any reason."""

    reasons: frozenset[str] | None = None
    skus: frozenset[str] = frozenset()
    facilities: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    order_types: frozenset[str] = frozenset()
    min_age_hours: float | None = None
    search: str = ""


def selected(rows: Iterable[Row], wanted: Filter, at: datetime) -> list[Row]:
    """Return the rows that pass the filter; ages are taken `at` the snapshot's time."""
    tests = _tests(wanted, at)
    return [row for row in rows if all(test(row) for test in tests)]


def _tests(wanted: Filter, at: datetime) -> list[Callable[[Row], bool]]:
    tests: list[Callable[[Row], bool]] = []
    if wanted.reasons is not None:
        tests.append(lambda row: not wanted.reasons.isdisjoint(reasons(row)))  # type: ignore[union-attr]
    if wanted.skus:
        tests.append(lambda row: any((line["sku"] or "").casefold() in wanted.skus for line in row["lines"]))
    if wanted.facilities:
        tests.append(lambda row: any(line["facility"] in wanted.facilities for line in row["lines"]))
    if wanted.channels:
        tests.append(lambda row: row["channel"] in wanted.channels)
    if wanted.order_types:
        tests.append(lambda row: row["order_type"] in wanted.order_types)
    if wanted.min_age_hours is not None:
        least = wanted.min_age_hours
        tests.append(lambda row: age_hours(row, at) >= least)
    if wanted.search:
        prefixes = words(wanted.search)
        tests.append(lambda row: matches(prefixes, _searched(row)))
    return tests


def _searched(row: Row) -> tuple[str | None, ...]:
    return (row["order_number"], row["custom_reference"], row["customer"]["name"])


def _by_time(field: str) -> Callable[[Row], str]:
    return lambda row: str(row[field] or "")


def _by_value(row: Row) -> str:
    """Order amounts as texts: fixed width, so that texts sort as numbers; no value sorts lowest."""
    return "" if row["value"] is None else f"{Decimal(row['value']):020.2f}"


SORTS: Mapping[str, Callable[[Row], str]] = {
    "opened_at": _by_time("opened_at"),
    "last_seen_at": _by_time("last_seen_at"),
    "resolved_at": _by_time("resolved_at"),
    "value": _by_value,
}


def order_name(source: str, order_id: str) -> str:
    """Name an order by text that is safe as a document id, whatever the vendor's id holds."""
    name = f"{source}:{quote(order_id, safe='', errors='surrogatepass')}"
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{source}:~{hashlib.sha256(name.encode()).hexdigest()}"


def place_of(row: Row, sort: str) -> Place:
    """Return where a row stands in the order: sort value and name."""
    return (SORTS[sort](row), order_name(row["source"], row["order_id"]))


def placed(rows: Iterable[Row], sort: str, *, descending: bool, after: Place | None = None) -> list[tuple[Place, Row]]:
    """Return the rows with their places, in order, those behind `after` only."""
    found = [(place_of(row, sort), row) for row in rows]
    if after is not None:
        mark = tuple(after)
        found = [(place, row) for place, row in found if (place < mark if descending else place > mark)]
    found.sort(key=lambda pair: pair[0], reverse=descending)
    return found
