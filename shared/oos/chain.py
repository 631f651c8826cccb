"""Chains: how many versions of one large mapping are kept for the price of their changes.

A chain begins with a **frame**, the whole mapping, and goes on in one **log** of entries, each a gzip member that says what
was set and what is gone. A version is a frame and a length of the log, so publishing a version appends its change and nothing
else, and reading any of them, however old, costs the frame's pieces and the log: two documents up to about 7,000 orders.
The log grows only in the commit that makes the new version visible: what is behind a published length never changes.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from pydantic_core import from_json, to_json

from shared.core.errors import Terminal
from shared.core.values import dataclass, field
from shared.ports.documents import Data, Documents, Key, Put, Write

__all__ = [
    "Change",
    "Part",
    "Version",
    "change_between",
    "compress",
    "extend",
    "log_key",
    "piece_key",
    "read",
    "unpack",
]

Values = Mapping[str, Any]

PIECE = 850_000
CHAINS = "oos_chains"
PIECES = "oos_pieces"
_LEVEL = 6
_LEAST_LOG = 64_000
_LOG_PER_FRAME = 8
_SMALL = 4_096


@dataclass(frozen=True, slots=True)
class Part:
    """One version of one mapping: its chain, the frame's pieces and bytes, and the length of the log that belongs to it."""

    chain: str
    pieces: int
    frame_bytes: int
    end: int = 0

    def data(self) -> Data:
        """Return the part as document data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between two versions."""

    put: Values = field(default_factory=dict)
    gone: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A new version: `early` writes may come any time before the commit that shows it, `late` ones belong into that commit."""

    part: Part
    early: Sequence[Write]
    late: Sequence[Write]


def change_between(before: Values, after: Values) -> Change:
    """Return what turns one mapping into another."""
    absent = object()
    put = {name: value for name, value in after.items() if before.get(name, absent) != value}
    return Change(put, sorted(name for name in before if name not in after))


def extend(
    documents: Documents, base: Part | None, change: Change, whole: Callable[[], Values], mark: tuple[str, str, str]
) -> Version:
    """Return the version that `change` makes of `base`; a new chain begins when the log is full or the change is large.

    `whole` gives the mapping itself and is asked only for a new frame. `mark` is (id of a new chain, source, time).
    """
    chain, source, now = mark
    if base is not None:
        entry = _entry(change)
        longest = min(PIECE, max(_LEAST_LOG, base.frame_bytes * _LOG_PER_FRAME))
        if base.end + len(entry) <= longest and 2 * len(entry) <= max(base.frame_bytes, _SMALL):
            stored = documents.get(log_key(base.chain))
            if stored is not None and len(stored.data["data"]) >= base.end:
                log = stored.data["data"][: base.end] + entry
                late = [Put(log_key(base.chain), stored.data | {"data": log, "used_at": now})]
                return Version(replace(base, end=len(log)), (), late)
    packed = compress(to_json(whole()))
    early: list[Write] = list(piece_writes(chain, packed))
    early.append(Put(log_key(chain), {"data": b"", "source": source, "pieces": len(early), "used_at": now}))
    return Version(Part(chain, len(early) - 1, len(packed)), early, ())


def read(documents: Documents, part: Part) -> dict[str, Any] | None:
    """Return the mapping of a version, or None when it has been cleaned away."""
    pieces = [piece_key(part.chain, number) for number in range(part.pieces)]
    wanted = [*pieces, log_key(part.chain)] if part.end else pieces
    found = documents.get_many(wanted)
    if len(found) < len(wanted):
        return None
    values: dict[str, Any] = unpack(b"".join(found[key].data["data"] for key in pieces))
    if part.end:
        for put, gone in _entries(found[log_key(part.chain)].data["data"][: part.end]):
            for name in gone:
                values.pop(name, None)
            values.update(put)
    return values


def piece_key(owner: str, number: int) -> Key:
    """Return where one piece of packed bytes stands."""
    return Key(PIECES, f"{owner}-{number}")


def log_key(chain: str) -> Key:
    """Return where the log of a chain stands."""
    return Key(CHAINS, chain)


def piece_writes(owner: str, packed: bytes) -> Iterator[Write]:
    """Cut packed bytes into writes, one document each."""
    for number, start in enumerate(range(0, max(1, len(packed)), PIECE)):
        yield Put(piece_key(owner, number), {"data": packed[start : start + PIECE]})


def compress(plain: bytes, level: int = _LEVEL) -> bytes:
    """Compress deterministically."""
    return gzip.compress(plain, level, mtime=0)


def unpack(packed: bytes) -> Any:
    """Read compressed JSON; raise Terminal `snapshot_damaged` when it is not whole."""
    try:
        return from_json(gzip.decompress(packed), cache_strings="keys")
    except (OSError, EOFError, ValueError, zlib.error) as damage:
        raise _damaged() from damage


def _entry(change: Change) -> bytes:
    if not change.put and not change.gone:
        return b""
    return compress(to_json([change.put, list(change.gone)]) + b"\n")


def _entries(log: bytes) -> Iterator[tuple[dict[str, Any], list[str]]]:
    try:
        for line in gzip.decompress(log).splitlines():
            put, gone = from_json(line, cache_strings="keys")
            yield put, gone
    except (OSError, EOFError, ValueError, zlib.error) as damage:
        raise _damaged() from damage


def _damaged() -> Terminal:
    code = "snapshot_damaged"
    return Terminal(code, "A stored snapshot could not be read.")
