"""What the rest of the house knows of the SKUs that 3PLs hold: our product of a SKU, and what our own stores have free."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from shared.catalog.record import claim_of_sku
from shared.inventory.keys import LEVELS, PRODUCTS
from shared.ports.documents import Query

if TYPE_CHECKING:
    from shared.ports.store import Store

__all__ = ["OwnShelves"]

_TOGETHER = 10
_MANY = 100
_SHELVES = ("live", "archived")


class OwnShelves:
    """Looks our own documents up by SKU, compared without case as the catalogue does."""

    def __init__(self, store: Store) -> None:
        """Take the store."""
        self._store = store

    def product_ids(self, skus: Collection[str]) -> dict[str, str]:
        """Return our product's id of each SKU we know."""
        keys = {sku: claim_of_sku(sku) for sku in skus}
        found = self._store.documents.get_many(list(set(keys.values()))) if keys else {}
        return {sku: found[key].data["product_id"] for sku, key in keys.items() if key in found}

    def made_since(self, moment: str) -> dict[str, str] | None:
        """Return the ids by SKU, in lower case, of the products made at or after a moment; None when there are many."""
        wanted = Query(PRODUCTS, (("shelf", _SHELVES),), order_by="created_at", at_least=moment, limit=_MANY)
        found = self._store.documents.query(wanted)
        return None if len(found) == _MANY else {each.data["sku"].casefold(): each.key.id for each in found}

    def free(self, skus: Collection[str]) -> Mapping[str, Sequence[tuple[str, int]]]:
        """Return the free units of SKUs in our own stores, as (store name, units)."""
        ids = self.product_ids(skus)
        shelves: dict[str, list[tuple[str, int]]] = {product_id: [] for product_id in ids.values()}
        wanted = sorted(shelves)
        for start in range(0, len(wanted), _TOGETHER):
            some = tuple(wanted[start : start + _TOGETHER])
            for level in self._store.documents.query(Query(LEVELS, (("product_id", some),), limit=1000)):
                if level.data["available"] > 0:
                    shelves[level.data["product_id"]].append((level.data["store_name"], level.data["available"]))
        return {sku: shelves[product_id] for sku, product_id in ids.items() if shelves[product_id]}
