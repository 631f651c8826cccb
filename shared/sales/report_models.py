"""The wire shapes of reports of sales and of the rows behind them."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.money import Currency, Money
from shared.core.page import PageQuery
from shared.core.text import Id, Text, TimeZone
from shared.sales.buckets import Bucket
from shared.sales.models import Ids

__all__ = ["LinesQuery", "Report", "ReportLine", "ReportQuery"]


ManyIds = Annotated[list[Id] | None, Field(max_length=500)]


def _refuse_both(product_ids: list[str] | None, category_ids: list[str] | None) -> None:
    if product_ids is not None and category_ids is not None:
        message = "Give product_ids or category_ids, not both."
        raise PydanticCustomError("conflicting_parameters", message, {"at": "category_ids"})


class ReportQuery(BaseModel, defer_build=True):
    """Which sales are counted, and how. Bounds are texts: what a bare date means depends on the zone."""

    start: Annotated[Text, Field(max_length=40)]
    end: Annotated[Text, Field(max_length=40)]
    bucket: Bucket = Bucket.NONE
    shape: Literal["list", "map"] = "list"
    timezone: TimeZone = "UTC"
    product_ids: ManyIds = None
    category_ids: ManyIds = None
    store_id: Ids = None
    currency: Currency | None = None
    include_sales_items: bool = False

    @model_validator(mode="after")
    def _names_one_kind(self) -> Self:
        _refuse_both(self.product_ids, self.category_ids)
        return self


class LinesQuery(PageQuery):
    """The lines behind which figures of a report: those of all of it, or of one of its periods."""

    SORTS: ClassVar[tuple[str, ...]] = ("created_at",)

    start: Annotated[Text, Field(max_length=40)]
    end: Annotated[Text, Field(max_length=40)]
    bucket: Bucket = Bucket.NONE
    period: Annotated[Text, Field(max_length=40)] | None = None
    timezone: TimeZone = "UTC"
    product_ids: ManyIds = None
    category_ids: ManyIds = None
    uncategorized: bool = False
    store_id: Ids = None
    currency: Currency | None = None

    @model_validator(mode="after")
    def _names_one_kind(self) -> Self:
        _refuse_both(self.product_ids, self.category_ids)
        if self.category_ids is not None and self.uncategorized:
            message = "Give category_ids or uncategorized, not both."
            raise PydanticCustomError("conflicting_parameters", message, {"at": "uncategorized"})
        if self.skip is not None or self.page is not None or (self.sort or "created_at") != "created_at":
            message = "These lines come oldest first; go on with cursor."
            raise PydanticCustomError("not_allowed", message, {"at": "sort" if self.sort else "skip"})
        return self

    @property
    def report(self) -> ReportQuery:
        """Return the report meant."""
        names = ("start", "end", "bucket", "timezone", "product_ids", "category_ids", "store_id", "currency")
        return ReportQuery.model_construct(**{name: getattr(self, name) for name in names})


class ReportLine(BaseModel, defer_build=True):
    """One line that a report counts; what came back is negative."""

    id: str
    sale_id: str
    kind: Literal["sale", "return"]
    store_id: str
    user_id: str
    created_at: datetime
    product_id: str
    sku: str
    product_name: str
    category_id: str | None
    category: str | None
    quantity: int
    unit_price: Money
    line_total: float


class ExcludedCurrency(BaseModel, defer_build=True):
    """How many lines in another currency were left out."""

    currency: str
    lines: int


class SoldItem(BaseModel, defer_build=True):
    """One line of a sale, as reports list it."""

    id: str
    user_id: str
    created_at: datetime
    product_id: str
    product_name: str
    description: str | None
    category_id: str | None
    category_name: str | None
    category_slug: str | None
    price_per_unit: Money
    quantity: int
    revenue: Money


class ReportBucket(BaseModel, defer_build=True):
    """The figures of one calendar period."""

    period: str
    start_time: str
    end_time: str
    revenue: Money
    quantity: int
    count: int
    revenue_by_categories: dict[str, float]
    quantity_by_categories: dict[str, int]
    revenue_by_products: dict[str, float]
    quantity_by_products: dict[str, int]


class Report(BaseModel, defer_build=True):
    """What was sold in a range, period by period."""

    currency: str
    timezone: str
    start: str
    end: str
    total_revenue: Money
    total_quantity: int
    sale_count: int
    buckets: list[ReportBucket]
    excluded_currencies: list[ExcludedCurrency]
    as_of: datetime | None
    sales: list[SoldItem] = []
