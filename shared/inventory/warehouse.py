"""What the warehouse keeps of stock: one row per movement, for ever. Written through the outbox, read by figures over time."""

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, Field

from shared.inventory.working import MOVEMENT_TABLE
from shared.ports.warehouse import Named, Table

__all__ = ["UNITS_BY_DAY", "UNITS_BY_PRODUCT", "MovementRow", "movement_table"]


class MovementRow(BaseModel, defer_build=True):
    """One movement of one level."""

    id: str
    created_at: datetime = Field(description="Later than that of every earlier movement of the level.")
    product_id: str
    store_id: str
    transaction_type: str = Field(description="Why the level changed, in the words of the ledger.")
    quantity: int = Field(description="Signed, never 0.")
    previous_stock: int
    new_stock: int = Field(description="On hand of the level afterwards: previous plus quantity.")
    reason: str | None
    reference: str | None = Field(description="The sale, order, import or job that caused it.")
    user_id: str | None
    lots: str | None = Field(
        default=None,
        description="The lots that moved, as JSON: [{lot, expiry, quantity}]; null for a level without lots.",
    )


def movement_table() -> Table:
    """Declare the table of movements."""
    return Table(
        MOVEMENT_TABLE,
        MovementRow,
        key=("id", "created_at"),
        partition_by="created_at",
        cluster_by=("product_id", "store_id"),
        description="Every movement of stock.",
    )


def _query(name: str) -> Named:
    return Named(Path(__file__).parent / "sql" / f"{name}.sql", {"movements": movement_table()})


UNITS_BY_PRODUCT = _query("units_by_product")
UNITS_BY_DAY = _query("units_by_day")
