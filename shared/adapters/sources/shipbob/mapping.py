"""ShipBob's JSON as held orders: pure functions that take any JSON and never raise (`sources.md` 1.6-1.7, `api.md` 2.2.1).

A shipment is held when its status is Exception or OnHold and the order is not cancelled; each of its `status_details` is
one line. Several details of one inventory item are one line, whose reason is the one that says stock is missing.
"""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from shared.adapters.sources.reading import (
    Notes,
    clean,
    fold,
    identifier,
    items,
    mapping,
    money,
    record_id,
    text,
    time,
    units,
)
from shared.adapters.sources.shipbob.words import (
    HELD,
    ORDER_STATUSES,
    ORDER_TYPES,
    SHIPMENT_STATUSES,
    is_known,
    reason_of,
)
from shared.core.values import dataclass
from shared.oos.source import Fate, HeldLine, HeldOrder, Verdict
from shared.oos.words import FEED_REASONS

__all__ = ["centre_ids", "held_order", "judge"]

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Item:
    """What a shipment holds of one inventory item, over all its lots and lines."""

    sku: str | None
    name: str | None
    unit_price: Decimal | None
    ordered: int | None
    committed: int | None


def held_order(record: Json, centres: Mapping[str, str], notes: Notes) -> HeldOrder | None:
    """Return the order with its held lines; None when it holds none or has no id."""
    order_id = identifier(record.get("id"))
    _note_words(record, notes)
    if order_id is None or fold(record.get("status")) == "cancelled":
        return None
    lines = _held_lines(record, centres, notes)
    if not lines:
        return None
    recipient, order_type = mapping(record.get("recipient")), text(record.get("type"))
    return HeldOrder(
        source="shipbob",
        order_id=order_id,
        order_number=text(record.get("order_number")),
        status=text(record.get("status")),
        order_type=order_type,
        priority=None,
        channel=text(mapping(record.get("channel")).get("name")),
        channel_category=order_type,
        shipment_type=text(record.get("shipping_method")),
        custom_reference=text(record.get("reference_id")),
        customer_name=text(recipient.get("name")),
        customer_email=text(recipient.get("email")),
        purchase_date=time(record.get("purchase_date"), notes) or time(record.get("created_date"), notes),
        shipped_at=_shipped_at(record, notes),
        source_updated_at=_latest(record, "last_update_at", notes),
        value=_value(record),
        currency=None,
        lines=lines,
        line_items=_line_items(record),
        raw=clean(dict(record)),
    )


def judge(record: Json, centres: Mapping[str, str], notes: Notes) -> Verdict | None:
    """Say what has become of an order; None when the record is too broken to tell."""
    order = held_order(record, centres, notes)
    if order is not None:
        return Verdict(Fate.HELD, order)
    status, shipments = fold(record.get("status")), record.get("shipments")
    if status == "cancelled":
        return Verdict(Fate.CANCELLED)
    if not isinstance(shipments, list) or not all(_is_readable(shipment) for shipment in shipments):
        return None
    states = {fold(shipment.get("status")) for shipment in shipments}
    if status == "fulfilled" or (states and states <= {"completed", "cancelled"} and "completed" in states):
        return Verdict(Fate.SHIPPED)
    return Verdict(Fate.CANCELLED if states == {"cancelled"} else Fate.RELEASED)


def _is_readable(shipment: Any) -> bool:
    """Say whether a shipment can be told to be held or not: a broken record must not look released."""
    if not isinstance(shipment, dict):
        return False
    return fold(shipment.get("status")) not in HELD or isinstance(shipment.get("status_details"), list)


def centre_ids(rows: list[Any]) -> set[str]:
    """Return the centres that details of held shipments name and whose names their own orders do not tell."""
    wanted: set[str] = set()
    for record in items(rows):
        told = _centres_of(record)
        for shipment in _held_shipments(record):
            named = {
                identifier(detail.get("exception_fulfillment_center_id"))
                for detail in items(shipment.get("status_details"))
            }
            wanted |= {centre for centre in named if centre is not None and centre not in told}
    return wanted


def _held_shipments(record: Json) -> Iterator[Json]:
    return (shipment for shipment in items(record.get("shipments")) if fold(shipment.get("status")) in HELD)


def _held_lines(record: Json, centres: Mapping[str, str], notes: Notes) -> list[HeldLine]:
    names = {**centres, **_centres_of(record)}
    lines: dict[tuple[str | None, str], HeldLine] = {}
    for shipment in _held_shipments(record):
        shipped_items = _items_of(shipment, record)
        for index, detail in enumerate(items(shipment.get("status_details"))):
            line = _line(shipment, detail, index, shipped_items, names)
            _note_detail(detail, notes)
            present = lines.get((line.shipment_id, line.item))
            if present is None or (line.reason in FEED_REASONS and present.reason not in FEED_REASONS):
                lines[line.shipment_id, line.item] = line
    return list(lines.values())


