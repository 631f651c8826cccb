"""Uploaded files: kept as long as an import of theirs can be retried, then removed by the daily cleanup."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta

from shared.core.clock import Clock, instant
from shared.core.errors import Transient
from shared.core.values import dataclass
from shared.ports.documents import Delete, Key, Put, Query, Stored, Write
from shared.ports.files import Files
from shared.ports.store import Store

__all__ = ["UPLOADS", "Uploads"]

UPLOADS = "uploads"
_KEPT = timedelta(days=31)  # a failed import can be retried for thirty


@dataclass(frozen=True)
class Uploads:
    """Keeps uploaded files, each under a name made of its content."""

    store: Store
    clock: Clock
    files: Files

    def keep(self, name: str, pieces: Iterable[bytes]) -> str:
        """Keep a file and return its address; one that is uploaded again is kept so much longer."""
        address = self.files.put(name, pieces)
        until = instant(self.clock.now() + _KEPT)
        self.store.write([Put(Key(UPLOADS, name), {"address": address, "expires_at": until})])
        return address

    def forget(self) -> int:
        """Remove the files whose time is over; return how many. What the place refuses to remove is tried again next time."""
        query = Query(UPLOADS, order_by="expires_at", at_most=instant(self.clock.now()))
        gone = 0
        for stored in list(self.store.walk(query)):
            with suppress(Transient):
                gone += self._forgotten(stored)
        return gone

    def _forgotten(self, stored: Stored) -> bool:
        """Remove a file, unless it was uploaded again meanwhile."""
        if self._same(stored):
            self.files.delete(stored.data["address"])
        return self.store.change([stored.key], lambda found: _removed(stored, found))

    def _same(self, stored: Stored) -> bool:
        present = self.store.get(stored.key)
        return present is not None and present.version == stored.version


def _removed(read: Stored, found: Mapping[Key, Stored]) -> tuple[bool, list[Write]]:
    present = found.get(read.key)
    same = present is not None and present.version == read.version
    return same, [Delete(read.key, read.version)] if same else []
