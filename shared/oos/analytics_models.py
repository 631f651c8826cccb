"""The wire shapes of what sums up the orders of a span of time (`api.md` 2.2)."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from shared.core.text import TimeZone
from shared.oos.shape import Shape
from shared.oos.words import SOURCES, SourceName

__all__ = ["AnalyticsSummary", "SummaryQuery"]


class SummaryQuery(BaseModel, defer_build=True):
    """Of which time and source."""

    start_date: Annotated[str, Field(max_length=40)] | None = None
    end_date: Annotated[str, Field(max_length=40)] | None = None
    source: Annotated[list[SourceName] | None, Field(max_length=10)] = None
    timezone: TimeZone = "UTC"

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the sources asked for, all without any."""
        return tuple(source.value for source in self.source) if self.source else SOURCES


class SkuAnalytics(Shape):
    """Which SKUs are short, and which together."""

    sku_frequency: dict[str, int]
    sku_co_occurrence: dict[str, dict[str, int]]


class CustomerAnalytics(Shape):
    """Whom it hits."""

    total_customers_affected: int
    repeat_customers_affected: int
    top_repeat_customers: dict[str, int]


class Hotspot(Shape):
    """A facility with many held orders."""

    facility: str
    source: SourceName
    oos_count: int


class PartnerPerformance(Shape):
    """Orders by 3PL."""

    stord_oos_count: int
    shipbob_oos_count: int
    total_oos_count: int


class FulfillmentAnalytics(Shape):
    """Where it happens."""

    facility_hotspots: list[Hotspot]
    partner_performance: PartnerPerformance


class ResolutionTime(Shape):
    """How long finished episodes took, in hours."""

    count: int
    mean: float
    median: float
    p90: float


class OperationalAnalytics(Shape):
    """How long it takes."""

    average_resolution_time_hours: dict[SourceName, float]
    resolution_time_hours: dict[SourceName, ResolutionTime]


class DateRange(Shape):
    """The bounds as asked for, defaults as dates."""

    start_date: str
    end_date: str


class AnalyticsSummary(Shape):
    """Figures over the orders of the feed first seen within a span."""

    sku_analytics: SkuAnalytics
    customer_analytics: CustomerAnalytics
    fulfillment_analytics: FulfillmentAnalytics
    operational_analytics: OperationalAnalytics
    last_updated: datetime | None
    as_of: datetime | None
    date_range: DateRange
    snapshot_ids: list[str]
