"""Immutable snapshots: which parts one has, where they stand, and how they are read back.

`rows` (the orders), `raw` (the vendor's records) and `stock` (units by SKU and site) are versions in chains, kept for a
month; `legacy` is the older feed of the newest snapshot, rendered once. A snapshot becomes visible only through the pointer
of its source, and is never changed afterwards.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pydantic_core import to_json

from shared.core.errors import Terminal
from shared.core.values import dataclass, field
from shared.oos.chain import PIECE, Part, compress, piece_key, read, unpack
from shared.ports.documents import Data, Documents, Key

__all__ = [
    "Header",
    "filled",
    "legacy_keys",
    "pack",
    "piece_count",
    "read_legacy",
    "read_values",
    "slim",
    "snapshot_key",
    "source_key",
    "unpack",
]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Header:
    """What the pointer says of a snapshot: identity, times, counts, and where its parts stand.

    `fetched_at` is the time of the last complete read in it; `cut_at` that of the newest single order in it, which is the
    same after a complete read. `stock_at` says when its stock levels were read, if ever.
    """

    id: str
    source: str
    fetched_at: str
    open_orders: int
    legacy_orders: int
    legacy_etag: str
    legacy_pieces: int = 0
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cut_at: str = ""
    stock_at: str | None = None

    def data(self) -> Data:
        """Return the header as document data."""
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Header":
        """Read a header back from document data, ignoring further fields."""
        return cls(**{name: data[name] for name in cls.__slots__})

    def part(self, name: str) -> Part | None:
        """Return where a part stands; None when the snapshot has none of that name."""
        found = self.parts.get(name)
        return Part(**found) if found else None


def source_key(source: str) -> Key:
    """Return where a source's pointer and status stand."""
    return Key("oos_sources", source)


def snapshot_key(snapshot_id: str) -> Key:
    """Return where a snapshot's own record stands."""
    return Key("oos_snapshots", snapshot_id)


def pack(value: Any) -> bytes:
    """Write JSON and compress it; equal values give equal bytes."""
    return compress(to_json(value))


def digest(content: bytes) -> str:
    """Return the content hash of bytes."""
    return hashlib.sha256(content).hexdigest()


def piece_count(packed: bytes) -> int:
    """Return how many pieces packed bytes are cut into."""
    return max(1, -(-len(packed) // PIECE))


def legacy_keys(header: Header) -> Sequence[Key]:
    """Return where the older feed of a snapshot stands while it is the newest."""
    return [piece_key(header.id, number) for number in range(header.legacy_pieces)]


def read_legacy(documents: Documents, header: Header) -> bytes | None:
    """Return the older feed as published, or None when the snapshot is not the newest any more."""
    keys = legacy_keys(header)
    found = documents.get_many(keys)
    return b"".join(found[key].data["data"] for key in keys) if len(found) == len(keys) else None


def read_values(documents: Documents, header: Header, name: str) -> dict[str, Any]:
    """Return a part as a mapping; raise Terminal `snapshot_missing` when it is gone."""
    part = header.part(name)
    if part is None:
        return {}
    values = read(documents, part)
    if values is None:
        code = "snapshot_missing"
        raise Terminal(code, "The published snapshot has lost its content.")
    return values


def slim(row: Row, fetched_at: str) -> Row:
    """Return a row as a snapshot keeps it: seen by its read goes without saying, so that an unchanged row is unchanged."""
    return row | {"last_seen_at": None} if row["last_seen_at"] == fetched_at else row


def filled(row: Row, fetched_at: str) -> Row:
    """Return a kept row as it was given to `slim`."""
    return row | {"last_seen_at": fetched_at} if row["last_seen_at"] is None else row
