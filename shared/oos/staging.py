"""What a refresh has read so far, kept in documents so that a killed run goes on at its page.

Every page and every batch of look-ups is one document named by job, part and number: writing it again writes the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from shared.core.clock import instant
from shared.oos.chain import compress, unpack
from shared.oos.snapshot import piece_count
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

    def stock_writes(self, number: int, levels: Mapping[str, Any], now: datetime) -> list[Write]:
        """Return the writes that stage page `number` of the stock levels."""
        return self._packed(f"stock-{number}", compress(to_json(levels), _FAST), now)

    def stock(self, pages: int) -> dict[str, Any]:
        """Return all staged levels by SKU; of one site read twice the later counts."""
        found: dict[str, dict[str, Any]] = {}
        for number in range(pages):
            for sku, sites in self._read(f"stock-{number}").items():
                found.setdefault(sku, {}).update({site[0] or site[1] or "": site for site in sites})
        return {sku: list(sites.values()) for sku, sites in found.items()}

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

    def removals(self, pages: int, batches: int, levels: int) -> Iterator[list[Write]]:
        """Yield batches of writes that remove everything staged."""
        counts = {"page": pages, "look": batches, "stock": levels}
        names = [f"{part}-{number}" for part, count in counts.items() for number in range(count)]
        for start in range(0, len(names), 50):
            heads = self._documents.get_many([self._key(name, 0) for name in names[start : start + 50]])
            yield [Delete(key) for head in heads.values() for key in self._pieces(head.key, head.data["pieces"])]

    def _writes(self, name: str, plain: bytes, now: datetime) -> list[Write]:
        return self._packed(name, compress(plain, _FAST), now)

    def _packed(self, name: str, packed: bytes, now: datetime) -> list[Write]:
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
