"""Resolved orders as documents of their own: for look-ups by id, history, and to recognise one that comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.oos.queue import SORTS, Place, order_name
from shared.oos.snapshot import Header, pack
from shared.ports.documents import Delete, Key, Position, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.oos.asked import Walked
    from shared.oos.rules import Row
    from shared.ports.store import Store

__all__ = ["first_seen", "resolved_key", "resolved_writes", "walk"]

COLLECTION = "oos_resolved"
_INDEXED = ("source", "order_id", "first_seen_at", "resolved_reason")
_BATCH = 200


def resolved_key(source: str, order_id: str) -> Key:
    """Return where a resolved order stands."""
    return Key(COLLECTION, order_name(source, order_id))


def walk(store: Store, wanted: Walked) -> Iterator[tuple[Place, Stored]]:
    """Yield resolved orders in order, reading as many as the caller takes."""
    place = Position(*wanted.after) if wanted.after else None
    field = f"sort_{wanted.sort}"
    equals: list[tuple[str, Any]] = [("source", _any(wanted.sources))]
    if wanted.reasons:
        equals.append(("resolved_reason", _any(wanted.reasons)))
    query = Query(
        COLLECTION,
        tuple(equals),
        contains=("skus", wanted.sku) if wanted.sku is not None else None,
        order_by=field,
        descending=wanted.descending,
        at_least=wanted.between[0],
        at_most=wanted.between[1],
        limit=_BATCH,
    )
    while True:
        found = store.query(replace(query, after=place))
        for stored in found:
            place = Position(stored.data[field], stored.key.id)
            yield (place.value, place.id), stored
        if len(found) < _BATCH:
            return


def first_seen(store: Store, source: str, between: tuple[str, str]) -> Iterator[Stored]:
    """Yield a source's resolved orders that were first seen within inclusive bounds."""
    query = Query(
        COLLECTION, (("source", source),), order_by="first_seen_at", at_least=between[0], at_most=between[1], limit=500
    )
    place: Position | None = None
    while True:
        found = store.query(replace(query, after=place))
        yield from found
        if len(found) < query.limit:
            return
        place = Position(found[-1].data["first_seen_at"], found[-1].key.id)


def _any(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)


def resolved_writes(gone: Sequence[Row], back: Sequence[Row], raw: Mapping[str, Any], header: Header) -> list[Write]:
    """Return the writes that record the orders `gone` with a snapshot and forget those that came `back`."""
    writes: list[Write] = [
        Put(
            resolved_key(row["source"], row["order_id"]),
            {name: row[name] for name in _INDEXED}
            | {f"sort_{name}": value(row) for name, value in SORTS.items()}
            | {"skus": sorted({line["sku"].casefold() for line in row["lines"] if line["sku"]})}
            | {"row": row, "raw": pack(raw.get(row["order_id"]))}
            | {"snapshot_id": header.id, "fetched_at": header.fetched_at},
        )
        for row in gone
    ]
    return writes + [Delete(resolved_key(row["source"], row["order_id"])) for row in back]
