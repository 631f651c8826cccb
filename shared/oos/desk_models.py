"""The wire shapes of the OOS desk: per-SKU view, money at risk, diff, plan, unblock, live stock, comments (`api.md` 2.2)."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.page import PageQuery
from shared.core.text import Text, clean
from shared.core.times import From, Instant, To
from shared.oos.models import OosOrder, Several
from shared.oos.shape import Shape
from shared.oos.words import ResolvedReason, SourceName

__all__ = [
    "AtRisk",
    "AtRiskQuery",
    "Comment",
    "CommentFilter",
    "Diff",
    "DiffQuery",
    "HistoryFilter",
    "LegacyStock",
    "LegacyStockQuery",
    "NewComment",
    "Plan",
    "PlanBody",
    "SkuFilter",
    "SkuRow",
    "SkuStocks",
    "StockBody",
    "Taken",
    "Unblock",
    "UnblockBody",
]

Sources = Annotated[list[SourceName] | None, Field(max_length=10)]
_MOST_SKUS = 200


class GroupBy(StrEnum):
    """What money at risk is grouped by."""

    SKU = "sku"
    SOURCE = "source"
    CHANNEL = "channel"
    FACILITY = "facility"
    AGE_BAND = "age_band"


class HistoryFilter(PageQuery):
    """Which resolved orders to list; all bounds are of `resolved_at`."""

    SORTS: ClassVar[tuple[str, ...]] = ("-resolved_at",)

    source: Sources = None
    sku: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    resolved_reason: Annotated[list[ResolvedReason] | None, Field(max_length=10)] = None
    from_: From = Field(alias="from")
    to: To
    created_from: From | None = None
    created_to: To | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.to < self.from_:
            raise PydanticCustomError("before_start", "`to` lies before `from`.", {"at": "to"})
        return self


class SkuFilter(PageQuery):
    """Which part of the per-SKU view to list."""

    SORTS: ClassVar[tuple[str, ...]] = ("-orders", "-short_units", "-value")

    source: Sources = None
    facility: Several = None
    as_of: Instant | None = None


class SkuRow(Shape):
    """One SKU that orders wait for."""

    sku: str
    product_id: str | None
    name: str | None
    orders: int
    lines: int
    ordered_units: int
    short_units: int
    oldest_opened_at: datetime
    value: float | None
    currency: str | None
    facilities: list[str]


class AtRiskQuery(BaseModel, defer_build=True):
    """How to group money at risk."""

    group_by: GroupBy = GroupBy.SKU
    as_of: Instant | None = None


class AtRiskGroup(Shape):
    """Money at risk of one group and currency."""

    key: str | None
    currency: str
    orders: int
    line_value: float
    order_value: float


class AtRiskTotal(Shape):
    """Money at risk of one currency."""

    currency: str
    orders: int
    line_value: float
    order_value: float


class AtRisk(Shape):
    """Money at risk: groups add up to totals; orders without a known value are counted apart."""

    groups: list[AtRiskGroup]
    totals: list[AtRiskTotal]
    unpriced_orders: int
    snapshot_ids: list[str]


class DiffQuery(BaseModel, defer_build=True):
    """Which two snapshots to compare: ids, or times that stand for what was published then."""

    source: SourceName
    from_: Annotated[str, Field(alias="from", min_length=1)]
    to: Annotated[str, Field(min_length=1)]


class Left(Shape):
    """An order that left, and how."""

    order_id: str
    resolved_reason: ResolvedReason | None


class Change(Shape):
    """One field that differs; `line_id` is null for the order itself, `field` is `line` for a whole line."""

    order_id: str
    line_id: str | None
    field: str
    before: Any
    after: Any


class Diff(Shape):
    """What differs between two snapshots."""

    source: SourceName
    from_: str = Field(alias="from")
    to: str
    entered: list[OosOrder]
    left: list[Left]
    changed: list[Change]


class PlanBody(Shape):
    """Which orders to plan."""

    source: SourceName | None = None
    order_ids: Annotated[list[Annotated[str, Field(max_length=200)]] | None, Field(max_length=2000)] = None


class PlanAssignment(Shape):
    """Units of one line from one site; `from_source` is `store` for our own stores."""

    line_id: str
    from_source: Literal["stord", "shipbob", "store"]
    facility: str
    units: int


class Release(Shape):
    """An order that can ship now."""

    source: SourceName
    order_id: str
    assignments: list[PlanAssignment]


class MissingUnits(Shape):
    """Units that nobody has."""

    sku: str | None
    units: int


class NotPossible(Shape):
    """An order that cannot ship; `held_for` names reasons other than stock."""

    source: SourceName
    order_id: str
    missing: list[MissingUnits]
    held_for: list[str]


class Plan(Shape):
    """Which orders can ship from where; `exact` says whether this is proven best."""

    releases: list[Release]
    not_possible: list[NotPossible]
    released_orders: int
    splits: int
    exact: bool
    snapshot_ids: list[str]
    unknown_orders: list[str]


class UnblockBody(Shape):
    """What might arrive."""

    sku: Annotated[Text, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000_000)]
    facility: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    source: SourceName | None = None


class Unblocked(Shape):
    """An order that would release."""

    source: SourceName
    order_id: str
    position: int


class Unblock(Shape):
    """Which orders would release, in order."""

    released: list[Unblocked]
    used: int
    left_over: int


def _distinct(skus: list[str]) -> list[str]:
    found: dict[str, str] = {}
    for sku in skus:
        found.setdefault(sku.casefold(), sku)
    return list(found.values())


Sku = Annotated[str, AfterValidator(clean), Field(min_length=1, max_length=200)]


class StockBody(Shape):
    """Which SKUs to ask for; trimmed, duplicates without regard to case merged."""

    skus: Annotated[list[Sku], Field(min_length=1, max_length=_MOST_SKUS), AfterValidator(_distinct)]


class Location(Shape):
    """Stock at one site."""

    id: str | None
    name: str | None
    on_hand: int | None
    available: int | None


class SourceStock(Shape):
    """What one source says of a SKU; quantities are null unless its status is ok or not_found."""

    status: Literal["ok", "not_found", "error", "unknown"]
    on_hand: int | None
    available: int | None
    as_of: datetime | None
    locations: list[Location]


class SkuStock(Shape):
    """The live stock of one SKU."""

    sku: str
    status: Literal["ok", "partial", "error", "unknown"]
    as_of: datetime
    sources: dict[SourceName, SourceStock]


class SkuStocks(Shape):
    """The live stock of SKUs."""

    items: list[SkuStock]


def _no_blanks(skus: object) -> object:
    """Older clients send empty texts along; they are left out."""
    return [sku for sku in skus if not isinstance(sku, str) or sku.strip()] if isinstance(skus, list) else skus


class LegacyStockQuery(Shape):
    """Which SKUs the older client asks for; none is fine."""

    skus: Annotated[list[Sku], BeforeValidator(_no_blanks), Field(max_length=_MOST_SKUS), AfterValidator(_distinct)] = (
        Field(default_factory=list)
    )


class LegacyStock(Shape):
    """Live stock as the older backend showed it; null where a source failed."""

    sku: str
    stord_stock: int | None
    shipbob_fontana_stock: int | None
    shipbob_other_stock: int | None
    status: str
    as_of: datetime


class NewComment(Shape):
    """A comment to keep."""

    order_id: Annotated[Text, Field(min_length=1, max_length=200)]
    sku: Annotated[Text, Field(min_length=1, max_length=200)]
    comment: Annotated[Text, Field(min_length=1, max_length=2000)]
    facility: Annotated[Text, Field(max_length=200)] | None = None
    source: SourceName | None = None


class CommentFilter(PageQuery):
    """Which comments to list: of an order, of a SKU, or of both."""

    order_id: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    sku: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    source: SourceName | None = None
    created_from: From | None = None
    created_to: To | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.order_id is None and self.sku is None:
            raise PydanticCustomError("missing", "Give order_id, sku or both.", {"at": "order_id"})
        return self


class Comment(Shape):
    """What somebody wrote about a stuck order."""

    id: str
    source: SourceName | None
    order_id: str
    sku: str
    facility: str | None
    comment: str
    author: str
    created_at: datetime


class Taken(Shape):
    """A delivery was taken."""

    accepted: Literal[True] = True
