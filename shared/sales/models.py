"""What the wire shows of sales, and what it takes."""

from datetime import datetime
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.money import Money
from shared.core.page import PageQuery
from shared.core.text import Id, Text
from shared.core.times import From, To
from shared.sales.rules import Reason

__all__ = [
    "FailedItem",
    "NewReturn",
    "NewSale",
    "Sale",
    "SaleFilter",
    "SaleLine",
    "SaleReturn",
    "SaleReturns",
    "VoidBody",
]

Sku = Annotated[Text, Field(min_length=1, max_length=100)]
Units = Annotated[int, Field(ge=1, le=1_000_000)]
Mode = Literal["partial", "all_or_nothing"]
Ids = Annotated[list[Id] | None, Field(max_length=10)]


class DrawnComponent(BaseModel, defer_build=True):
    """A product that a line of a kit took from the shelf, and how many units in all."""

    product_id: str
    sku: str
    product_name: str
    quantity: int


class SaleLine(BaseModel, defer_build=True):
    """One product of a sale, frozen as it was sold; that of a kit says what it drew."""

    id: str
    sale_id: str
    product_id: str
    sku: str
    product_name: str
    category_id: str | None
    category: str | None
    quantity: int
    unit_price: Money
    line_total: Money
    components: list[DrawnComponent] | None = Field(None, description="Of kits only.")


class ShortComponent(BaseModel, defer_build=True):
    """The product drawn that kept an entry from being bought; `requested` is what the whole basket asks of it."""

    product_id: str
    sku: str
    available: int | None
    requested: int | None


class FailedItem(BaseModel, defer_build=True):
    """A product that was not bought."""

    product_id: str | None
    sku: str | None
    quantity: int
    reason: Reason
    available: int | None
    available_elsewhere: int | None
    component: ShortComponent | None = Field(None, description="Where a kit is involved.")


class Sale(BaseModel, defer_build=True):
    """A basket bought in one store."""

    id: str
    store_id: str
    user_id: str
    currency: str
    total_amount: Money
    items: list[SaleLine]
    failed_items: list[FailedItem]
    customer_reference: str | None
    created_at: datetime


class BasketItem(BaseModel, defer_build=True):
    """A product by id or SKU, and how many units of it."""

    product_id: Id | None = None
    sku: Sku | None = None
    quantity: Units

    @model_validator(mode="after")
    def _names_a_product(self) -> Self:
        if self.product_id is None and self.sku is None:
            raise PydanticCustomError("missing", "Give product_id or sku.", {"at": "product_id"})
        return self


class NewSale(BaseModel, defer_build=True):
    """A basket to buy."""

    items: Annotated[list[BasketItem], Field(min_length=1, max_length=100)]
    mode: Mode = "partial"
    store_id: Id | None = None
    customer_reference: Annotated[Text, Field(max_length=255)] | None = None


class ReturnItem(BaseModel, defer_build=True):
    """A product of a sale, and how many units of it come back."""

    product_id: Id
    quantity: Units


class NewReturn(BaseModel, defer_build=True):
    """Units that come back."""

    items: Annotated[list[ReturnItem], Field(min_length=1, max_length=100)]
    reason: Annotated[Text, Field(max_length=255)] | None = None


class VoidBody(BaseModel, defer_build=True):
    """Why a sale is voided."""

    reason: Annotated[Text, Field(max_length=255)] | None = None


class SaleReturn(BaseModel, defer_build=True):
    """What came back of a sale at one time; quantities and amounts are those given back."""

    id: str
    sale_id: str
    kind: Literal["return", "void"]
    store_id: str
    user_id: str
    currency: str
    total_amount: Money
    items: list[SaleLine]
    reason: str | None
    created_at: datetime


class SaleReturns(BaseModel, defer_build=True):
    """Everything that came back of a sale, oldest first."""

    items: list[SaleReturn]


class SaleFilter(PageQuery):
    """Which sales are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    store_id: Ids = None
    user_id: Ids = None
    created_from: From | None = None
    created_to: To | None = None
