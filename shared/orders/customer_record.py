"""How customers' orders are stored and shown. Money is decimal text; an order holds its items and supplier orders."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic_core import from_json, to_json

from shared.core.clock import instant
from shared.core.money import number
from shared.inventory.rules import search_tokens
from shared.orders.customer_models import CustomerItem, CustomerOrder, NewCustomerOrder, NewItem
from shared.orders.rules import CUSTOMER_ORDERS, CustomerStatus, ItemStatus
from shared.ports.documents import Key, Stored

__all__ = [
    "CUSTOMER_KEYS",
    "PLACED",
    "customer_data",
    "customer_key",
    "customer_view",
    "placed_key",
    "settled",
]

Data = dict[str, Any]

PLACED = "supplier_orders"
CUSTOMER_KEYS = tuple(CustomerOrder.model_fields)
_ITEM_KEYS = tuple(CustomerItem.model_fields)


def customer_key(order_id: str) -> Key:
    """Return where a customer's order lies."""
    return Key(CUSTOMER_ORDERS, order_id)


def placed_key(reference: str) -> Key:
    """Return where it is said which order a supplier order belongs to."""
    return Key(PLACED, reference.encode().hex())


def customer_data(wanted: NewCustomerOrder, products: Sequence[Stored], made: Mapping[str, Any], currency: str) -> Data:
    """Return the document of a new order; `products` stand in the order of its items."""
    pairs = list(zip(wanted.items, products, strict=True))
    items = [_item(f"{made['id']}_{at}", item, product) for at, (item, product) in enumerate(pairs, 1)]
    priced = [product.data["currency"] for item, product in pairs if _price(item, product) is not None]
    currency = priced[0] if priced else currency
    totals = [
        Decimal(item["unit_price"]) * item["quantity"]
        for item, (_, product) in zip(items, pairs, strict=True)
        if item["unit_price"] is not None and product.data["currency"] == currency
    ]
    data: Data = {
        "order_number": made["order_number"],
        "platform": wanted.platform,
        "status": CustomerStatus.PENDING.value,
        "customer_email": wanted.customer_email,
        "shipping_address": to_json(wanted.shipping_address.model_dump()).decode(),
        "shipping_method": wanted.shipping_method,
        "notes": wanted.notes,
        "items": items,
        "auto_fulfill": wanted.auto_fulfill,
        "total_amount": f"{sum(totals, Decimal(0)):.2f}",
        "currency": currency,
        "supplier_orders": [],
        "fulfillment_job_id": None,
        "tokens": search_tokens([made["order_number"], wanted.customer_email]),
        "created_by": made["created_by"],
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
        "version": 1,
    }
    return settled(data)


def settled(data: Data) -> Data:
    """Return an order with what the sweep finds it by."""
    waiting = data["auto_fulfill"] and data["status"] == CustomerStatus.PENDING.value
    return {**data, "auto_pending": waiting}


def customer_view(stored: Stored) -> Data:
    """Return an order as shown."""
    data = stored.data
    shown: Data = {
        "id": stored.key.id,
        "shipping_address": from_json(data["shipping_address"]),
        "items": [_shown(item) for item in data["items"]],
        "total_amount": number(Decimal(data["total_amount"])),
    }
    return {name: shown[name] if name in shown else data[name] for name in CUSTOMER_KEYS}


def _item(item_id: str, wanted: NewItem, product: Stored) -> Data:
    price = _price(wanted, product)
    return {
        "id": item_id,
        "product_id": product.key.id,
        "sku": product.data["sku"],
        "product_name": product.data["name"],
        "quantity": wanted.quantity,
        "unit_price": price,
        "supplier_id": wanted.supplier_id,
        "fulfillment_status": ItemStatus.PENDING.value,
        "supplier_order_id": None,
        "fulfillment_error": None,
        "tracking_number": wanted.tracking_number,
        "carrier": wanted.carrier,
        "shipped_at": None if wanted.shipped_at is None else instant(wanted.shipped_at),
    }


def _price(item: NewItem, product: Stored) -> str | None:
    if item.unit_price is not None:
        return f"{item.unit_price:.2f}"
    price: str | None = product.data["sale_price"]
    return price


def _shown(item: Mapping[str, Any]) -> Data:
    price = item["unit_price"]
    return {name: item[name] for name in _ITEM_KEYS} | {"unit_price": None if price is None else number(Decimal(price))}
