"""Customers' orders: keeping them, moving them by hand, and starting their fulfilment."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from shared.catalog.record import claim_of_sku, product_key, refuse_kit
from shared.core.caller import Caller
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import AlreadyExists, InvalidState, NotFound, ValidationFailed
from shared.core.ids import Ids
from shared.core.values import dataclass
from shared.jobs.names import FULFIL_ORDER
from shared.jobs.record import Record
from shared.jobs.service import JobService, Started
from shared.orders.customer_models import CustomerFilter, Fulfil, NewCustomerOrder, Tracking
from shared.orders.customer_record import customer_data, customer_key, customer_view, settled
from shared.orders.lists import Asked, customer_orders
from shared.orders.rules import CUSTOMER_ORDERS, CustomerStatus, ItemStatus
from shared.orders.selection import FULFILLABLE, OPEN_ITEMS, move_by_hand
from shared.ports.documents import Create, Key, Put, Query, Stored, Write
from shared.ports.store import Store

if TYPE_CHECKING:
    from shared.orders.suppliers import Placed

__all__ = ["KIND", "CustomerOrders", "start_writes"]

Data = dict[str, Any]

KIND = FULFIL_ORDER
PLACING = "placing"
_COUNTER = Key("counters", "customer_orders")
_MOST_SWEPT = 50
_FREE_TRIES = 1000


@dataclass(frozen=True)
class CustomerOrders:
    """Customers' orders of one merchant."""

    store: Store
    clock: Clock
    ids: Ids
    jobs: JobService
    currency: str
    has_supplier: Callable[[str], bool]

    def get(self, order_id: str) -> Stored:
        """Return an order; raise NotFound."""
        found = self.store.get(customer_key(order_id))
        if found is None:
            raise NotFound("No order has this id.", resource="order")
        return found

    def view(self, stored: Stored) -> Data:
        """Return an order as shown."""
        return customer_view(stored)

    def sought(self, wanted: CustomerFilter) -> Asked:
        """Return what a list of orders asks of the store."""
        return customer_orders(wanted)

    def create(self, caller: Caller, wanted: NewCustomerOrder) -> Stored:
        """Keep an order; raise AlreadyExists for a taken number, NotFound for an unknown product.

        Raise ValidationFailed for a kit and for an unknown supplier.
        """
        return self.store.atomically(lambda: self._created(caller, wanted, self.ids.new("cor")))

    def set_status(self, order_id: str, target: CustomerStatus, condition: Precondition = NO_CONDITION) -> Stored:
        """Move an order by hand; raise InvalidState where a person may not."""

        def change(data: Data) -> Data:
            move_by_hand(CustomerStatus(data["status"]), target)
            if target is CustomerStatus.CANCELLED and _is_uncertain(data):
                detail = "A supplier may have this order: fulfil it again first, which asks the supplier."
                raise InvalidState(detail, current=data["status"], allowed=[CustomerStatus.PROCESSING.value])
            return {"status": target.value}

        return self._change(order_id, change, condition)

    def track(self, order_id: str, item_id: str, told: Tracking, condition: Precondition = NO_CONDITION) -> Stored:
        """Say how an item travels: it is shipped then, and the order with its last item. Raise NotFound, InvalidState."""

        def change(data: Data) -> Data:
            if not any(item["id"] == item_id for item in data["items"]):
                raise NotFound("This order has no item of this id.", resource="item")
            return shipped(data, {item_id}, told, instant(self.clock.now()))

        return self._change(order_id, change, condition)

    def heard(self, order_id: str, reference: str, placed: "Placed") -> bool:
        """Take what a supplier says of its order under a reference; return whether any of it was new. Raise NotFound.

        The items it sent are shipped then. An order that has ended is told of the supplier's state only.
        """

        def work() -> bool:
            stored = self.get(order_id)
            now = instant(self.clock.now())
            changes = news(stored.data, reference, placed, now)
            if changes:
                self.store.write([Put(stored.key, changed(stored.data, changes, now), stored.version)])
            return bool(changes)

        return self.store.atomically(work)

    def fulfil(
        self, caller: Caller, wish: Fulfil, condition: Precondition = NO_CONDITION, *, trace: str | None = None
    ) -> Started:
        """Start (or join) the job that fulfils an order; raise NotFound or InvalidState."""
        stored = self.get(wish.order_id)
        condition.check(stored.key.id, stored.data["version"])
        check_fulfillable(stored.data)
        return self.jobs.start(KIND, stored.key.id, wish.model_dump(), caller, request_trace=trace)

    def sweep(self, caller: Caller) -> list[str]:
        """Start the jobs of up to 50 pending orders that are to be fulfilled by themselves; return their ids.

        An order that somebody else decides on meanwhile stops none of the others.
        """
        due = Query(CUSTOMER_ORDERS, (("auto_pending", True),), order_by="created_at", limit=_MOST_SWEPT)
        started: list[str] = []
        for stored in self.store.query(due):
            with suppress(InvalidState):
                started.append(self.fulfil(caller, Fulfil(order_id=stored.key.id)).job.id)
        return started

    def _created(self, caller: Caller, wanted: NewCustomerOrder, order_id: str) -> Stored:
        products = self._products(wanted)
        self._check_suppliers(wanted)
        number, writes = self._numbered(wanted.order_number, order_id)
        made = {
            "id": order_id,
            "order_number": number,
            "created_by": caller.user_id,
            "created_at": instant(self.clock.now()),
        }
        data = customer_data(wanted, products, made, self.currency)
        self.store.write([Create(customer_key(order_id), data), *writes])
        return Stored(customer_key(order_id), data, "")

    def _products(self, wanted: NewCustomerOrder) -> list[Stored]:
        """Return the product of each item; raise NotFound."""
        claims = [claim_of_sku(item.sku) for item in wanted.items if item.product_id is None and item.sku]
        by_sku = self.store.get_many(claims) if claims else {}
        ids: list[str] = []
        for item in wanted.items:
            claim = None if item.product_id is not None else by_sku.get(claim_of_sku(item.sku or ""))
            ids.append(item.product_id or (claim.data["product_id"] if claim else ""))
        found = self.store.get_many([product_key(each) for each in dict.fromkeys(ids) if each])
        missing = [at for at, each in enumerate(ids) if product_key(each) not in found]
        if missing:
            raise NotFound(f"Item {missing[0]} names a product that is not there.", resource="product")
        for at, each in enumerate(ids):
            refuse_kit(found[product_key(each)].data, f"/items/{at}")
        return [found[product_key(each)] for each in ids]

    def _check_suppliers(self, wanted: NewCustomerOrder) -> None:
        """Raise ValidationFailed for an item whose supplier is no connection."""
        for at, item in enumerate(wanted.items):
            if item.supplier_id is not None and not self.has_supplier(item.supplier_id):
                detail = "No supplier connection has this id."
                raise ValidationFailed.at(f"/items/{at}/supplier_id", "unknown_supplier", detail)

    def _numbered(self, wanted: str | None, order_id: str) -> tuple[str, list[Write]]:
        """Return the number of a new order, and the writes that make it its own; raise AlreadyExists."""
        if wanted is not None:
            if self.store.get(_number_key(wanted)) is not None:
                raise AlreadyExists("Another order has this number.", field="order_number")
            return wanted, [Create(_number_key(wanted), {"order_id": order_id})]
        counter = self.store.get(_COUNTER)
        last = counter.data["last"] if counter else 0
        for number in range(last + 1, last + _FREE_TRIES):
            name = f"CO{number:06d}"
            if self.store.get(_number_key(name)) is None:
                data = {"last": number}
                keep = Create(_COUNTER, data) if counter is None else Put(_COUNTER, data, counter.version)
                return name, [keep, Create(_number_key(name), {"order_id": order_id})]
        raise AlreadyExists("No number is left near the last one; give one.", field="order_number")

    def _change(self, order_id: str, change: Any, condition: Precondition) -> Stored:
        def work() -> Stored:
            stored = self.get(order_id)
            condition.check(order_id, stored.data["version"])
            after = changed(stored.data, change(stored.data), instant(self.clock.now()))
            self.store.write([Put(stored.key, after, stored.version)])
            return Stored(stored.key, after, stored.version)

        return self.store.atomically(work)


