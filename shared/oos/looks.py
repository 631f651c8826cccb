"""Looking at published snapshots: of now, of a moment in the past, or of those a walk began with; one view per source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.errors import BadRequest, FieldError
from shared.oos.asked import Look
from shared.oos.coverage import Stock, short_lines
from shared.oos.queue import Filter, Place, Placed, in_order, passes, placed
from shared.oos.views import Shown
from shared.oos.words import SOURCES

if TYPE_CHECKING:
    from shared.oos.reader import Current, Loaded, SnapshotReader
    from shared.oos.rules import Row

__all__ = ["Look", "OwnStock", "View", "Views"]

OwnStock = Callable[[Collection[str]], Mapping[str, Sequence[tuple[str, int]]]]
"""Gives the free units of SKUs in our own stores, as (store, units)."""


class View:
    """A snapshot being read, with the staleness and age of its source."""

    def __init__(self, current: Current, loaded: Loaded) -> None:
        """Take the source's state and the snapshot to read."""
        self.source, self.loaded = current.source, loaded
        self.shown = Shown(loaded.header.id, loaded.header.fetched_at, stale=current.stale)
        self.age_s = current.age_s or 0

    @property
    def open(self) -> list[Row]:
        """Return the open rows, of whatever reason."""
        return self.loaded.open

    @property
    def feed(self) -> list[Row]:
        """Return the open rows that wait for stock."""
        rows = self.loaded.open
        found: list[Row] = self.loaded.keep("feed", lambda: [row for row in rows if short_lines(row)])
        return found

    def placed(
        self, wanted: Filter, sort: str, *, descending: bool, after: Place | None
    ) -> Iterator[tuple[Place, Row]]:
        """Yield the open rows that pass a filter, in order."""
        rows = self.loaded.open
        ordered: Placed = self.loaded.keep(f"by_{sort}", lambda: in_order(rows, sort))
        return placed(ordered, passes(wanted, self.shown.at), descending=descending, after=after)

    def provenance(self) -> dict[str, Any]:
        """Return what the answer says of this snapshot."""
        return {"snapshot_id": self.shown.snapshot_id, "fetched_at": self.shown.fetched_at, "stale": self.shown.stale}


class Views:
    """Gives the views, and the stock that belongs to them."""

    def __init__(self, reader: SnapshotReader, own_stock: OwnStock) -> None:
        """Take the reader of snapshots and what our own stores have."""
        self._reader, self._own_stock = reader, own_stock

    def of(self, look: Look) -> dict[str, View]:
        """Return a view per source that has a snapshot; raise BadRequest `bad_cursor` for one cleaned away."""
        found = {source: self._view(source, look) for source in look.sources}
        return {source: view for source, view in found.items() if view is not None}

    def stock(self, look: Look, skus: Iterable[str], *, own: bool = True) -> Stock:
        """Return the stock of all sources for these SKUs, and the demand of everything held.

        Other sources than those looked at count as well: units for a Stord order may lie at ShipBob.
        """
        wanted = sorted(set(skus))
        stock = Stock()
        for source, view in self.of(Look(SOURCES, look.as_of, None)).items():
            stock.add_levels(source, view.loaded.stock, wanted)
            stock.add_held(view.feed)
        if own and look.as_of is None:
            for sku, stores in self._own_stock(wanted).items():
                for store, units in stores:
                    stock.add_own(sku, store, units)
        return stock

    def own(self, skus: Iterable[str]) -> dict[str, int]:
        """Return the units of SKUs that our own stores have free, all together."""
        return {sku: sum(units for _, units in stores) for sku, stores in self._own_stock(set(skus)).items()}

    def _view(self, source: str, look: Look) -> View | None:
        if look.pinned is not None:
            if source not in look.pinned:
                return None
            return View(self._reader.current(source), self.pinned(source, look.pinned[source]))
        current = self._reader.current(source) if look.as_of is None else self._reader.at(source, look.as_of)
        return View(current, current.loaded) if current and current.loaded else None

    def pinned(self, source: str, snapshot_id: str) -> Loaded:
        """Return the snapshot a cursor names; raise BadRequest."""
        loaded = self._reader.snapshot(snapshot_id)
        if loaded is None or loaded.header.source != source:
            detail = "This cursor's snapshot is no longer kept; start the walk again."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
        return loaded
