"""Cleaning up after refreshes: snapshots nobody can see, those older than a month, and chains none of them needs."""

from datetime import timedelta
from typing import Any

from shared.core.clock import Clock, instant
from shared.oos.chain import CHAINS, piece_key
from shared.oos.marks import MARKS
from shared.oos.snapshot import Header, legacy_keys, snapshot_key, source_key
from shared.ports.documents import Delete, Key, Put, Query, Stored
from shared.ports.store import Store

__all__ = ["KEPT", "OosMaintenance"]

KEPT = timedelta(days=32)
_DEAD_AFTER = timedelta(hours=24)
_MANY = 100


class OosMaintenance:
    """The nightly clean-up of the OOS domain; harmless to repeat and to interrupt."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Take the store and the time."""
        self._store, self._clock = store, clock

    def clean(self) -> int:
        """Remove what has had its time; return how many documents went."""
        gone = self._snapshots("writing", _DEAD_AFTER) + self._snapshots("published", KEPT)
        return gone + self._chains() + self._marks()

    def _snapshots(self, state: str, age: timedelta) -> int:
        """Remove snapshots of a state beyond an age, save the one each pointer names."""
        until = instant(self._clock.now() - age)
        wanted = Query("oos_snapshots", (("state", state),), order_by="made_at", at_most=until, limit=1000)
        return sum(self._remove(record) for record in self._store.query(wanted))

    def _remove(self, record: Stored) -> int:
        """Remove a snapshot: hidden first, its record last, so that no reader finds it half gone and a crash is resumed."""
        header = Header.of(record.data["header"])
        if header.id == self._present(header.source).get("id"):
            return 0
        if record.data["state"] == "published":
            self._store.write([Put(snapshot_key(header.id), record.data | {"state": "writing"}, record.version)])
        return self._delete([*legacy_keys(header), snapshot_key(header.id)])

    def _chains(self) -> int:
        """Remove chains that no snapshot still kept has used, save those of the pointers."""
        until = instant(self._clock.now() - KEPT - _DEAD_AFTER)
        found = self._store.query(Query(CHAINS, order_by="used_at", at_most=until, limit=1000))
        return sum(self._remove_chain(record) for record in found)

    def _remove_chain(self, record: Stored) -> int:
        parts = self._present(record.data["source"]).get("parts", {})
        chain = record.key.id
        if any(part["chain"] == chain for part in parts.values()):
            return 0
        return self._delete([*(piece_key(chain, number) for number in range(record.data["pieces"])), record.key])

    def _marks(self) -> int:
        until = instant(self._clock.now())
        found = self._store.query(Query(MARKS, order_by="expires_at", at_most=until, limit=1000))
        return self._delete([record.key for record in found])

    def _present(self, source: str) -> dict[str, Any]:
        pointer = self._store.get(source_key(source))
        return (pointer.data.get("snapshot") or {}) if pointer else {}

    def _delete(self, keys: list[Key]) -> int:
        for start in range(0, len(keys), _MANY):
            self._store.write([Delete(key) for key in keys[start : start + _MANY]])
        return len(keys)
