"""Immutable snapshots: how a refresh's result is packed into documents and read back.

Everything a reader needs lies in pieces of gzip below the document limit, named by snapshot, part and number:
`rows` (the orders), `raw` (the vendor's records), `legacy` (the older feed, rendered once). A snapshot becomes visible only
through the pointer of its source; the pieces themselves are never changed.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from shared.core.errors import Terminal
from shared.ports.documents import Data, Documents, Key, Put, Write

__all__ = ["PARTS", "Header", "pack", "piece_key", "piece_writes", "read_part", "snapshot_key", "source_key", "unpack"]

PARTS = ("rows", "raw", "legacy")
_PIECE = 850_000
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Header:
    """What the pointer says of a snapshot: identity, time of its read, counts, and how many pieces each part has."""

    id: str
    source: str
    fetched_at: str
    open_orders: int
    content_hash: str
    legacy_orders: int
    legacy_etag: str
    pieces: Mapping[str, int] = field(default_factory=dict)

    def data(self) -> Data:
        """Return the header as document data."""
        return asdict(self)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Header":
        """Read a header back from document data, ignoring further fields."""
        return cls(**{name: data[name] for name in cls.__slots__})


def source_key(source: str) -> Key:
    """Return where a source's pointer and status stand."""
    return Key("oos_sources", source)


def snapshot_key(snapshot_id: str) -> Key:
    """Return where a snapshot's own record stands."""
    return Key("oos_snapshots", snapshot_id)


def piece_key(snapshot_id: str, part: str, number: int) -> Key:
    """Return where one piece stands."""
    return Key("oos_pieces", f"{snapshot_id}-{part}-{number}")


def pack(value: Any) -> bytes:
    """Write JSON and compress it; equal values give equal bytes."""
    return compress(to_json(value))


def compress(plain: bytes, level: int = _LEVEL) -> bytes:
    """Compress deterministically."""
    return gzip.compress(plain, level, mtime=0)


def unpack(packed: bytes) -> Any:
    """Read back what `pack` wrote; raise Terminal `snapshot_damaged` when it is not whole."""
    try:
        return from_json(gzip.decompress(packed), cache_strings="keys")
    except (OSError, EOFError, ValueError, zlib.error) as damage:
        code = "snapshot_damaged"
        raise Terminal(code, "A stored snapshot could not be read.") from damage


def digest(packed: bytes) -> str:
    """Return the content hash of packed bytes."""
    return hashlib.sha256(packed).hexdigest()


def piece_writes(snapshot_id: str, part: str, packed: bytes) -> Iterator[Write]:
    """Cut packed bytes into writes, one document each."""
    for number, start in enumerate(range(0, max(1, len(packed)), _PIECE)):
        yield Put(piece_key(snapshot_id, part, number), {"data": packed[start : start + _PIECE]})


def piece_count(packed: bytes) -> int:
    """Return how many pieces `piece_writes` makes of these bytes."""
    return max(1, -(-len(packed) // _PIECE))


def read_part(documents: Documents, snapshot_id: str, part: str, pieces: int) -> bytes | None:
    """Return the packed bytes of a part, or None when the snapshot has been cleaned away."""
    keys: Sequence[Key] = [piece_key(snapshot_id, part, number) for number in range(pieces)]
    found = documents.get_many(keys)
    if len(found) < len(keys):
        return None
    return b"".join(found[key].data["data"] for key in keys)
