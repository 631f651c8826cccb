"""What the wire shows of transfer orders, and what it takes."""

from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from shared.core.money import Money
from shared.core.page import PageQuery
from shared.core.text import Id, Search, Text
from shared.core.times import From, To
from shared.orders.rules import Status

__all__ = ["TransferFilter", "TransferOrder"]

Units = Annotated[int, Field(ge=1, le=100_000)]
Ids = Annotated[list[Id] | None, Field(max_length=10)]
Names = Annotated[list[Annotated[Text, Field(min_length=1, max_length=100)]] | None, Field(max_length=10)]
Statuses = Annotated[list[Status] | None, Field(max_length=10)]


class TransferOrder(BaseModel, defer_build=True):
    """Units on their way into a store."""

    id: str
    order_number: str
    from_store_id: str | None
    to_store_id: str
    product_id: str
    quantity: int
    status: Status
    requested_by: str
    requester_name: str | None
    approved_by: str | None
    approver_name: str | None
    fulfilled_by: str | None
    cancelled_by: str | None
    notes: str | None
    cancel_reason: str | None
    from_store_name: str | None
    to_store_name: str
    to_store_region: str
    product_name: str
    sku: str
    brand: str | None
    category: str | None
    unit_price: Money | None
    total_value: Money | None
    currency: str
    sla_expired: bool
    created_at: datetime
    approved_at: datetime | None
    fulfilled_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime
    version: int


class TransferFilter(PageQuery):
    """Which orders are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at", "order_number")

    status: Statuses = None
    region: Names = None
    category: Names = None
    store_id: Ids = None
    product_id: Ids = None
    requested_by: Ids = None
    sla_expired: bool | None = None
    search: Search | None = None
    created_from: From | None = None
    created_to: To | None = None
