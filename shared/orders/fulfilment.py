"""Fulfilling a customer's order with suppliers: the job `fulfil-order`.

A run first asks after supplier orders whose fate an earlier run left open, then groups what is left by supplier, writes each
group down under its fixed reference, and places one group after the other. Before a group is placed it is marked as being
placed, in a commit that only the holder of the job's lease can make; and before anything is placed the supplier is asked for
the reference. So no retry, duplicate delivery or sweep orders twice, and what is not certain is never given to another supplier.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from shared.core.clock import instant
from shared.core.errors import NotFound, Terminal, Transient
from shared.core.values import dataclass
from shared.jobs.kinds import Done, Step
from shared.jobs.record import Record
from shared.orders.customer_record import customer_key, placed_key
from shared.orders.customers import PLACING, changed
from shared.orders.rules import CustomerStatus, ItemStatus
from shared.orders.selection import NO_SUPPLIER, OPEN_ITEMS, Choice, chosen, reference_of, status_after
from shared.orders.suppliers import Gateway, Link, Placed, Placement, PlacementLine
from shared.ports.documents import Conflict, Create, Put, Stored, Write
from shared.ports.store import Store

__all__ = ["Fulfilment", "end_writes"]

Data = dict[str, Any]
Change = Callable[[Data], Data]

PLANNED, PLACED_STATUS, REFUSED, ABSENT = "planned", "placed", "refused", "not_placed"
_TRIES = 5


@dataclass(frozen=True)
class Fulfilment:
    """Carries a fulfilment out: `gateways` finds a supplier by id (raising Terminal), `links` the offers of products."""

    store: Store
    gateways: Callable[[str], Gateway]
    links: Callable[[Sequence[str]], Mapping[str, Sequence[Link]]]

    def __call__(self, step: Step) -> Done:
        """Run one delivery; raise Terminal when nothing could be ordered, Transient when a supplier does not answer."""
        order_id = step.input["order_id"]
        self._ask_after_open(step, order_id)
        if step.cursor is None:
            self._plan(step, order_id)
        for record in self._records(order_id, PLANNED):
            self._place(step, order_id, record["reference"])
        return self._result(step, self._order(order_id).data)

    def _ask_after_open(self, step: Step, order_id: str) -> None:
        """Learn the fate of supplier orders that were being placed when an earlier delivery ended."""
        for record in self._records(order_id, PLACING):
            found = self._gateway(record["supplier_id"]).find(record["reference"])
            if found is not None:
                self._ordered(step, order_id, record["reference"], found)
            else:
                self._marked(step, order_id, record["reference"], PLANNED if step.cursor is not None else ABSENT)

    def _plan(self, step: Step, order_id: str) -> None:
        """Write down which supplier is to get what; items without a supplier have failed."""
        order = self._order(order_id).data
        ids = [item["product_id"] for item in _open(order)]
        choice = Choice(self.links(ids), step.input["supplier_id"], step.input["auto_select_supplier"])
        groups: dict[str, list[str]] = {}
        homeless: set[str] = set()
        for item in _open(order):
            supplier_id = chosen(item, choice, order["currency"])
            if supplier_id is None:
                homeless.add(item["id"])
            else:
                groups.setdefault(supplier_id, []).append(item["id"])
        for item_id in sorted(homeless):
            step.item(item_id, "failed", NO_SUPPLIER, "No supplier offers enough of this product.")
        self._update(
            step,
            order_id,
            lambda data: _planned(data, groups, homeless),
            cursor={"phase": "place"},
            progress=(len(homeless), len(ids), None),
        )

    def _place(self, step: Step, order_id: str, reference: str) -> None:
        """Place one group, unless the supplier knows its reference."""
        record = self._record(order_id, reference)
        if record is None or record["status"] != PLANNED:
            return
        try:
            gateway = self._gateway(record["supplier_id"])
            self._marked(step, order_id, reference, PLACING)
            placed = gateway.find(reference) or gateway.place(self._placement(order_id, record))
        except Terminal as refusal:
            self._refused(step, order_id, reference, refusal)
            return
        self._ordered(step, order_id, reference, placed)

    def _gateway(self, supplier_id: str) -> Gateway:
        try:
            return self.gateways(supplier_id)
        except NotFound as unknown:
            raise Terminal("unknown_supplier", "There is no such supplier.") from unknown

    def _placement(self, order_id: str, record: Mapping[str, Any]) -> Placement:
        order = self._order(order_id).data
        own = [item for item in order["items"] if item["id"] in record["item_ids"]]
        links = self.links([item["product_id"] for item in own])
        lines = [_line(item, links.get(item["product_id"], ()), record["supplier_id"]) for item in own]
        return Placement(record["reference"], lines, _address(order), order["shipping_method"], order["notes"])

    def _ordered(self, step: Step, order_id: str, reference: str, placed: Placed) -> None:
        """Keep that a group was ordered: items, supplier order, and where it is found by its reference."""
        record = self._record(order_id, reference)
        assert record is not None
        for item_id in record["item_ids"]:
            step.item(item_id, "succeeded")
        note: Data = {
            "order_id": order_id,
            "supplier_id": record["supplier_id"],
            "reference": reference,
            "supplier_order_id": placed.supplier_order_id,
            "open": True,
            "created_at": instant(step.now),
        }
        key = placed_key(reference)
        writes = [] if self.store.get(key) else [Create(key, note)]
        self._update(step, order_id, lambda data: _with_placed(data, reference, placed), writes=writes)

    def _refused(self, step: Step, order_id: str, reference: str, refusal: Terminal) -> None:
        record = self._record(order_id, reference)
        for item_id in record["item_ids"] if record else ():
            step.item(item_id, "failed", refusal.code, refusal.detail)
        self._update(step, order_id, lambda data: _with_refusal(data, reference, refusal.detail))

    def _marked(self, step: Step, order_id: str, reference: str, status: str) -> None:
        self._update(step, order_id, lambda data: _with_record(data, reference, {"status": status}))

    def _update(self, step: Step, order_id: str, change: Change, *, writes: Sequence[Write] = (), **kept: Any) -> None:
        """Commit a change of the order with the job's checkpoint, again when somebody else changed the order meanwhile."""
        for _ in range(_TRIES):
            stored = self._order(order_id)
            after = changed(stored.data, change(stored.data), instant(step.now))
            try:
                step.checkpoint(writes=[Put(stored.key, after, stored.version), *writes], **kept)
            except Conflict:
                continue
            return
        raise Transient("contention", "The order changes too often at the moment.")

    def _order(self, order_id: str) -> Stored:
        stored = self.store.get(customer_key(order_id))
        if stored is None:
            raise Terminal("order_gone", "There is no such order.")
        return stored

    def _records(self, order_id: str, *statuses: str) -> list[Data]:
        return [one for one in self._order(order_id).data["supplier_orders"] if one["status"] in statuses]

    def _record(self, order_id: str, reference: str) -> Data | None:
        records = self._order(order_id).data["supplier_orders"]
        return next((one for one in records if one["reference"] == reference), None)

    def _result(self, step: Step, order: Data) -> Done:
        done = [item for item in order["items"] if item["fulfillment_status"] not in OPEN_ITEMS]
        if not done:
            reasons = {item["fulfillment_error"].rstrip(".") for item in order["items"] if item["fulfillment_error"]}
            detail = f"Nothing could be ordered: {'; '.join(sorted(reasons)) or 'no supplier took anything'}."
            raise Terminal("fulfillment_failed", detail)
        own = [one for one in order["supplier_orders"] if one["status"] == PLACED_STATUS]
        return Done(
            {
                "order_id": step.input["order_id"],
                "items_fulfilled": len(done),
                "items_failed": len(order["items"]) - len(done),
                "supplier_orders": [{name: one[name] for name in _SHOWN} for one in own],
                "tracking_numbers": sorted({item["tracking_number"] for item in done if item["tracking_number"]}),
                "order_status": status_after(order["items"], cancelled=False).value,
            }
        )


