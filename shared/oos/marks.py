"""Marked orders: what a webhook told us to look at, what the look said, and whether readers see it already.

One document per order. A webhook only raises `seq` and sets `marked`; the job asks the vendor and writes the verdict with the
time it asked (`fetched`); the next publication shows it (`applied`). Because the verdict is the vendor's present word and
not the webhook's, duplicates and any order of arrival end in the same state. A complete read that began before the look is
overruled by it, so a slow refresh cannot bring an older state back.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter

from shared.core.clock import Clock, instant
from shared.oos.chain import compress, unpack
from shared.oos.queue import order_name
from shared.oos.source import Fate, HeldOrder, Verdict
from shared.ports.documents import Key, Put, Query, Stored, Write
from shared.ports.store import Store

__all__ = ["MARKS", "Marks", "overruled", "verdict_of"]

MARKS = "oos_marks"
MOST = 200
_KEPT = timedelta(hours=48)


@lru_cache(maxsize=1)
def _verdicts() -> TypeAdapter[Verdict]:
    return TypeAdapter(Verdict)


class Marks:
    """The marked orders of all sources."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store and time."""
        self._store, self._clock = store, clock

    @staticmethod
    def key(source: str, order_id: str) -> Key:
        """Return where the mark of an order stands."""
        return Key(MARKS, order_name(source, order_id))

    def mark(self, source: str, order_id: str, number: str | None) -> None:
        """Say that an order has to be looked at."""
        key = self.key(source, order_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[None, Sequence[Write]]:
            present = found.get(key)
            data: dict[str, Any] = present.data if present else {"seq": 0, "fetched_at": None, "verdict": None}
            told = {"source": source, "order_id": order_id, "order_number": number or data.get("order_number")}
            told |= {"seq": data["seq"] + 1, "state": "marked", "expires_at": self._expires(self._clock.now())}
            return None, [Put(key, data | told, present.version if present else None)]

        self._store.change([key], decide)

    def get(self, source: str, order_id: str) -> Stored | None:
        """Return the mark of an order."""
        return self._store.get(self.key(source, order_id))

    def fetched(self, stored: Stored, verdict: Verdict, asked_at: datetime) -> Put:
        """Return the write that keeps what the vendor said."""
        packed = compress(_verdicts().dump_json(verdict))
        told = {"state": "fetched", "verdict": packed, "fetched_at": instant(asked_at)}
        return Put(stored.key, stored.data | told | {"expires_at": self._expires(asked_at)}, stored.version)

    @staticmethod
    def applied(stored: Stored, *, changed: bool) -> Put:
        """Return the write that says readers see it."""
        return Put(stored.key, stored.data | {"state": "applied", "changed": changed}, stored.version)

    def waiting(self, source: str) -> list[Stored]:
        """Return marks whose verdict nobody sees yet."""
        return self._store.query(Query(MARKS, (("source", source), ("state", "fetched")), limit=MOST))

    def since(self, source: str, moment: str) -> list[Stored]:
        """Return marks whose vendor was asked at or after a moment, whatever became of them."""
        wanted = Query(MARKS, (("source", source),), order_by="fetched_at", at_least=moment, limit=1000)
        return [stored for stored in self._store.query(wanted) if stored.data["verdict"] is not None]

    @staticmethod
    def _expires(now: datetime) -> str:
        return instant(now + _KEPT)


def verdict_of(stored: Stored) -> Verdict:
    """Read a mark's verdict."""
    return _verdicts().validate_python(unpack(stored.data["verdict"]))


def overruled(
    held: Mapping[str, HeldOrder], verdicts: Mapping[str, Verdict], marks: Iterable[Stored]
) -> tuple[dict[str, HeldOrder], dict[str, Verdict]]:
    """Return a read and its look-ups with the later looks of marked orders in place of the earlier ones.

    A look that found nothing is no news: only a complete read, with its guard against suspicious drops, lets orders vanish.
    """
    now_held, now_told = dict(held), dict(verdicts)
    for stored in marks:
        order_id, verdict = stored.data["order_id"], verdict_of(stored)
        if verdict.fate is Fate.HELD and verdict.order is not None:
            now_held[order_id] = verdict.order
        elif verdict.fate is not Fate.VANISHED:
            now_held.pop(order_id, None)
            now_told[order_id] = verdict
    return now_held, now_told
