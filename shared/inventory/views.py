"""How stored levels, movements and reservations are shown: JSON-ready dicts, because pages are made without a model per row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.inventory.models import InventoryLevel, Movement, Reservation
from shared.inventory.rules import rule_of

if TYPE_CHECKING:
    from shared.ports.documents import Stored

__all__ = ["LEVEL_KEYS", "MOVEMENT_KEYS", "RESERVATION_KEYS", "level_view", "movement_view", "reservation_view"]

LEVEL_KEYS = tuple(
    name for name in InventoryLevel.model_fields if name not in {"incoming", "lots", "expired", "threshold_rule"}
)
MOVEMENT_KEYS = tuple(name for name in Movement.model_fields if name != "lots")
RESERVATION_KEYS = tuple(name for name in Reservation.model_fields if name != "movement")
_LEVEL = LEVEL_KEYS[1:]
_MOVEMENT = MOVEMENT_KEYS[1:]
_RESERVATION = RESERVATION_KEYS[1:]


def level_view(level_id: str, level: Mapping[str, Any]) -> dict[str, Any]:
    """Return a level as shown; its counts must be those of now."""
    shown = {"id": level_id} | {name: level[name] for name in _LEVEL}
    if shown["value"] is None:
        shown["currency"] = None
    else:
        shown["value"] = float(shown["value"])
    if level.get("threshold_rule"):
        shown["threshold_rule"] = rule_of(level)
    if "lots" in level:
        shown |= {"lots": level["lots"], "expired": level["expired"]}
    return shown


def movement_view(stored: Stored) -> dict[str, Any]:
    """Return a movement as shown."""
    shown = {"id": stored.key.id} | {name: stored.data[name] for name in _MOVEMENT}
    return shown | {"lots": stored.data["lots"]} if "lots" in stored.data else shown


def reservation_view(reservation_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a reservation as shown."""
    return {"id": reservation_id} | {name: data[name] for name in _RESERVATION}
