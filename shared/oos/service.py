"""Reading the queue: the canonical list, one order, and the older feed, all from published snapshots."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from pydantic_core import to_json

from shared.core.clock import parse_instant
from shared.core.errors import BadRequest, FieldError, NotFound
from shared.oos.asked import Asked, Feed
from shared.oos.queue import Place, placed, selected
from shared.oos.reader import Current, Loaded, SnapshotReader
from shared.oos.resolved import resolved_key, walk
from shared.oos.rules import Row
from shared.oos.snapshot import unpack
from shared.oos.views import LEGACY_LIMIT, Shown, legacy_view, order_view
from shared.ports.documents import Stored
from shared.ports.store import Store

__all__ = ["Asked", "Feed", "Found", "OosService", "Queue"]


@dataclass(frozen=True, slots=True)
class Queue:
    """One page of the canonical list: rendered orders, where to go on, and what it was read from."""

    orders: list[dict[str, Any]]
    next: Place | None
    total: int | None
    snapshots: dict[str, dict[str, Any]]
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

    def queue(self, asked: Asked) -> Queue:
        """Return a page of the queue.

        Open orders come from the published snapshots (of a cursor: from those the walk began with; raise BadRequest
        `bad_cursor` when one has been cleaned away), resolved ones from their documents.
        """
        shown = {view.source: view for name in asked.sources if (view := self._view(name, asked.pinned)) is not None}
        raws = {source: view.loaded.raw for source, view in shown.items()} if asked.raw else {}
        stream = islice(self._stream(asked, shown), asked.offset, None)
        taken = list(islice(stream, asked.limit + 1))
        orders = [self._shown(found, shown, raws, history=asked.history) for _, found in taken[: asked.limit]]
        return Queue(
            orders=orders,
            next=taken[asked.limit - 1][0] if len(taken) > asked.limit else None,
            total=sum(1 for _ in self._stream(replace(asked, after=None), shown)) if asked.total else None,
            snapshots={source: view.provenance() for source, view in shown.items()},
            age_s=max((view.age_s for view in shown.values()), default=None),
        )

    def _stream(self, asked: Asked, shown: Mapping[str, "_View"]) -> Iterator[tuple[Place, Row | Stored]]:
        """Yield what passes the filter, in order: open rows from memory merged with resolved documents."""
        streams: list[Iterable[tuple[Place, Row | Stored]]] = []
        order: Any = {"descending": asked.descending, "after": asked.after}
        if asked.state != "resolved":
            rows = [row for view in shown.values() for row in selected(view.open, asked.wanted, view.shown.at)]
            streams.append(placed(rows, asked.sort, **order))
        if asked.state != "open":
            streams.append(self._resolved(asked, shown))
        return _merged([iter(stream) for stream in streams], descending=asked.descending)

    def _resolved(self, asked: Asked, shown: Mapping[str, "_View"]) -> Iterator[tuple[Place, Stored]]:
        """Yield resolved orders, leaving out those that were still open in the snapshots this walk is on."""
        order: Any = {"descending": asked.descending, "after": asked.after}
        for place, stored in walk(self._store, asked.sources, asked.sort, **order):
            row = stored.data["row"]
            view = shown.get(row["source"])
            later = view is not None and row["resolved_at"] > view.shown.fetched_at
            if not later and selected([row], asked.wanted, parse_instant(stored.data["fetched_at"])):
                yield place, stored

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
        """Return a page of the older feed, latest last_seen first; the default page comes as it was published.

        `snapshot_id` (from a cursor) keeps a walk on the snapshot it began with; raise BadRequest `bad_cursor` when that has
        been cleaned away.
        """
        current = self._reader.current(source)
        loaded = self._pinned(source, snapshot_id) if snapshot_id else current.loaded
        if loaded is None:
            return Feed(lambda: b"[]", None, "none", 0, None, None)
        header = loaded.header
        following = (header.id, offset + limit) if header.legacy_orders > offset + limit else None
        facts: dict[str, Any] = {"total": header.legacy_orders, "next": following, "age_s": current.age_s}
        if limit == LEGACY_LIMIT and offset == 0 and not raw:
            return Feed(lambda: loaded.legacy_plain, loaded.legacy_gzip, header.legacy_etag, **facts)
        etag = f"{header.legacy_etag}-{limit}-{offset}-{int(raw)}"
        return Feed(lambda: _legacy_page(loaded, limit, offset, raw=raw), None, etag, **facts)

    def _view(self, source: str, pinned: Mapping[str, str] | None) -> "_View | None":
        current = self._reader.current(source)
        if pinned is None:
            return _View(current, current.loaded) if current.loaded else None
        return _View(current, self._pinned(source, pinned[source])) if source in pinned else None

    def _pinned(self, source: str, snapshot_id: str) -> Loaded:
        loaded = self._reader.snapshot(snapshot_id)
        if loaded is None or loaded.header.source != source:
            detail = "This cursor's snapshot is no longer kept; start the walk again."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
        return loaded

    @staticmethod
    def _shown(
        found: Row | Stored, shown: Mapping[str, "_View"], raws: Mapping[str, Mapping[str, Any]], *, history: bool
    ) -> dict[str, Any]:
        if isinstance(found, Stored):
            view = shown.get(found.data["row"]["source"])
            order = _from_stored(found, stale=view is not None and view.shown.stale)
            return order_view(order.row, order.shown, raw=order.raw if raws else None, history=history)
        raw = raws[found["source"]].get(found["order_id"]) if raws else None
        return order_view(found, shown[found["source"]].shown, raw=raw, history=history)


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


def _legacy_page(loaded: Loaded, limit: int, offset: int, *, raw: bool) -> bytes:
    rows = loaded.legacy_rows[offset : offset + limit]
    shown = Shown(loaded.header.id, loaded.header.fetched_at)
    raws = loaded.raw if raw else {}
    return to_json([legacy_view(row, shown, raw=raws.get(row["order_id"])) for row in rows])


def _from_stored(stored: Stored, *, stale: bool) -> Found:
    data = stored.data
    return Found(data["row"], Shown(data["snapshot_id"], data["fetched_at"], stale=stale), unpack(data["raw"]))


def _merged(
    streams: list[Iterator[tuple[Place, Row | Stored]]], *, descending: bool
) -> Iterator[tuple[Place, Row | Stored]]:
    """Merge ordered streams into one, reading each no further than needed."""
    heads = [(head, stream) for stream in streams if (head := next(stream, None)) is not None]
    while heads:
        place = max if descending else min
        number = place(range(len(heads)), key=lambda index: heads[index][0][0])
        head, stream = heads[number]
        yield head
        following = next(stream, None)
        if following is None:
            del heads[number]
        else:
            heads[number] = (following, stream)
