"""What a refresh has read so far, kept in documents so that a killed run goes on at its page.

Every page and every batch of look-ups is one document named by job, part and number: writing it again writes the same.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from shared.core.clock import instant
from shared.oos.snapshot import compress, piece_count, unpack
from shared.oos.source import HeldOrder, Verdict
from shared.ports.documents import Delete, Documents, Key, Put, Write

__all__ = ["Staging"]

_KEPT = timedelta(hours=24)
_PIECE = 850_000
# Staged pages are read once or twice and thrown away: time is dearer than room.
_FAST = 1


@lru_cache(maxsize=1)
def _orders() -> TypeAdapter[list[HeldOrder]]:
    return TypeAdapter(list[HeldOrder])


@lru_cache(maxsize=1)
def _verdicts() -> TypeAdapter[dict[str, Verdict]]:
    return TypeAdapter(dict[str, Verdict])


class Staging:
    """The staged reads of one job."""

    def __init__(self, documents: Documents, job_id: str) -> None:
        """Take the store and the job whose reads these are."""
        self._documents = documents
        self._job_id = job_id

    def page_writes(self, number: int, orders: list[HeldOrder], now: datetime) -> list[Write]:
        """Return the writes that stage page `number`."""
        return self._writes(f"page-{number}", _orders().dump_json(orders), now)

    def look_writes(self, number: int, verdicts: dict[str, Verdict], now: datetime) -> list[Write]:
        """Return the writes that stage the look-ups of batch `number`."""
        return self._writes(f"look-{number}", _verdicts().dump_json(verdicts), now)

    def orders(self, pages: int) -> Iterator[HeldOrder]:
        """Yield all staged orders in the order they were read."""
        for number in range(pages):
            yield from _orders().validate_python(self._read(f"page-{number}"))

    def verdicts(self, batches: int) -> dict[str, Verdict]:
        """Return the verdicts of all staged look-ups."""
        found: dict[str, Verdict] = {}
        for number in range(batches):
            found |= _verdicts().validate_python(self._read(f"look-{number}"))
        return found

    def removals(self, pages: int, batches: int) -> Iterator[list[Write]]:
        """Yield batches of writes that remove everything staged."""
        names = [f"page-{number}" for number in range(pages)] + [f"look-{number}" for number in range(batches)]
        for start in range(0, len(names), 50):
            heads = self._documents.get_many([self._key(name, 0) for name in names[start : start + 50]])
            yield [Delete(key) for head in heads.values() for key in self._pieces(head.key, head.data["pieces"])]

    def _writes(self, name: str, plain: bytes, now: datetime) -> list[Write]:
        packed = compress(plain, _FAST)
        count = piece_count(packed)
        expires = instant(now + _KEPT)
        return [
            Put(
                self._key(name, number),
                {"data": packed[number * _PIECE : (number + 1) * _PIECE], "pieces": count, "expires_at": expires},
            )
            for number in range(count)
        ]

    def _read(self, name: str) -> Any:
        head = self._documents.get(self._key(name, 0))
        if head is None:
            message = f"staged part {name} is gone"
            raise LookupError(message)
        rest: Sequence[Key] = self._pieces(head.key, head.data["pieces"])[1:]
        found = self._documents.get_many(rest) if rest else {}
        return unpack(b"".join([head.data["data"], *(found[key].data["data"] for key in rest)]))

    def _key(self, name: str, piece: int) -> Key:
        return Key("oos_staged", f"{self._job_id}-{name}.{piece}")

    @staticmethod
    def _pieces(head: Key, count: int) -> list[Key]:
        stem = head.id.rpartition(".")[0]
        return [Key(head.collection, f"{stem}.{number}") for number in range(count)]
