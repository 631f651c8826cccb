"""Changing stock by hand: levels, adjustments, transfers. Everything is booked; one request is one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from shared.core.caller import Caller, Role
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import (
    Forbidden,
    InsufficientStock,
    InvalidState,
    NotFound,
    Problem,
    QuantityMismatch,
    ValidationFailed,
)
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.inventory.booking import Booking, Change
from shared.inventory.keys import LEVELS, level_id
from shared.inventory.lots import arriving
from shared.inventory.rules import Data, recounted
from shared.inventory.views import LEVEL_KEYS, level_view
from shared.inventory.words import MovementType
from shared.ports.documents import Key, Stored
from shared.stores.scope import check_scope

if TYPE_CHECKING:
    from shared.inventory.change_models import AdjustBody, BulkBody, LevelPatch, LotCount, NewLevel, TransferBody
    from shared.inventory.ledger import Ledger
    from shared.inventory.working import Pair

__all__ = ["Adjustments", "Levels", "Stores"]

_INPUTS = ("on_hand", "reorder_level", "max_stock", "allow_negative")
_REQUIRED = ("on_hand", "allow_negative")
_VOLATILE = frozenset({*LEVEL_KEYS, "incoming", "lots", "expired", "threshold_rule"}) - {
    "id",
    "store_id",
    "product_id",
    "version",
    *_INPUTS,
}
_ASIDE = ("expected_quantity", "reason")


class Stores(Protocol):
    """What stock needs of stores."""

    def default_for(self, caller: Caller) -> str:
        """Return the store an operation means that names none."""
        ...

    def stored(self, store_id: str) -> Stored:
        """Return a store's document; raise NotFound."""
        ...


@dataclass(frozen=True)
class Levels:
    """Levels by id: reading, making, and correcting them."""

    ledger: Ledger

    def get(self, level_id: str) -> Data:
        """Return a level as shown, counted now; raise NotFound."""
        return self.shown(self.stored(level_id))

    def stored(self, level_id: str) -> Stored:
        """Return a level's document; raise NotFound."""
        found = self.ledger.store.get(Key(LEVELS, level_id))
        if found is None:
            raise NotFound("No stock level has this id.", resource="inventory")
        return found

    def shown(self, stored: Stored) -> Data:
        """Return a stored level as shown, counted now."""
        return level_view(stored.key.id, recounted(stored.data, self.ledger.clock.now()))

    def listed(self, stored: Stored) -> Data:
        """Return a level of a list as shown; reservations that have ended are taken out before a list is read."""
        return level_view(stored.key.id, stored.data)

    def create(self, caller: Caller, wanted: NewLevel) -> Data:
        """Make a level, with a movement `initial` when there is stock; raise NotFound, Forbidden, AlreadyExists."""
        pair = (wanted.product_id, wanted.store_id)
        booking = self.ledger.open([pair])
        booking.refuse_kit(*pair)
        check_scope(caller, wanted.store_id)
        booking.create_level(*pair)
        booking.set_fields(*pair, {"reorder_level": wanted.reorder_level, "max_stock": wanted.max_stock})
        if wanted.on_hand:
            first = Change(*pair, wanted.on_hand, MovementType.INITIAL, user_id=caller.user_id)
            booking.add(replace(first, lot=wanted.lot, expiry=_day(wanted.expiry)))
        return _written(booking, pair)

    def change(self, caller: Caller, level_id: str, patch: LevelPatch, condition: Precondition = NO_CONDITION) -> Data:
        """Change a level; another quantity is booked as `correction`.

        Raise NotFound, Forbidden (another store, or `allow_negative` below manager), PreconditionFailed, ValidationFailed,
        QuantityMismatch, InsufficientStock or InvalidState.
        """
        stored = self.stored(level_id)
        pair = (stored.data["product_id"], stored.data["store_id"])
        check_scope(caller, pair[1])
        booking = self.ledger.open([pair])
        level = booking.level(*pair) or {}
        if patch.allow_negative not in (None, level["allow_negative"]) and not caller.may(Role.MANAGER):
            raise Forbidden("Only managers decide whether a level may go below zero; the role manager is needed.")
        condition.check(level_id, level["version"], patch.version)
        changes = self._changes(patch.model_dump(mode="json", exclude_unset=True), level_view(level_id, level))
        _expect(level, patch.expected_quantity)
        self._apply(booking, pair, changes, (patch.reason, caller.user_id))
        return _written(booking, pair)

    def count_lots(self, caller: Caller, level_id: str, body: LotCount, condition: Precondition = NO_CONDITION) -> Data:
        """Let a level hold what was counted of some lots: one `correction` for each that differs, in one commit.

        Raise NotFound, Forbidden, PreconditionFailed, or ValidationFailed for a lot counted twice or with another expiry.
        """
        stored = self.stored(level_id)
        pair = (stored.data["product_id"], stored.data["store_id"])
        check_scope(caller, pair[1])
        booking = self.ledger.open([pair])
        condition.check(level_id, booking.version(*pair))
        _refuse_twice(body)
        for item in body.items:
            have = booking.units_of(*pair, item.lot)
            if item.quantity != have:
                _ask(booking, pair, item.quantity - have)
                kind, why = MovementType.CORRECTION, body.reason
                change = Change(*pair, item.quantity - have, kind, reason=why, user_id=caller.user_id)
                booking.count_lot(replace(change, lot=item.lot, expiry=_day(item.expiry)))
        return _written(booking, pair)

    def _changes(self, given: Mapping[str, Any], shown: Mapping[str, Any]) -> Data:
        asked = {name: value for name, value in given.items() if name not in _ASIDE}
        return changes_of(asked, shown, inputs=_INPUTS, required=_REQUIRED, volatile=_VOLATILE)

    def _apply(self, booking: Booking, pair: Pair, changes: Data, told: tuple[str | None, str]) -> None:
        """Set fields and book the difference; a level that is to forbid being below zero is lifted first."""
        wanted = changes.pop("on_hand", None)
        lifted_first = changes.get("allow_negative") is False
        if changes and not lifted_first:
            booking.set_fields(*pair, changes)
        if wanted is not None:
            quantity = wanted - (booking.level(*pair) or {})["on_hand"]
            reason, user_id = told
            _ask(booking, pair, quantity)
            booking.add(Change(*pair, quantity, MovementType.CORRECTION, reason=reason, user_id=user_id))
        if changes and lifted_first:
            booking.set_fields(*pair, changes)


