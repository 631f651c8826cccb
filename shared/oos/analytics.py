"""Figures over the orders of the feed that were first seen in a span of time (`api.md` 2.2.2): pure functions over rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from shared.core.clock import parse_instant
from shared.core.values import dataclass, field
from shared.oos.coverage import short_lines
from shared.oos.words import SOURCES

if TYPE_CHECKING:
    from shared.oos.rules import Row

__all__ = ["Figures", "closed_hours", "percentile", "rows_in"]

_TOP_SKUS, _TOP_PAIRS, _TOP = 10, 20, 5


@dataclass(slots=True)
class Figures:
    """Everything counted while rows are added, each order once."""

    units: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    customers: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)
    sites: Counter[tuple[str, str]] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    hours: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    last_change: str | None = None

    def add(self, row: Row) -> None:
        """Count one order."""
        lines = short_lines(row)
        for line in lines:
            if line["sku"]:
                self.units[line["sku"]] += line["ordered_quantity"]
        self.pairs.update(combinations(sorted({line["sku"] for line in lines if line["sku"]}), 2))
        self.sites.update({(line["facility"], row["source"]) for line in lines if line["facility"]})
        self.sources[row["source"]] += 1
        self._add_customer(row)
        self.hours[row["source"]] += closed_hours(row)
        times = [row["opened_at"], row["resolved_at"], *(line["resolved_at"] for line in row["closed_lines"])]
        self.last_change = max(filter(None, [self.last_change, *times]))

    def _add_customer(self, row: Row) -> None:
        """Count by e-mail without case, else by name; an order with neither is a customer of its own."""
        email, name = row["customer"]["email"], row["customer"]["name"]
        key = (
            f"e:{email.strip().casefold()}"
            if email
            else f"n:{name}"
            if name
            else f"o:{row['source']}:{row['order_id']}"
        )
        self.customers[key] += 1
        self.names.setdefault(key, name or email or row["order_id"])

    def shown(self) -> dict[str, Any]:
        """Return the analytic part of the wire's summary."""
        counts = {f"{source}_oos_count": self.sources[source] for source in SOURCES}
        hours = {source: self.hours[source] for source in SOURCES if self.hours.get(source)}
        return {
            "sku_analytics": {
                "sku_frequency": dict(_top(self.units, _TOP_SKUS)),
                "sku_co_occurrence": _both_ways(_top(self.pairs, _TOP_PAIRS)),
            },
            "customer_analytics": self._customers(),
            "fulfillment_analytics": {
                "facility_hotspots": [
                    {"facility": facility, "source": source, "oos_count": count}
                    for (facility, source), count in _top(self.sites, _TOP)
                ],
                "partner_performance": {**counts, "total_oos_count": sum(counts.values())},
            },
            "operational_analytics": {
                "average_resolution_time_hours": {source: round(mean(each), 2) for source, each in hours.items()},
                "resolution_time_hours": {source: _spread(each) for source, each in hours.items()},
            },
        }

    def _customers(self) -> dict[str, Any]:
        repeat = Counter({key: count for key, count in self.customers.items() if count > 1})
        top: dict[str, int] = {}
        for key, count in _top(repeat, _TOP):
            name = self.names[key]
            top[name if name not in top else key[2:]] = count
        return {
            "total_customers_affected": len(self.customers),
            "repeat_customers_affected": len(repeat),
            "top_repeat_customers": top,
        }


def closed_hours(row: Row) -> list[float]:
    """Return the hours each finished episode of an order took."""
    ended = [*row["episodes"], row] if row["resolved_at"] else row["episodes"]
    return [_hours(one) for one in ended]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies, interpolated between the two nearest ranks."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _hours(one: Mapping[str, Any]) -> float:
    return max(0.0, (parse_instant(one["resolved_at"]) - parse_instant(one["opened_at"])).total_seconds() / 3600)


def _spread(hours: Sequence[float]) -> dict[str, Any]:
    figures = {"mean": mean(hours), "median": median(hours), "p90": percentile(hours, 0.9)}
    return {"count": len(hours), **{name: round(value, 2) for name, value in figures.items()}}


def _top(counted: Counter[Any], most: int) -> list[tuple[Any, int]]:
    """Return the most frequent, ties in the order of their names."""
    return sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:most]


def _both_ways(pairs: Iterable[tuple[tuple[str, str], int]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (one, other), count in pairs:
        found.setdefault(one, {})[other] = count
        found.setdefault(other, {})[one] = count
    return found


def rows_in(rows: Iterable[Row], start: str, end: str) -> Iterator[Row]:
    """Yield rows of the feed first seen within inclusive bounds."""
    return (row for row in rows if start <= row["first_seen_at"] <= end and short_lines(row))
