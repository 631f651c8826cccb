"""Release dates of open orders: the samples of their source, and their place in the queue for stock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.oos.coverage import Stock, short_lines
from shared.oos.promise import Queue, promise
from shared.oos.samples import Sample, read_samples, samples_key
from shared.oos.unblock import first_come

if TYPE_CHECKING:
    from shared.oos.looks import View
    from shared.oos.rules import Row
    from shared.ports.store import Store

__all__ = ["Dates", "Promises"]


class Promises:
    """Reads what promises are made of."""

    def __init__(self, store: Store) -> None:
        """Take the store that holds the samples."""
        self._store = store

    def at(self, views: Mapping[str, View], stock: Stock) -> Dates:
        """Return the promises of what is open now."""
        samples = {source: read_samples(self._store.get(samples_key(source))) for source in views}
        return Dates(views, samples, stock)


class Dates:
    """The promises of what is open now."""

    def __init__(self, views: Mapping[str, View], samples: Mapping[str, list[Sample]], stock: Stock) -> None:
        """Take the views, the samples by source, and stock with what is on its way."""
        self._views, self._samples, self._stock = views, samples, stock
        self._waiting: dict[str, dict[tuple[str, str], int]] | None = None

    def of(self, row: Row) -> dict[str, Any]:
        """Return the promise of one open order."""
        view = self._views[row["source"]]
        return promise(row, view.shown.at, self._samples[row["source"]], self._queue(row))

    def _queue(self, row: Row) -> Queue:
        """Return the place in the longest queue among the order's SKUs, and what is on its way for that one."""
        places = [
            (place, line["sku"])
            for line in short_lines(row)
            if line["sku"] and (place := self._places(line["sku"]).get((row["source"], row["order_id"])))
        ]
        if not places:
            return Queue()
        position, sku = max(places)
        return Queue(position, self._stock.incoming.get(sku, 0))

    def _places(self, sku: str) -> Mapping[tuple[str, str], int]:
        if self._waiting is None:
            self._waiting = defaultdict(dict)
            for row in sorted((row for view in self._views.values() for row in view.feed), key=first_come):
                for each in {line["sku"] for line in short_lines(row) if line["sku"]}:
                    places = self._waiting[each]
                    places[row["source"], row["order_id"]] = len(places) + 1
        return self._waiting[sku]
