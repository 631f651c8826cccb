"""Stord's inventory reports: per network, per facility, and the adjustments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from local.simulators.stord.model import FACILITIES, facility_id
from local.simulators.stord.world import Adjustment, StordWorld

__all__ = ["adjustment_rows", "facility_rows", "network_rows"]


def network_rows(world: StordWorld) -> list[dict[str, Any]]:
    """Return one row per good, summed over the network; the backordered figure exists here only."""
    wanted = _backordered(world)
    rows = []
    for good in world.goods:
        levels = world.stock.levels(good.number)
        on_hand, committed = sum(level.on_hand for level in levels), sum(level.committed for level in levels)
        free, incoming = sum(level.free for level in levels), sum(level.awaiting for level in levels)
        balances = {
            "available": free,
            "allocated": committed,
            "committed": committed,
            "backordered": wanted.get(good.number, 0),
            "backordered_available": 0,
            "incoming": incoming,
            "on_hand": on_hand,
            "unlocked": on_hand,
            "accepted": on_hand,
            "total_on_hand": on_hand,
        }
        balances |= dict.fromkeys(("receiving", "locked", "quarantined", "damaged", "other"), 0)
        texts: dict[str, Any] = {name: f"{units}.00000" for name, units in balances.items()}
        texts["reservations"] = {"channels": []}
        rows.append({"sku": good.sku, "name": good.name, "unit": "each", "network_balances": texts})
    return rows


def facility_rows(world: StordWorld, out_of_stock: str | None) -> list[dict[str, Any]]:
    """Return one row per good and facility; `out_of_stock` true or false keeps only those."""
    rows = []
    for good in world.goods:
        for facility, level in zip(FACILITIES, world.stock.levels(good.number), strict=True):
            empty = level.free == 0
            if out_of_stock not in {None, str(empty).lower()}:
                continue
            units = {"available": level.free, "allocated": level.committed, "incoming": level.awaiting}
            units |= dict.fromkeys(("locked", "damaged", "quarantined", "receiving", "other"), 0)
            units["total_on_hand"] = level.on_hand
            named = {
                "sku": good.sku,
                "name": good.name,
                "facility_id": facility_id(facility),
                "facility_alias": facility,
            }
            named |= {"brand": "Demo", "base_unit": "each"} | {name: f"{count}.00000" for name, count in units.items()}
            rows.append(named | {"inventory_alerts": {"out_of_stock": empty, "reorder_warning": empty}})
    return rows


def adjustment_rows(world: StordWorld, query: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the adjustments in a span of time and of some reasons; raise ValueError for times that are none."""
    given = dict(query)
    after, before = _time(given.get("adjusted_after")), _time(given.get("adjusted_before"))
    reasons = {value for name, value in query if name == "reason_types[]"}
    return [
        _adjustment(entry)
        for entry in world.adjustments
        if (after is None or entry.at >= after)
        and (before is None or entry.at <= before)
        and (not reasons or entry.reason in reasons)
    ]


def _adjustment(entry: Adjustment) -> dict[str, Any]:
    return {
        "adjustment_id": f"adj-{entry.number:08d}",
        "adjusted_at": entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "sku": entry.good.sku,
        "reason": entry.reason,
        "reason_type": entry.reason,
        "category": "inventory",
        "adjustment_quantity": f"{entry.quantity}.00000",
        "facility_id": facility_id(entry.facility),
        "facility_alias": entry.facility,
        "order_number": None,
        "lot_number": None,
        "expires_at": None,
        "unit": "each",
    }


def _backordered(world: StordWorld) -> dict[int, int]:
    """Return the units open orders wait for, by good."""
    wanted: dict[int, int] = {}
    for order in world.orders:
        if order.status in {"open", "partially_shipped"}:
            for line in order.lines:
                for good, quantity in line.items if line.status.lower() == "backordered" else ():
                    wanted[good.number] = wanted.get(good.number, 0) + quantity
    return wanted


def _time(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "a time needs a zone"
        raise ValueError(message)
    return moment
