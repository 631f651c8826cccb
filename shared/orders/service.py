"""Making transfer orders and taking them through their states; stock moves only by `rules.TRANSITIONS`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from shared.catalog.record import refuse_kit
from shared.core.caller import Caller, Role
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import Forbidden, InvalidState, NotFound, Problem
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.inventory.keys import product_key, reservation_key
from shared.inventory.ledger import Change, Ledger, Pair
from shared.inventory.lots import arriving
from shared.inventory.words import MovementType, ReservationStatus
from shared.orders.lists import Asked, transfers
from shared.orders.record import (
    ORDERS_TABLE,
    TRANSFERS,
    entry,
    new_order,
    order_row,
    order_view,
    priced,
    reservation_of,
    transfer_key,
)
from shared.orders.rules import Move, Status, Stock, check_role, transition
from shared.ports.documents import Create, Key, Put, Query, Stored
from shared.stores.scope import check_scope

if TYPE_CHECKING:
    from shared.core.ids import Ids
    from shared.orders.decision_models import NewTransfer, TransferPatch
    from shared.orders.models import TransferFilter
    from shared.ports.store import Store
    from shared.warehousing.outbox import WarehouseOutbox

__all__ = ["Stores", "Transfers"]

Data = dict[str, Any]

_COUNTER = Key("counters", "transfer_orders")
_INPUTS = ("quantity", "notes")
_OPEN = (Status.PENDING_REVIEW, Status.APPROVED)
_MOST_SHOWN = 100


class Stores(Protocol):
    """What orders need of stores."""

    def stored(self, store_id: str) -> Stored:
        """Return a store's document; raise NotFound."""
        ...