def changed(data: Data, changes: Mapping[str, Any], moment: str) -> Data:
    """Return an order after a change: a later version."""
    return settled({**data, **changes, "updated_at": moment, "version": data["version"] + 1})


def shipped(data: Data, item_ids: set[str], told: Tracking, moment: str) -> Data:
    """Return what changes when items of an order travel; raise InvalidState when the order has ended."""
    ended = {CustomerStatus.CANCELLED, CustomerStatus.DELIVERED}
    if CustomerStatus(data["status"]) in ended:
        detail = f"An order that is {data['status']} ships nothing."
        raise InvalidState(detail, current=data["status"], allowed=[])
    given = told.model_dump(exclude_unset=True)
    at = instant(told.shipped_at) if told.shipped_at else None
    items = []
    for item in data["items"]:
        if item["id"] not in item_ids:
            items.append(item)
            continue
        changes = {name: given[name] for name in ("tracking_number", "carrier") if name in given}
        when = at or item["shipped_at"] or moment
        status = ItemStatus.SHIPPED.value
        items.append({**item, **changes, "shipped_at": when, "fulfillment_status": status, "fulfillment_error": None})
    last = all(item["fulfillment_status"] == ItemStatus.SHIPPED for item in items)
    return {"items": items, **({"status": CustomerStatus.SHIPPED.value} if last else {})}


