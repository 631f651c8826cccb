"""Stord's JSON as held orders: pure functions that take any JSON and never raise (`sources.md` 2.1, `api.md` 2.2.1).

An order is held when one of its lines has an out-of-stock status; rows come from those lines only. Stord has no shipments
and gives no prices, so both stay unknown.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from shared.adapters.sources.reading import Notes, clean, fold, identifier, items, mapping, text, time, units
from shared.oos.source import Fate, HeldLine, HeldOrder, Verdict
from shared.oos.words import Reason

__all__ = ["held_order", "judge", "order_key", "records"]

Json = Mapping[str, Any]
_SHIPPED = frozenset({"shipped", "completed", "fulfilled", "delivered"})
_CANCELLED = frozenset({"canceled", "cancelled"})
_STATUSES = _SHIPPED | _CANCELLED | {"open", "partially_shipped"}
_LINE_STATUSES = _SHIPPED | _CANCELLED | {"open", "allocated", "backordered", "partially_shipped"}


def order_key(record: Json) -> str | None:
    """Return our id of an order: its number, else the vendor's id."""
    return identifier(record.get("order_number")) or identifier(record.get("order_id"))


def records(data: Any) -> list[Any] | None:
    """Return the records of an answer's `data`, which is a list or a list of lists; None for anything else."""
    if not isinstance(data, list):
        return None
    flat: list[Any] = []
    for entry in data:
        flat.extend(entry if isinstance(entry, list) else [entry])
    return flat


def held_order(record: Json, oos_statuses: Collection[str], notes: Notes) -> HeldOrder | None:
    """Return the order with its held lines; None when it holds none, has ended, or has no id.

    `oos_statuses` are folded line statuses that mean out of stock.
    """
    order_id, status = order_key(record), fold(record.get("status"))
    _note_words(record, oos_statuses, notes)
    if order_id is None or status in _SHIPPED or status in _CANCELLED:
        return None
    lines = _held_lines(record, oos_statuses)
    if not lines:
        return None
    name, email = _customer(record)
    return HeldOrder(
        source="stord",
        order_id=order_id,
        order_number=text(record.get("order_number")),
        status=text(record.get("status")),
        order_type=None,
        priority=text(record.get("priority")),
        channel=text(record.get("channel")),
        channel_category=text(record.get("channel_category")),
        shipment_type=text(record.get("shipment_type")),
        custom_reference=text(record.get("custom_reference")),
        customer_name=name,
        customer_email=email,
        purchase_date=time(record.get("external_posted_at"), notes) or time(record.get("inserted_at"), notes),
        shipped_at=time(record.get("shipped_at"), notes),
        source_updated_at=time(record.get("updated_at"), notes),
        value=None,
        currency=None,
        lines=lines,
        line_items=_line_items(record),
        raw=clean(dict(record)),
    )


def judge(record: Json, oos_statuses: Collection[str], notes: Notes) -> Verdict | None:
    """Say what has become of an order; None when the record is too broken to tell."""
    order = held_order(record, oos_statuses, notes)
    if order is not None:
        return Verdict(Fate.HELD, order)
    status, lines = fold(record.get("status")), record.get("sales_order_lines")
    if status in _CANCELLED:
        return Verdict(Fate.CANCELLED)
    if status in _SHIPPED:
        return Verdict(Fate.SHIPPED)
    readable = isinstance(lines, list) and all(isinstance(line, dict) for line in lines)
    return Verdict(Fate.RELEASED) if readable else None


def _held_lines(record: Json, oos_statuses: Collection[str]) -> list[HeldLine]:
    facility, facility_id = _facility(record)
    found: dict[str, HeldLine] = {}
    for item, sku, quantity, state in _short_items(record, oos_statuses):
        if item in found:
            found[item].ordered_quantity += quantity
            continue
        found[item] = HeldLine(
            item=item,
            shipment_id=None,
            inventory_item_id=None,
            sku=sku,
            name=None,
            facility=facility,
            facility_id=facility_id,
            ordered_quantity=quantity,
            committed_quantity=None,
            short_quantity=None,
            reason=Reason.OUT_OF_STOCK.value,
            source_state=state,
            source_reason=state,
            source_reason_id=None,
        )
    return list(found.values())


def _short_items(record: Json, oos_statuses: Collection[str]) -> Iterator[tuple[str, str | None, int, str | None]]:
    """Yield (item, SKU, quantity, status) of the out-of-stock lines; a line that names nothing is one item without SKU."""
    for index, line in enumerate(items(record.get("sales_order_lines"))):
        if fold(line.get("status")) not in oos_statuses:
            continue
        state = text(line.get("status"))
        for part in items(line.get("order_line_items")) or [{}]:
            sku = text(part.get("item_sku"))
            yield sku or f"line-{index}", sku, units(part.get("item_quantity")) or 0, state


def _facility(record: Json) -> tuple[str | None, str | None]:
    """Return alias and, where the service-level lines tell it, id of the first facility that works on the order."""
    aliases = (text(activity.get("facility_alias")) for activity in items(record.get("facility_activities")))
    alias = next((alias for alias in aliases if alias), None)
    for line in items(record.get("sla_sales_order_lines")):
        if alias and text(mapping(line.get("facility_activity")).get("facility_alias")) == alias:
            return alias, identifier(line.get("facility_id"))
    return alias, None


def _customer(record: Json) -> tuple[str | None, str | None]:
    customer = record.get("customer")
    name = text(customer) or text(mapping(customer).get("name"))
    email = text(mapping(customer).get("email"))
    return name or text(mapping(record.get("destination_address")).get("name")), email


def _line_items(record: Json) -> list[dict[str, Any]]:
    return [
        {
            "sku": text(part.get("item_sku")),
            "quantity": units(part.get("item_quantity")),
            "status": text(line.get("status")),
        }
        for line in items(record.get("sales_order_lines"))
        for part in items(line.get("order_line_items")) or [{}]
    ]


def _note_words(record: Json, oos_statuses: Collection[str], notes: Notes) -> None:
    status = record.get("status")
    if status is not None and fold(status) not in _STATUSES:
        notes.note("order_status", status)
    for line in items(record.get("sales_order_lines")):
        word = line.get("status")
        if word is not None and fold(word) not in _LINE_STATUSES and fold(word) not in oos_statuses:
            notes.note("line_status", word)
