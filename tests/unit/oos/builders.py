"""Builders of held orders, as connectors would deliver them."""

from decimal import Decimal
from typing import Any

from shared.oos.source import HeldLine, HeldOrder

__all__ = ["a_line", "an_order"]


def a_line(sku: str | None = "TEE-1", **changes: Any) -> HeldLine:
    """Return a held line: three units short of stock."""
    fields: dict[str, Any] = {
        "item": f"item-{sku}",
        "shipment_id": "7002",
        "inventory_item_id": f"item-{sku}",
        "sku": sku,
        "name": "Tee",
        "facility": "West",
        "facility_id": "4",
        "ordered_quantity": 3,
        "committed_quantity": 0,
        "short_quantity": 3,
        "reason": "out_of_stock",
        "source_state": "Exception",
        "source_reason": "OutOfStock",
        "source_reason_id": 303,
        "unit_price": Decimal("19.50"),
    }
    return HeldLine(**(fields | changes))


def an_order(order_id: str = "1001", *lines: HeldLine, **changes: Any) -> HeldOrder:
    """Return a held ShipBob order with one short line unless lines are given."""
    fields: dict[str, Any] = {
        "source": "shipbob",
        "order_id": order_id,
        "order_number": f"S-{order_id}",
        "status": "Exception",
        "order_type": "DTC",
        "priority": None,
        "channel": "Web",
        "channel_category": "DTC",
        "shipment_type": "Ground",
        "custom_reference": f"web-{order_id}",
        "customer_name": "Ada Example",
        "customer_email": "ada@example.com",
        "purchase_date": "2026-01-10T09:15:00.000000Z",
        "shipped_at": None,
        "source_updated_at": "2026-01-12T07:30:12.500000Z",
        "value": Decimal("58.50"),
        "currency": None,
        "lines": list(lines) or [a_line()],
        "line_items": [{"sku": "TEE-1", "quantity": 3, "status": "Exception"}],
        "raw": {"id": order_id},
    }
    return HeldOrder(**(fields | changes))
