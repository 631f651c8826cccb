"""What the wire shows and takes of prices over time, competitors' prices and bulk changes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from shared.catalog.models import CategoryName, Label, Tags, Url
from shared.catalog.states import ProductStatus, StockStatus
from shared.core.money import Currency, Money
from shared.core.page import PageQuery
from shared.core.quantities import Count
from shared.core.text import Id, Search, Text
from shared.core.times import From, Instant, To

__all__ = [
    "BulkEdit",
    "BulkEdited",
    "BulkFilter",
    "BulkPriced",
    "BulkPrices",
    "CompetitorFilter",
    "CompetitorPrice",
    "EditedFields",
    "NewCompetitorPrice",
    "PriceChange",
    "PriceFilter",
    "PriceUpdate",
]

MOST_PRODUCTS = 200
_MOST_PLACES = 4
_MOST_STEP = Decimal(100_000_000)
_NUMBER = {"type": "number", "minimum": -100_000_000, "maximum": 100_000_000}


def _adjustment(value: object) -> object:
    """Read a number of at most four decimals; a float's shortest form is what the client wrote."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise PydanticCustomError("wrong_type", "Give a number.")
    amount = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not amount.is_finite() or abs(amount) > _MOST_STEP:
        raise PydanticCustomError("out_of_range", "A number is between -100000000 and 100000000.")
    exponent = amount.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _MOST_PLACES:
        raise PydanticCustomError("too_many_decimals", "A number has at most four decimals here.")
    return amount


Adjustment = Annotated[Decimal, BeforeValidator(_adjustment), WithJsonSchema(_NUMBER)]


class PriceChange(BaseModel, defer_build=True):
    """A price that became another."""

    field: str
    old_price: Money | None
    new_price: Money | None
    currency: str
    reason: str | None
    user_id: str | None
    created_at: datetime


class PriceFilter(PageQuery):
    """Which changes of prices are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    created_from: From | None = None
    created_to: To | None = None


class CompetitorPrice(BaseModel, defer_build=True):
    """What a competitor asked for a product at some time."""

    id: str
    product_id: str
    competitor: str
    price: Money
    currency: str
    url: str | None
    seen_at: datetime
    created_by: str | None
    created_at: datetime


class NewCompetitorPrice(BaseModel, defer_build=True):
    """A competitor's price as seen; in the default currency and now, unless said otherwise."""

    competitor: Annotated[Text, Field(min_length=1, max_length=255)]
    price: Money
    currency: Currency | None = None
    url: Url | None = None
    seen_at: Instant | None = None


class CompetitorFilter(PageQuery):
    """Which competitors' prices are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-seen_at", "-created_at")

    created_from: From | None = None
    created_to: To | None = None


class PriceUpdate(BaseModel, defer_build=True):
    """A product and its new price."""

    product_id: Id
    price: Money


class BulkPrices(BaseModel, defer_build=True):
    """New prices of many products: by one adjustment of all, or one by one."""

    product_ids: Annotated[list[Id] | None, Field(min_length=1, max_length=MOST_PRODUCTS)] = None
    adjustment_type: Literal["percentage", "fixed"] | None = None
    adjustment_value: Adjustment | None = None
    apply_to: Literal["sale_price", "cost_price"] = "sale_price"
    updates: Annotated[list[PriceUpdate] | None, Field(min_length=1, max_length=MOST_PRODUCTS)] = None
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_rule = {name: getattr(self, name) for name in ("product_ids", "adjustment_type", "adjustment_value")}
        if self.updates is not None:
            for name, value in by_rule.items():
                if value is not None:
                    raise _refused(name, "conflict", "Give product_ids with an adjustment, or updates, not both.")
            return self
        for name, value in by_rule.items():
            if value is None:
                raise _refused(name, "missing", "This field is required.")
        return self


class BulkPriced(BaseModel, defer_build=True):
    """The prices that were changed, or would be."""

    success: bool
    updated_count: int
    dry_run: bool
    items: list[dict[str, Any]]


class BulkFilter(BaseModel, defer_build=True):
    """Which products an edit means, by the filters of their list."""

    category: CategoryName | None = None
    category_id: Id | None = None
    brand: Label | None = None
    status: ProductStatus | None = None
    stock_status: StockStatus | None = None
    supplier_id: Id | None = None
    search: Search | None = None


class EditedFields(BaseModel, defer_build=True):
    """What a bulk edit gives to every product; a key that is absent stays as it is, null clears."""

    category: CategoryName | None = None
    category_id: Id | None = None
    brand: Label | None = None
    package_size: Label | None = None
    status: ProductStatus | None = None
    reorder_threshold: Count | None = None
    follows_category_threshold: bool | None = None
    currency: Currency | None = None
    tags: Tags | None = None


class BulkEdit(BaseModel, defer_build=True):
    """One edit of many products: named, or found by the filters of their list."""

    product_ids: Annotated[list[Id] | None, Field(min_length=1, max_length=MOST_PRODUCTS)] = None
    filter: BulkFilter | None = None
    changes: EditedFields
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.product_ids is None) == (self.filter is None):
            raise _refused("product_ids", "missing", "Say which products: product_ids or filter, one of them.")
        if not self.changes.model_fields_set:
            raise _refused("changes", "missing", "Say what to change.")
        return self


class BulkEdited(BaseModel, defer_build=True):
    """What a bulk edit changed, or would change."""

    success: bool
    updated_count: int
    unchanged_count: int
    dry_run: bool
    items: list[dict[str, Any]]


def _refused(name: str, code: str, message: str) -> PydanticCustomError:
    return PydanticCustomError(code, message, {"at": name})
