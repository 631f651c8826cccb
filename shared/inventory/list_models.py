"""What lists beside that of levels are asked for; levels need none of it."""

from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from shared.core.page import PageQuery
from shared.core.quantities import Quantity
from shared.core.text import Search
from shared.core.times import From, To
from shared.inventory.models import Ids, Names, Reference
from shared.inventory.words import MovementType, ReservationStatus

__all__ = [
    "HistoryFilter",
    "LotFilter",
    "LowStockFilter",
    "MovementFilter",
    "ReservationFilter",
    "WarehouseFilter",
    "WarehouseRow",
]


class LowStockFilter(PageQuery):
    """Which levels that run low are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("available",)

    region: Names = None
    category: Names = None
    store_id: Ids = None
    threshold: Quantity | None = None


class LotFilter(PageQuery):
    """Which levels with lots are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("lots_until",)

    product_id: Ids = None
    store_id: Ids = None
    expiring_within: Annotated[int, Field(ge=0, le=3650)] | None = None


class HistoryFilter(PageQuery):
    """Which movements of a product are wanted."""

    store_id: Ids = None
    transaction_type: Annotated[list[MovementType] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class MovementFilter(HistoryFilter):
    """Which movements are wanted."""

    product_id: Ids = None


class ReservationFilter(PageQuery):
    """Which reservations are wanted."""

    product_id: Ids = None
    store_id: Ids = None
    status: Annotated[list[ReservationStatus] | None, Field(max_length=10)] = None
    reference: Annotated[list[Reference] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class WarehouseFilter(PageQuery):
    """Which products in warehouses are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("product_name",)

    category: Names = None
    search: Search | None = None


class WarehouseRow(BaseModel, defer_build=True):
    """A product's stock over all warehouses."""

    product_id: str
    product_name: str
    sku: str
    brand: str | None
    category: str | None
    unit_price: float | None
    package_size: str | None
    total_quantity: int
    total_reserved: int
    available: int
