"""What the warehouse keeps of sales: one row per line for ever, and the queries of the reports.

Rows never change. A return is a row of its own with a negative quantity, so that sums are net and counts are of sales.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, Field

from shared.ports.warehouse import Named, Table
from shared.sales.record import LINES_TABLE

__all__ = ["COUNTS", "DRILLED", "LATEST", "LINES", "SOLD_ITEMS", "SUMS", "SaleLineRow"]

_SQL = Path(__file__).parent / "sql"


class SaleLineRow(BaseModel, defer_build=True):
    """One product of one sale or return, as it was at that time."""

    id: str
    created_at: datetime = Field(description="When it was sold or came back.")
    kind: str = Field(description="sale or return.")
    sale_id: str
    number: int = Field(description="Counts a sale's lines from 1, so that first lines count sales; 0 in returns.")
    store_id: str
    user_id: str
    product_id: str
    sku: str
    product_name: str
    category_id: str | None
    category: str | None
    quantity: int = Field(description="Units; negative in returns.")
    unit_price: Decimal
    line_total: Decimal
    currency: str


LINES = Table(
    LINES_TABLE,
    SaleLineRow,
    key=("id", "created_at"),
    partition_by="created_at",
    cluster_by=("product_id", "category_id", "store_id"),
    description="Lines of sales and returns.",
)
SUMS = Named(_SQL / "sums.sql", {"lines": LINES})
COUNTS = Named(_SQL / "counts.sql", {"lines": LINES})
LATEST = Named(_SQL / "latest.sql", {"lines": LINES})
DRILLED = Named(_SQL / "drilled.sql", {"lines": LINES})
SOLD_ITEMS = Named(_SQL / "sold_items.sql", {"lines": LINES})
