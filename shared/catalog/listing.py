"""Lists of products: pages, and the walk over all of them that exports and figures are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from shared.catalog.lists import Asked, Row, asked
from shared.catalog.record import claim_of_barcode
from shared.catalog.views import product_view
from shared.core.values import dataclass
from shared.inventory.keys import product_key
from shared.ports.documents import Position, Query, Stored

if TYPE_CHECKING:
    from shared.catalog.models import ProductFilter
    from shared.catalog.products import Products
    from shared.inventory.sums import Sums
    from shared.ports.store import Store

__all__ = ["Listed", "ProductLists"]

_STEP = 500


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: products as shown, the place to go on from, and the total when it was asked for."""

    items: list[dict[str, Any]]
    following: list[Any] | None
    total: int | None


@dataclass(frozen=True)
class ProductLists:
    """Reading lists of products; what makes them is asked for a scanned code and by who looks further."""

    store: Store
    sums: Sums
    products: Products

    def page(self, wanted: ProductFilter, after: Position | None) -> Listed:
        """Return one page behind a place; products named by id or barcode are ordered in memory."""
        if wanted.ids is not None or wanted.barcode is not None:
            return self._named_page(wanted, after)
        sought = asked(wanted)
        most = wanted.offset + wanted.size + 1
        if sought.keep is None:
            query = replace(sought.query, after=after, offset=wanted.offset, limit=wanted.size + 1)
            kept = self._joined(self.store.query(query), sought)
        else:
            begin = replace(sought, query=replace(sought.query, after=after))
            kept = list(islice(self._walk(begin, step=min(_STEP, 2 * most)), most))[wanted.offset :]
        total = self._count(sought) if wanted.wants_total else None
        return _listed(kept, wanted.size, sought, total)

    def rows(self, wanted: ProductFilter) -> Iterator[dict[str, Any]]:
        """Yield every product of a list as shown, in the order asked for."""
        yield from map(_shown, self.found(wanted))

    def found(self, wanted: ProductFilter) -> Iterator[Row]:
        """Yield every product of a list with its sums, in the order asked for."""
        if wanted.ids is not None or wanted.barcode is not None:
            yield from self._named(wanted)
        else:
            yield from self._walk(asked(wanted))

    def shown(self, product_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return those of some products that exist, as shown, in the order given."""
        return [_shown(row) for row in self.named(product_ids)]

    def named(self, product_ids: Sequence[str]) -> list[Row]:
        """Return those of some products that exist, in the order given."""
        keys = [product_key(product_id) for product_id in dict.fromkeys(product_ids)]
        found = self.store.get_many(keys)
        sums = self.sums.of(key.id for key in found)
        return [Row(found[key], sums[key.id]) for key in keys if key in found]

    def _count(self, sought: Asked) -> int:
        if sought.keep is None:
            return self.store.count(sought.query)
        return sum(1 for _ in self._walk(sought))

    def _walk(self, sought: Asked, *, step: int = _STEP) -> Iterator[Row]:
        query: Query | None = sought.query
        while query is not None:
            found = self.store.query(replace(query, limit=step))
            for row in self._joined(found, sought):
                if sought.keep is None or sought.keep(row):
                    yield row
            more = len(found) == step and query.order_by is not None
            query = replace(query, after=_position(found[-1], str(query.order_by))) if more else None

    def _joined(self, found: Sequence[Stored], sought: Asked) -> list[Row]:
        """Put each product beside its sums, whichever of both was walked."""
        sums = self.sums
        if not sought.by_stock:
            by_id = sums.of(stored.key.id for stored in found)
            return [Row(stored, by_id[stored.key.id]) for stored in found]
        products = self.store.get_many([product_key(stored.key.id) for stored in found])
        pairs = ((products.get(product_key(stored.key.id)), stored) for stored in found)
        return [Row(product, sums.of_document(stored)) for product, stored in pairs if product is not None]

    def _named_page(self, wanted: ProductFilter, after: Position | None) -> Listed:
        rows, sought = self._named(wanted), asked(wanted, whole=False)
        key = _key(sought)
        if after is not None:
            place = _rank(after.value, after.id)
            rows = [row for row in rows if (key(row) < place if sought.query.descending else key(row) > place)]
        total = len(rows) if wanted.wants_total else None
        return _listed(rows[wanted.offset : wanted.offset + wanted.size + 1], wanted.size, sought, total)

    def _named(self, wanted: ProductFilter) -> list[Row]:
        """Return the products that were named and pass every filter, in the order asked for."""
        sought = asked(wanted, whole=False)
        named = wanted.ids
        if wanted.barcode is not None:
            found = self._with_barcode(wanted.barcode)
            named = [each for each in found if named is None or each in named]
        rows = [row for row in self.named(named or []) if sought.keep is None or sought.keep(row)]
        return sorted(rows, key=_key(sought), reverse=sought.query.descending)

    def _with_barcode(self, text: str) -> list[str]:
        code = self.products.read(text)
        claim = self.store.get(claim_of_barcode(code.claim))
        return [claim.data["product_id"]] if claim is not None else []


def _listed(kept: Sequence[Row], size: int, sought: Asked, total: int | None) -> Listed:
    shown = kept[:size]
    following = None
    if len(kept) > size:
        last = shown[-1]
        following = [_value(last, str(sought.query.order_by)), last.product.key.id]
    return Listed([_shown(row) for row in shown], following, total)


def _shown(row: Row) -> dict[str, Any]:
    return product_view(row.product, row.sums)


def _value(row: Row, field: str) -> Any:
    return row.sums["current_stock"] if field == "current_stock" else row.product.data[field]


def _key(sought: Asked) -> Any:
    field = str(sought.query.order_by)
    return lambda row: _rank(_value(row, field), row.product.key.id)


def _rank(value: Any, last: str) -> tuple[int, Any, str]:
    """Order values of any JSON type: null, numbers, texts; a place may come from a cursor that somebody bent."""
    if value is None:
        return 0, 0, last
    return (2, value, last) if isinstance(value, str) else (1, value, last)


def _position(stored: Stored, field: str) -> Position:
    return Position(stored.data.get(field), stored.key.id)
