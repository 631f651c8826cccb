"""Sums over a product's levels, for whoever shows products; and reservations that have ended, taken out before anybody counts.

The sums lie in `product_stock/{product_id}`: `current_stock`, `available_stock`, `reserved_stock`, `stock_version`. A movement
changes them without touching the product. Keys that others add to the document stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant
from shared.inventory.keys import LEVELS, stock_key
from shared.inventory.rules import Data, facts_of_product, new_stock
from shared.ports.documents import Query, Stored

if TYPE_CHECKING:
    from shared.inventory.ledger import Ledger

__all__ = ["Sums"]

_MANY = 100


class Sums:
    """Reads sums that count only reservations still running, and keeps levels' labels right."""

    def __init__(self, ledger: Ledger) -> None:
        """Take the ledger, whose store and clock serve here too."""
        self._ledger, self._store = ledger, ledger.store
        self._clock: Clock = ledger.clock

    def of(self, product_ids: Iterable[str]) -> dict[str, Data]:
        """Return the sums of products by id; zeros for a product without levels."""
        wanted = list(dict.fromkeys(product_ids))
        found = self._read(wanted)
        due = [name for name, data in found.items() if self._is_due(data)]
        for product_id in due:
            for stored in self._store.query(Query(LEVELS, (("product_id", product_id),), limit=1000)):
                self._settle(stored.data)
        return found | self._read(due) if due else found

    def of_document(self, stored: Stored) -> Data:
        """Return the sums a listing has read, counted anew when a reservation in them has ended."""
        return self.of([stored.key.id])[stored.key.id] if self._is_due(stored.data) else stored.data

    def settle_due(self) -> int:
        """Take every reservation that has ended out of its level; return how many levels had one.

        Lists that filter or sort by what reservations change call this first: it is one query that finds nothing when
        nothing is due.
        """
        settled, moment = 0, instant(self._clock.now())
        while True:
            due = self._store.query(Query(LEVELS, order_by="next_expiry", at_most=moment, limit=_MANY))
            for stored in due:
                self._settle(stored.data)
            settled += len(due)
            if len(due) < _MANY:
                return settled

    def relabel_product(self, product_id: str, product: dict[str, Any], *, tell: bool = False) -> int:
        """Let a product's levels repeat its new name, price, category, threshold and status, in the surrounding commit.

        Call it after the product's own write. One level for each store: few. Return how many. With `tell` alerts look at
        levels whose threshold changes, unless there are so many of them that one commit would not take it.
        """
        levels = self._store.query(Query(LEVELS, (("product_id", product_id),), limit=400))
        booking = self._ledger.open((product_id, stored.data["store_id"]) for stored in levels)
        for stored in levels:
            store_id = stored.data["store_id"]
            facts = facts_of_product(product, store_id)
            booking.relabel(product_id, store_id, facts, tell=tell and len(levels) <= _MANY)
        booking.write()
        return len(levels)

    def levels_of(self, product_id: str) -> Sequence[Stored]:
        """Return a product's levels, one for each store that has one."""
        return self._store.query(Query(LEVELS, (("product_id", product_id),), limit=1000))

    def _read(self, product_ids: Sequence[str]) -> dict[str, Data]:
        found = self._store.get_many([stock_key(name) for name in product_ids]) if product_ids else {}
        by_id = {key.id: stored.data for key, stored in found.items()}
        return {name: by_id.get(name) or new_stock(name) for name in product_ids}

    def _is_due(self, data: Data) -> bool:
        moment = instant(self._clock.now())
        return any(until <= moment for until in data["expiries"].values())

    def _settle(self, level: Data) -> None:
        """Settle one level, in a commit of its own (or the surrounding one)."""
        product_id, store_id = level["product_id"], level["store_id"]
        if level["next_expiry"] is None or level["next_expiry"] > instant(self._clock.now()):
            return

        def work() -> bool:
            booking = self._ledger.open([(product_id, store_id)])
            more = booking.settle(product_id, store_id) == _MANY
            booking.write()
            return more

        while self._store.atomically(work):
            pass
