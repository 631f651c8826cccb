"""Booking stock: the one way in which a level changes, for every part of the product.

Inside `Store.atomically` (every HTTP handler and job commit is), with any documents of your own in the same commit:

    booking = ledger.open([(product_id, store_id)])         # one read: levels, sums, and what a missing level needs
    booking.available(product_id, store_id)                 # units that may be taken
    movement = booking.add(Change(product_id, store_id, -3, MovementType.SALE, reference=sale_id, user_id=caller.user_id))
    booking.write()                                         # levels, sums, movements, warehouse rows join the commit

`add` is pure and raises the refusals of the contract; nothing is written before `write`. A lost race reruns the handler, so
draw ids of your own documents before it. A movement's own id is drawn by the booking, or given, where a repeated delivery
must not count twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from shared.inventory.booking import Booking, Change
from shared.inventory.working import MOVEMENT_TABLE, Desk, Pair

if TYPE_CHECKING:
    from shared.inventory.rules import Data

__all__ = ["MOVEMENT_TABLE", "Booking", "Change", "Ledger", "Pair"]


class Ledger(Desk):
    """Opens bookings."""

    def open(self, pairs: Iterable[Pair]) -> Booking:
        """Read the levels of these pairs; products and stores are looked at only where a level is missing.

        A pair whose product or store is unknown opens too: `add` raises NotFound for it. Write one booking before opening
        another on the same levels.
        """
        return Booking(self, list(dict.fromkeys(pairs)))

    def book(self, changes: Sequence[Change]) -> list[Data]:
        """Make some changes, all or none; return their movements."""
        return self.store.atomically(lambda: self._booked(changes))

    def _booked(self, changes: Sequence[Change]) -> list[Data]:
        booking = self.open(change.pair for change in changes)
        made = [booking.add(change) for change in changes]
        booking.write()
        return made
