"""Money at risk that adds up: the value of held lines and orders, grouped, exact to the cent, never across currencies.

`line_value` is unit price times ordered units of the lines that wait for stock; a line stands in one group. `order_value` is
the value of whole orders; where an order belongs to several groups (SKU, facility) its value is shared out among them by line
value, to the cent, so that the groups add up to the total. Orders without a currency have no known value: they are counted
apart and never as zero.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.core.money import number
from shared.core.values import dataclass, field
from shared.oos.coverage import short_lines
from shared.oos.rules import Row
from shared.oos.views import age_hours

__all__ = ["AGE_BANDS", "GROUPINGS", "AtRisk", "at_risk", "line_value"]

AGE_BANDS: Sequence[tuple[float, str]] = ((24, "0-1d"), (72, "1-3d"), (168, "3-7d"), (336, "7-14d"))
_OLDEST = "14d+"
_NONE = Decimal(0)
Shares = Mapping[str | None, Decimal]


@dataclass(slots=True)
class _Sum:
    """One group of one currency."""

    orders: int = 0
    line_value: Decimal = _NONE
    order_value: Decimal = _NONE

    def add(self, lines: Decimal, order: Decimal) -> None:
        self.orders += 1
        self.line_value += lines
        self.order_value += order

    def shown(self) -> dict[str, Any]:
        return {"orders": self.orders, "line_value": number(self.line_value), "order_value": number(self.order_value)}


@dataclass(slots=True)
class AtRisk:
    """Groups and totals while rows are added."""

    groups: dict[tuple[str | None, str], _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    totals: dict[str, _Sum] = field(default_factory=lambda: defaultdict(_Sum))
    unpriced: int = 0

    def shown(self) -> dict[str, Any]:
        """Return the wire's groups, dearest first, totals by currency, and how many orders have no known value."""
        ordered = sorted(
            self.groups.items(),
            key=lambda item: (item[0][1], -item[1].order_value, item[0][0] is None, item[0][0] or ""),
        )
        return {
            "groups": [{"key": key, "currency": currency, **one.shown()} for (key, currency), one in ordered],
            "totals": [{"currency": currency, **one.shown()} for currency, one in sorted(self.totals.items())],
            "unpriced_orders": self.unpriced,
        }


def at_risk(rows: Iterable[tuple[Row, datetime]], group_by: str) -> AtRisk:
    """Add up rows, each with the time its age is taken at, by one of `GROUPINGS`."""
    found = AtRisk()
    for row, at in rows:
        currency = row["currency"]
        if currency is None or row["value"] is None:
            found.unpriced += 1
            continue
        value = Decimal(row["value"])
        by_group = GROUPINGS[group_by](row, at)
        for key, (lines, share) in _shared(by_group, value).items():
            found.groups[key, currency].add(lines, share)
        found.totals[currency].add(sum(by_group.values(), _NONE), value)
    return found


def _shared(by_group: Shares, value: Decimal) -> dict[str | None, tuple[Decimal, Decimal]]:
    """Share an order's value among its groups by line value, in cents, remainders to the largest fractions."""
    if len(by_group) == 1:
        return {key: (lines, value) for key, lines in by_group.items()}
    cents = int(value * 100)
    weights = {key: int(lines * 100) for key, lines in by_group.items()}
    whole = sum(weights.values())
    if not whole:
        weights, whole = dict.fromkeys(by_group, 1), len(by_group)
    parts = {key: divmod(cents * weight, whole) for key, weight in weights.items()}
    left = cents - sum(quotient for quotient, _ in parts.values())
    by_rest = sorted(parts, key=lambda key: (-parts[key][1], key is None, key or ""))
    more = set(by_rest[:left])
    return {key: (by_group[key], Decimal(quotient + (key in more)) / 100) for key, (quotient, _) in parts.items()}


def line_value(line: Mapping[str, Any]) -> Decimal:
    """Return unit price times ordered units; nothing when the 3PL names no price."""
    return Decimal(line["unit_price"]) * line["ordered_quantity"] if line["unit_price"] is not None else _NONE


def _by_line(name: str) -> Callable[[Row, datetime], Shares]:
    def shares(row: Row, _: datetime) -> Shares:
        found: dict[str | None, Decimal] = defaultdict(Decimal)
        for line in short_lines(row):
            found[line[name]] += line_value(line)
        return found

    return shares


def _by_order(key: Callable[[Row, datetime], str | None]) -> Callable[[Row, datetime], Shares]:
    return lambda row, at: {key(row, at): sum(map(line_value, short_lines(row)), _NONE)}


def _age_band(row: Row, at: datetime) -> str:
    hours = age_hours(row, at)
    return next((name for limit, name in AGE_BANDS if hours < limit), _OLDEST)


GROUPINGS: Mapping[str, Callable[[Row, datetime], Shares]] = {
    "sku": _by_line("sku"),
    "source": _by_order(lambda row, _: row["source"]),
    "channel": _by_order(lambda row, _: row["channel"]),
    "facility": _by_line("facility"),
    "age_band": _by_order(_age_band),
}
