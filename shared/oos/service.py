"""Reading the queue: the canonical list, one order, and the older feed, all from published snapshots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from shared.core.errors import BadRequest, NotFound
from shared.oos.queue import Filter, Place, ordered, place_of, selected
from shared.oos.reader import Current, Loaded, SnapshotReader
from shared.oos.resolved import resolved_key
from shared.oos.rules import Row
from shared.oos.snapshot import unpack
from shared.oos.views import LEGACY_LIMIT, Shown, in_legacy_feed, legacy_view, newest_first, order_view
from shared.oos.words import SOURCES
from shared.ports.documents import Stored
from shared.ports.store import Store

__all__ = ["Feed", "Found", "OosService", "Queue"]


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the canonical list: rendered orders, where to go on, and what it was read from."""

    orders: list[dict[str, Any]]
    next: Place | None
    total: int
    snapshots: dict[str, dict[str, Any]]
    age_s: int | None


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of the older feed as bytes: plain and, for the default page, gzip; `etag` without quotes."""

    plain: bytes
    packed: bytes | None
    etag: str
    total: int
    next: tuple[str, int] | None
    age_s: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """One order with the provenance it is shown with."""

    row: Row
    shown: Shown
    raw: Any


class OosService:
    """Answers every reading question about held orders."""

    def __init__(self, store: Store, reader: SnapshotReader) -> None:
        """Take the store (for resolved orders) and the snapshot reader."""
        self._store, self._reader = store, reader

    def queue(
        self,
        wanted: Filter,
        *,
        sources: Sequence[str] = SOURCES,
        sort: str = "opened_at",
        descending: bool = True,
        limit: int = 50,
        after: Place | None = None,
        offset: int = 0,
        pinned: Mapping[str, str] | None = None,
        history: bool = False,
        raw: bool = False,
    ) -> Queue:
        """Return a page of open orders over the given sources.

        `pinned` (source -> snapshot id, from a cursor) keeps a walk on the snapshots it began with; raise BadRequest
        `bad_cursor` when one has been cleaned away.
        """
        views = [self._view(source, pinned) for source in sources]
        shown = {view.source: view for view in views if view is not None}
        rows = [row for view in shown.values() for row in selected(view.open, wanted, view.shown.at)]
        page = ordered(rows, sort, descending=descending, after=after)[offset:]
        taken, more = page[:limit], len(page) > limit
        raws = {source: view.loaded.raw for source, view in shown.items()} if raw else {}
        return Queue(
            orders=[self._order(row, shown[row["source"]], raws, history=history) for row in taken],
            next=place_of(taken[-1], sort) if more and taken else None,
            total=len(rows),
            snapshots={source: view.provenance() for source, view in shown.items()},
            age_s=max((view.age_s for view in shown.values()), default=None),
        )

    def order(self, source: str, order_id: str) -> Found:
        """Return one order, open or resolved; raise NotFound."""
        current = self._reader.current(source)
        if current.loaded is not None and order_id in current.loaded.by_id:
            return Found(current.loaded.by_id[order_id], current.shown(), current.loaded.raw.get(order_id))
        stored = self._store.get(resolved_key(source, order_id))
        if stored is None:
            detail = "No order with this id has been held at this source."
            raise NotFound(detail, resource="order")
        return _from_stored(stored, stale=current.stale)

    def legacy_feed(self, source: str, *, limit: int, offset: int, snapshot_id: str | None, raw: bool) -> Feed:
        """Return a page of the older feed, latest last_seen first; the default page comes as it was published."""
        current = self._reader.current(source)
        loaded = self._pinned(source, snapshot_id) if snapshot_id else current.loaded
        if loaded is None:
            return Feed(b"[]", None, "empty", 0, None, None)
        header = loaded.header
        following = (header.id, offset + limit) if header.legacy_orders > offset + limit else None
        if limit == LEGACY_LIMIT and offset == 0 and not raw:
            plain, packed = b"", loaded.legacy_gzip
            return Feed(plain, packed, header.legacy_etag, header.legacy_orders, following, current.age_s)
        rows = loaded.keep("legacy_rows", lambda: _legacy_rows(loaded))[offset : offset + limit]
        shown = Shown(header.id, header.fetched_at)
        raws = loaded.raw if raw else {}
        plain = to_json([legacy_view(row, shown, raw=raws.get(row["order_id"])) for row in rows])
        return Feed(plain, None, f"{header.legacy_etag}-{limit}-{offset}-{int(raw)}", header.legacy_orders, following, current.age_s)

    def legacy_plain(self, source: str) -> bytes:
        """Return the default page of the older feed uncompressed."""
        current = self._reader.current(source)
        return current.loaded.legacy_plain if current.loaded else b"[]"

    def _view(self, source: str, pinned: Mapping[str, str] | None) -> "_View | None":
        current = self._reader.current(source)
        if pinned is None:
            return _View(current, current.loaded) if current.loaded else None
        return _View(current, self._pinned(source, pinned[source])) if source in pinned else None

    def _pinned(self, source: str, snapshot_id: str) -> Loaded:
        loaded = self._reader.snapshot(snapshot_id)
        if loaded is None or loaded.header.source != source:
            detail = "This cursor's snapshot is no longer kept; start the walk again."
            raise BadRequest(detail, code="bad_cursor")
        return loaded

    @staticmethod
    def _order(row: Row, view: "_View", raws: Mapping[str, Mapping[str, Any]], *, history: bool) -> dict[str, Any]:
        raw = raws[row["source"]].get(row["order_id"]) if raws else None
        return order_view(row, view.shown, raw=raw, history=history)


class _View:
    """A snapshot being read, with the staleness of its source."""

    def __init__(self, current: Current, loaded: Loaded) -> None:
        self.source, self.loaded = current.source, loaded
        self.shown = Shown(loaded.header.id, loaded.header.fetched_at, stale=current.stale)
        self.age_s = current.age_s or 0

    @property
    def open(self) -> list[Row]:
        return [row for row in self.loaded.rows if row["state"] == "open"]

    def provenance(self) -> dict[str, Any]:
        return {"snapshot_id": self.shown.snapshot_id, "fetched_at": self.shown.fetched_at, "stale": self.shown.stale}


def _legacy_rows(loaded: Loaded) -> list[Row]:
    return newest_first((row for row in loaded.rows if in_legacy_feed(row)), "last_seen_at")


def _from_stored(stored: Stored, *, stale: bool) -> Found:
    data = stored.data
    return Found(data["row"], Shown(data["snapshot_id"], data["fetched_at"], stale=stale), unpack(data["raw"]))
