"""Rows on their way to the warehouse: written with the fact, merged by the flush, then forgotten.

    store.write([*writes, outbox.rows("stock_movements", movement_id, rows)])     # the same commit as the fact
    outbox.flush()                                                              # the flush job, and the local drain

A crash between merging and forgetting merges the same rows again, by key, which changes nothing.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant
from shared.ports.documents import Create, Data, Delete, Key, Query, Stored
from shared.ports.store import Store

if TYPE_CHECKING:
    from shared.ports.warehouse import Table, Warehouse

__all__ = ["OUTBOX", "WarehouseOutbox"]

OUTBOX = "warehouse_outbox"
SEVERAL = "several"
"""Stands for the table of a document whose rows are of more than one: a release that knows none such leaves it alone."""
_MANY = 200
_NOTHING: Mapping[str, Sequence[Any]] = {}


class WarehouseOutbox:
    """The rows that still wait, and their way into the tables."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store that holds the rows, and time."""
        self._store, self._clock = store, clock

    def rows(
        self, table: str, name: str, rows: Sequence[Mapping[str, Any]], beside: Mapping[str, Sequence[Any]] = _NOTHING
    ) -> Create:
        """Return the write that sends rows to a table; `name` makes it single: the id of the fact.

        Rows of other tables that the same fact makes travel `beside` them, in one document that is written and forgotten.
        """
        made: Data = {"table": table, "rows": [dict(row) for row in rows], "made_at": instant(self._clock.now())}
        if beside:
            made |= {"table": SEVERAL, "rows": {table: made["rows"], **beside}}
        return Create(Key(OUTBOX, f"{table}.{name}"), made)

    def waiting(self) -> bool:
        """Say whether any row waits."""
        return bool(self._store.query(Query(OUTBOX, limit=1)))

    def flush(self, warehouse: Warehouse, tables: Mapping[str, Table]) -> int:
        """Merge what waits, oldest first, one batch for each table; return how many documents were taken (0: none left).

        Raise Transient when the warehouse is in trouble; everything unforgotten is taken again later. Documents of tables
        this deployment does not know stay where they are and are not counted.
        """
        known = (*sorted(tables), SEVERAL)
        taken = 0
        for start in range(0, len(known), 10):
            query = Query(OUTBOX, (("table", known[start : start + 10]),), order_by="made_at", limit=_MANY)
            taken += self._merged(self._store.query(query), warehouse, tables)
        return taken

    def _merged(self, found: Sequence[Stored], warehouse: Warehouse, tables: Mapping[str, Table]) -> int:
        """Merge rows, then forget their documents, those of one table at a time; one with rows of an unknown table stays."""
        taken: dict[str, list[Stored]] = defaultdict(list)
        for stored in found:
            if _rows_by_table(stored).keys() <= tables.keys():
                taken[stored.data["table"]].append(stored)
        for batch in taken.values():
            rows: dict[str, list[Data]] = defaultdict(list)
            for stored in batch:
                for name, some in _rows_by_table(stored).items():
                    rows[name] += some
            for name, some in rows.items():
                warehouse.merge(tables[name], some, batch_id=_batch_id(batch))
            self._store.documents.commit([Delete(stored.key) for stored in batch])
        return sum(map(len, taken.values()))


def _rows_by_table(stored: Stored) -> Mapping[str, list[Data]]:
    rows: Any = stored.data["rows"]
    found: Mapping[str, list[Data]] = rows if stored.data["table"] == SEVERAL else {stored.data["table"]: rows}
    return found


def _batch_id(batch: Sequence[Stored]) -> str:
    """Name a batch by what is in it, so that the very same batch is loaded once even where merging were not enough."""
    names = "\n".join(stored.key.id for stored in batch)
    return f"outbox-{hashlib.sha256(names.encode()).hexdigest()[:40]}"