def news(data: Data, reference: str, placed: "Placed", moment: str) -> Data:
    """Return what changes by what a supplier says of its order under a reference; what it does not say stays."""
    record = next((one for one in data["supplier_orders"] if one["reference"] == reference), None)
    if record is None:
        return {}
    changes: Data = {}
    if placed.status is not None and record.get("supplier_status") != placed.status:
        after = {**record, "supplier_status": placed.status}
        changes["supplier_orders"] = [after if one is record else one for one in data["supplier_orders"]]
    number = next(iter(placed.tracking_numbers), None)
    ended = CustomerStatus(data["status"]) in {CustomerStatus.CANCELLED, CustomerStatus.DELIVERED}
    travelling = {
        item["id"]
        for item in data["items"]
        if item["id"] in record["item_ids"]
        and (item["tracking_number"], item["fulfillment_status"]) != (number, ItemStatus.SHIPPED)
    }
    if number is not None and travelling and not ended:
        told = {"tracking_number": number, "carrier": placed.carrier}
        known = {name: value for name, value in told.items() if value is not None}
        changes |= shipped(data, travelling, Tracking.model_validate(known), moment)
    return changes


def check_fulfillable(data: Mapping[str, Any]) -> None:
    """Raise InvalidState when an order is past fulfilment or nothing of it is left to order."""
    status = CustomerStatus(data["status"])
    open_items = [item for item in data["items"] if item["fulfillment_status"] in OPEN_ITEMS]
    if status not in FULFILLABLE or not open_items:
        allowed = [each.value for each in FULFILLABLE]
        detail = (
            f"An order that is {status.value} cannot be fulfilled." if open_items else "Everything is ordered already."
        )
        raise InvalidState(detail, current=status.value, allowed=allowed)


def start_writes(store: Store, record: Record) -> Sequence[Write]:
    """Return what the start of a fulfilment writes beside its job: the order is being processed by it."""
    stored = store.get(customer_key(record.input["order_id"]))
    if stored is None:
        raise NotFound("No order has this id.", resource="order")
    check_fulfillable(stored.data)
    changes = {"status": CustomerStatus.PROCESSING.value, "fulfillment_job_id": record.id}
    return [Put(stored.key, changed(stored.data, changes, record.created_at), stored.version)]


def _is_uncertain(data: Mapping[str, Any]) -> bool:
    return any(one["status"] == PLACING for one in data["supplier_orders"])


def _number_key(number: str) -> Key:
    return Key("customer_order_numbers", hashlib.sha256(number.encode()).hexdigest())
