"""Cleaning up after refreshes: snapshots nobody can see, and old ones no walk can be on any more."""

from datetime import timedelta

from shared.core.clock import Clock, instant
from shared.oos.snapshot import Header, piece_key, snapshot_key, source_key
from shared.ports.documents import Delete, Put, Query, Stored, Write
from shared.ports.store import Store

__all__ = ["OosMaintenance"]

KEPT = timedelta(hours=48)
_DEAD_AFTER = timedelta(hours=24)
_MANY = 100


class OosMaintenance:
    """The nightly clean-up of the OOS domain; harmless to repeat and to interrupt."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store and the time."""
        self._store, self._clock = store, clock

    def clean(self) -> int:
        """Remove what has had its time; return how many documents went."""
        return self._snapshots("writing", _DEAD_AFTER) + self._snapshots("published", KEPT)

    def _snapshots(self, state: str, age: timedelta) -> int:
        """Remove snapshots of a state beyond an age, save the one each pointer names."""
        until = instant(self._clock.now() - age)
        wanted = Query("oos_snapshots", (("state", state),), order_by="made_at", at_most=until, limit=1000)
        return sum(self._remove(record) for record in self._store.query(wanted))

    def _remove(self, record: Stored) -> int:
        """Remove a snapshot: hidden first, its record last, so that no reader finds it half gone and a crash is resumed."""
        header = Header.of(record.data["header"])
        pointer = self._store.get(source_key(header.source))
        if pointer is not None and (pointer.data.get("snapshot") or {}).get("id") == header.id:
            return 0
        if record.data["state"] == "published":
            self._store.write([Put(snapshot_key(header.id), record.data | {"state": "writing"}, record.version)])
        pieces = [
            piece_key(header.id, part, number) for part, count in header.pieces.items() for number in range(count)
        ]
        for start in range(0, len(pieces), _MANY):
            gone: list[Write] = [Delete(key) for key in pieces[start : start + _MANY]]
            self._store.write(gone)
        self._store.write([Delete(snapshot_key(header.id))])
        return len(pieces) + 1
