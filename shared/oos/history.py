"""History in the warehouse: every published snapshot's lines, merged after the flip.

The pointer flip leaves a pending record in the same commit, so a warehouse that is down delays history and loses none of it:
the next run or the sweep merges what is pending, oldest first, each snapshot exactly once (batch id = snapshot id).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.core.clock import parse_instant
from shared.core.errors import Terminal, Transient
from shared.core.log import logger
from shared.oos.publish import read_rows
from shared.oos.rules import Row
from shared.oos.snapshot import Header, snapshot_key
from shared.ports.documents import Delete, Key, Query
from shared.ports.store import Store
from shared.ports.warehouse import Table, Warehouse

__all__ = ["History", "line_rows"]

_LOG = logger(__name__)


class History:
    """Writes published snapshots into the warehouse table of their source."""

    def __init__(self, store: Store, warehouse: Warehouse, tables: Mapping[str, Table]) -> None:
        """Take the store, the warehouse and the history table of each source."""
        self._store, self._warehouse, self._tables = store, warehouse, tables

    @staticmethod
    def pending_key(snapshot_id: str) -> Key:
        """Return where the note stands that a snapshot still waits for the warehouse."""
        return Key("oos_pending", snapshot_id)

    def flush(self, source: str) -> int:
        """Merge the pending snapshots of a source, oldest first; return how many are left because of trouble."""
        pending = self._store.query(Query("oos_pending", (("source", source),), order_by="made_at", limit=200))
        for number, note in enumerate(pending):
            try:
                self._merge(source, note.data["snapshot_id"])
            except (Transient, Terminal) as trouble:
                _LOG.warning("history waits for the warehouse: %s", trouble, extra={"source": source})
                return len(pending) - number
            self._store.write([Delete(note.key)])
        return 0

    def _merge(self, source: str, snapshot_id: str) -> None:
        record = self._store.get(snapshot_key(snapshot_id))
        if record is None:
            return
        header = Header.of(record.data["header"])
        rows = read_rows(self._store.documents, header)
        lines = (line for row in rows for line in line_rows(row, header.id))
        self._warehouse.merge(self._tables[source], lines, batch_id=snapshot_id)


def line_rows(row: Row, snapshot_id: str) -> Iterator[dict[str, Any]]:
    """Yield the warehouse rows of an order: one per line held, or closed, in the present episode."""
    for line in (*row["lines"], *row["closed_lines"]):
        yield {
            "line_id": line["line_id"],
            "source": row["source"],
            "order_id": row["order_id"],
            "order_number": row["order_number"],
            "shipment_id": line["shipment_id"],
            "inventory_item_id": line["inventory_item_id"],
            "sku": line["sku"],
            "name": line["name"],
            "facility": line["facility"],
            "channel": row["channel"],
            "order_type": row["order_type"],
            "customer_name": row["customer"]["name"],
            "customer_email": row["customer"]["email"],
            "reason": line["reason"],
            "source_state": line["source_state"],
            "source_reason": line["source_reason"],
            "source_reason_id": line["source_reason_id"],
            "ordered_quantity": line["ordered_quantity"],
            "committed_quantity": line["committed_quantity"],
            "short_quantity": line["short_quantity"],
            "unit_price": _decimal(line["unit_price"]),
            "currency": row["currency"],
            "episode": row["episode"],
            "first_seen_at": _time(line["first_seen_at"]),
            "opened_at": _time(row["opened_at"]),
            "last_seen_at": _time(row["last_seen_at"]),
            "resolved_at": _time(line["resolved_at"]),
            "resolved_reason": row["resolved_reason"],
            "purchase_date": _time(row["purchase_date"]),
            "snapshot_id": snapshot_id,
        }


def _time(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None


def _decimal(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
