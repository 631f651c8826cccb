"""ShipBob's cursor lists: inventory levels, products, channels, in envelopes with `first, prev, next, last, items`."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.demo.baskets import Good
from local.simulators.shipbob.model import CENTRES
from local.simulators.shipbob.orders import Invalid
from local.simulators.shipbob.render import CHANNELS
from local.simulators.shipbob.world import ShipBobWorld

__all__ = ["Lists"]

_MOST = 250


class Lists:
    """The rows of the lists, and pages of them."""

    def __init__(self, world: ShipBobWorld) -> None:
        """Take the world."""
        self._world = world
        self._rows: Mapping[str, Callable[[Mapping[str, str]], Sequence[Any]]] = {
            "channels": self._channels,
            "products": self._products,
            "levels": lambda given: [self._level(good) for good in self._wanted(given)],
            "level_locations": lambda given: [self._level_locations(good) for good in self._wanted(given)],
        }

    def page(self, name: str, given: Mapping[str, str], link: Callable[[str], str], links: str) -> dict[str, Any]:
        """Return one page of a list as an envelope; `link` makes a link of a query."""
        size = _page_size(given)
        start = _start(given.get("cursor"))
        rows = self._rows[name](given)
        kept = "".join(f"&{key}={given[key]}" for key in ("searchby", "inventoryids", "pagesize") if key in given)

        def to(position: int) -> str:
            return link(f"cursor={_cursor(position)}{kept}")

        following = start if links == "same" else start + size
        return {
            "first": to(0),
            "prev": to(max(0, start - size)) if start else None,
            "next": to(following) if start + size < len(rows) else None,
            "last": to(max(0, len(rows) - 1) // size * size),
            "items": list(rows[start : start + size]),
        }

    def locations(self) -> list[dict[str, Any]]:
        """Return the centres, as a bare array."""
        return [
            {"id": centre.id, "name": centre.name, "abbreviation": centre.name[:3], "is_active": True}
            for centre in CENTRES
        ]

    def one_level(self, number: int) -> dict[str, Any] | None:
        """Return the levels of one inventory item at every centre."""
        good = self._world.stock.goods.get(number)
        return None if good is None or good.parts else self._level_locations(good)

    def _channels(self, _: Mapping[str, str]) -> list[dict[str, Any]]:
        reading = ["orders_read", "inventory_read", "products_read", "locations_read", "channels_read"]
        return [
            {
                "id": number,
                "name": name,
                "application_name": "Onhand demo" if turn == 0 else "Storefront",
                "scopes": [*reading, "orders_write", "webhooks_write"] if turn == 0 else reading,
            }
            for turn, (number, name) in enumerate(CHANNELS)
        ]

    def _products(self, given: Mapping[str, str]) -> list[dict[str, Any]]:
        return [
            {
                "id": good.number,
                "name": good.name,
                "type": "Bundle" if good.parts else "Regular",
                "variants": [_variant(good)],
            }
            for good in self._world.goods
            if _searched(good, given)
        ]

    def _wanted(self, given: Mapping[str, str]) -> list[Good]:
        numbers = {text.strip() for text in given["inventoryids"].split(",")} if "inventoryids" in given else None
        return [
            good
            for good in self._world.goods
            if not good.parts and _searched(good, given) and (numbers is None or str(good.number) in numbers)
        ]

    def _level(self, good: Good) -> dict[str, Any]:
        levels = self._world.stock.levels(good.number)
        on_hand, committed = sum(level.on_hand for level in levels), sum(level.committed for level in levels)
        awaiting = sum(level.awaiting for level in levels)
        return {
            "inventory_id": good.number,
            "name": good.name,
            "sku": good.sku,
            "total_fulfillable_quantity": on_hand - committed,
            "total_on_hand_quantity": on_hand,
            "total_committed_quantity": committed,
            "total_sellable_quantity": on_hand - committed + awaiting,
            "total_awaiting_quantity": awaiting,
            "total_exception_quantity": 0,
            "total_internal_transfer_quantity": 0,
            "total_backordered_quantity": 0,
        }

    def _level_locations(self, good: Good) -> dict[str, Any]:
        return {
            "inventory_id": good.number,
            "sku": good.sku,
            "name": good.name,
            "locations": [
                {
                    "location_id": centre.id,
                    "name": centre.name,
                    "on_hand_quantity": level.on_hand,
                    "committed_quantity": level.committed,
                    "fulfillable_quantity": level.free,
                    "awaiting_quantity": level.awaiting,
                    "internal_transfer_quantity": 0,
                }
                for centre, level in zip(CENTRES, self._world.stock.levels(good.number), strict=True)
            ],
        }


def _variant(good: Good) -> dict[str, Any]:
    return {
        "id": good.number,
        "sku": good.sku,
        "name": good.name,
        "status": "Active",
        "inventory": {"inventory_id": None if good.parts else good.number},
        "bundle_definition": [{"inventory_id": part.number, "quantity": count} for part, count in good.parts],
    }


def _searched(good: Good, given: Mapping[str, str]) -> bool:
    """Match as ShipBob does: exactly on the inventory id, but anywhere and in any case in name and SKU."""
    text = given.get("searchby", "").lower()
    return not text or text == str(good.number) or text in good.sku.lower() or text in (good.name or "").lower()


def _page_size(given: Mapping[str, str]) -> int:
    text = given.get("pagesize", "50")
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= _MOST:
        raise Invalid({"PageSize": [f"must be between 1 and {_MOST}"]})
    return int(text)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def _start(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        word, _, position = base64.urlsafe_b64decode(cursor).decode().partition(":")
        return int(position) if word == "at" else _wrong_cursor()
    except (binascii.Error, ValueError) as problem:
        raise Invalid({"cursor": ["is not valid"]}) from problem


def _wrong_cursor() -> int:
    raise Invalid({"cursor": ["is not valid"]})
