"""What a refresh has read so far, kept in documents so that a killed run goes on from there.

Several pages share one document and one checkpoint: a document store bills each of both. What a kill costs is bounded by
`PAGES` and `SECONDS`; whatever else ends a delivery keeps what was read first. The documents of a part, read in their order,
are one stream of compressed lines, one line for each page or batch. Writing one again writes the same.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from shared.core.clock import instant
from shared.jobs.kinds import Step
from shared.jobs.rules import Progress
from shared.oos.chain import PIECE, compress
from shared.oos.source import HeldOrder, Verdict
from shared.ports.documents import Delete, Documents, Key, Put, Write

__all__ = ["PAGES", "PARTS", "SECONDS", "Reading", "Staging"]

PAGES, SECONDS = 8, 5.0
PARTS = ("page", "look", "stock")
_BYTES = 4_000_000
_KEPT = timedelta(hours=24)
_TOGETHER = 10
# Staged pages are read once or twice and thrown away: time is dearer than room.
_FAST = 1
_GZIP = 31


@lru_cache(maxsize=1)
def _orders() -> TypeAdapter[list[HeldOrder]]:
    return TypeAdapter(list[HeldOrder])


@lru_cache(maxsize=1)
def _verdicts() -> TypeAdapter[dict[str, Verdict]]:
    return TypeAdapter(dict[str, Verdict])


class Staging:
    """The staged reads of one job; `packs` says how many documents each part has."""

    def __init__(self, documents: Documents, job_id: str) -> None:
        """Take the store and the job whose reads these are."""
        self._documents = documents
        self._job_id = job_id

    @staticmethod
    def page(orders: list[HeldOrder]) -> bytes:
        """Return a page as a line."""
        return _orders().dump_json(orders)

    @staticmethod
    def look(verdicts: dict[str, Verdict]) -> bytes:
        """Return a batch of look-ups as a line."""
        return _verdicts().dump_json(verdicts)

    @staticmethod
    def levels(levels: Mapping[str, Any]) -> bytes:
        """Return a page of stock levels as a line."""
        return to_json(levels)

    def writes(self, part: str, first: int, lines: Sequence[bytes], now: datetime) -> list[Write]:
        """Return the writes that stage lines, the first of them as document `first` of its part."""
        packed = compress(b"".join(line + b"\n" for line in lines), _FAST) if lines else b""
        expires = instant(now + _KEPT)
        return [
            Put(self._key(part, first + number), {"data": packed[start : start + PIECE], "expires_at": expires})
            for number, start in enumerate(range(0, len(packed), PIECE))
        ]

    def orders(self, packs: Mapping[str, int]) -> Iterator[HeldOrder]:
        """Yield all staged orders in the order they were read."""
        for line in self._lines("page", packs):
            yield from _orders().validate_python(_parsed(line))

    def verdicts(self, packs: Mapping[str, int]) -> dict[str, Verdict]:
        """Return the verdicts of all staged look-ups."""
        found: dict[str, Verdict] = {}
        for line in self._lines("look", packs):
            found |= _verdicts().validate_python(_parsed(line))
        return found

    def stock(self, packs: Mapping[str, int]) -> dict[str, Any]:
        """Return all staged levels by SKU; of one site read twice the later counts."""
        found: dict[str, dict[str, Any]] = {}
        for line in self._lines("stock", packs):
            for sku, sites in _parsed(line).items():
                found.setdefault(sku, {}).update({site[0] or site[1] or "": site for site in sites})
        return {sku: list(sites.values()) for sku, sites in found.items()}

    def removals(self, packs: Mapping[str, int]) -> list[Write]:
        """Return the writes that remove everything staged."""
        return [Delete(self._key(part, number)) for part in PARTS for number in range(packs[part])]

    def _lines(self, part: str, packs: Mapping[str, int]) -> Iterator[bytes]:
        """Yield the lines of a part, a few documents in memory at a time."""
        begun, member = b"", zlib.decompressobj(_GZIP)
        for chunk in self._chunks(part, packs[part]):
            left = chunk
            while left:
                begun += member.decompress(left)
                left = member.unused_data
                member = zlib.decompressobj(_GZIP) if member.eof else member
            *whole, begun = begun.split(b"\n")
            yield from whole

    def _chunks(self, part: str, count: int) -> Iterator[bytes]:
        for start in range(0, count, _TOGETHER):
            keys = [self._key(part, number) for number in range(start, min(count, start + _TOGETHER))]
            found = self._documents.get_many(keys)
            for key in keys:
                if key not in found:
                    message = f"staged document {key.id} is gone"
                    raise LookupError(message)
                yield found[key].data["data"]

    def _key(self, part: str, number: int) -> Key:
        return Key("oos_staged", f"{self._job_id}-{part}.{number}")


def _parsed(line: bytes) -> Any:
    """Read a line; vendors' records share the texts of their keys: they are most of what is in memory."""
    return from_json(line, cache_strings="keys")


class Reading:
    """What one delivery has read of one part and not kept yet.

    Used as a context: on leaving it, also by an error, what was read is kept first. A lost lease keeps nothing.
    """

    def __init__(self, step: Step, staging: Staging, part: str, cursor: dict[str, Any]) -> None:
        """Take the step to checkpoint with, where to stage, which part, and the cursor as it is."""
        self._step, self._staging, self._part = step, staging, part
        self.cursor, self.counts = cursor, step.counts
        self._progress: Progress | None = None
        self._lines: list[bytes] = []
        self._changed, self._since = False, step.time_left()

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        """Keep what was read."""
        if error is None or isinstance(error, Exception):
            self.keep()

    def add(
        self,
        line: bytes,
        cursor: dict[str, Any],
        *,
        counts: dict[str, Any] | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Take one more page, and how far the job is with it; keep what has come together when that is enough."""
        self._lines.append(line)
        self.counts, self._progress = counts or self.counts, progress
        self.note(cursor)
        took = self._since - self._step.time_left()
        if len(self._lines) >= PAGES or took >= SECONDS or sum(map(len, self._lines)) >= _BYTES:
            self.keep()

    def note(self, cursor: dict[str, Any]) -> None:
        """Take how far the job is without anything to stage."""
        self.cursor, self._changed = cursor, True

    def keep(self) -> None:
        """Stage and checkpoint what has not been."""
        if not self._changed:
            return
        lines, self._lines, self._changed, self._since = self._lines, [], False, self._step.time_left()
        first = self.cursor["packs"][self._part]
        writes = self._staging.writes(self._part, first, lines, self._step.now)
        self.cursor = self.cursor | {"packs": {**self.cursor["packs"], self._part: first + len(writes)}}
        self._step.checkpoint(cursor=self.cursor, counts=self.counts, progress=self._progress, writes=writes)
