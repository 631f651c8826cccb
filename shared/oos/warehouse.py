"""What the warehouse keeps of held orders: one row per line and episode for ever, and one row per refresh run.

The operational truth is the published snapshot; these tables are its history, written by a refresh and read by analytics
only. Both are partitioned by a time that never changes for a row.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from shared.core.values import dataclass
from shared.oos.rules import Row
from shared.oos.words import SourceName
from shared.ports.warehouse import Table

__all__ = ["OosLineRow", "OosTables", "RefreshRunRow", "line_rows", "oos_tables"]


class OosLineRow(BaseModel, defer_build=True):
    """One held line of one episode: order x shipment x inventory item x episode."""

    line_id: str = Field(description="Stable name of order x shipment x item.")
    episode: int = Field(description="Counts from 1; a reopened order starts the next.")
    opened_at: datetime = Field(description="Start of the episode of the order.")
    source: str
    order_id: str
    order_number: str | None
    shipment_id: str | None
    inventory_item_id: str | None
    sku: str | None
    name: str | None
    facility: str | None
    channel: str | None
    order_type: str | None
    customer_name: str | None
    customer_email: str | None
    reason: str = Field(description="Why the line is held, in our words.")
    source_state: str | None
    source_reason: str | None
    source_reason_id: int | None
    ordered_quantity: int
    committed_quantity: int | None
    short_quantity: int | None
    unit_price: Decimal | None
    currency: str | None
    purchase_date: datetime | None
    first_seen_at: datetime = Field(description="First complete run that held the line, over all episodes.")
    last_seen_at: datetime = Field(description="Latest complete run that held the order.")
    resolved_at: datetime | None = Field(description="When the line left this episode; null while it is open.")
    resolved_reason: str | None = Field(description="How the order left, on the lines that left with it.")
    snapshot_id: str = Field(description="The snapshot whose refresh wrote this row last.")


class RefreshRunRow(BaseModel, defer_build=True):
    """One refresh run as it ended."""

    id: str
    created_at: datetime
    job_id: str
    source: str
    status: str
    trigger: str
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    pages: int
    fetched: int
    held: int
    opened: int
    updated: int
    reopened: int
    resolved: int
    unverified: int
    rejected: int
    snapshot_id: str | None
    error_code: str | None
    error_detail: str | None
    error_page: int | None
    created_by: str | None


@dataclass(frozen=True)
class OosTables:
    """The tables a refresh writes: the history of each source, and the runs."""

    lines: Mapping[str, Table]
    runs: Table

    def all(self) -> tuple[Table, ...]:
        """Return every table, to be ensured."""
        return (*self.lines.values(), self.runs)


def oos_tables(
    *, stord: str = "oos_stord", shipbob: str = "oos_shipbob", last_refresh: str = "refresh_runs"
) -> OosTables:
    """Declare the tables under the names of the settings BIGQUERY_TABLE_STORD_OOS, _SHIPBOB_OOS and _LAST_REFRESH."""
    runs = Table(
        last_refresh,
        RefreshRunRow,
        key=("id", "created_at"),
        partition_by="created_at",
        cluster_by=("source",),
        description="Refresh runs as they ended.",
    )
    names = {SourceName.STORD: stord, SourceName.SHIPBOB: shipbob}
    return OosTables({source.value: _history(source, name) for source, name in names.items()}, runs)


def line_rows(row: Row, snapshot_id: str) -> Iterator[dict[str, Any]]:
    """Write an order's stored row as the history rows of its present episode, open and closed lines alike."""
    customer = row["customer"]
    order = {name: row[name] for name in _OF_ORDER}
    order |= {"customer_name": customer["name"], "customer_email": customer["email"], "snapshot_id": snapshot_id}
    for line in (*row["lines"], *row["closed_lines"]):
        left = line["resolved_at"]
        reason = row["resolved_reason"] if left is not None and left == row["resolved_at"] else None
        yield order | {name: line[name] for name in _OF_LINE} | {"resolved_reason": reason}


def _history(source: SourceName, name: str) -> Table:
    return Table(
        name,
        OosLineRow,
        key=("line_id", "episode", "opened_at"),
        partition_by="opened_at",
        cluster_by=("order_id", "sku"),
        description=f"Held lines of {source.value} with their history.",
    )


_OF_ORDER = (
    "source",
    "order_id",
    "order_number",
    "channel",
    "order_type",
    "currency",
    "purchase_date",
    "episode",
    "opened_at",
    "last_seen_at",
)
_OF_LINE = (
    "line_id",
    "shipment_id",
    "inventory_item_id",
    "sku",
    "name",
    "facility",
    "reason",
    "source_state",
    "source_reason",
    "source_reason_id",
    "ordered_quantity",
    "committed_quantity",
    "short_quantity",
    "unit_price",
    "first_seen_at",
    "resolved_at",
)
