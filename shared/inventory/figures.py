"""Figures of stock as it is now, made of the levels themselves: exact, and as fresh as a single level."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from shared.core.clock import Clock, instant, parse_instant
from shared.core.money import number, rounded
from shared.core.values import dataclass, field
from shared.inventory.figure_models import CategoryRow, CurrencyValue, Figures, Kpi, ShareFilter
from shared.inventory.lists import figures
from shared.inventory.rules import Data, recounted
from shared.ports.store import Store

__all__ = ["UNCATEGORIZED", "StockFigures"]

UNCATEGORIZED = "Uncategorized"
_HUNDRED = Decimal(100)


@dataclass(slots=True)
class _Totals:
    """Sums while levels pass by."""

    values: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    products: set[str] = field(default_factory=set)
    low: int = 0
    out: int = 0
    quantity: int = 0
    reserved: int = 0
    as_of: str | None = None

    def add(self, level: Mapping[str, Any]) -> None:
        self.products.add(level["product_id"])
        self.low += level["product_active"] and level["low_stock"]
        self.out += level["available"] == 0
        self.quantity += level["on_hand"]
        self.reserved += level["reserved"]
        self.as_of = max(self.as_of or "", level["last_updated"])
        if level["value"] is not None:
            self.values[level["currency"]] += Decimal(level["value"])


@dataclass(frozen=True)
class StockFigures:
    """Key figures and shares, in the default currency where amounts are summed."""

    store: Store
    clock: Clock
    currency: str

    def kpi(self, wanted: Figures, turnover: float | None) -> Kpi:
        """Return the key figures; the turnover comes from the warehouse."""
        totals = _Totals()
        for level in self.levels(wanted):
            totals.add(level)
        others = sorted(code for code in totals.values if code != self.currency)
        return Kpi(
            total_inventory_value=_number(totals.values.get(self.currency, Decimal(0))),
            currency=self.currency,
            other_currencies=[CurrencyValue(currency=code, value=_number(totals.values[code])) for code in others],
            total_products=len(totals.products),
            low_stock_alerts=totals.low,
            out_of_stock=totals.out,
            average_turnover=turnover,
            total_quantity=totals.quantity,
            total_reserved=totals.reserved,
            as_of=parse_instant(totals.as_of) if totals.as_of else None,
        )

    def shares(self, wanted: ShareFilter) -> list[CategoryRow]:
        """Return what each category is worth, the most first; quantities of all currencies, values of the default one."""
        values: dict[str, Decimal] = defaultdict(Decimal)
        units: dict[str, int] = defaultdict(int)
        for level in self.levels(Figures(region=wanted.region, store_id=wanted.store_id)):
            category = level["category"] or UNCATEGORIZED
            units[category] += level["on_hand"]
            if level["value"] is not None and level["currency"] == self.currency:
                values[category] += Decimal(level["value"])
        total = sum(values.values(), Decimal(0))
        rows = [
            CategoryRow(
                category=category,
                value=_number(values[category]),
                quantity=quantity,
                percentage=_number(values[category] / total * _HUNDRED) if total else 0,
            )
            for category, quantity in units.items()
        ]
        return sorted(rows, key=lambda row: (-row.value, row.category))

    def levels(self, wanted: Figures) -> Iterator[Data]:
        """Yield the levels that match, counted now."""
        asked = figures(wanted)
        now = self.clock.now()
        moment = instant(now)
        for stored in self.store.walk(asked.query):
            if asked.keep is None or asked.keep(stored):
                until = stored.data["next_expiry"]
                yield stored.data if until is None or until > moment else recounted(stored.data, now)


def _number(amount: Decimal) -> float:
    return number(rounded(amount)) or 0.0