def end_writes(store: Store, record: Record) -> Sequence[Write]:
    """Return what the end of a fulfilment writes beside its job: the state its items leave the order in."""
    stored = store.get(customer_key(record.input["order_id"]))
    if stored is None or stored.data["fulfillment_job_id"] != record.id:
        return []
    data = stored.data
    records = [one for one in data["supplier_orders"] if one["status"] not in {PLANNED, ABSENT}]
    changes: Data = {"supplier_orders": records}
    if data["status"] == CustomerStatus.PROCESSING.value:
        uncertain = any(one["status"] == PLACING for one in records)
        cancelled = record.status == "cancelled"
        after = status_after(data["items"], cancelled=cancelled)
        changes["status"] = CustomerStatus.PROCESSING.value if cancelled and uncertain else after.value
    return [Put(stored.key, changed(data, changes, record.finished_at or record.created_at), stored.version)]


def _open(order: Mapping[str, Any]) -> list[Data]:
    return [item for item in order["items"] if item["fulfillment_status"] in OPEN_ITEMS]


def _planned(data: Data, groups: Mapping[str, Sequence[str]], homeless: set[str]) -> Data:
    kept = [one for one in data["supplier_orders"] if one["status"] == PLACED_STATUS]
    new = []
    for supplier_id, item_ids in groups.items():
        placed = sum(one["supplier_id"] == supplier_id for one in kept)
        reference = reference_of(data["order_number"], supplier_id, placed)
        facts = {"supplier_order_id": None, "status": PLANNED, "item_ids": list(item_ids), "error": None}
        new.append({"supplier_id": supplier_id, "reference": reference, **facts})
    by_item = {item_id: supplier for supplier, ids in groups.items() for item_id in ids}
    items = [_assigned(item, by_item, homeless) for item in data["items"]]
    return {"items": items, "supplier_orders": [*kept, *new]}


