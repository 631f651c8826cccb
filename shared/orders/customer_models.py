"""What the wire shows of customers' orders, and what it takes."""

from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.countries import COUNTRIES
from shared.core.money import Money
from shared.core.page import PageQuery
from shared.core.quantities import Positive, Version
from shared.core.text import Id, Search, Text
from shared.core.times import From, Instant, To
from shared.jobs.models import Accepted
from shared.orders.rules import CustomerStatus, ItemStatus

__all__ = [
    "Address",
    "BulkAccepted",
    "BulkFulfil",
    "CustomerFilter",
    "CustomerOrder",
    "Fulfil",
    "NewCustomerOrder",
    "StatusChange",
    "StatusQuery",
    "Tracking",
]


def _country(code: str) -> str:
    upper = code.upper()
    if upper not in COUNTRIES:
        raise PydanticCustomError("invalid_country", "A country is two letters of ISO 3166-1, such as DE.")
    return upper


def _email(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain or any(character.isspace() for character in text):
        raise PydanticCustomError("invalid_email", "This is not an e-mail address.")
    return text


Line = Annotated[Text, Field(max_length=255)]
Needed = Annotated[Text, Field(min_length=1, max_length=255)]
Number = Annotated[Text, Field(min_length=1, max_length=100)]
Names = Annotated[list[Annotated[Text, Field(min_length=1, max_length=100)]] | None, Field(max_length=10)]
Email = Annotated[Text, Field(min_length=3, max_length=254), AfterValidator(_email)]


class Address(BaseModel, defer_build=True):
    """Where goods go."""

    first_name: Line | None = None
    last_name: Line | None = None
    address1: Needed
    address2: Line | None = None
    city: Needed
    postal_code: Annotated[Text, Field(min_length=1, max_length=20)]
    country_code: Annotated[Text, AfterValidator(_country)]
    phone: Annotated[Text, Field(max_length=50)] | None = None
    email: Email | None = None
    company: Line | None = None


class CustomerItem(BaseModel, defer_build=True):
    """One product of a customer's order."""

    id: str
    product_id: str
    sku: str
    product_name: str
    quantity: int
    unit_price: Money | None
    supplier_id: str | None
    fulfillment_status: ItemStatus
    supplier_order_id: str | None
    fulfillment_error: str | None
    tracking_number: str | None
    carrier: str | None
    shipped_at: datetime | None


class SupplierOrder(BaseModel, defer_build=True):
    """One order placed, or to be placed, with a supplier."""

    supplier_id: str
    reference: str
    supplier_order_id: str | None
    status: str
    item_ids: list[str]
    error: str | None
    supplier_status: str | None = None
    """What the supplier calls the state of its order, as last read."""


class CustomerOrder(BaseModel, defer_build=True):
    """What a customer ordered in a shop, fulfilled by suppliers."""

    id: str
    order_number: str
    platform: str
    status: CustomerStatus
    customer_email: str | None
    shipping_address: Address
    shipping_method: str | None
    notes: str | None
    items: list[CustomerItem]
    auto_fulfill: bool
    total_amount: Money
    currency: str
    supplier_orders: list[SupplierOrder]
    fulfillment_job_id: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewItem(BaseModel, defer_build=True):
    """A product by id or SKU, and how many units of it."""

    product_id: Id | None = None
    sku: Number | None = None
    quantity: Positive
    unit_price: Money | None = None
    supplier_id: Id | None = None
    tracking_number: Line | None = None
    carrier: Line | None = None
    shipped_at: Instant | None = None

    @model_validator(mode="after")
    def _names_a_product(self) -> Self:
        if self.product_id is None and self.sku is None:
            raise PydanticCustomError("missing", "Give product_id or sku.", {"at": "product_id"})
        return self


class NewCustomerOrder(BaseModel, defer_build=True):
    """An order to keep."""

    order_number: Number | None = None
    platform: Annotated[Text, Field(min_length=1, max_length=100)] = "manual"
    customer_email: Email | None = None
    shipping_address: Address
    shipping_method: Line | None = None
    notes: Annotated[Text, Field(max_length=2000)] | None = None
    items: Annotated[list[NewItem], Field(min_length=1, max_length=100)]
    auto_fulfill: bool = False


class StatusChange(BaseModel, defer_build=True):
    """The state an order is to have."""

    status: CustomerStatus | None = None
    version: Version | None = None


class StatusQuery(BaseModel, defer_build=True):
    """The same, as a parameter."""

    status: CustomerStatus | None = None


class Tracking(BaseModel, defer_build=True):
    """How an item travels."""

    tracking_number: Line | None = None
    carrier: Line | None = None
    shipped_at: Instant | None = None
    version: Version | None = None


class Fulfil(BaseModel, defer_build=True):
    """An order to have fulfilled, and by whom."""

    order_id: Id
    supplier_id: Id | None = None
    auto_select_supplier: bool = True


class BulkFulfil(BaseModel, defer_build=True):
    """Orders to have fulfilled."""

    order_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]
    supplier_preference: Id | None = None


class NotStarted(BaseModel, defer_build=True):
    """An order whose fulfilment was refused."""

    order_id: str
    error: str
    detail: str


class BulkAccepted(Accepted):
    """The jobs of several orders, and the orders without one."""

    failed: list[NotStarted]


class CustomerFilter(PageQuery):
    """Which orders are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    status: Annotated[list[CustomerStatus] | None, Field(max_length=10)] = None
    platform: Names = None
    search: Search | None = None
    created_from: From | None = None
    created_to: To | None = None