def _line(
    shipment: Json, detail: Json, index: int, shipped_items: Mapping[str, _Item], names: Mapping[str, str]
) -> HeldLine:
    number = identifier(detail.get("inventory_id"))
    known = shipped_items.get(number or "", _Item(None, None, None, None, None))
    named = identifier(detail.get("exception_fulfillment_center_id"))
    centre = named or identifier(mapping(shipment.get("location")).get("id"))
    location_name = text(mapping(shipment.get("location")).get("name"))
    return HeldLine(
        item=number or _item_of(detail, index),
        shipment_id=identifier(shipment.get("id")),
        inventory_item_id=number,
        sku=known.sku,
        name=known.name,
        facility=location_name if centre is None else names.get(centre),
        facility_id=centre,
        ordered_quantity=known.ordered or 0,
        committed_quantity=known.committed,
        short_quantity=_short(known),
        reason=reason_of(detail.get("id"), detail.get("name")).value,
        source_state=text(shipment.get("status")),
        source_reason=text(detail.get("name")),
        source_reason_id=record_id(detail.get("id")),
        unit_price=known.unit_price,
    )


def _item_of(detail: Json, index: int) -> str:
    """Name a line that has no inventory item: by the detail, which is the same in every refresh."""
    named = identifier(detail.get("id")) or (text(detail.get("name")) or "")[:100]
    return f"detail-{named}" if named else f"line-{index}"


def _short(item: _Item) -> int | None:
    return None if item.ordered is None or item.committed is None else max(0, item.ordered - item.committed)


def _items_of(shipment: Json, record: Json) -> dict[str, _Item]:
    """Return the shipment's inventory items; quantities of several lots or lines of one item are added up."""
    prices = _prices(record)
    found: dict[str, _Item] = {}
    for product in items(shipment.get("products")):
        for entry in items(product.get("inventory_items")):
            number = identifier(entry.get("id"))
            if number is not None:
                item = _item(entry, product, prices)
                found[number] = _added(found[number], item) if number in found else item
    return found


def _item(entry: Json, product: Json, prices: Mapping[str, Decimal]) -> _Item:
    product_sku = text(product.get("sku"))
    sku = text(entry.get("sku")) or product_sku
    parts = {identifier(part.get("id")) for part in items(product.get("inventory_items"))}
    whole = sku == product_sku and len(parts) == 1
    price = money(product.get("unit_price"))
    if price is None:
        price = prices.get(identifier(product.get("id")) or "")
    return _Item(
        sku=sku,
        name=text(entry.get("name")) or text(product.get("name")),
        unit_price=price if whole else None,
        ordered=units(entry.get("quantity")),
        committed=units(entry.get("quantity_committed")),
    )


def _added(one: _Item, other: _Item) -> _Item:
    return _Item(
        one.sku or other.sku,
        one.name or other.name,
        one.unit_price,
        _sum(one.ordered, other.ordered),
        _sum(one.committed, other.committed),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _prices(record: Json) -> dict[str, Decimal]:
    found = (
        (identifier(product.get("id")), money(product.get("unit_price"))) for product in items(record.get("products"))
    )
    return {number: price for number, price in found if number is not None and price is not None}


def _value(record: Json) -> Decimal | None:
    """Return the worth of all order lines; None unless the vendor prices every one."""
    products = items(record.get("products"))
    pairs = [(money(product.get("unit_price")), units(product.get("quantity"))) for product in products]
    if not pairs or any(price is None or quantity is None for price, quantity in pairs):
        return None
    return money(
        str(
            sum(
                (price * quantity for price, quantity in pairs if price is not None and quantity is not None),
                Decimal(0),
            )
        )
    )


def _line_items(record: Json) -> list[dict[str, Any]]:
    """Return all lines of the order, each with the status of the shipment it is in; a held one first."""
    states: dict[str, str | None] = {}
    shipments = items(record.get("shipments"))
    for shipment in sorted(shipments, key=lambda shipment: fold(shipment.get("status")) not in HELD):
        for product in items(shipment.get("products")):
            states.setdefault(identifier(product.get("id")) or "", text(shipment.get("status")))
    return [
        {
            "sku": text(product.get("sku")),
            "quantity": units(product.get("quantity")),
            "status": states.get(identifier(product.get("id")) or ""),
        }
        for product in items(record.get("products"))
    ]


def _centres_of(record: Json) -> dict[str, str]:
    places = [mapping(shipment.get("location")) for shipment in items(record.get("shipments"))]
    found = ((identifier(place.get("id")), text(place.get("name"))) for place in places)
    return {number: name for number, name in found if number and name}


def _shipped_at(record: Json, notes: Notes) -> str | None:
    shipments = items(record.get("shipments"))
    if not shipments or any(fold(shipment.get("status")) != "completed" for shipment in shipments):
        return None
    return _latest(record, "actual_fulfillment_date", notes)


def _latest(record: Json, field: str, notes: Notes) -> str | None:
    return max(
        (moment for shipment in items(record.get("shipments")) if (moment := time(shipment.get(field), notes))),
        default=None,
    )


def _note_words(record: Json, notes: Notes) -> None:
    _note_word("order_status", record.get("status"), ORDER_STATUSES, notes)
    _note_word("order_type", record.get("type"), ORDER_TYPES, notes)
    for shipment in items(record.get("shipments")):
        _note_word("shipment_status", shipment.get("status"), SHIPMENT_STATUSES, notes)


def _note_word(kind: str, word: Any, known: Collection[str], notes: Notes) -> None:
    if word is not None and fold(word) not in known:
        notes.note(kind, word)


def _note_detail(detail: Json, notes: Notes) -> None:
    if not is_known(detail.get("id"), detail.get("name")):
        notes.note("status_detail", detail.get("name") or detail.get("id"))
