"""How transfer orders are stored, shown, and sent to the warehouse. Money is decimal text.

What an order repeats of its stores and product is frozen when it is made. It adds what lists are found by: `tokens`,
`store_ids`, and the reservation that holds its units while it is approved.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shared.core.clock import instant
from shared.core.money import number, rounded
from shared.inventory.rules import search_tokens
from shared.orders.models import TransferOrder
from shared.orders.rules import Status, is_late
from shared.ports.documents import Key, Stored

if TYPE_CHECKING:
    from shared.orders.decision_models import NewTransfer

__all__ = [
    "HISTORY_KEYS",
    "ORDERS_TABLE",
    "SEARCHED",
    "TRANSFERS",
    "TRANSFER_KEYS",
    "entry",
    "new_order",
    "order_row",
    "order_view",
    "priced",
    "reservation_of",
    "transfer_key",
]

Data = dict[str, Any]

TRANSFERS = "transfer_orders"
ORDERS_TABLE = "transfer_orders"
"""Where the warehouse keeps them."""
TRANSFER_KEYS = tuple(TransferOrder.model_fields)
HISTORY_KEYS = ("at", "user_id", "action", "from_status", "to_status", "details")
SEARCHED = ("order_number", "product_name", "sku", "from_store_name", "to_store_name")
_UNSET = (
    "approved_by",
    "approver_name",
    "fulfilled_by",
    "cancelled_by",
    "cancel_reason",
    "approved_at",
    "fulfilled_at",
    "cancelled_at",
    "reservation_id",
)


def transfer_key(order_id: str) -> Key:
    """Return where a transfer order lies."""
    return Key(TRANSFERS, order_id)


def new_order(wanted: "NewTransfer", product: Stored, stores: Sequence[Stored | None], made: Mapping[str, Any]) -> Data:
    """Return the document of a new order; `stores` are source (None: outside) and destination, `made` number and author."""
    source, destination = stores
    assert destination is not None
    data: Data = {
        **dict.fromkeys(_UNSET),
        **made,
        "from_store_id": wanted.from_store_id,
        "to_store_id": wanted.to_store_id,
        "product_id": wanted.product_id,
        "quantity": wanted.quantity,
        "notes": wanted.notes or None,
        "status": Status.PENDING_REVIEW.value,
        "from_store_name": source.data["name"] if source else None,
        "to_store_name": destination.data["name"],
        "to_store_region": destination.data["region"],
        "product_name": product.data["name"],
        "sku": product.data["sku"],
        "brand": product.data["brand"],
        "category": product.data["category"],
        "unit_price": product.data["sale_price"],
        "currency": product.data["currency"],
        "store_ids": [each for each in (wanted.from_store_id, wanted.to_store_id) if each is not None],
        "version": 1,
    }
    data["tokens"] = search_tokens(data[name] for name in SEARCHED)
    data["history"] = [entry(made["created_at"], made["requested_by"], "created", (None, data["status"]), {})]
    return priced(data)


def priced(data: Data) -> Data:
    """Return an order with the value of its quantity."""
    price = data["unit_price"]
    total = None if price is None else f"{rounded(Decimal(price) * data['quantity']):.2f}"
    return {**data, "total_value": total}


def entry(moment: str, user_id: str, action: str, states: tuple[str | None, str], details: Data) -> Data:
    """Return an entry of an order's history."""
    named = (moment, user_id, action, *states, details)
    return dict(zip(HISTORY_KEYS, named, strict=True))


def order_view(stored: Stored, now: datetime, sla_hours: float) -> Data:
    """Return an order as shown now."""
    data = stored.data
    shown: Data = {
        "id": stored.key.id,
        "unit_price": _amount(data["unit_price"]),
        "total_value": _amount(data["total_value"]),
        "sla_expired": is_late(data, now, sla_hours),
    }
    return {name: shown[name] if name in shown else data[name] for name in TRANSFER_KEYS}


def order_row(order_id: str, data: Mapping[str, Any]) -> Data:
    """Return an order's row for the warehouse, as it stands."""
    return {"id": order_id} | {name: data[name] for name in _ROW}


def reservation_of(order_id: str, data: Mapping[str, Any], user_id: str, now: datetime) -> Data:
    """Return the reservation that holds an approved order's units at its source."""
    return {
        "product_id": data["product_id"],
        "store_id": data["from_store_id"],
        "quantity": data["quantity"],
        "status": "active",
        "reference": order_id,
        "held_by": order_id,
        "expires_at": None,
        "created_by": user_id,
        "created_at": instant(now),
        "closed_at": None,
    }


def _amount(kept: str | None) -> float | None:
    return None if kept is None else number(Decimal(kept))


_ROW = (
    "created_at",
    "order_number",
    "from_store_id",
    "to_store_id",
    "to_store_region",
    "product_id",
    "category",
    "quantity",
    "status",
    "total_value",
    "currency",
    "requested_by",
    "approved_at",
    "fulfilled_at",
    "cancelled_at",
    "updated_at",
)
