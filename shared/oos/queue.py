"""The queue of held orders as an operator asks for it: filters and order over rows in memory.

Filters are ANDed; a list is OR inside. Ties in the order are broken by the order's name (source and order id), in the same
direction: just as the document store orders resolved ones, so that both can be merged.
"""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from urllib.parse import quote

from shared.core.values import dataclass
from shared.core.words import words
from shared.oos.views import Row, age_hours

__all__ = ["SORTS", "Facts", "Filter", "Place", "in_order", "order_name", "passes", "place_of", "placed"]

Place = tuple[str, str]
_LONGEST_NAME = 400


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show; empty means no filter. `reasons` None means any reason; `opened` are inclusive bounds, as instants."""

    reasons: frozenset[str] | None = None
    skus: frozenset[str] = frozenset()
    facilities: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    order_types: frozenset[str] = frozenset()
    min_age_hours: float | None = None
    search: str = ""
    opened: tuple[str | None, str | None] = (None, None)


class Facts:
    """What the filters ask of one row, worked out once: a published row never changes."""

    __slots__ = ("facilities", "reasons", "row", "skus", "words")

    def __init__(self, row: Row) -> None:
        """Look at a row."""
        self.row = row
        self.reasons = frozenset(line["reason"] for line in row["lines"])
        self.skus = frozenset(line["sku"].casefold() for line in row["lines"] if line["sku"])
        self.facilities = frozenset(line["facility"] for line in row["lines"] if line["facility"])
        texts = (row["order_number"], row["custom_reference"], row["customer"]["name"])
        self.words = "".join(f" {word}" for text in texts if text for word in words(text))


Test = Callable[[Facts], bool]


def passes(wanted: Filter, at: datetime) -> Test:
    """Return the test of a filter; ages are taken `at` the snapshot's time."""
    tests = _tests(wanted, at)
    if len(tests) == 1:
        return tests[0]

    def passes_all(facts: Facts) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would cost as much as the tests, and this runs for every row
            if not test(facts):
                return False
        return True

    return passes_all


def _tests(wanted: Filter, at: datetime) -> list[Test]:
    """Return the tests, those first that usually keep least."""
    tests: list[Test] = []
    if wanted.search:
        tests += [_has_word(prefix) for prefix in words(wanted.search)]
    if wanted.skus:
        tests.append(lambda facts: not wanted.skus.isdisjoint(facts.skus))
    if wanted.facilities:
        tests.append(lambda facts: not wanted.facilities.isdisjoint(facts.facilities))
    if wanted.channels:
        tests.append(lambda facts: facts.row["channel"] in wanted.channels)
    if wanted.order_types:
        tests.append(lambda facts: facts.row["order_type"] in wanted.order_types)
    if wanted.reasons is not None:
        reasons = wanted.reasons
        tests.append(lambda facts: not reasons.isdisjoint(facts.reasons))
    if wanted.min_age_hours is not None:
        least = wanted.min_age_hours
        tests.append(lambda facts: age_hours(facts.row, at) >= least)
    return tests + _opened_within(*wanted.opened)


def _opened_within(first: str | None, last: str | None) -> list[Test]:
    tests: list[Test] = []
    if first is not None:
        tests.append(lambda facts: str(facts.row["opened_at"]) >= first)
    if last is not None:
        tests.append(lambda facts: str(facts.row["opened_at"]) <= last)
    return tests


def _has_word(prefix: str) -> Test:
    """Return the test for a word that begins so: words are kept with a blank before each, and hold none."""
    begins = f" {prefix}"
    return lambda facts: begins in facts.words


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


Placed = list[tuple[Place, Facts]]


def in_order(rows: Iterable[Row], sort: str) -> Placed:
    """Return rows with their facts and places, in ascending order; worth keeping, since a snapshot never changes."""
    found = [(place_of(row, sort), Facts(row)) for row in rows]
    found.sort(key=itemgetter(0))
    return found


def placed(ordered: Placed, test: Test, *, descending: bool, after: Place | None = None) -> Iterator[tuple[Place, Row]]:
    """Yield the rows that pass, in the order asked for, those behind `after` only; looks no further than is taken."""
    first, last = 0, len(ordered)
    if after is not None and descending:
        last = bisect_left(ordered, tuple(after), key=itemgetter(0))
    elif after is not None:
        first = bisect_right(ordered, tuple(after), key=itemgetter(0))
    for index in range(last - 1, first - 1, -1) if descending else range(first, last):
        place, facts = ordered[index]
        if test(facts):
            yield place, facts.row
