"""History in the warehouse: every published snapshot's lines, merged after the flip.

The pointer flip leaves a pending record in the same commit, so a warehouse that is down delays history and loses none of it:
the next run or the sweep merges what is pending, oldest first, each snapshot exactly once (batch id = snapshot id).
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from shared.core.errors import Terminal, Transient
from shared.oos.publish import read_rows
from shared.oos.snapshot import Header, snapshot_key
from shared.oos.warehouse import line_rows
from shared.ports.documents import Delete, Key, Query
from shared.ports.store import Store
from shared.ports.warehouse import Table, Warehouse

__all__ = ["History"]

_LOG = logging.getLogger(__name__)


class History:
    """Writes published snapshots into the warehouse table of their source."""

    def __init__(self, store: Store, warehouse: Callable[[], Warehouse], tables: Mapping[str, Table]) -> None:
        """Take the store, where the warehouse comes from (asked only to merge), and the history table of each source."""
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
                self._merge(source, note.data)
            except (Transient, Terminal) as trouble:
                _LOG.warning("history waits for the warehouse: %s", trouble, extra={"source": source})
                return len(pending) - number
            self._store.write([Delete(note.key)])
        return 0

    def _merge(self, source: str, note: Mapping[str, Any]) -> None:
        snapshot_id, only = note["snapshot_id"], note.get("only")
        record = self._store.get(snapshot_key(snapshot_id))
        if record is None:
            return
        header = Header.of(record.data["header"])
        rows = read_rows(self._store.documents, header)
        chosen = rows if only is None else [row for row in rows if row["order_id"] in frozenset(only)]
        lines = (line for row in chosen for line in line_rows(row, header.id))
        self._warehouse().merge(self._tables[source], lines, batch_id=snapshot_id)