@dataclass(frozen=True)
class Adjustments:
    """Adding and removing units by hand, and moving them between stores."""

    ledger: Ledger
    stores: Stores
    find_sku: Callable[[Sequence[str]], Mapping[str, str]]
    """Returns the ids of the products that have these SKUs, by SKU as asked."""

    def adjust(self, caller: Caller, body: AdjustBody) -> Data:
        """Make one adjustment; return its movement. Raise NotFound, Forbidden, or the refusals of the ledger."""
        change = self._changes(caller, [body])[0]
        if isinstance(change, Problem):
            raise change
        booking = self.ledger.open([change.pair])
        movement = self._made(caller, booking, change)
        booking.write()
        return movement

    def adjust_all(self, caller: Caller, body: BulkBody) -> tuple[list[Data], list[Data]]:
        """Make several adjustments in order; return movements and failed items.

        Unless the mode is partial, any failure raises the first one's problem with all `failed_items`; nothing is written.
        """
        changes = self._changes(caller, body.items)
        booking = self.ledger.open(change.pair for change in changes if isinstance(change, Change))
        movements: list[Data] = []
        failures: list[tuple[int, Problem]] = []
        for index, change in enumerate(changes):
            try:
                movements.append(self._checked(caller, booking, change))
            except (InsufficientStock, QuantityMismatch, InvalidState, NotFound, ValidationFailed) as problem:
                failures.append((index, problem))
        failed = [_failed_item(index, problem, body.items[index]) for index, problem in failures]
        if failures and body.mode == "all_or_nothing":
            raise _whole_refusal(failures[0][1], failed)
        booking.write()
        return movements, failed

    def transfer(self, caller: Caller, body: TransferBody) -> list[Data]:
        """Move units between two stores in one commit; return both movements."""
        out = Change(
            body.product_id,
            body.from_store_id,
            -body.quantity,
            MovementType.TRANSFER_OUT,
            reason=body.reason,
            user_id=caller.user_id,
            lot=body.lot,
        )
        into = Change(
            body.product_id,
            body.to_store_id,
            body.quantity,
            MovementType.TRANSFER_IN,
            reason=body.reason,
            user_id=caller.user_id,
        )
        booking = self.ledger.open([out.pair, into.pair])
        for change in (out, into):
            booking.require(*change.pair)
        check_scope(caller, body.from_store_id, body.to_store_id)
        left = booking.add(out)
        movements = [left, booking.add(replace(into, lots=arriving(left)))]
        booking.write()
        return movements

    def _changes(self, caller: Caller, bodies: Sequence[AdjustBody]) -> list[Change | Problem]:
        """Return what each body asks; a Problem where its SKU names no product."""
        skus = list(dict.fromkeys(body.sku for body in bodies if body.sku is not None))
        ids = self.find_sku(skus) if skus else {}
        default = self.stores.default_for(caller) if any(body.store_id is None for body in bodies) else ""
        return [_change(caller, body, ids, default) for body in bodies]

    def _checked(self, caller: Caller, booking: Booking, change: Change | Problem) -> Data:
        if isinstance(change, Problem):
            raise change
        return self._made(caller, booking, change)

    def _made(self, caller: Caller, booking: Booking, change: Change) -> Data:
        _ask(booking, change.pair, change.quantity)
        check_scope(caller, change.store_id)
        return booking.add(change)


