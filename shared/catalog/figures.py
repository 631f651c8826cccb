"""Figures of the catalogue: counts, value, margin; and the choices that lists of products offer."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from shared.catalog.categories import CATEGORIES
from shared.catalog.listing import ProductLists
from shared.catalog.lists import Row
from shared.catalog.models import Option, ProductFilter, ProductStats
from shared.catalog.states import ProductStatus
from shared.core.clock import parse_instant
from shared.core.money import rounded
from shared.core.values import dataclass, field
from shared.inventory.figure_models import Figures
from shared.inventory.figures import StockFigures
from shared.inventory.keys import PRODUCTS
from shared.inventory.rules import status_of, threshold_of
from shared.ports.documents import Position, Query

__all__ = ["CatalogFigures"]

UNCATEGORIZED = "Uncategorized"
_HUNDRED = Decimal(100)
_BEHIND_ALL = "~"
"""An id that is greater than that of any product."""


@dataclass(slots=True)
class _Counts:
    by_status: Counter[str] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    low: int = 0
    out: int = 0
    margins: list[Decimal] = field(default_factory=list)
    as_of: str = ""

    def add(self, row: Row) -> None:
        data = row.product.data
        self.by_status[data["status"]] += 1
        self.as_of = max(self.as_of, data["updated_at"])
        if data["status"] == ProductStatus.ARCHIVED.value:
            return
        self.categories[data["category"] or UNCATEGORIZED] += 1
        stock = row.sums["current_stock"]
        self.low += status_of(stock, threshold_of(data)[0]).value != "sufficient"
        self.out += stock <= 0
        margin = _margin(data)
        if margin is not None:
            self.margins.append(margin)


@dataclass(frozen=True)
class CatalogFigures:
    """Counting products."""

    lists: ProductLists
    stock: StockFigures

    def stats(self) -> ProductStats:
        """Return the catalogue in figures."""
        counts = _Counts()
        for row in self.lists.found(ProductFilter(status=["all"])):
            counts.add(row)
        value, moved = self._value()
        as_of = max(counts.as_of, moved)
        margins = counts.margins
        return ProductStats(
            total=counts.categories.total(),
            by_status={status.value: counts.by_status[status.value] for status in ProductStatus},
            low_stock=counts.low,
            out_of_stock=counts.out,
            total_value=float(value),
            currency=self.stock.currency,
            avg_margin_percent=float(rounded(sum(margins, Decimal(0)) / len(margins))) if margins else None,
            categories=dict(sorted(counts.categories.items())),
            as_of=parse_instant(as_of) if as_of else None,
        )

    def categories(self) -> list[Option]:
        """Return the names of categories in use, with how many products are in each."""
        counts: Counter[str] = Counter()
        store = self.lists.store
        for category in store.walk(Query(CATEGORIES)):
            used = self.lists.products.categories.count(category.key.id)
            if used:
                counts[category.data["name"]] += used
        return _options(counts)

    def brands(self) -> list[Option]:
        """Return the brands in use, with how many products each has.

        It goes from brand to brand and reads one product of each; an index counts the others.
        """
        counts: Counter[str] = Counter()
        store, live = self.lists.store, ("shelf", "live")
        query = Query(PRODUCTS, (live,), order_by="brand", at_least="", limit=1)
        while found := store.query(query):
            brand = found[0].data["brand"]
            used = store.count(Query(PRODUCTS, (live, ("brand", brand)))) if brand else 0
            counts |= {brand: used} if used else {}
            query = replace(query, after=Position(brand, _BEHIND_ALL))
        return _options(counts)

    def _value(self) -> tuple[Decimal, str]:
        """Return what all stock in the default currency is worth, and when the last of it moved."""
        total, moved = Decimal(0), ""
        for level in self.stock.levels(Figures()):
            moved = max(moved, level["last_updated"])
            if level["value"] is not None and level["currency"] == self.stock.currency:
                total += Decimal(level["value"])
        return rounded(total), moved


def _margin(product: Mapping[str, Any]) -> Decimal | None:
    """Return (price - cost) / price in percent; None without price or cost, and for a price of zero."""
    if product["sale_price"] is None or product["unit_cost"] is None:
        return None
    price = Decimal(product["sale_price"])
    return None if price == 0 else (price - Decimal(product["unit_cost"])) / price * _HUNDRED


def _options(counts: Counter[str]) -> list[Option]:
    return [Option(value=name, label=name, count=count) for name, count in sorted(counts.items())]
