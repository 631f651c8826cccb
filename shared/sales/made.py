"""What a report is made of: what is wanted, and what was counted. Money is in cents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.core.values import dataclass, field
from shared.sales.buckets import Span
from shared.sales.report_models import ReportQuery

__all__ = ["Figures", "Made", "Wanted"]

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report that can be made: bounds in UTC, its periods, and what is counted."""

    query: ReportQuery
    zone: ZoneInfo
    start: datetime
    end: datetime
    spans: Sequence[Span]

    @property
    def filters(self) -> Data:
        """Return the parameters every query takes."""
        query = self.query
        return {
            "from_time": self.start,
            "to_time": self.end,
            "store_ids": query.store_id,
            "product_ids": query.product_ids,
            "category_ids": query.category_ids,
            "any_store": query.store_id is None,
            "any_product": query.product_ids is None,
            "any_category": query.category_ids is None,
        }

    @property
    def whole_sales(self) -> bool:
        """Say whether the filters take whole sales, so that first lines count them."""
        return self.query.product_ids is None and self.query.category_ids is None

    def written(self, moment: datetime) -> str:
        """Return a time as reports write bounds: in the zone, with its offset."""
        return moment.astimezone(self.zone).isoformat()


@dataclass(slots=True)
class Figures:
    """What was counted in one period; money in cents."""

    cents: int = 0
    quantity: int = 0
    count: int = 0
    by_products: dict[str, list[int]] = field(default_factory=dict)
    by_categories: dict[str, list[int]] = field(default_factory=dict)

    def add(self, product: str, category: str, cents: int, quantity: int) -> None:
        """Count some units of a product."""
        self.cents += cents
        self.quantity += quantity
        for sums, key in ((self.by_products, product), (self.by_categories, category)):
            found = sums.get(key)
            if found is None:
                sums[key] = [cents, quantity]
            else:
                found[0] += cents
                found[1] += quantity

    def maps(self) -> Data:
        """Return the four maps as shown."""
        return {
            "revenue_by_categories": {key: each[0] / 100 for key, each in self.by_categories.items()},
            "quantity_by_categories": {key: each[1] for key, each in self.by_categories.items()},
            "revenue_by_products": {key: each[0] / 100 for key, each in self.by_products.items()},
            "quantity_by_products": {key: each[1] for key, each in self.by_products.items()},
        }


@dataclass(frozen=True, slots=True)
class Made:
    """A report's figures by period, lines left out by currency, and the time of the last line counted."""

    wanted: Wanted
    figures: Sequence[Figures]
    excluded: Mapping[str, int]
    as_of: datetime | None
    items: Sequence[Data]
