"""What lists of stock ask of the store: what an index answers, and what is left to look at row by row.

Any filters combine. The index holds as many as it is declared for under the order asked for (`infra/firestore.indexes.json`),
at most one of them with alternatives; the rest is sifted. A word of a search is held alone, by the beginning of its longest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import instant
from shared.core.values import dataclass
from shared.core.words import matches, words
from shared.inventory.keys import LEVELS, MOVEMENTS, PRODUCT_STOCK, RESERVATIONS
from shared.inventory.rules import active_word, place_word, search_tokens, shelf_word
from shared.ports.documents import Query, Stored

if TYPE_CHECKING:
    from shared.inventory.figure_models import Figures
    from shared.inventory.list_models import (
        HistoryFilter,
        LotFilter,
        LowStockFilter,
        ReservationFilter,
        WarehouseFilter,
    )
    from shared.inventory.models import LevelFilter

__all__ = [
    "Asked",
    "figures",
    "levels",
    "lots",
    "low_stock",
    "low_sums",
    "movements",
    "reservations",
    "warehouse_levels",
]

Given = Mapping[str, Sequence[Any] | None]
Bounds = tuple[str | int | None, str | int | None]
_NO_BOUNDS: Bounds = (None, None)
_SEARCHED = ("product_name", "sku", "brand", "store_name")
_BY_TIME = frozenset({"store_id", "product_id", "region", "category", "stock_status", "shelf"})
_BY_AMOUNT = frozenset({"store_id", "region", "category", "shelf", "active"})
_HELD = {
    "last_updated": _BY_TIME,
    "available": _BY_AMOUNT,
    "sku": frozenset({"store_id", "region", "category", "shelf"}),
    "shelf_key": frozenset({"place", "category"}),
    "lots_until": frozenset({"product_id", "store_id"}),
    "created_at": frozenset({"product_id", "store_id", "transaction_type", "status", "reference"}),
    None: frozenset({"product_id", "store_id", "region", "category"}),
}
"""Which filters the declared indexes hold under each order."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and the conditions it could not hold (None: it holds them all)."""

    query: Query
    keep: Callable[[Stored], bool] | None = None


def levels(wanted: LevelFilter) -> Asked:
    """Return what a list of levels asks; its time bounds are those of the last movement, whatever the order."""
    given: Given = {
        "store_id": wanted.store_id,
        "product_id": wanted.product_id,
        "region": wanted.region,
        "category": wanted.category,
        "stock_status": wanted.stock_status,
        "shelf": None if wanted.low_stock is None else [shelf_word(low=wanted.low_stock)],
    }
    bounds = _bounds(wanted.created_from, wanted.created_to)
    if wanted.order.field == "last_updated":
        return _asked(LEVELS, given, "last_updated", search=wanted.search, bounds=bounds)
    asked = _asked(LEVELS, given, wanted.order.field, search=wanted.search)
    return asked if bounds == _NO_BOUNDS else Asked(asked.query, _both(asked.keep, _between(bounds)))


def low_stock(wanted: LowStockFilter) -> Asked:
    """Return what the list of levels that run low asks: active products, by their own threshold or a given one."""
    given: dict[str, Sequence[Any] | None] = {
        "active": [active_word(active=True)],
        "region": wanted.region,
        "category": wanted.category,
        "store_id": wanted.store_id,
    }
    if wanted.threshold is None:
        return _asked(LEVELS, given | {"shelf": [shelf_word(low=True)]}, "available")
    return _asked(LEVELS, given, "available", bounds=(None, wanted.threshold))


def lots(wanted: LotFilter, today: date) -> Asked:
    """Return what the list of levels with lots asks, the first to expire first, expired ones before all."""
    within = wanted.expiring_within
    last = None if within is None else min(today, date.max - timedelta(days=within)) + timedelta(days=within)
    given: Given = {"product_id": wanted.product_id, "store_id": wanted.store_id}
    return _asked(LEVELS, given, "lots_until", bounds=(None, last.isoformat() if last else None))


def movements(wanted: HistoryFilter, product_id: str | None = None) -> Asked:
    """Return what a list of movements asks."""
    product = [product_id] if product_id else getattr(wanted, "product_id", None)
    given: Given = {"product_id": product, "store_id": wanted.store_id, "transaction_type": wanted.transaction_type}
    return _asked(MOVEMENTS, given, "created_at", bounds=_bounds(wanted.created_from, wanted.created_to))


def reservations(wanted: ReservationFilter) -> Asked:
    """Return what a list of reservations asks."""
    given: Given = {
        "product_id": wanted.product_id,
        "store_id": wanted.store_id,
        "status": wanted.status,
        "reference": wanted.reference,
    }
    return _asked(RESERVATIONS, given, "created_at", bounds=_bounds(wanted.created_from, wanted.created_to))


def warehouse_levels(wanted: WarehouseFilter) -> Asked:
    """Return what the view of warehouses asks: their levels, those of one product side by side."""
    given: Given = {"place": [place_word(warehouse=True)], "category": wanted.category}
    return _asked(LEVELS, given, "shelf_key", search=wanted.search)


def low_sums(threshold: int) -> Query:
    """Return what asks for products that have so many units or fewer over all stores, the fewest first."""
    return Query(PRODUCT_STOCK, (("shelf", "live"),), order_by="current_stock", at_most=threshold)


def figures(wanted: Figures) -> Asked:
    """Return which levels figures are made of, in no order that matters."""
    given: Given = {"store_id": wanted.store_id, "region": wanted.region, "category": wanted.category}
    return _asked(LEVELS, given, None)


def _asked(
    collection: str, given: Given, order: str | None, *, search: str | None = None, bounds: Bounds = _NO_BOUNDS
) -> Asked:
    """Split the conditions; `bounds` are those of the ordered field."""
    filters = {name: _values(value) for name, value in given.items() if value is not None}
    left: list[Callable[[Stored], bool]] = []
    contains: tuple[str, Any] | None = None
    if search is not None:
        contains, holds = _searched(search)
        left.append(holds)
    held = frozenset() if contains else _HELD[order]
    many = [name for name, values in filters.items() if name in held and len(values) > 1]
    by_hand = [name for name in filters if name not in held or name in many[1:]]
    left += [_among(name, filters.pop(name)) for name in by_hand]
    equals = tuple((name, values[0] if len(values) == 1 else values) for name, values in filters.items())
    query = Query(collection, equals, contains, at_least=bounds[0], at_most=bounds[1])
    return Asked(query, _both(*left))


def _searched(search: str) -> tuple[tuple[str, Any], Callable[[Stored], bool]]:
    wanted = words(search)
    longest = max(search_tokens([max(wanted, key=len, default=None)]), key=len, default=None)
    return (
        "tokens",
        longest or "-",
    ), lambda stored: bool(wanted) and matches(wanted, (stored.data[name] for name in _SEARCHED))


def _values(value: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(getattr(each, "value", each) for each in value))


def _among(name: str, values: tuple[Any, ...]) -> Callable[[Stored], bool]:
    return lambda stored: stored.data[name] in values


def _between(bounds: Bounds) -> Callable[[Stored], bool]:
    low, high = bounds
    return lambda stored: (
        (low or "") <= stored.data["last_updated"] and (high is None or stored.data["last_updated"] <= high)
    )


def _both(*conditions: Callable[[Stored], bool] | None) -> Callable[[Stored], bool] | None:
    left = [condition for condition in conditions if condition is not None]
    return (lambda stored: all(holds(stored) for holds in left)) if left else None


def _bounds(low: datetime | None, high: datetime | None) -> Bounds:
    return (instant(low) if low else None), (instant(high) if high else None)
