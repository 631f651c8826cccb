"""Products with their stock summed over stores of the type Warehouse, page by page.

Levels in warehouses are read in the order of product names with those of one product side by side, so that a page reads the
levels of its own products and nothing before them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby, islice
from typing import Any

from shared.core.errors import BadRequest, FieldError
from shared.core.money import number
from shared.core.values import dataclass
from shared.inventory.list_models import WarehouseFilter
from shared.inventory.lists import warehouse_levels
from shared.inventory.rules import Data
from shared.ports.documents import Position, Stored
from shared.ports.store import Store

__all__ = ["Rows", "WarehouseView"]

_MOST_STEP = 500
_STORES_EACH = 3
"""In how many warehouses a product may be before a page takes a second read."""
_BEHIND_ALL, _BEFORE_ALL = "~", "-"
"""Ids that stand behind and before the id of any level."""


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of products, the place to go on from, and how many there are where that was asked."""

    rows: list[Data]
    next: list[Any] | None
    total: int | None


@dataclass(frozen=True)
class WarehouseView:
    """The products in warehouses."""

    store: Store

    def page(self, wanted: WarehouseFilter, place: Sequence[Any] | None) -> Rows:
        """Return a page behind the place a cursor names; raise BadRequest for a place that is not of this list."""
        after = _position(place, descending=wanted.order.descending)
        products = _by_product(self._levels(wanted, after))
        found = list(islice(products, wanted.offset, wanted.offset + wanted.size + 1))
        shown = found[: wanted.size]
        following = [shown[-1][0]] if len(found) > wanted.size else None
        total = sum(1 for _ in _by_product(self._levels(wanted, None))) if wanted.wants_total else None
        return Rows([_row(levels) for _, levels in shown], following, total)

    def _levels(self, wanted: WarehouseFilter, after: Position | None) -> Iterator[Stored]:
        asked = warehouse_levels(wanted)
        query = replace(asked.query, order_by="shelf_key", descending=wanted.order.descending, after=after)
        step = min(_MOST_STEP, _STORES_EACH * (wanted.offset + wanted.size + 1))
        levels = self.store.walk(query, step=step)
        return filter(asked.keep, levels) if asked.keep else levels


def _by_product(levels: Iterable[Stored]) -> Iterator[tuple[str, list[Data]]]:
    for shelf_key, group in groupby(levels, key=lambda stored: str(stored.data["shelf_key"])):
        yield shelf_key, [stored.data for stored in group]


def _row(levels: Sequence[Data]) -> Data:
    first = levels[0]
    price = first["sale_price"]
    return {
        "product_id": first["product_id"],
        "product_name": first["product_name"],
        "sku": first["sku"],
        "brand": first["brand"],
        "category": first["category"],
        "unit_price": None if price is None else number(Decimal(price)),
        "package_size": first["package_size"],
        "total_quantity": sum(level["on_hand"] for level in levels),
        "total_reserved": sum(level["reserved"] for level in levels),
        "available": sum(level["available"] for level in levels),
    }


def _position(place: Sequence[Any] | None, *, descending: bool) -> Position | None:
    match place:
        case None:
            return None
        case [str() as shelf_key]:
            return Position(shelf_key, _BEFORE_ALL if descending else _BEHIND_ALL)
        case _:
            detail = "This cursor is not one of this list; start again without it."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
