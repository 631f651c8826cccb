"""What the wire shows of figures of stock, and what they are asked."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field, PlainSerializer, WithJsonSchema

from shared.core.clock import instant
from shared.core.page import PageQuery
from shared.core.text import Id
from shared.inventory.models import Ids, Names

__all__ = [
    "Audit",
    "CategoryRow",
    "CurrencyValue",
    "Difference",
    "Discrepancy",
    "DiscrepancyFilter",
    "Figures",
    "Kpi",
    "RepairBody",
    "ShareFilter",
    "TrendFilter",
    "TrendRow",
]

Moment = Annotated[
    datetime,
    PlainSerializer(instant, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time written as stored ones are, to the microsecond."""


class Figures(BaseModel, defer_build=True):
    """Which levels figures are made of."""

    region: Names = None
    category: Names = None
    store_id: Ids = None


class TrendFilter(Figures):
    """Which days and levels a trend covers."""

    days: Annotated[int, Field(ge=1, le=365)] = 30


class ShareFilter(BaseModel, defer_build=True):
    """Which levels are shared out over categories."""

    region: Names = None
    store_id: Ids = None


class CurrencyValue(BaseModel, defer_build=True):
    """An amount in another currency."""

    currency: str
    value: float


class Kpi(BaseModel, defer_build=True):
    """The figures of stock."""

    total_inventory_value: float
    currency: str
    other_currencies: list[CurrencyValue]
    total_products: int
    low_stock_alerts: int
    out_of_stock: int
    average_turnover: float | None
    total_quantity: int
    total_reserved: int
    as_of: Moment | None


class TrendRow(BaseModel, defer_build=True):
    """Stock at the end of a day."""

    date: str
    total_value: float
    total_quantity: int


class CategoryRow(BaseModel, defer_build=True):
    """Stock of a category."""

    category: str
    value: float
    quantity: int
    percentage: float


class Difference(BaseModel, defer_build=True):
    """A level that is not what its movements and reservations say."""

    inventory_id: str
    field: str
    stored: int
    computed: int


class Audit(BaseModel, defer_build=True):
    """What an audit found."""

    checked: int
    differences: list[Difference]


class RepairBody(BaseModel, defer_build=True):
    """Levels to repair."""

    inventory_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]


class DiscrepancyFilter(PageQuery):
    """Which discrepancies are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("sku",)

    source: Annotated[list[Literal["stord", "shipbob"]] | None, Field(max_length=10)] = None


class Discrepancy(BaseModel, defer_build=True):
    """A SKU about which our books and a 3PL disagree while orders wait for it."""

    sku: str
    source: str
    kind: Literal["phantom", "hidden"]
    our_units: int
    source_units: int
    orders: list[str]
