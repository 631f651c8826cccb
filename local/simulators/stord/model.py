"""Stord's orders inside the simulator, and the vendor's JSON made of them when asked for."""

import json
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from local.demo.baskets import Good, Person
from shared.core.values import dataclass, field

__all__ = ["CHANNELS", "FACILITIES", "Order", "SalesLine", "channel_id", "facility_id", "order_bytes", "order_json"]

FACILITIES = ("ATL1", "RNO2", "LEX3", "DFW4")
CHANNELS = ("web", "marketplace", "wholesale")
_CATEGORIES = {"web": "dtc", "marketplace": "dtc", "wholesale": "b2b"}
_SPACE = UUID("5f0f3d8e-6f0e-4f7a-9c58-2f6d3a1b0c9d")
_PACK_FROM = 4096


@dataclass(slots=True)
class SalesLine:
    """One line: its status and the items in it, perhaps none."""

    status: str
    items: Sequence[tuple[Good, int]]


@dataclass(slots=True)
class Order:
    """One order; `shape` names the odd forms some of its fields take."""

    id: str
    number: str | None
    created: datetime
    lines: list[SalesLine]
    person: Person
    status: str = "open"
    channel: str = "web"
    facilities: Sequence[str] | None = ()
    priority: str | None = "standard"
    shipped: datetime | None = None
    reference: str | None = None
    shape: frozenset[str] = frozenset()
    rendered: bytes | None = field(default=None, repr=False)
    packed: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """Return what the list is sorted by."""
        return (self.created.isoformat(), self.id)

    @property
    def name(self) -> str:
        """Return what Onhand calls it: the number, else the id."""
        return self.number or self.id


def channel_id(channel: str) -> str:
    """Return the UUID of a channel."""
    return str(uuid5(_SPACE, f"channel:{channel}"))


def facility_id(alias: str) -> str:
    """Return the UUID of a facility."""
    return str(uuid5(_SPACE, f"facility:{alias}"))


def order_bytes(order: Order) -> bytes:
    """Return the order as JSON bytes, kept until it changes; large ones are kept compressed."""
    if order.rendered is None:
        plain = json.dumps(order_json(order), ensure_ascii=False, separators=(",", ":")).encode()
        order.packed = len(plain) > _PACK_FROM
        order.rendered = zlib.compress(plain, 1) if order.packed else plain
        return plain
    return zlib.decompress(order.rendered) if order.packed else order.rendered


def order_json(order: Order) -> dict[str, Any]:
    """Return the order as Stord words it."""
    activities = None if order.facilities is None else [{"facility_alias": alias} for alias in order.facilities]
    first = order.facilities[0] if order.facilities else None
    return {
        "order_id": order.id,
        "order_number": order.number,
        "status": order.status,
        "priority": order.priority,
        "channel": None if "no_channel" in order.shape else order.channel,
        "channel_category": _CATEGORIES[order.channel],
        "shipment_type": "parcel" if order.channel != "wholesale" else "freight",
        "inserted_at": _stamp(order.created),
        "external_posted_at": None if "not_posted" in order.shape else _stamp(order.created - timedelta(minutes=4)),
        "shipped_at": _stamp(order.shipped),
        "completed_at": _stamp(order.shipped),
        "customer": _customer(order),
        "custom_reference": order.reference,
        "facility": None,
        "destination_address": None if "no_address" in order.shape else _address(order.person),
        "sales_order_lines": [_line(line, order.shape) for line in order.lines],
        "facility_activities": activities,
        "sla_sales_order_lines": [
            {"facility_id": first and facility_id(first), "facility_activity": {"facility_alias": first}}
            for _ in order.lines
        ],
    }


def _line(line: SalesLine, shape: frozenset[str]) -> dict[str, Any]:
    items: list[dict[str, Any]] | None = [
        {"item_sku": good.sku, "item_quantity": _decimal(quantity, shape)} for good, quantity in line.items
    ]
    return {"status": line.status, "order_line_items": None if not items and "null_items" in shape else items}


def _decimal(quantity: int, shape: frozenset[str]) -> str | int:
    if "plain_numbers" in shape:
        return quantity
    return str(quantity) if "short_decimals" in shape else f"{quantity}.00000"


def _customer(order: Order) -> Any:
    if "no_customer" in order.shape:
        return None
    person = order.person
    return person.name if "customer_text" in order.shape else {"name": person.name, "email": person.email}


def _address(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "normalized_city": person.city,
        "normalized_country_code": person.country,
        "verification_status": "verified",
    }


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
