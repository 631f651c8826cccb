"""What a list of products asks of the store: by which documents it walks, what their index holds, what is looked at row by row.

Most lists walk `products`. A list by stock (its amount, or its status alone) walks `product_stock`, which repeats what such
lists are ordered by. Either way the other document of each product is read beside it. The rest of the conditions is sifted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shared.catalog.models import ProductFilter
from shared.catalog.record import longest_word, searched
from shared.catalog.states import StockStatus
from shared.core.clock import instant
from shared.core.values import dataclass
from shared.core.words import matches
from shared.inventory.keys import PRODUCT_STOCK, PRODUCTS
from shared.inventory.rules import status_of, threshold_of
from shared.ports.documents import Query, Stored

__all__ = ["Asked", "Row", "asked"]

Data = dict[str, Any]
Given = Mapping[str, tuple[Any, ...]]

_FIELDS = {"sale_price": "price_cents"}
"""Orders whose field has another name."""
_HELD = {
    "name": frozenset({"shelf", "status", "category", "category_id", "brand", "supplier_id"}),
    "created_at": frozenset({"shelf", "status", "category", "category_id", "brand"}),
    "updated_at": frozenset({"shelf", "category"}),
    "sku": frozenset({"shelf", "category", "brand"}),
    "price_cents": frozenset({"shelf", "category", "brand"}),
}
"""Which filters the declared indexes of products hold under each order."""
_HELD_BY_STOCK = frozenset({"shelf", "stock_status"})
_BY_STOCK = frozenset({"name", "created_at", "sku", "current_stock"})
_NO_BOUNDS = (None, None)


@dataclass(frozen=True, slots=True)
class Row:
    """A product with the sums of its stock."""

    product: Stored
    sums: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query over products or their stock, and the conditions it could not hold (None: it holds them all)."""

    query: Query
    keep: Callable[[Row], bool] | None = None

    @property
    def by_stock(self) -> bool:
        """Say whether `product_stock` is walked."""
        return self.query.collection == PRODUCT_STOCK


def asked(wanted: ProductFilter, *, whole: bool = True) -> Asked:
    """Return what a list asks; `ids` and `barcode` are left aside, they name products outright.

    Without `whole` no condition is left to an index: for products that were named.
    """
    given, field = _given(wanted), _FIELDS.get(wanted.order.field, wanted.order.field)
    by_stock = whole and _is_by_stock(wanted, given, field)
    if wanted.stock_status:
        given["stock_status"] = tuple(dict.fromkeys(status.value for status in wanted.stock_status))
    contains, left = _searched(wanted.search)
    if not whole or by_stock:
        contains = None
    held = _HELD_BY_STOCK if by_stock else _HELD.get(field, frozenset()) if contains is None and whole else frozenset()
    equals, by_hand = _split(given, held)
    left += [_among(name, given[name]) for name in by_hand]
    bounds = _bounds(wanted)
    ranged = whole and field == "created_at"
    if bounds != _NO_BOUNDS and not ranged:
        left.append(_between(*bounds))
    low, high = bounds if ranged else _NO_BOUNDS
    query = Query(
        PRODUCT_STOCK if by_stock else PRODUCTS,
        equals,
        contains,
        order_by=field,
        descending=wanted.order.descending,
        at_least=low,
        at_most=high,
    )
    return Asked(query, _all(left))


def _is_by_stock(wanted: ProductFilter, given: Given, field: str) -> bool:
    if field == "current_stock":
        return True
    alone = wanted.search is None and given.keys() <= {"shelf"}
    return bool(wanted.stock_status) and alone and field in _BY_STOCK


def _searched(search: str | None) -> tuple[tuple[str, Any] | None, list[Callable[[Row], bool]]]:
    if search is None:
        return None, []
    said, beginning = longest_word(search)
    return ("words", beginning or "-"), [lambda row: bool(said) and matches(said, searched(row.product.data))]


def _all(conditions: Sequence[Callable[[Row], bool]]) -> Callable[[Row], bool] | None:
    return (lambda row: all(holds(row) for holds in conditions)) if conditions else None


def _given(wanted: ProductFilter) -> dict[str, tuple[Any, ...]]:
    """Return the filters on fields of products by name."""
    found: dict[str, Sequence[Any] | None] = {
        "category": wanted.category,
        "category_id": wanted.category_id,
        "brand": wanted.brand,
        "supplier_id": wanted.supplier_id,
    }
    given = {name: tuple(dict.fromkeys(values)) for name, values in found.items() if values}
    return {**_shelves(wanted, alone=not given), **given}


def _shelves(wanted: ProductFilter, *, alone: bool) -> dict[str, tuple[Any, ...]]:
    """Return the filters by status: every index begins with the shelf, which a status implies."""
    if not wanted.status:
        return {"shelf": ("live",)}
    if "all" in wanted.status:
        return {} if alone else {"shelf": ("live", "archived")}
    statuses = tuple(dict.fromkeys(wanted.status))
    shelves = tuple(dict.fromkeys("archived" if status == "archived" else "live" for status in statuses))
    return {"shelf": shelves} if statuses == ("archived",) else {"shelf": shelves, "status": statuses}


def _split(given: Given, held: frozenset[str]) -> tuple[tuple[tuple[str, Any], ...], list[str]]:
    """Return the equalities an index holds (at most one with alternatives), and the names of the other filters."""
    equals: list[tuple[str, Any]] = []
    by_hand, many = [], 0
    for name, values in given.items():
        if name not in held or (len(values) > 1 and many):
            by_hand.append(name)
            continue
        many += len(values) > 1
        equals.append((name, values[0] if len(values) == 1 else values))
    return tuple(equals), by_hand


def _among(name: str, values: tuple[Any, ...]) -> Callable[[Row], bool]:
    if name == "stock_status":
        return lambda row: _status(row).value in values
    return lambda row: row.product.data[name] in values


def _status(row: Row) -> StockStatus:
    return StockStatus(status_of(row.sums["current_stock"], threshold_of(row.product.data)[0]).value)


def _bounds(wanted: ProductFilter) -> tuple[str | None, str | None]:
    low, high = wanted.created_from, wanted.created_to
    return (instant(low) if low else None), (instant(high) if high else None)


def _between(low: str | None, high: str | None) -> Callable[[Row], bool]:
    def holds(row: Row) -> bool:
        made = row.product.data["created_at"]
        return (low is None or low <= made) and (high is None or made <= high)

    return holds
