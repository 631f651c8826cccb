"""Reading the queue: the canonical list, one order, history, and the older feed, all from published snapshots."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from shared.core.clock import parse_instant
from shared.core.errors import NotFound
from shared.core.values import dataclass
from shared.oos.asked import Asked, Feed, Look, Walked
from shared.oos.coverage import Stock, short_lines
from shared.oos.looks import OwnStock, View, Views
from shared.oos.promises import Promises
from shared.oos.queue import Facts, Filter, Place, passes
from shared.oos.resolved import resolved_key, walk
from shared.oos.rules import Row
from shared.oos.snapshot import unpack
from shared.oos.views import LEGACY_LIMIT, Shown, legacy_view, order_view
from shared.ports.documents import Stored

if TYPE_CHECKING:
    from shared.oos.reader import Loaded, SnapshotReader
    from shared.ports.store import Store

__all__ = ["Asked", "Feed", "Found", "OosService", "Queue"]

MOST_LOOKED_AT = 5_000
"""Resolved orders one page looks at; a page that found too few among them ends there, with a cursor."""


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


Place_ = tuple[Place, Row | Stored | None]
"""A place with what stands there; None marks the end of what one page looks at."""


class OosService:
    """Answers reading questions about held orders."""

    def __init__(self, store: Store, reader: SnapshotReader, own_stock: OwnStock = lambda _: {}) -> None:
        """Take the store (for resolved orders), the snapshot reader, and what our own stores have free."""
        self._store, self._reader = store, reader
        self.views = Views(reader, own_stock)
        self._promises = Promises(store)

    def queue(self, asked: Asked) -> Queue:
        """Return a page of the queue.

        Open orders come from the published snapshots (of a cursor: from those the walk began with; raise BadRequest
        `bad_cursor` when one has been cleaned away), resolved ones from their documents.
        """
        look = Look(asked.sources, asked.as_of, asked.pinned)
        shown = self.views.of(look)
        taken, following = _taken(islice(self._stream(asked, shown), asked.offset, None), asked.limit)
        dress = self._dress(asked, look, shown, taken)
        everything = self._stream(replace(asked, after=None), shown, bounded=False) if asked.total else iter(())
        return Queue(
            orders=[dress(found) for found in taken],
            next=following,
            total=sum(1 for _ in everything) if asked.total else None,
            snapshots={source: view.provenance() for source, view in shown.items()},
            age_s=max((view.age_s for view in shown.values()), default=None),
        )

    def everything(self, asked: Asked) -> Iterator[dict[str, Any]]:
        """Yield all orders that pass, rendered one by one, from the snapshots of the moment of the call."""
        shown = self.views.of(Look(asked.sources, asked.as_of))
        dress = self._dress(asked, Look(asked.sources, asked.as_of), shown, ())
        return (dress(found) for _, found in self._stream(asked, shown, bounded=False) if found is not None)

    def history(self, wanted: Walked, sku: str | None, limit: int, offset: int) -> tuple[list[Any], Place | None]:
        """Return a page of resolved orders, latest first; `sku` is folded by the index."""
        stream = islice(walk(self._store, replace(wanted, sku=sku)), offset, None)
        taken, following = _taken(stream, limit)
        stale = {source: self._reader.current(source).stale for source in wanted.sources}
        return [self._resolved_view(found, stale) for found in taken if isinstance(found, Stored)], following

    def count_history(self, wanted: Walked, sku: str | None) -> int:
        """Return how many resolved orders a history holds."""
        return sum(1 for _ in walk(self._store, replace(wanted, sku=sku, after=None)))

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

    def age_s(self, sources: Sequence[str]) -> int | None:
        """Return the age of the oldest snapshot these sources show now, in seconds; None when none has one."""
        ages = [self._reader.current(source).age_s for source in sources]
        return max((age for age in ages if age is not None), default=None)

    def order_shown(self, source: str, order_id: str, asked: Asked) -> dict[str, Any]:
        """Return one order rendered with what is asked for besides; raise NotFound."""
        found = self.order(source, order_id)
        view = order_view(found.row, found.shown, raw=found.raw if asked.raw else None, history=asked.history)
        self._add(asked, Look(), [found.row])(found.row, view)
        return view

    def legacy_feed(self, source: str, *, limit: int, offset: int, snapshot_id: str | None, raw: bool) -> Feed:
        """Return a page of the older feed, latest last_seen first; the default page comes as it was published.

        `snapshot_id` (from a cursor) keeps a walk on the snapshot it began with; raise BadRequest `bad_cursor` when that has
        been cleaned away.
        """
        current = self._reader.current(source)
        loaded = self.views.pinned(source, snapshot_id) if snapshot_id else current.loaded
        if loaded is None:
            return Feed(lambda: b"[]", None, "none", 0, None, None)
        header = loaded.header
        following = (header.id, offset + limit) if header.legacy_orders > offset + limit else None
        facts: dict[str, Any] = {"total": header.legacy_orders, "next": following, "age_s": current.age_s}
        if limit == LEGACY_LIMIT and offset == 0 and not raw:
            return Feed(lambda: loaded.legacy_plain, loaded.legacy_gzip, header.legacy_etag, **facts)
        etag = f"{header.legacy_etag}-{limit}-{offset}-{int(raw)}"
        return Feed(lambda: _legacy_page(loaded, limit, offset, raw=raw), None, etag, **facts)

    def _stream(self, asked: Asked, shown: Mapping[str, View], *, bounded: bool = True) -> Iterator[Place_]:
        """Yield what passes the filter, in order: open rows from memory merged with resolved documents."""
        streams: list[Iterable[Place_]] = []
        order: Any = {"descending": asked.descending, "after": asked.after}
        if asked.state != "resolved":
            streams += [view.placed(asked.wanted, asked.sort, **order) for view in shown.values()]
        if asked.state != "open":
            streams.append(self._resolved(asked, shown, bounded=bounded))
        return _merged([iter(stream) for stream in streams], descending=asked.descending)

    def _resolved(self, asked: Asked, shown: Mapping[str, View], *, bounded: bool) -> Iterator[Place_]:
        """Yield resolved orders, leaving out those that were still open in the snapshots this walk is on."""
        sku = next(iter(asked.wanted.skus)) if len(asked.wanted.skus) == 1 else None
        wanted = Walked(asked.sources, asked.sort, asked.descending, asked.after, sku=sku)
        for number, (place, stored) in enumerate(walk(self._store, wanted)):
            if bounded and number >= MOST_LOOKED_AT:
                yield place, None
                return
            row = stored.data["row"]
            view = shown.get(row["source"])
            later = _later(row, view, asked)
            if not later and _passes(row, asked.wanted, stored.data["fetched_at"]):
                yield place, stored

    def _dress(self, asked: Asked, look: Look, shown: Mapping[str, View], taken: Sequence[Row | Stored]) -> _Dress:
        raws = {source: view.loaded.raw for source, view in shown.items()} if asked.raw else {}
        rows = [found for found in taken if not isinstance(found, Stored)]
        return _Dress(asked, shown, raws, self._add(asked, look, rows))

    def _add(self, asked: Asked, look: Look, rows: Sequence[Row]) -> _Add:
        """Return what adds coverage and promises to rendered open orders, as asked."""
        if not asked.coverage and not asked.promise:
            return _Add(None, None)
        skus = {line["sku"] for row in rows for line in short_lines(row) if line["sku"]}
        stock = self.views.stock(look, skus)
        promises = self._promises.at(self.views.of(Look()), stock) if asked.promise and look.as_of is None else None
        return _Add(stock if asked.coverage else None, promises)

    @staticmethod
    def _resolved_view(found: Stored, stale: Mapping[str, bool]) -> dict[str, Any]:
        order = _from_stored(found, stale=stale.get(found.data["row"]["source"], True))
        return order_view(order.row, order.shown)


class _Add:
    """Adds to a rendered order what depends on more than its row."""

    def __init__(self, stock: Stock | None, promises: Any) -> None:
        self._stock, self._promises = stock, promises

    def __call__(self, row: Row, view: dict[str, Any]) -> None:
        """Add coverage to the lines and the promise to the order, where they were asked for."""
        is_open = row["state"] == "open"
        if self._stock is not None:
            for line in view["lines"]:
                line["coverage"] = self._stock.coverage(row["source"], line) if line["is_open"] and is_open else []
        if self._promises is not None:
            view["promise"] = self._promises.of(row) if is_open else None


class _Dress:
    """Renders what a page took."""

    def __init__(
        self, asked: Asked, shown: Mapping[str, View], raws: Mapping[str, Mapping[str, Any]], add: _Add
    ) -> None:
        self._asked, self._shown, self._raws, self._add = asked, shown, raws, add

    def __call__(self, found: Row | Stored) -> dict[str, Any]:
        """Return an order as the list shows it."""
        if isinstance(found, Stored):
            view = self._shown.get(found.data["row"]["source"])
            order = _from_stored(found, stale=view is not None and view.shown.stale)
            raw = order.raw if self._asked.raw else None
            made = order_view(order.row, order.shown, raw=raw, history=self._asked.history)
            self._add(order.row, made)
            return made
        raws = self._raws.get(found["source"])
        raw = raws.get(found["order_id"]) if raws is not None else None
        made = order_view(found, self._shown[found["source"]].shown, raw=raw, history=self._asked.history)
        self._add(found, made)
        return made


def _taken(stream: Iterator[Place_], limit: int) -> tuple[list[Row | Stored], Place | None]:
    """Return up to `limit` orders and the place to go on from, None at the end."""
    taken: list[Row | Stored] = []
    last: Place | None = None
    for place, found in stream:
        if found is None:
            return taken, place
        if len(taken) == limit:
            return taken, last
        taken.append(found)
        last = place
    return taken, None


def _later(row: Row, view: View | None, asked: Asked) -> bool:
    """Say whether an order was resolved after what is looked at."""
    if view is None:
        return asked.as_of is not None
    return bool(row["resolved_at"] > view.loaded.header.cut_at)


def _passes(row: Row, wanted: Filter, fetched_at: str) -> bool:
    return passes(wanted, parse_instant(fetched_at))(Facts(row))


def _legacy_page(loaded: Loaded, limit: int, offset: int, *, raw: bool) -> bytes:
    rows = loaded.legacy_rows[offset : offset + limit]
    shown = Shown(loaded.header.id, loaded.header.fetched_at)
    raws = loaded.raw if raw else {}
    return to_json([legacy_view(row, shown, raw=raws.get(row["order_id"])) for row in rows])


def _from_stored(stored: Stored, *, stale: bool) -> Found:
    data = stored.data
    return Found(data["row"], Shown(data["snapshot_id"], data["fetched_at"], stale=stale), unpack(data["raw"]))


def _merged(streams: list[Iterator[Place_]], *, descending: bool) -> Iterator[Place_]:
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