def _ask(booking: Booking, pair: Pair, quantity: int) -> None:
    """Raise NotFound, or ValidationFailed where units are to come to a kit."""
    ask = booking.refuse_kit if quantity > 0 else booking.require
    ask(*pair)


def _change(caller: Caller, body: AdjustBody, ids: Mapping[str, str], default: str) -> Change | Problem:
    found = None if body.sku is None else ids.get(body.sku)
    product_id = body.product_id or found
    if product_id is None:
        return NotFound("No product has this SKU.", resource="product")
    if body.sku is not None and found != product_id:
        return ValidationFailed.at("/sku", "conflict", "product_id and sku name two products.")
    return Change(
        product_id,
        body.store_id or default,
        body.quantity,
        MovementType.ADDITION if body.quantity > 0 else MovementType.REMOVAL,
        reason=body.reason,
        reference=body.reference,
        user_id=caller.user_id,
        expected=body.expected_quantity,
        lot=body.lot,
        expiry=_day(body.expiry),
    )


def _failed_item(index: int, problem: Problem, body: AdjustBody) -> Data:
    reasons = {
        "InsufficientStock": "insufficient_stock",
        "QuantityMismatch": "quantity_mismatch",
        "InvalidState": "invalid_state",
        "NotFound": "not_found",
        "ValidationFailed": "conflict",
    }
    named = {"product_id": body.product_id, "sku": body.sku, "store_id": body.store_id, "quantity": body.quantity}
    said = {name: value for name, value in named.items() if value is not None}
    return {"index": index, "reason": reasons[problem.name], **said, **problem.extra, "detail": problem.detail}


def _whole_refusal(first: Problem, failed: Sequence[Data]) -> Problem:
    """Return the first failure's problem, naming all of them."""
    refusal = type(first)(first.detail, errors=first.errors)
    refusal.extra |= {**first.extra, "failed_items": list(failed)}
    return refusal


def _day(expiry: date | None) -> str | None:
    return None if expiry is None else expiry.isoformat()


def _refuse_twice(body: LotCount) -> None:
    lots = [item.lot for item in body.items]
    for number, lot in enumerate(lots):
        if lot in lots[:number]:
            raise ValidationFailed.at(f"/items/{number}/lot", "duplicate", "This lot is counted twice.")


def _expect(level: Mapping[str, Any], expected: int | None) -> None:
    if expected is not None and expected != level["on_hand"]:
        detail = "The quantity on hand is not the one you expected; read it again."
        raise QuantityMismatch(detail, current_quantity=level["on_hand"])


def _written(booking: Booking, pair: Pair) -> Data:
    booking.write()
    return level_view(level_id(pair[1], pair[0]), booking.level(*pair) or {})
