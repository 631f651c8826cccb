"""ShipBob's JSON of an order, made when first asked for and kept as bytes until the order changes."""

import json
import zlib
from datetime import datetime, timedelta
from typing import Any

from local.simulators.shipbob.model import Order, Shipment

__all__ = ["CHANNELS", "order_bytes", "order_json", "shipment_json", "stamp"]

CHANNELS = ((9, "Web"), (12, "Marketplace"), (15, "Wholesale"))
_PACK_FROM = 4096
_MARKETS = {"US": "domestic", "CA": "cross-border"}


def order_bytes(order: Order) -> bytes:
    """Return the order as JSON bytes; large ones are kept compressed."""
    if order.rendered is None:
        plain = json.dumps(order_json(order), ensure_ascii=False, separators=(",", ":")).encode()
        order.packed = len(plain) > _PACK_FROM
        order.rendered = zlib.compress(plain, 1) if order.packed else plain
        return plain
    return zlib.decompress(order.rendered) if order.packed else order.rendered


def stamp(moment: datetime | None, style: int) -> str | None:
    """Write a time in one of the forms seen: offset, Z with fraction, without zone, or with seven digits."""
    if moment is None:
        return None
    plain = moment.strftime("%Y-%m-%dT%H:%M:%S")
    match style:
        case 1:
            return f"{plain}.{moment.microsecond // 1000:03d}Z"
        case 2:
            return plain
        case 3:
            return f"{plain}.{moment.microsecond:06d}0Z"
    return f"{plain}+00:00"


def order_json(order: Order) -> dict[str, Any]:
    """Return the order as ShipBob words it."""
    channel = CHANNELS[order.channel]
    total = sum(good.cents * quantity for good, quantity in order.lines) / 100
    blank = order.blank
    return {
        "id": order.id,
        "order_number": order.number,
        "reference_id": f"web-{order.number}",
        "created_date": stamp(order.created, order.style),
        "purchase_date": None if "purchase_date" in blank else stamp(order.created - timedelta(minutes=3), order.style),
        "status": order.status,
        "type": order.type,
        "channel": None if "channel" in blank else {"id": channel[0], "name": channel[1]},
        "shipping_method": None if "shipping_method" in blank else "Ground",
        "shipping_terms": None,
        "financials": {"total_price": total},
        "gift_message": order.note,
        "tags": [],
        "recipient": None if "recipient" in blank else _recipient(order),
        "products": [_product(order, line) for line in range(len(order.lines))],
        "shipments": [shipment_json(order, shipment) for shipment in order.shipments],
    }


def _recipient(order: Order) -> dict[str, Any]:
    person = order.person
    return {
        "name": person.name,
        "email": person.email,
        "phone_number": None,
        "address": {
            "address1": "1 Main Street",
            "address2": None,
            "company_name": None,
            "city": person.city,
            "state": None,
            "country": person.country,
            "zip_code": "00000",
        },
    }


def _product(order: Order, line: int) -> dict[str, Any]:
    good, quantity = order.lines[line]
    return {
        "id": _line_id(order, line),
        "reference_id": good.sku,
        "sku": None if "sku" in order.blank else good.sku,
        "quantity": quantity,
        "unit_price": None if "unit_price" in order.blank else good.cents / 100,
        "gtin": None,
        "upc": None,
        "external_line_id": line + 1,
        "quantity_unit_of_measure_code": None,
    }


def shipment_json(order: Order, shipment: Shipment) -> dict[str, Any]:
    """Return a shipment as ShipBob words it."""
    style = order.style
    centre = None if shipment.centre is None or "location" in order.blank else shipment.centre
    return {
        "id": shipment.id,
        "order_id": order.id,
        "reference_id": f"web-{order.number}",
        "status": shipment.status,
        "status_details": [_detail(detail) for detail in shipment.details],
        "location": centre and {"id": centre.id, "name": centre.name},
        "created_date": stamp(shipment.created, style),
        "last_update_at": stamp(shipment.updated, style),
        "last_tracking_update_at": stamp(shipment.shipped, style),
        "estimated_fulfillment_date": stamp(shipment.created + timedelta(days=2), style),
        "estimated_fulfillment_date_status": _estimate(shipment),
        "actual_fulfillment_date": stamp(shipment.shipped, style),
        "delivery_date": None,
        "tracking": _tracking(order, shipment),
        "ship_option": "Ground",
        "recipient": None,
        "invoice_amount": 0.0,
        "measurements": None,
        "parent_cartons": [],
        "is_tracking_uploaded": shipment.shipped is not None,
        "products": _shipped_products(order, shipment),
    }


def _estimate(shipment: Shipment) -> str:
    if shipment.shipped is not None:
        return "FulfilledOnTime"
    return "AwaitingInventoryAllocation" if shipment.waits else "PendingOnTime"


def _detail(detail: Any) -> dict[str, Any]:
    return {
        "id": detail.id,
        "name": detail.name,
        "inventory_id": detail.inventory_id,
        "exception_fulfillment_center_id": detail.centre_id,
        "extra_information": None,
    }


def _tracking(order: Order, shipment: Shipment) -> dict[str, Any] | None:
    if shipment.shipped is None:
        return None
    return {
        "carrier": "UPS" if order.person.country in _MARKETS else "DHL",
        "carrier_service": "Ground",
        "tracking_number": f"1Z{shipment.id:012d}",
        "tracking_url": f"https://track.example/1Z{shipment.id:012d}",
        "shipping_date": stamp(shipment.shipped, order.style),
        "bol": None,
        "scac": None,
        "pro_number": None,
    }


def _shipped_products(order: Order, shipment: Shipment) -> list[dict[str, Any]]:
    rows = {line: _shipped_line(order, line) for line in shipment.lines}
    for piece in order.pieces(shipment):
        committed = shipment.committed.get(piece.good.number, piece.quantity)
        rows[piece.line]["inventory_items"].append(
            {
                "id": piece.good.number,
                "name": piece.good.name,
                "quantity": piece.quantity,
                "quantity_committed": min(committed, piece.quantity),
                "lot": None,
                "expiration_date": None,
                "serial_numbers": None,
                "is_dangerous_goods": False,
            }
        )
    return list(rows.values())


def _shipped_line(order: Order, line: int) -> dict[str, Any]:
    good, _ = order.lines[line]
    return {
        "id": _line_id(order, line),
        "reference_id": good.sku,
        "sku": None if "sku" in order.blank else good.sku,
        "name": good.name,
        "inventory_items": [],
    }


def _line_id(order: Order, line: int) -> int:
    return order.id * 10_000 + line
