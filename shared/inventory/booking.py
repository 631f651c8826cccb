"""What a booking may do: change levels, reserve, commit, release, settle. Pure until `write`."""

from dataclasses import dataclass
from datetime import datetime

from shared.core.clock import instant, parse_instant
from shared.core.errors import InsufficientStock, InvalidState, QuantityMismatch
from shared.inventory.keys import reservation_key
from shared.inventory.rules import TICK, Data, can_take, check_change, expired, moved, recounted
from shared.inventory.words import MovementType, ReservationStatus
from shared.inventory.working import Pair, WorkingSet
from shared.ports.documents import Create, Put, Stored

__all__ = ["Booking", "Change"]

_MOST_HELD = 2000
_MANY = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one level: signed quantity, why, and on whose behalf."""

    product_id: str
    store_id: str
    quantity: int
    kind: MovementType
    reason: str | None = None
    reference: str | None = None
    user_id: str | None = None
    expected: int | None = None
    movement_id: str | None = None

    @property
    def pair(self) -> Pair:
        """Return the level meant."""
        return self.product_id, self.store_id


class Booking(WorkingSet):
    """Changes of levels in one commit."""

    def can_take(self, product_id: str, store_id: str, quantity: int) -> bool:
        """Say whether so many units may be taken from a level now."""
        level = self._levels[product_id, store_id].data
        return level is not None and can_take(level, quantity, self.now)

    def add(self, change: Change) -> Data:
        """Make one change; return its movement. Raise NotFound, QuantityMismatch, InsufficientStock or InvalidState."""
        self.require(*change.pair)
        held = self._levels[change.pair]
        if held.data is None and change.quantity < 0:
            _refuse_missing(change)
        level = self.ensure_level(*change.pair)
        check_change(level, change.quantity, change.kind, self.now, expected=change.expected)
        return self._moved(change, level)

    def set_fields(self, product_id: str, store_id: str, fields: Data) -> Data:
        """Change settings of a level (reorder_level, max_stock, allow_negative).

        Its version rises by one for this commit, however much else happens in it. Raise InvalidState when a level below zero
        is to forbid that.
        """
        level = self.ensure_level(product_id, store_id)
        if fields.get("allow_negative") is False and level["on_hand"] < 0:
            detail = "The level is below zero; correct it before forbidding that."
            raise InvalidState(detail, current=level["on_hand"], allowed=[0])
        after = {**level, **fields, "version": self._next_version((product_id, store_id))}
        after["last_updated"] = instant(max(self.now, _after(level)))
        self._replace((product_id, store_id), recounted(after, self.now))
        return self._levels[product_id, store_id].data or {}

    def reserve(self, reservation_id: str, reservation: Data) -> None:
        """Hold units; raise NotFound, or InsufficientStock when fewer are available."""
        pair = (reservation["product_id"], reservation["store_id"])
        self.require(*pair)
        wanted, level = reservation["quantity"], self._levels[pair].data
        if level is None:
            _refuse_missing(Change(*pair, -wanted, MovementType.REMOVAL))
        level = self.ensure_level(*pair)
        check_change({**level, "allow_negative": False}, -wanted, MovementType.REMOVAL, self.now)
        if len(level["held"]) >= _MOST_HELD:
            detail = f"A level carries at most {_MOST_HELD} reservations at a time."
            raise InvalidState(detail, current=len(level["held"]), allowed=[])
        held = {**level["held"], reservation_id: [wanted, reservation["expires_at"]]}
        self._replace(pair, recounted({**level, "held": held}, self.now))
        self._made.other.append(Create(reservation_key(reservation_id), {**reservation, "version": 1}))
        self._touch(pair)

    def close_reservation(
        self, stored: Stored, status: ReservationStatus, *, change: Change | None = None, reason: str | None = None
    ) -> tuple[Data, Data | None]:
        """End an active reservation of an included pair, with `change` taking its units; return it and the movement.

        Raise InvalidState when it is not active any more, InsufficientStock when its units are gone.
        """
        reservation = stored.data
        pair = (reservation["product_id"], reservation["store_id"])
        level = self._levels[pair].data
        if level is None or not self.is_active(stored):
            current = reservation["status"] if reservation["status"] != "active" else "expired"
            raise InvalidState(f"This reservation is {current}.", current=current, allowed=["active"])
        held = {name: part for name, part in level["held"].items() if name != stored.key.id}
        level = recounted({**level, "held": held}, self.now)
        self._replace(pair, level)
        movement = None
        if change is not None:
            check_change(level, change.quantity, MovementType.CORRECTION, self.now)
            movement = self._moved(change, level)
        after = {**_closed(reservation, status, instant(self.now)), "close_reason": reason}
        self._made.other.append(Put(stored.key, after, stored.version))
        self._touch(pair)
        return after, movement

    def free(self, stored: Stored, quantity: int) -> None:
        """Let go of some units of an active reservation of an included pair; of all of them closes it."""
        reservation = stored.data
        if quantity >= reservation["quantity"]:
            self.close_reservation(stored, ReservationStatus.RELEASED)
            return
        pair = (reservation["product_id"], reservation["store_id"])
        level, left = self.ensure_level(*pair), reservation["quantity"] - quantity
        held = {**level["held"], stored.key.id: [left, reservation["expires_at"]]}
        self._replace(pair, recounted({**level, "held": held}, self.now))
        after = {**reservation, "quantity": left, "version": reservation["version"] + 1}
        self._made.other.append(Put(stored.key, after, stored.version))
        self._touch(pair)

    def repair(self, product_id: str, store_id: str, booked: int, held: Data) -> Data | None:
        """Make a level agree with its ledger: `booked` is the sum of its movements, `held` what really is reserved.

        The counted stock stays; a movement `repair`, from the sum to it, makes the ledger explain it. Return that movement,
        None when only reservations were counted anew.
        """
        pair = (product_id, store_id)
        level = self.ensure_level(*pair)
        self._replace(pair, recounted({**level, "held": held}, self.now))
        self._touch(pair)
        quantity = level["on_hand"] - booked
        if quantity == 0:
            return None
        change = Change(product_id, store_id, quantity, MovementType.REPAIR, reason="audit")
        return self._moved(change, {**level, "held": held, "on_hand": booked})

    def is_active(self, stored: Stored) -> bool:
        """Say whether a reservation still holds its units."""
        until = stored.data["expires_at"]
        return stored.data["status"] == "active" and (until is None or until > instant(self.now))

    def settle(self, product_id: str, store_id: str) -> int:
        """Take reservations that have ended out of the level and mark them expired; return how many."""
        level = self._levels[product_id, store_id].data
        ended = expired(level, self.now)[:_MANY] if level else []
        if level is None or not ended:
            return 0
        held = {name: part for name, part in level["held"].items() if name not in ended}
        self._replace((product_id, store_id), recounted({**level, "held": held}, self.now))
        found = self._store.get_many([reservation_key(name) for name in ended])
        for stored in found.values():
            if stored.data["status"] == "active":
                after = _closed(stored.data, ReservationStatus.EXPIRED, stored.data["expires_at"])
                self._made.other.append(Put(stored.key, after, stored.version))
        self._touch((product_id, store_id))
        return len(ended)

    def _moved(self, change: Change, level: Data) -> Data:
        after = moved(level, change.quantity, self.now)
        self._made.moves[change.pair] += 1
        after["version"] = self._next_version(change.pair)
        self._replace(change.pair, after)
        sums = self._sums[change.product_id]
        sums.data = {
            **self.stock(change.product_id),
            "stock_version": self.stock(change.product_id)["stock_version"] + 1,
        }
        movement: Data = {
            "id": change.movement_id or self._desk.ids.new("mov"),
            "product_id": change.product_id,
            "product_sku": level["sku"],
            "product_name": level["product_name"],
            "store_id": change.store_id,
            "transaction_type": change.kind.value,
            "quantity": change.quantity,
            "previous_stock": level["on_hand"],
            "new_stock": after["on_hand"],
            "reason": change.reason,
            "reference": change.reference,
            "user_id": change.user_id,
            "created_at": after["last_updated"],
        }
        self._made.movements.append(movement)
        self._touch(change.pair)
        return movement


def _after(level: Data) -> datetime:
    return parse_instant(level["last_updated"]) + TICK


def _closed(reservation: Data, status: ReservationStatus, moment: str) -> Data:
    return {**reservation, "status": status.value, "closed_at": moment, "version": reservation["version"] + 1}


def _refuse_missing(change: Change) -> None:
    if change.expected not in (None, 0):
        detail = "The quantity on hand is not the one you expected; read it again."
        raise QuantityMismatch(detail, current_quantity=0)
    detail = f"Only 0 units are available at this store; {-change.quantity} were requested."
    raise InsufficientStock(detail, available=0, requested=-change.quantity)
