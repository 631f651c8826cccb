"""What the wire shows of stock, and what it takes."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from shared.core.page import PageQuery
from shared.core.text import Id, Search, Text
from shared.core.times import From, To
from shared.inventory.words import MovementType, ReservationStatus, StockStatus

__all__ = [
    "Include",
    "InventoryLevel",
    "LevelFilter",
    "LevelQuery",
    "Lot",
    "Movement",
    "Reservation",
]


Reference = Annotated[Text, Field(max_length=255)]
Region = Annotated[Text, Field(min_length=1, max_length=100)]
Ids = Annotated[list[Id] | None, Field(max_length=10)]
Names = Annotated[list[Region] | None, Field(max_length=10)]


class Lot(BaseModel, defer_build=True):
    """Units of one lot; of a movement, signed. `lot` null: units that came without one."""

    lot: str | None
    expiry: date | None = Field(description="The last day (UTC) on which they may leave.")
    quantity: int


class InventoryLevel(BaseModel, defer_build=True):
    """The stock of one product in one store."""

    id: str
    store_id: str
    product_id: str
    sku: str
    product_name: str
    brand: str | None
    category: str | None
    store_name: str
    region: str
    on_hand: int
    reserved: int
    available: int
    reorder_level: int | None
    effective_reorder_level: int
    max_stock: int | None
    allow_negative: bool
    stock_status: StockStatus
    value: float | None
    currency: str | None
    last_updated: datetime
    version: int
    incoming: int | None = Field(
        default=None,
        exclude_if=lambda units: units is None,
        description="Units that approved transfer orders will bring; only with include=incoming.",
    )
    threshold_rule: str | None = Field(
        default=None,
        exclude_if=lambda rule: rule is None,
        description="Where effective_reorder_level is from; only where the product's category has thresholds.",
    )
    lots: list[Lot] | None = Field(
        default=None,
        exclude_if=lambda lots: lots is None,
        description="First expiring first; their sum is on_hand. Only of levels that ever received a lot.",
    )
    expired: int | None = Field(
        default=None,
        exclude_if=lambda units: units is None,
        description="Units of expired lots: they are not available.",
    )


class Movement(BaseModel, defer_build=True):
    """One change of one level; never changed, never deleted."""

    id: str
    product_id: str
    product_sku: str
    product_name: str
    store_id: str
    transaction_type: MovementType
    quantity: int
    previous_stock: int
    new_stock: int
    reason: str | None
    reference: str | None
    user_id: str | None
    created_at: datetime
    lots: list[Lot] | None = Field(
        default=None,
        exclude_if=lambda lots: lots is None,
        description="The lots received or drawn, signed; only of levels with lots.",
    )


class Reservation(BaseModel, defer_build=True):
    """Units held for somebody."""

    id: str
    product_id: str
    store_id: str
    quantity: int
    status: ReservationStatus
    reference: str | None
    expires_at: datetime | None
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    version: int
    movement: Movement | None = Field(default=None, exclude_if=lambda movement: movement is None)


class Include(StrEnum):
    """What a level may show besides."""

    INCOMING = "incoming"


class LevelQuery(BaseModel, defer_build=True):
    """What a level is to show besides."""

    include: Annotated[list[Include] | None, Field(max_length=10)] = None


class LevelFilter(PageQuery):
    """Which levels are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-last_updated", "available", "sku")

    store_id: Ids = None
    product_id: Ids = None
    region: Names = None
    category: Names = None
    stock_status: Annotated[list[StockStatus] | None, Field(max_length=10)] = None
    low_stock: bool | None = None
    search: Search | None = None
    created_from: From | None = None
    created_to: To | None = None
    include: Annotated[list[Include] | None, Field(max_length=10)] = None
