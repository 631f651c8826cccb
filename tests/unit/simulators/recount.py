"""The held set counted anew from what a simulator serves, by the words of api.md 2.2.1 and nothing of the simulator's own."""

from collections.abc import Iterable
from typing import Any

REASONS = {
    302: "inactive_sku",
    303: "out_of_stock",
    304: "unknown_sku",
    305: "transfer",
    306: "transfer",
    307: "not_pickable",
    308: "partially_committed",
    400: "hold_payment",
    401: "hold_address",
    402: "hold_date",
}
Grain = tuple[str, str, str, str]


def shipbob_grains(orders: Iterable[dict[str, Any]]) -> set[Grain]:
    """Return (order, shipment, item, reason) of ShipBob orders."""
    return {
        (str(order["id"]), str(shipment["id"]), _item(detail), _reason(detail))
        for order in orders
        if order["status"] != "Cancelled"
        for shipment in order["shipments"]
        if shipment["status"].replace(" ", "").casefold() in {"exception", "onhold"}
        for detail in shipment["status_details"]
    }


def stord_grains(orders: Iterable[dict[str, Any]]) -> set[Grain]:
    """Return (order, shipment, item, reason) of Stord orders."""
    return {
        (order["order_number"] or order["order_id"], "-", item, "out_of_stock")
        for order in orders
        for index, line in enumerate(order["sales_order_lines"])
        if line["status"].casefold() == "backordered"
        for item in [entry["item_sku"] for entry in line["order_line_items"] or ()] or [f"line-{index}"]
    }


def told(rows: Iterable[dict[str, Any]]) -> set[Grain]:
    """Return the same of a simulator's truth."""
    return {(row["order_id"], row["shipment_id"], row["item"], row["reason"]) for row in rows}


def _item(detail: dict[str, Any]) -> str:
    return f"detail-{detail['id']}" if detail["inventory_id"] is None else str(detail["inventory_id"])


def _reason(detail: dict[str, Any]) -> str:
    return REASONS.get(detail["id"], "hold_manual" if detail["name"] == "Manual" else "other")
