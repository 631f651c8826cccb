"""Rows on their way to the warehouse: written with the fact, merged by the flush, then forgotten.

    store.write([*writes, outbox.rows("stock_movements", movement_id, rows)])     # the same commit as the fact
    outbox.flush()                                                              # the flush job, and the local drain

A crash between merging and forgetting merges the same rows again, by key, which changes nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from shared.core.clock import Clock, instant
from shared.ports.documents import Create, Delete, Key, Query, Stored
from shared.ports.store import Store
from shared.ports.warehouse import Table, Warehouse

__all__ = ["OUTBOX", "WarehouseOutbox"]

OUTBOX = "warehouse_outbox"
_MANY = 200


class WarehouseOutbox:
    """The rows that still wait, and their way into the tables."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store that holds the rows, and time."""
        self._store, self._clock = store, clock

    def rows(self, table: str, name: str, rows: Sequence[Mapping[str, Any]]) -> Create:
        """Return the write that sends rows to a table; `name` makes it single: the id of the fact."""
        data = {"table": table, "rows": [dict(row) for row in rows], "made_at": instant(self._clock.now())}
        return Create(Key(OUTBOX, f"{table}.{name}"), data)

    def waiting(self) -> bool:
        """Say whether any row waits."""
        return bool(self._store.query(Query(OUTBOX, limit=1)))

    def flush(self, warehouse: Warehouse, tables: Mapping[str, Table]) -> int:
        """Merge what waits, oldest first, one batch for each table; return how many documents were taken (0: none left).

        Raise Transient when the warehouse is in trouble; everything unforgotten is taken again later. Documents of tables
        this deployment does not know stay where they are and are not counted.
        """
        known = tuple(sorted(tables))
        taken = 0
        for start in range(0, len(known), 10):
            query = Query(OUTBOX, (("table", known[start : start + 10]),), order_by="made_at", limit=_MANY)
            taken += self._merged(self._store.query(query), warehouse, tables)
        return taken

    def _merged(self, found: Sequence[Stored], warehouse: Warehouse, tables: Mapping[str, Table]) -> int:
        by_table: dict[str, list[Stored]] = defaultdict(list)
        for stored in found:
            by_table[stored.data["table"]].append(stored)
        for name, batch in by_table.items():
            rows = [row for stored in batch for row in stored.data["rows"]]
            warehouse.merge(tables[name], rows, batch_id=_batch_id(batch))
            self._store.documents.commit([Delete(stored.key) for stored in batch])
        return len(found)


def _batch_id(batch: Sequence[Stored]) -> str:
    """Name a batch by what is in it, so that the very same batch is loaded once even where merging were not enough."""
    names = "\n".join(stored.key.id for stored in batch)
    return f"outbox-{hashlib.sha256(names.encode()).hexdigest()[:40]}"
