"""What stock does when a store changes: levels repeat its name, region and type, and empty ones go with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from shared.core.values import dataclass
from shared.inventory.keys import LEVELS, store_key
from shared.inventory.rules import facts_of_store, live
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.names import ALERTS, RELABEL_STORE
from shared.ports.documents import Position, Query, Stored

if TYPE_CHECKING:
    from shared.inventory.ledger import Ledger

__all__ = ["KIND", "QUEUE", "StockPlaces"]

KIND, QUEUE = RELABEL_STORE, ALERTS
_IN_ONE_COMMIT = 100


@dataclass(frozen=True)
class StockPlaces:
    """The levels of a store, as far as the store itself changes."""

    ledger: Ledger

    def relabel_at_once(self, store_id: str, store: Mapping[str, Any]) -> bool:
        """Relabel the levels of a store in the surrounding commit; return False when there are too many for one."""
        found = self._levels(store_id, _IN_ONE_COMMIT + 1)
        if len(found) > _IN_ONE_COMMIT:
            return False
        self._relabel(store_id, store, found)
        return True

    def relabel(self, step: Step) -> Done | Continue:
        """Relabel the levels of the store a job is about, a hundred to a commit, as the store is by then."""
        store_id = step.subject or ""
        after = Position(None, step.cursor) if step.cursor else None
        while found := self._levels(store_id, _IN_ONE_COMMIT, after):
            self.ledger.store.atomically(partial(self._relabel_as_it_is, store_id, found))
            after = Position(None, found[-1].key.id)
            step.checkpoint(cursor=found[-1].key.id)
        return Done()

    def is_holding(self, store_id: str) -> bool:
        """Say whether a store has stock, missing stock or units held."""
        now = self.ledger.clock.now()
        levels = self.ledger.store.walk(Query(LEVELS, (("store_id", store_id),)))
        return any(level.data["on_hand"] != 0 or live(level.data, now) for level in levels)

    def clear(self, store_id: str) -> None:
        """Remove the empty levels of a store, a hundred to a commit; raise InvalidState when one is not."""
        while found := self._levels(store_id, _IN_ONE_COMMIT):
            self.ledger.store.atomically(partial(self._drop, store_id, found))

    def _drop(self, store_id: str, found: list[Stored]) -> None:
        pairs = [(level.data["product_id"], store_id) for level in found]
        booking = self.ledger.open(pairs)
        for pair in pairs:
            booking.settle(*pair)
            booking.drop_level(*pair)
        booking.write()

    def _relabel_as_it_is(self, store_id: str, found: list[Stored]) -> None:
        store = self.ledger.store.get(store_key(store_id))
        if store is not None:
            self._relabel(store_id, store.data, found)

    def _relabel(self, store_id: str, store: Mapping[str, Any], found: list[Stored]) -> None:
        booking = self.ledger.open((level.data["product_id"], store_id) for level in found)
        for level in found:
            booking.relabel(level.data["product_id"], store_id, facts_of_store(store))
        booking.write()

    def _levels(self, store_id: str, limit: int, after: Position | None = None) -> list[Stored]:
        return self.ledger.store.query(Query(LEVELS, (("store_id", store_id),), limit=limit, after=after))
