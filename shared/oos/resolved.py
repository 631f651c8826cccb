"""Resolved orders as documents of their own: for look-ups by id, history, and to recognise one that comes back."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from shared.oos.rules import Row
from shared.oos.snapshot import Header, pack
from shared.ports.documents import Delete, Key, Put, Write

__all__ = ["resolved_key", "resolved_writes"]

_INDEXED = ("source", "order_id", "first_seen_at", "opened_at", "last_seen_at", "resolved_at", "resolved_reason")


def resolved_key(source: str, order_id: str) -> Key:
    """Return where a resolved order stands; any vendor text makes a safe id."""
    name = hashlib.sha256(f"{source}\x1f{order_id}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return Key("oos_resolved", name)


def resolved_writes(
    gone: Sequence[Row], back: Sequence[Row], raw: Mapping[str, Any], header: Header
) -> list[Write]:
    """Return the writes that record the orders `gone` with a snapshot and forget those that came `back`."""
    writes: list[Write] = [
        Put(
            resolved_key(row["source"], row["order_id"]),
            {name: row[name] for name in _INDEXED}
            | {"row": row, "raw": pack(raw.get(row["order_id"]))}
            | {"snapshot_id": header.id, "fetched_at": header.fetched_at},
        )
        for row in gone
    ]
    return writes + [Delete(resolved_key(row["source"], row["order_id"])) for row in back]
