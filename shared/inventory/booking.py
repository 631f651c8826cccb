"""What a booking may do: change levels, reserve, commit, release, settle. Pure until `write`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.core.clock import instant, parse_instant
from shared.core.errors import InsufficientStock, InvalidState, QuantityMismatch
from shared.core.values import dataclass
from shared.inventory.keys import MOVEMENTS, reservation_key
from shared.inventory.lots import between, holding, is_over, parts_of, with_parts
from shared.inventory.rules import OUTGOING, TICK, Data, can_take, check_change, expired, moved, recounted, sellable
from shared.inventory.words import MovementType, ReservationStatus
from shared.inventory.working import Pair, WorkingSet
from shared.ports.documents import Create, Put, Query, Stored

__all__ = ["Booking", "Change"]

_MOST_HELD = 2000
_MANY = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one level: signed quantity, why, and on whose behalf.

    `lot` (with its `expiry`, a date) names the lot that units come in with or are taken from; `lots` are those that units
    taken elsewhere bring with them, as their movement names them.
    """

    product_id: str
    store_id: str
    quantity: int
    kind: MovementType
    reason: str | None = None
    reference: str | None = None
    user_id: str | None = None
    expected: int | None = None
    movement_id: str | None = None
    lot: str | None = None
    expiry: str | None = None
    lots: Sequence[Mapping[str, Any]] = ()

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
        level = self.level_or_empty(*change.pair)
        checked = self._without_lot(level, change)
        check_change(checked, change.quantity, change.kind, self.now, expected=change.expected)
        return self._moved(change, level)

    def units_of(self, product_id: str, store_id: str, code: str | None) -> int:
        """Return the units a level holds of a lot; of no lot, those that came without one."""
        level = self.ensure_level(product_id, store_id)
        held = holding(level, code) if "lots" in level else None
        untracked = level["on_hand"] if code is None and "lots" not in level else 0
        return held["quantity"] if held else untracked

    def count_lot(self, change: Change) -> Data:
        """Correct the units of one lot, or of those that came without one; return the movement."""
        level = self.ensure_level(*change.pair)
        if change.lot is not None or "lots" not in level:
            return self.add(change)
        check_change(level, change.quantity, change.kind, self.now)
        return self._moved(replace(change, lots=[{"lot": None, "expiry": None, "quantity": change.quantity}]), level)

    def put_back(self, change: Change, sale: Stored, *, before: int = 0) -> Data:
        """Put units of a sale back to the lots they came from, after so many that came back before; return the movement.

        A level without lots is not read for it; of one with lots the sale's own movement says which they were.
        """
        level = self._levels[change.pair].data
        if level is None or "lots" not in level:
            return self.add(change)
        return self.add(replace(change, lots=between(self._taken(change.pair, sale), before, change.quantity)))

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
            check_change(sellable(level, self.now), change.quantity, MovementType.CORRECTION, self.now)
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

        The counted stock stays; a movement `repair`, from the sum to it, makes the ledger explain it. Lots are those of the
        ledger (`relot` them before). Return that movement, None when only reservations or lots were counted anew.
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

    def relot(self, product_id: str, store_id: str, lots: Sequence[Data]) -> None:
        """Let a level hold the lots its ledger explains; a level and a ledger without any stay so."""
        level = self.ensure_level(product_id, store_id)
        if "lots" in level or any(lot["lot"] is not None for lot in lots):
            after = with_parts({**level, "lots": []}, list(lots))
            self._replace((product_id, store_id), recounted(after, self.now))

    def is_active(self, stored: Stored) -> bool:
        """Say whether a reservation still holds its units."""
        until = stored.data["expires_at"]
        return stored.data["status"] == "active" and (until is None or until > instant(self.now))

    def settle(self, product_id: str, store_id: str) -> int:
        """Take reservations that have ended out of the level and mark them expired; return how many.

        Lots that have expired since are counted so.
        """
        level = self._levels[product_id, store_id].data
        ended = expired(level, self.now)[:_MANY] if level else []
        if level is None or not (ended or _turned(level, self.now)):
            return 0
        held = {name: part for name, part in level["held"].items() if name not in ended}
        self._replace((product_id, store_id), recounted({**level, "held": held}, self.now))
        found = self._store.get_many([reservation_key(name) for name in ended]) if ended else {}
        for stored in found.values():
            if stored.data["status"] == "active":
                after = _closed(stored.data, ReservationStatus.EXPIRED, stored.data["expires_at"])
                self._made.other.append(Put(stored.key, after, stored.version))
        self._touch((product_id, store_id))
        return len(ended)

    def _without_lot(self, level: Data, change: Change) -> Data:
        """Return the level a change is checked against: an expired lot that is named may go, whatever is available."""
        held = None if change.lot is None or change.quantity > 0 else holding(level, change.lot)
        if held is None or not is_over(held, self.now):
            return level
        return {**level, "held": {}, "lots": [{**lot, "expiry": None} for lot in level["lots"]]}

    def _taken(self, pair: Pair, sale: Stored) -> Sequence[Mapping[str, Any]]:
        """Return the lots a sale took of a level, from its movement, which lies at the time of the sale or just after."""
        where = (("product_id", pair[0]), ("store_id", pair[1]), ("transaction_type", MovementType.SALE.value))
        query = Query(MOVEMENTS, where, order_by="created_at", at_least=sale.data["created_at"])
        for stored in self._store.walk(query, step=20):
            if stored.data["reference"] == sale.key.id:
                lots: Sequence[Mapping[str, Any]] = stored.data.get("lots", ())
                return lots
        return ()

    def _moved(self, change: Change, level: Data) -> Data:
        parts = parts_of(level, change, self.now, selling=change.kind in OUTGOING)
        after = moved(with_parts(level, parts), change.quantity, self.now)
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
        } | ({"lots": parts} if parts else {})
        self._made.movements.append(movement)
        self._touch(change.pair)
        return movement


def _turned(level: Data, now: datetime) -> bool:
    return "lots" in level and level["next_expiry"] is not None and level["next_expiry"] <= instant(now)


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