def _assigned(item: Data, by_item: Mapping[str, str], homeless: set[str]) -> Data:
    if item["id"] in homeless:
        return {**item, "fulfillment_status": ItemStatus.FAILED.value, "fulfillment_error": NO_SUPPLIER}
    if item["id"] in by_item:
        pending = {"fulfillment_status": ItemStatus.PENDING.value, "fulfillment_error": None}
        return {**item, **pending, "supplier_id": by_item[item["id"]]}
    return item


def _with_placed(data: Data, reference: str, placed: Placed) -> Data:
    told = {"status": PLACED_STATUS, "supplier_order_id": placed.supplier_order_id, "error": None}
    after = _with_record(data, reference, told)
    item_ids = _items_of(data, reference)
    numbers = [*placed.tracking_numbers, None]
    facts = {
        "fulfillment_status": ItemStatus.ORDERED.value,
        "supplier_order_id": placed.supplier_order_id,
        "fulfillment_error": None,
    }
    items = []
    for item in data["items"]:
        if item["id"] in item_ids and item["fulfillment_status"] in OPEN_ITEMS:
            tracking = item["tracking_number"] or numbers[0]
            items.append({**item, **facts, "tracking_number": tracking, "carrier": item["carrier"] or placed.carrier})
        else:
            items.append(item)
    return {**after, "items": items}


def _with_refusal(data: Data, reference: str, reason: str) -> Data:
    after = _with_record(data, reference, {"status": REFUSED, "error": reason})
    item_ids = _items_of(data, reference)
    failed = {"fulfillment_status": ItemStatus.FAILED.value, "fulfillment_error": reason}
    items = [
        {**item, **failed} if item["id"] in item_ids and item["fulfillment_status"] in OPEN_ITEMS else item
        for item in data["items"]
    ]
    return {**after, "items": items}


def _with_record(data: Data, reference: str, changes: Mapping[str, Any]) -> Data:
    records = [{**one, **changes} if one["reference"] == reference else one for one in data["supplier_orders"]]
    return {"supplier_orders": records}


def _items_of(data: Data, reference: str) -> set[str]:
    return {item_id for one in data["supplier_orders"] if one["reference"] == reference for item_id in one["item_ids"]}


def _line(item: Mapping[str, Any], links: Iterable[Link], supplier_id: str) -> PlacementLine:
    link = next((one for one in links if one.supplier_id == supplier_id), None)
    return PlacementLine(
        item["product_id"],
        item["sku"],
        link.supplier_product_id if link else None,
        link.supplier_sku if link else None,
        item["quantity"],
    )


def _address(order: Mapping[str, Any]) -> dict[str, Any]:
    address: dict[str, Any] = from_json(order["shipping_address"])
    return address


_SHOWN = ("supplier_id", "reference", "supplier_order_id", "status", "item_ids")