@dataclass(frozen=True)
class Transfers:
    """Transfer orders of one merchant."""

    store: Store
    clock: Clock
    ids: Ids
    ledger: Ledger
    stores: Stores
    outbox: WarehouseOutbox
    sla_hours: float

    def create(self, caller: Caller, wanted: NewTransfer) -> Stored:
        """Make an order to be reviewed; raise NotFound for a store or product, Forbidden outside the caller's store."""
        return self.store.atomically(lambda: self._created(caller, wanted, self.ids.new("tro")))

    def get(self, name: str) -> Stored:
        """Return an order by id or number; raise NotFound."""
        found = self.store.get(transfer_key(name)) or self._numbered(name)
        if found is None:
            raise NotFound("No transfer order has this id or number.", resource="order")
        return found

    def view(self, stored: Stored) -> Data:
        """Return an order as shown now."""
        return order_view(stored, self.clock.now(), self.sla_hours)

    def sought(self, wanted: TransferFilter) -> Asked:
        """Return what a list of orders asks of the store."""
        return transfers(wanted, self.clock.now() - timedelta(hours=self.sla_hours))

    def update(self, caller: Caller, name: str, patch: TransferPatch, condition: Precondition = NO_CONDITION) -> Stored:
        """Change quantity or notes; raise InvalidState for another quantity once the order was reviewed."""
        return self.store.atomically(lambda: self._updated(caller, name, patch, condition))

    def move(self, name: str, move: Move) -> Stored:
        """Bring an order into another state, with what that does to stock, in one commit.

        Raise NotFound, Forbidden, PreconditionFailed, InvalidState, or InsufficientStock when the source is short.
        """
        check_role(move.caller, move.target)
        return self.store.atomically(lambda: self._moved(name, move))

    def move_all(self, order_ids: Sequence[str], move: Move) -> Data:
        """Decide on several orders, each in a commit of its own; return which were refused, and why."""
        succeeded: list[str] = []
        failed: list[Data] = []
        for order_id in dict.fromkeys(order_ids):
            try:
                self.move(order_id, move)
            except Problem as refused:
                told = {"status": refused.status, "error": refused.title, "detail": refused.detail}
                failed.append({"order_id": order_id, **told})
            else:
                succeeded.append(order_id)
        return {"succeeded": succeeded, "failed": failed}

    def attention(self) -> list[Data]:
        """Return up to 200 open orders that wait too long or could not be approved for want of stock, oldest first."""
        late = instant(self.clock.now() - timedelta(hours=self.sla_hours))
        waiting = [stored for status in _OPEN for stored in self._oldest(status)]
        pairs = [(one.data["product_id"], one.data["from_store_id"]) for one in waiting if one.data["from_store_id"]]
        booking = self.ledger.open(pairs)
        found = []
        for stored in sorted(waiting, key=lambda one: str(one.data["created_at"])):
            data = stored.data
            reviewed, source = data["status"] == Status.APPROVED.value, data["from_store_id"]
            short = not reviewed and source and not booking.can_take(data["product_id"], source, data["quantity"])
            told = {
                "review_late": not reviewed and data["created_at"] < late,
                "fulfilment_late": reviewed and data["approved_at"] < late,
                "source_short": short,
            }
            reasons = [reason for reason, holds in told.items() if holds]
            if reasons:
                found.append({**self.view(stored), "reasons": reasons})
        return found

    def _oldest(self, status: Status) -> list[Stored]:
        return self.store.query(Query(TRANSFERS, (("status", status.value),), order_by="created_at", limit=_MOST_SHOWN))

    def incoming(self, pairs: Sequence[Pair]) -> dict[Pair, int]:
        """Return the units that approved orders are about to bring to levels, by product and store."""
        found: dict[Pair, int] = {}
        for product_id in dict.fromkeys(product_id for product_id, _ in pairs):
            approved = (("product_id", product_id), ("status", Status.APPROVED.value))
            for stored in self.store.walk(Query(TRANSFERS, approved)):
                pair = (product_id, stored.data["to_store_id"])
                if pair in pairs:
                    found[pair] = found.get(pair, 0) + stored.data["quantity"]
        return found

    def open_for(self, field: str, value: str) -> bool:
        """Say whether an order that is neither finished nor cancelled names a product or a store."""
        unfinished = ("status", (Status.PENDING_REVIEW.value, Status.APPROVED.value))
        if field == "product_id":
            return bool(self.store.query(Query(TRANSFERS, (("product_id", value), unfinished), limit=1)))
        return bool(self.store.query(Query(TRANSFERS, (unfinished,), contains=("store_ids", value), limit=1)))

    def _numbered(self, number: str) -> Stored | None:
        found = self.store.query(Query(TRANSFERS, (("order_number", number),), limit=1))
        return found[0] if found else None

    def _created(self, caller: Caller, wanted: NewTransfer, order_id: str) -> Stored:
        source = None if wanted.from_store_id is None else self.stores.stored(wanted.from_store_id)
        destination = self.stores.stored(wanted.to_store_id)
        product = self.store.get(product_key(wanted.product_id))
        if product is None:
            raise NotFound("No product has this id.", resource="product")
        check_scope(caller, wanted.from_store_id, wanted.to_store_id)
        refuse_kit(product.data, "/product_id")
        if product.data["status"] == "archived":
            detail = "This product is archived; bring it back first."
            raise InvalidState(detail, current="archived", allowed=["active", "paused", "draft"])
        moment = instant(self.clock.now())
        made = {
            "order_number": self._next_number(),
            "requested_by": caller.user_id,
            "requester_name": self._name_of(caller),
            "created_at": moment,
            "updated_at": moment,
        }
        data = new_order(wanted, product, (source, destination), made)
        stored = Stored(transfer_key(order_id), data, "")
        self.store.write([Create(stored.key, data), self._row(stored)])
        self.store.after_commit(self.ledger.on_rows)
        return stored

    def _next_number(self) -> str:
        counter = self.store.get(_COUNTER)
        last = counter.data["last"] + 1 if counter else 1
        data = {"last": last}
        self.store.write([Create(_COUNTER, data) if counter is None else Put(_COUNTER, data, counter.version)])
        return f"ORD{last:06d}"

    def _updated(self, caller: Caller, name: str, patch: TransferPatch, condition: Precondition) -> Stored:
        stored = self.get(name)
        data = stored.data
        check_scope(caller, data["from_store_id"], data["to_store_id"])
        condition.check(stored.key.id, data["version"], patch.version)
        given = patch.model_dump(mode="json", exclude_unset=True)
        present = self.view(stored)
        changes = changes_of(given, present, inputs=_INPUTS, required=("quantity",), volatile=("sla_expired",))
        if "quantity" in changes and data["status"] != Status.PENDING_REVIEW.value:
            detail = "The quantity changes only while the order waits for its review."
            raise InvalidState(detail, current=data["status"], allowed=[Status.PENDING_REVIEW.value])
        if not changes:
            return stored
        before = {name: data[name] for name in changes}
        return self._put(stored, caller, "changed", changes, {"before": before, "after": changes})

    def _moved(self, name: str, move: Move) -> Stored:
        stored = self.get(name)
        data, caller, target = stored.data, move.caller, move.target
        if move.token is not None and data.get("decided_in") == _mark(move):
            return stored
        check_role(caller, target, data["requested_by"])
        _check_reach(caller, data, target)
        move.condition.check(stored.key.id, data["version"])
        step = transition(Status(data["status"]), target)
        changes = {"status": target.value, **self._decided(move, step.stock, stored)}
        changes |= {} if move.token is None else {"decided_in": _mark(move)}
        details = {"reason": move.said} if target is Status.CANCELLED else {"notes": move.said} if move.said else {}
        return self._put(stored, caller, target.value, changes, details)

    def _decided(self, move: Move, stock: Stock, stored: Stored) -> Data:
        """Do to stock what the transition does; return what else changes of the order."""
        caller, moment = move.caller, instant(self.clock.now())
        changes: Data = {"notes": move.said} if move.said and move.target is not Status.CANCELLED else {}
        if move.target is Status.APPROVED:
            changes |= {"approved_by": caller.user_id, "approver_name": self._name_of(caller), "approved_at": moment}
        elif move.target is Status.FULFILLED:
            changes |= {"fulfilled_by": caller.user_id, "fulfilled_at": moment}
        else:
            changes |= {"cancelled_by": caller.user_id, "cancelled_at": moment, "cancel_reason": move.said}
        if stock is Stock.RESERVE:
            changes |= self._reserve(stored, caller)
        elif stock is Stock.MOVE:
            self._move_stock(stored, caller)
        elif stock is Stock.RELEASE:
            self._release(stored)
        return changes

    def _reserve(self, stored: Stored, caller: Caller) -> Data:
        data = stored.data
        if data["from_store_id"] is None:
            return {}
        booking = self.ledger.open([(data["product_id"], data["from_store_id"])])
        reservation_id = self.ids.new("rsv")
        booking.reserve(reservation_id, reservation_of(stored.key.id, data, caller.user_id, booking.now))
        booking.write()
        return {"reservation_id": reservation_id}

    def _move_stock(self, stored: Stored, caller: Caller) -> None:
        """Take the units out of the source, by their reservation where it still holds them, and into the destination."""
        data = stored.data
        product_id, source, destination = data["product_id"], data["from_store_id"], data["to_store_id"]
        pairs = [(product_id, each) for each in (source, destination) if each is not None]
        booking = self.ledger.open(pairs)

        def change(store_id: str, quantity: int, kind: MovementType) -> Change:
            return Change(product_id, store_id, quantity, kind, reference=stored.key.id, user_id=caller.user_id)

        left: Mapping[str, Any] | None = None
        if source is not None:
            out = change(source, -data["quantity"], MovementType.TRANSFER_OUT)
            held = self._reservation(data)
            if held is not None and booking.is_active(held):
                _, left = booking.close_reservation(held, ReservationStatus.COMMITTED, change=out)
            else:
                left = booking.add(out)
        into = change(destination, data["quantity"], MovementType.TRANSFER_IN)
        booking.add(replace(into, lots=arriving(left or {})))
        booking.write()

    def _release(self, stored: Stored) -> None:
        held = self._reservation(stored.data)
        if held is None:
            return
        booking = self.ledger.open([(stored.data["product_id"], stored.data["from_store_id"])])
        if booking.is_active(held):
            booking.close_reservation(held, ReservationStatus.RELEASED)
            booking.write()

    def _reservation(self, data: Mapping[str, Any]) -> Stored | None:
        named = data["reservation_id"]
        return None if named is None else self.store.get(reservation_key(named))

    def _put(self, stored: Stored, caller: Caller, action: str, changes: Data, details: Data) -> Stored:
        moment = instant(self.clock.now())
        before = stored.data
        after = priced({**before, **changes, "updated_at": moment, "version": before["version"] + 1})
        told = entry(moment, caller.user_id, action, (before["status"], after["status"]), details)
        after["history"] = [*before["history"], told]
        made = Stored(stored.key, after, stored.version)
        self.store.write([Put(stored.key, after, stored.version), self._row(made)])
        self.store.after_commit(self.ledger.on_rows)
        return made

    def _row(self, stored: Stored) -> Create:
        name = f"{stored.key.id}.{stored.data['version']:06d}"
        return self.outbox.rows(ORDERS_TABLE, name, [order_row(stored.key.id, stored.data)])

    def _name_of(self, caller: Caller) -> str:
        user = self.store.get(Key("users", caller.user_id))
        return (user.data.get("full_name") if user else None) or caller.username


def _check_reach(caller: Caller, data: Mapping[str, Any], target: Status) -> None:
    """Raise Forbidden outside the caller's store, or (approving) the manager's region."""
    check_scope(caller, data["from_store_id"], data["to_store_id"])
    bound = caller.region if caller.role is Role.MANAGER else None
    if target is Status.APPROVED and bound and data["to_store_region"] != bound:
        raise Forbidden("Your account approves orders into its own region only.")


def _mark(move: Move) -> str:
    return f"{move.caller.user_id} {move.target.value} {move.token}"
