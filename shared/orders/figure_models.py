"""What the wire shows of the figures of transfer orders, and how they are asked for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.clock import parse_instant
from shared.core.money import Money
from shared.core.page import PageQuery
from shared.core.text import Text
from shared.core.times import Day
from shared.core.values import dataclass
from shared.orders.models import TransferFilter
from shared.orders.rules import Status

__all__ = [
    "AnalyticsQuery",
    "DemandQuery",
    "DemandRow",
    "Range",
    "RegionRow",
    "RowsQuery",
    "StatusRow",
    "Summary",
    "SummaryQuery",
    "TimelineRow",
]

_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)

Names = Annotated[list[Annotated[Text, Field(min_length=1, max_length=100)]] | None, Field(max_length=10)]


@dataclass(frozen=True, slots=True)
class Range:
    """Which orders are counted: days of their making (inclusive), destination regions, categories."""

    first: date | None = None
    last: date | None = None
    regions: Sequence[str] | None = None
    categories: Sequence[str] | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Return the first and the last moment."""
        start = datetime.combine(self.first, time.min, UTC) if self.first else _FIRST
        return start, datetime.combine(self.last, time.max, UTC) if self.last else _LAST

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Say whether an order is counted."""
        start, end = self.bounds
        return (
            start <= parse_instant(row["created_at"]) <= end
            and (self.regions is None or row["to_store_region"] in self.regions)
            and (self.categories is None or row["category"] in self.categories)
        )


class _Dates(BaseModel, defer_build=True):
    region: Names = None
    date_from: Day | None = None
    date_to: Day | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.date_from is not None and self.date_to is not None and self.date_to < self.date_from:
            raise PydanticCustomError("end_before_start", "date_to lies before date_from.", {"at": "date_to"})
        return self


class SummaryQuery(_Dates):
    """Which orders are summed up."""

    category: Names = None

    @property
    def range(self) -> Range:
        """Return the orders meant."""
        return Range(self.date_from, self.date_to, self.region, self.category)


class AnalyticsQuery(_Dates):
    """Which orders are looked at: the last days, or those between two dates."""

    days: Annotated[int, Field(ge=1, le=365)] = 30

    def range(self, today: date) -> Range:
        """Return the orders meant; today is one of the days."""
        last = self.date_to or today
        if self.date_from is not None:
            return Range(self.date_from, last, self.region)
        return Range(max(last, date(1970, 1, 1)) - timedelta(days=self.days - 1), last, self.region)


class DemandQuery(BaseModel, defer_build=True):
    """How far a forecast looks back and forward."""

    days_back: Annotated[int, Field(ge=7, le=365)] = 90
    days_forward: Annotated[int, Field(ge=1, le=90)] = 30
    region: Names = None

    def range(self, today: date) -> Range:
        """Return the orders meant; today is one of the days."""
        return Range(today - timedelta(days=self.days_back - 1), today, self.region)


class RowsQuery(_Dates, PageQuery):
    """The orders behind which figures: days of their making, states, regions, categories; without dates or `days`, all."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    status: Annotated[list[Status] | None, Field(max_length=10)] = None
    category: Names = None
    days: Annotated[int, Field(ge=1, le=365)] | None = None

    def range(self, today: date) -> Range:
        """Return the orders meant; with `days` as the analytics count them."""
        first, last = self.date_from, self.date_to
        if first is None and self.days is not None:
            last = last or today
            first = max(last, date(1970, 1, 1)) - timedelta(days=self.days - 1)
        return Range(first, last, self.region, self.category)

    def listed(self, today: date) -> TransferFilter:
        """Return the list of the same orders."""
        wanted = self.range(today)
        return TransferFilter.model_construct(
            status=self.status,
            region=self.region,
            category=self.category,
            created_from=wanted.bounds[0] if wanted.first else None,
            created_to=wanted.bounds[1] if wanted.last else None,
        )


class StatusCounts(BaseModel, defer_build=True):
    """Orders in each state."""

    pending_review: int
    approved: int
    fulfilled: int
    cancelled: int


class Summary(BaseModel, defer_build=True):
    """How many orders there are, and how they stand."""

    status_counts: StatusCounts
    expired_sla_count: int
    total_orders: int
    total_units: int
    summary_period: str


class TimelineRow(BaseModel, defer_build=True):
    """How long the orders of one region and day took."""

    region: str
    date: str
    avg_fulfillment_hours: float
    order_count: int


class RegionRow(BaseModel, defer_build=True):
    """How the orders of one region stand."""

    region: str
    total_orders: int
    fulfilled_orders: int
    pending_orders: int
    approved_orders: int
    cancelled_orders: int
    avg_fulfillment_hours: float | None
    fulfillment_rate: float


class StatusRow(BaseModel, defer_build=True):
    """Orders in one state."""

    status: Status
    count: int
    percentage: float
    total_value: Money
    currency: str


class DemandRow(BaseModel, defer_build=True):
    """What one day brought, or is likely to bring."""

    date: str
    order_count: int
    total_units: int
    total_value: Money
    avg_order_size: float
    is_forecast: bool
