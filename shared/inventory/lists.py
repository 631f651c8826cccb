"""What lists of stock ask of the store: what an index answers, and what is left to look at row by row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.core.clock import instant
from shared.core.words import matches, words
from shared.inventory.keys import LEVELS, MOVEMENTS, RESERVATIONS
from shared.inventory.models import (
    HistoryFilter,
    LevelFilter,
    LowStockFilter,
    MovementFilter,
    ReservationFilter,
    WarehouseFilter,
)
from shared.inventory.rules import search_tokens
from shared.ports.documents import Query, Stored

__all__ = ["Asked", "levels", "low_stock", "movements", "reservations", "warehouse_levels"]

Given = Mapping[str, Sequence[Any] | bool | None]
_SEARCHED = ("product_name", "sku", "brand", "store_name")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and the conditions it could not hold (None: it holds them all)."""

    query: Query
    keep: Callable[[Stored], bool] | None = None


def levels(wanted: LevelFilter) -> Asked:
    """Return what a list of levels asks."""
    given: Given = {
        "store_id": wanted.store_id,
        "product_id": wanted.product_id,
        "region": wanted.region,
        "category": wanted.category,
        "stock_status": wanted.stock_status,
        "low_stock": wanted.low_stock,
    }
    bounds = _bounds(wanted.created_from, wanted.created_to)
    return _asked(LEVELS, given, search=wanted.search, bounds=bounds, ordered=wanted.order.field == "last_updated")


def low_stock(wanted: LowStockFilter) -> Asked:
    """Return what the list of levels that run low asks: active products, by their own threshold or a given one."""
    given: dict[str, Sequence[Any] | bool | None] = {
        "product_active": True,
        "region": wanted.region,
        "category": wanted.category,
        "store_id": wanted.store_id,
    }
    if wanted.threshold is None:
        return _asked(LEVELS, given | {"low_stock": True})
    asked = _asked(LEVELS, given)
    return Asked(_with_bounds(asked.query, (None, wanted.threshold)), asked.keep)


def movements(wanted: HistoryFilter, product_id: str | None = None) -> Asked:
    """Return what a list of movements asks."""
    product = [product_id] if product_id else (wanted.product_id if isinstance(wanted, MovementFilter) else None)
    given: Given = {"product_id": product, "store_id": wanted.store_id, "transaction_type": wanted.transaction_type}
    return _asked(MOVEMENTS, given, bounds=_bounds(wanted.created_from, wanted.created_to))


def reservations(wanted: ReservationFilter) -> Asked:
    """Return what a list of reservations asks."""
    given: Given = {
        "product_id": wanted.product_id,
        "store_id": wanted.store_id,
        "status": wanted.status,
        "reference": wanted.reference,
    }
    return _asked(RESERVATIONS, given, bounds=_bounds(wanted.created_from, wanted.created_to))


def warehouse_levels(wanted: WarehouseFilter) -> Asked:
    """Return what the view of warehouses asks: their levels, those of one product side by side."""
    return _asked(LEVELS, {"in_warehouse": True, "category": wanted.category}, search=wanted.search)


def _asked(
    collection: str,
    given: Given,
    *,
    search: str | None = None,
    bounds: tuple[str | None, str | None] = (None, None),
    ordered: bool = True,
) -> Asked:
    """Split conditions: with a word, the index holds that alone; else all equalities and one list of alternatives.

    `bounds` go with the order when that is by time (`ordered`).
    """
    filters = {name: _values(value) for name, value in given.items() if value is not None}
    left: list[Callable[[Stored], bool]] = []
    if search is not None:
        return _searched(collection, filters, search, bounds, ordered=ordered)
    many = [name for name, values in filters.items() if len(values) > 1]
    left += [_among(name, filters.pop(name)) for name in many[1:]]
    equals = tuple((name, values[0] if len(values) == 1 else values) for name, values in filters.items())
    query = Query(collection, equals)
    if not ordered and bounds != (None, None):
        left.append(_between(bounds))
    return Asked(_with_bounds(query, bounds) if ordered else query, _all(left))


def _searched(
    collection: str,
    filters: Mapping[str, tuple[Any, ...]],
    search: str,
    bounds: tuple[str | None, str | None],
    *,
    ordered: bool,
) -> Asked:
    wanted = words(search)
    longest = max(search_tokens([max(wanted, key=len, default=None)]), key=len, default=None)
    left = [_among(name, values) for name, values in filters.items()]
    left.append(lambda stored: bool(wanted) and matches(wanted, (stored.data[name] for name in _SEARCHED)))
    if not ordered and bounds != (None, None):
        left.append(_between(bounds))
    query = Query(collection, contains=("tokens", longest or "-"))
    return Asked(_with_bounds(query, bounds) if ordered else query, _all(left))


def _values(value: Sequence[Any] | bool) -> tuple[Any, ...]:  # noqa: FBT001 - a filter's value
    if isinstance(value, bool):
        return (value,)
    return tuple(dict.fromkeys(getattr(each, "value", each) for each in value))


def _among(name: str, values: tuple[Any, ...]) -> Callable[[Stored], bool]:
    return lambda stored: stored.data[name] in values


def _between(bounds: tuple[str | None, str | None]) -> Callable[[Stored], bool]:
    low, high = bounds
    return lambda stored: (
        (low or "") <= stored.data["last_updated"] and (high is None or stored.data["last_updated"] <= high)
    )


def _all(conditions: Sequence[Callable[[Stored], bool]]) -> Callable[[Stored], bool] | None:
    return (lambda stored: all(holds(stored) for holds in conditions)) if conditions else None


def _bounds(low: datetime | None, high: datetime | None) -> tuple[str | None, str | None]:
    return (instant(low) if low else None), (instant(high) if high else None)


def _with_bounds(query: Query, bounds: tuple[Any, Any]) -> Query:
    return Query(query.collection, query.equals, query.contains, at_least=bounds[0], at_most=bounds[1])
