"""Resolved orders as documents of their own: for look-ups by id, history, and to recognise one that comes back."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.oos.queue import SORTS, Place, order_name
from shared.oos.rules import Row
from shared.oos.snapshot import Header, pack
from shared.ports.documents import Delete, Key, Position, Put, Query, Stored, Write
from shared.ports.store import Store

__all__ = ["resolved_key", "resolved_writes", "walk"]

COLLECTION = "oos_resolved"
_INDEXED = ("source", "order_id", "first_seen_at", "resolved_reason")
_BATCH = 200


def resolved_key(source: str, order_id: str) -> Key:
    """Return where a resolved order stands."""
    return Key(COLLECTION, order_name(source, order_id))


def walk(
    store: Store, sources: Sequence[str], sort: str, *, descending: bool, after: Place | None
) -> Iterator[tuple[Place, Stored]]:
    """Yield resolved orders in order, reading as many as the caller takes."""
    equals = (("source", sources[0] if len(sources) == 1 else tuple(sources)),)
    place = Position(*after) if after else None
    while True:
        field = f"sort_{sort}"
        found = store.query(Query(COLLECTION, equals, order_by=field, descending=descending, limit=_BATCH, after=place))
        for stored in found:
            place = Position(stored.data[field], stored.key.id)
            yield (place.value, place.id), stored
        if len(found) < _BATCH:
            return


def resolved_writes(gone: Sequence[Row], back: Sequence[Row], raw: Mapping[str, Any], header: Header) -> list[Write]:
    """Return the writes that record the orders `gone` with a snapshot and forget those that came `back`."""
    writes: list[Write] = [
        Put(
            resolved_key(row["source"], row["order_id"]),
            {name: row[name] for name in _INDEXED}
            | {f"sort_{name}": value(row) for name, value in SORTS.items()}
            | {"row": row, "raw": pack(raw.get(row["order_id"]))}
            | {"snapshot_id": header.id, "fetched_at": header.fetched_at},
        )
        for row in gone
    ]
    return writes + [Delete(resolved_key(row["source"], row["order_id"])) for row in back]
