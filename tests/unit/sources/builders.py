"""Vendor records and scripted vendors for the tests of the connectors."""

import copy
import json
import random
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shared.adapters.fetch import Answer, ScriptedFetch
from shared.adapters.sources import shipbob, stord
from shared.core.clock import ManualClock
from shared.oos.source import OrderSource
from shared.ports.fetch import Request

__all__ = [
    "SHIPBOB_SPLIT",
    "STORD_ORDER",
    "a_shipbob",
    "a_stord",
    "answer",
    "numbers",
    "query_of",
    "shipbob_order",
    "stord_order",
    "walk",
]

SHIPBOB_SPLIT: dict[str, Any] = json.loads("""
{"id": 1001, "order_number": "S-1001", "reference_id": "web-77", "created_date": "2026-11-20T09:15:00+00:00",
  "status": "PartiallyFulfilled", "type": "DTC", "channel": {"id": 9, "name": "Web"}, "shipping_method": "Ground",
  "recipient": {"name": "Ada Example", "email": "ada@example.com", "phone_number": null, "address": {"city": "Reno", "country": "US"}},
  "products": [{"id": 51, "sku": "TEE-1", "quantity": 3, "unit_price": 19.5}, {"id": 52, "sku": "CAP-2", "quantity": 1, "unit_price": 12.0}],
  "shipments": [
    {"id": 7001, "order_id": 1001, "status": "Completed", "status_details": [{"id": 201, "name": "InTransit"}],
     "location": {"id": 3, "name": "East"}, "last_update_at": "2026-11-20T18:00:00Z", "products": []},
    {"id": 7002, "order_id": 1001, "status": "Exception", "location": {"id": 4, "name": "West"},
     "last_update_at": "2026-11-21T07:30:12.5Z",
     "status_details": [{"id": 303, "name": "OutOfStock", "inventory_id": 88, "exception_fulfillment_center_id": 4,
                         "extra_information": null}],
     "products": [{"id": 51, "sku": "TEE-1", "inventory_items": [{"id": 88, "name": "Tee", "quantity": 3, "quantity_committed": 1}]}]}]}
""")

STORD_ORDER: dict[str, Any] = json.loads("""
{"order_id": "8b0f...", "order_number": "W-5501", "status": "open", "priority": "standard", "channel": "web",
  "channel_category": "dtc", "shipment_type": "parcel", "inserted_at": "2026-11-19T10:00:00.000000Z", "shipped_at": null,
  "customer": {"name": "Bo Sample"}, "destination_address": {"name": "Bo Sample"},
  "facility_activities": [{"facility_alias": "ATL1"}],
  "sales_order_lines": [
    {"status": "backordered", "order_line_items": [{"item_sku": "TEE-1", "item_quantity": "2.00000"}]},
    {"status": "open", "order_line_items": [{"item_sku": "CAP-2", "item_quantity": "1"}]}]}
""")


def shipbob_order(number: int = 1, *details: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a DTC order with one shipment in Exception that holds item 11 (SKU A) and 12 (SKU B)."""
    shipment = {
        "id": number * 10,
        "status": "Exception",
        "location": {"id": 4, "name": "West"},
        "last_update_at": "2026-11-21T07:30:00Z",
        "status_details": [
            dict(detail) for detail in details or ({"id": 303, "name": "OutOfStock", "inventory_id": 11},)
        ],
        "products": [
            {
                "id": 1,
                "sku": "A",
                "inventory_items": [{"id": 11, "name": "Item A", "quantity": 2, "quantity_committed": 0}],
            },
            {
                "id": 2,
                "sku": "B",
                "inventory_items": [{"id": 12, "name": "Item B", "quantity": 5, "quantity_committed": 5}],
            },
        ],
    }
    order = {
        "id": number,
        "order_number": f"S-{number}",
        "status": "Exception",
        "type": "DTC",
        "channel": {"id": 9, "name": "Web"},
        "created_date": "2026-11-20T09:15:00Z",
        "recipient": {"name": "Ada Example", "email": "ada@example.com"},
        "products": [{"id": 1, "sku": "A", "quantity": 2}, {"id": 2, "sku": "B", "quantity": 5}],
        "shipments": [shipment],
    }
    return (
        order
        | {name: value for name, value in changes.items() if name != "shipment_status"}
        | ({"shipments": [shipment | {"status": changes["shipment_status"]}]} if "shipment_status" in changes else {})
    )


def stord_order(number: str = "W-1", **changes: Any) -> dict[str, Any]:
    """Return the order of the specification under another number, with changes."""
    return copy.deepcopy(STORD_ORDER) | {"order_number": number, "order_id": f"id-{number}"} | changes


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    """Return a JSON answer; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json", **named})


def query_of(request: Request) -> dict[str, str]:
    """Return a request's query parameters, the last of each name."""
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))


def a_shipbob(script: Callable[[Request], Answer], **options: Any) -> tuple[OrderSource, ScriptedFetch, ManualClock]:
    """Return a ShipBob connector over a script, with its transport and clock."""
    clock, fetch = ManualClock(), ScriptedFetch(script)
    chosen: dict[str, Any] = {
        "token": "planted-token",
        "base_url": "https://api.shipbob.test",
        "lookback_days": 30,
    } | options
    return shipbob.source(shipbob.Options(**chosen), fetch, clock, random.Random(7)), fetch, clock


def a_stord(script: Callable[[Request], Answer], **options: Any) -> tuple[OrderSource, ScriptedFetch, ManualClock]:
    """Return a Stord connector over a script, with its transport and clock."""
    clock, fetch = ManualClock(), ScriptedFetch(script)
    chosen = {
        "token": "planted-token",
        "org_id": "org",
        "network_id": "net",
        "base_url": "https://api.stord.test/v1",
    } | options
    return stord.source(stord.Options(**chosen), fetch, clock, random.Random(7)), fetch, clock


def walk(source: OrderSource, clock: ManualClock, most: int = 500) -> list[str]:
    """Walk to the end; return the ids of all held orders in the order read."""
    cursor: dict[str, Any] | None = source.begin(clock.now())
    found: list[str] = []
    for _ in range(most):
        if cursor is None:
            return found
        page = source.page(json.loads(json.dumps(cursor)))
        found += [order.order_id for order in page.orders]
        cursor = page.next
    message = "the walk does not end"
    raise AssertionError(message)


def numbers(found: list[str]) -> list[int]:
    """Return ids as numbers."""
    return [int(order_id) for order_id in found]
