"""What the warehouse keeps of transfer orders: one row each, as it stands now, and the one query behind all their figures."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, Field

from shared.orders.record import ORDERS_TABLE
from shared.ports.warehouse import Named, Table

__all__ = ["ORDERS", "ORDER_DAYS", "TransferRow"]

_SQL = Path(__file__).parent / "sql"


class TransferRow(BaseModel, defer_build=True):
    """One transfer order."""

    id: str
    created_at: datetime
    order_number: str
    from_store_id: str | None = Field(description="Null: from outside.")
    to_store_id: str
    to_store_region: str
    product_id: str
    category: str | None
    quantity: int
    status: str
    total_value: Decimal | None
    currency: str
    requested_by: str
    approved_at: datetime | None
    fulfilled_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime


ORDERS = Table(
    ORDERS_TABLE,
    TransferRow,
    key=("id", "created_at"),
    partition_by="created_at",
    cluster_by=("to_store_region", "status"),
    description="Transfer orders as they stand.",
)
ORDER_DAYS = Named(_SQL / "order_days.sql", {"orders": ORDERS})
