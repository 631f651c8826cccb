"""Reading published snapshots: the pointer at most once a second, each snapshot's parts at most once per instance.

A snapshot of the past costs three document reads: its record (by time), and the frame and the log its rows stand in.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import Terminal, Unavailable
from shared.oos.publish import read_rows, render_legacy
from shared.oos.snapshot import Header, read_legacy, read_values, snapshot_key, source_key
from shared.oos.views import Shown, legacy_order
from shared.ports.documents import Data, Query

if TYPE_CHECKING:
    from shared.oos.rules import Row
    from shared.ports.store import Store

__all__ = ["Current", "Loaded", "SnapshotReader"]

_POINTER_S = 1.0
_KEPT = 6


class Loaded:
    """One immutable snapshot; each part is read when first needed and then kept."""

    def __init__(self, store: Store, header: Header) -> None:
        """Take the store to read from and the snapshot's header."""
        self.header = header
        self._store = store
        self._lock = threading.RLock()
        self._kept: dict[str, Any] = {}

    @property
    def rows(self) -> list[Row]:
        """Return all rows: the open ones latest first, then those this snapshot resolved."""
        rows: list[Row] = self._once("rows", lambda: self._whole(lambda: read_rows(self._store.documents, self.header)))
        return rows

    @property
    def open(self) -> list[Row]:
        """Return the open rows, latest first."""
        rows = self.rows
        found: list[Row] = self._once("open", lambda: [row for row in rows if row["state"] == "open"])
        return found

    @property
    def by_id(self) -> Mapping[str, Row]:
        """Return the rows by order id."""
        rows = self.rows
        found: Mapping[str, Row] = self._once("by_id", lambda: {row["order_id"]: row for row in rows})
        return found

    @property
    def raw(self) -> Mapping[str, Any]:
        """Return the vendor's records by order id (not kept: they are large and rarely asked for)."""
        return self._values("raw")

    @property
    def stock(self) -> Mapping[str, Any]:
        """Return the stock levels by SKU: `[[facility_id, facility, on_hand, available, incoming], ...]`."""
        found: Mapping[str, Any] = self._once("stock", lambda: self._values("stock"))
        return found

    @property
    def legacy_gzip(self) -> bytes:
        """Return the older feed's first page, compressed; as it was published while this is the newest snapshot."""
        packed: bytes = self._once("legacy", self._legacy)
        return packed

    @property
    def legacy_plain(self) -> bytes:
        """Return the older feed's first page for a client that does not take gzip."""
        packed = self.legacy_gzip
        plain: bytes = self._once("legacy_plain", lambda: gzip.decompress(packed))
        return plain

    @property
    def legacy_rows(self) -> list[Row]:
        """Return the rows of the older feed in its order."""
        rows = self.open
        found: list[Row] = self._once("legacy_rows", lambda: legacy_order(rows))
        return found

    def keep(self, name: str, make: Any) -> Any:
        """Return something derived from this snapshot, made once."""
        return self._once(name, make)

    def _once(self, name: str, make: Any) -> Any:
        if name not in self._kept:
            with self._lock:
                if name not in self._kept:
                    self._kept[name] = make()
        return self._kept[name]

    def _legacy(self) -> bytes:
        stored = read_legacy(self._store.documents, self.header)
        if stored is not None:
            return stored
        return render_legacy(self.legacy_rows, Shown(self.header.id, self.header.fetched_at))[1]

    def _values(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._whole(lambda: read_values(self._store.documents, self.header, name))
        return found

    @staticmethod
    def _whole(read: Callable[[], Any]) -> Any:
        """Read a part; one that has just been cleaned away is worth another try, which finds a newer snapshot."""
        try:
            return read()
        except Terminal as gone:
            if gone.code != "snapshot_missing":
                raise
            detail = "The snapshot was replaced while it was being read; try again."
            raise Unavailable(detail) from gone


class Current:
    """A source's published state as of now: pointer document, snapshot (None before the first), age and staleness."""

    def __init__(self, source: str, data: Data, loaded: Loaded | None, *, stale: bool, age_s: int | None) -> None:
        """Take what the reader found."""
        self.source, self.data, self.loaded = source, data, loaded
        self.stale, self.age_s = stale, age_s

    def shown(self) -> Shown:
        """Return the provenance its rows are shown with; only for a source with a snapshot."""
        header = self.header
        return Shown(header.id, header.fetched_at, stale=self.stale)

    @property
    def header(self) -> Header:
        """Return the header of the snapshot; only for a source with one."""
        if self.loaded is None:
            message = "no snapshot yet"
            raise LookupError(message)
        return self.loaded.header


class SnapshotReader:
    """Gives the current snapshot of a source, and older ones by id."""

    def __init__(self, store: Store, clock: Clock, stale_after: timedelta) -> None:
        """Take the store, time, and the age of the last success beyond which data is stale."""
        self._store, self._clock, self._stale_after = store, clock, stale_after
        self._lock = threading.Lock()
        self._pointers: dict[str, tuple[float, Data]] = {}
        self._loaded: OrderedDict[str, Loaded] = OrderedDict()

    def current(self, source: str) -> Current:
        """Return what is published for a source; costs one document read at most once a second."""
        data = self._pointer(source)
        loaded = self._keep(Header.of(data["snapshot"])) if data.get("snapshot") else None
        age_s = self._age(loaded.header) if loaded else None
        return Current(source, data, loaded, stale=self._is_stale(data), age_s=age_s)

    def forget(self, source: str) -> None:
        """Read the pointer of a source anew next time: called where a snapshot has just been published."""
        self._pointers.pop(source, None)

    def snapshot(self, snapshot_id: str) -> Loaded | None:
        """Return a published snapshot by id, or None when it is unknown or cleaned away."""
        with self._lock:
            if snapshot_id in self._loaded:
                return self._loaded[snapshot_id]
        record = self._store.get(snapshot_key(snapshot_id))
        if record is None or record.data["state"] != "published":
            return None
        return self._keep(Header.of(record.data["header"]))

    def at(self, source: str, moment: datetime) -> Current | None:
        """Return what was published for a source at a moment, or None; as stale and old as it was then."""
        equals = (("source", source), ("state", "published"))
        query = Query("oos_snapshots", equals, order_by="made_at", descending=True, at_most=instant(moment), limit=1)
        found = self._store.query(query)
        if not found:
            return None
        loaded = self._keep(Header.of(found[0].data["header"]))
        age = moment - parse_instant(loaded.header.fetched_at)
        age_s = max(0, int(age.total_seconds()))
        return Current(source, found[0].data, loaded, stale=age > self._stale_after, age_s=age_s)

    def _pointer(self, source: str) -> Data:
        now = self._clock.monotonic()
        read_at, data = self._pointers.get(source, (-_POINTER_S, {}))
        if now - read_at < _POINTER_S:
            return data
        found = self._store.get(source_key(source))
        data = found.data if found else {}
        self._pointers[source] = (now, data)
        return data

    def _keep(self, header: Header) -> Loaded:
        with self._lock:
            loaded = self._loaded.get(header.id)
            if loaded is None:
                loaded = self._loaded[header.id] = Loaded(self._store, header)
                while len(self._loaded) > _KEPT:
                    self._loaded.popitem(last=False)
            self._loaded.move_to_end(header.id)
            return loaded

    def _age(self, header: Header) -> int:
        return max(0, int((self._clock.now() - parse_instant(header.fetched_at)).total_seconds()))

    def _is_stale(self, data: Data) -> bool:
        """Stale: never succeeded, last success too long ago, or the last run failed."""
        success = data.get("last_success_at")
        if success is None or data.get("last_status") == "failed":
            return True
        return self._clock.now() - parse_instant(success) > self._stale_after
