"""Reservations: holding units, taking them, letting them go; over is over, before any cleanup."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.core.clock import instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import InvalidState, NotFound
from shared.core.values import dataclass
from shared.inventory.booking import Change
from shared.inventory.change_models import NewReservation
from shared.inventory.keys import LEVELS, level_id, reservation_key
from shared.inventory.views import reservation_view
from shared.inventory.words import MovementType, ReservationStatus
from shared.ports.documents import Key, Stored
from shared.stores.scope import check_scope

if TYPE_CHECKING:
    from shared.core.caller import Caller
    from shared.inventory.ledger import Ledger
    from shared.inventory.rules import Data
    from shared.inventory.service import Stores

__all__ = ["MANUAL", "Reservations"]

MANUAL = "manual"
"""The reference of reservations made by the older path that knows no reservations."""


@dataclass(frozen=True)
class Reservations:
    """Units held for somebody."""

    ledger: Ledger
    stores: Stores

    def get(self, reservation_id: str) -> Data:
        """Return a reservation as shown; raise NotFound."""
        return self.shown(self.stored(reservation_id))

    def shown(self, stored: Stored) -> Data:
        """Return a stored reservation as shown: past its end it reads `expired`, before any cleanup."""
        data = stored.data
        until = data["expires_at"]
        if data["status"] == "active" and until is not None and until <= instant(self.ledger.clock.now()):
            data = {
                **data,
                "status": ReservationStatus.EXPIRED.value,
                "closed_at": until,
                "version": data["version"] + 1,
            }
        return reservation_view(stored.key.id, data)

    def stored(self, reservation_id: str) -> Stored:
        """Return a reservation's document; raise NotFound."""
        found = self.ledger.store.get(reservation_key(reservation_id))
        if found is None:
            raise NotFound("No reservation has this id.", resource="reservation")
        return found

    def create(self, caller: Caller, wanted: NewReservation) -> Data:
        """Hold units; raise NotFound, Forbidden or InsufficientStock."""
        reservation_id = self.ledger.ids.new("res")
        store_id = wanted.store_id or self.stores.default_for(caller)
        booking = self.ledger.open([(wanted.product_id, store_id)])
        booking.refuse_kit(wanted.product_id, store_id)
        check_scope(caller, store_id)
        until = None if wanted.ttl_seconds is None else booking.now + timedelta(seconds=wanted.ttl_seconds)
        made: Data = {
            "product_id": wanted.product_id,
            "store_id": store_id,
            "quantity": wanted.quantity,
            "status": ReservationStatus.ACTIVE.value,
            "reference": wanted.reference,
            "expires_at": None if until is None else instant(until),
            "created_by": caller.user_id,
            "created_at": instant(booking.now),
            "closed_at": None,
        }
        booking.settle(wanted.product_id, store_id)
        booking.reserve(reservation_id, made)
        booking.write()
        return reservation_view(reservation_id, {**made, "version": 1})

    def commit(
        self, caller: Caller, reservation_id: str, reason: str | None, condition: Precondition = NO_CONDITION
    ) -> Data:
        """Take the units (a movement `removal`); raise NotFound, Forbidden, InvalidState or InsufficientStock."""
        stored = self._open(caller, reservation_id, condition)
        change = Change(
            stored.data["product_id"],
            stored.data["store_id"],
            -stored.data["quantity"],
            MovementType.REMOVAL,
            reason=reason,
            reference=stored.data["reference"] or reservation_id,
            user_id=caller.user_id,
        )
        booking = self.ledger.open([change.pair])
        after, movement = booking.close_reservation(stored, ReservationStatus.COMMITTED, change=change, reason=reason)
        booking.write()
        return reservation_view(reservation_id, after) | {"movement": movement}

    def release(
        self, caller: Caller, reservation_id: str, reason: str | None, condition: Precondition = NO_CONDITION
    ) -> Data:
        """Let the units go; raise NotFound, Forbidden or InvalidState."""
        stored = self._open(caller, reservation_id, condition)
        booking = self.ledger.open([(stored.data["product_id"], stored.data["store_id"])])
        after, _ = booking.close_reservation(stored, ReservationStatus.RELEASED, reason=reason)
        booking.write()
        return reservation_view(reservation_id, after)

    def hold_by_hand(self, caller: Caller, level: str, quantity: int) -> None:
        """Hold units of a level without end, as the older path does."""
        stored = self._level(level)
        pair = {"product_id": stored.data["product_id"], "store_id": stored.data["store_id"]}
        self.create(caller, NewReservation(**pair, quantity=quantity, ttl_seconds=None, reference=MANUAL))

    def free_by_hand(self, caller: Caller, level: str, quantity: int) -> None:
        """Free so many units held by hand, those held longest first; raise InvalidState when fewer are held."""
        stored = self._level(level)
        product_id, store_id = stored.data["product_id"], stored.data["store_id"]
        check_scope(caller, store_id)
        held = self._by_hand(product_id, store_id)
        total = sum(one.data["quantity"] for one in held)
        if total < quantity:
            raise InvalidState(f"Only {total} units are held by hand.", current=total, allowed=[])
        booking = self.ledger.open([(product_id, store_id)])
        for one in held:
            if quantity <= 0:
                break
            freed = min(quantity, one.data["quantity"])
            booking.free(one, freed)
            quantity -= freed
        booking.write()

    def _by_hand(self, product_id: str, store_id: str) -> list[Stored]:
        """Return the active reservations of a level made by hand, oldest first."""
        level = self.ledger.store.get(Key(LEVELS, level_id(store_id, product_id)))
        names = list(level.data["held"]) if level else []
        found = self.ledger.store.get_many([reservation_key(name) for name in names]) if names else {}
        held = [one for one in found.values() if one.data["reference"] == MANUAL and one.data["expires_at"] is None]
        return sorted(held, key=lambda one: (one.data["created_at"], one.key.id))

    def _level(self, level: str) -> Stored:
        found = self.ledger.store.get(Key(LEVELS, level))
        if found is None:
            raise NotFound("No stock level has this id.", resource="inventory")
        return found

    def _open(self, caller: Caller, reservation_id: str, condition: Precondition) -> Stored:
        stored = self.stored(reservation_id)
        check_scope(caller, stored.data["store_id"])
        shown = self.shown(stored)
        condition.check(reservation_id, shown["version"])
        if stored.data.get("held_by"):  # taken by hand, its units would leave once more when the order is fulfilled
            detail = "These units are held by a transfer order: fulfil it or cancel it."
            raise InvalidState(detail, current=shown["status"], allowed=[])
        return stored
