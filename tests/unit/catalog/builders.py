"""A catalogue over any documents, with one store called `main` and a clock that stands still."""

from dataclasses import dataclass
from typing import Any

from shared.catalog.categories import Categories
from shared.catalog.change_models import NewProduct, ProductPatch
from shared.catalog.products import Products, Rules
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock
from shared.core.errors import NotFound
from shared.core.ids import RandomIds
from shared.inventory.keys import store_key
from shared.inventory.ledger import Ledger
from shared.inventory.sums import Sums
from shared.ports.documents import Create, Documents, Stored
from shared.ports.store import Store
from shared.warehousing.outbox import WarehouseOutbox

__all__ = ["OPERATOR", "Catalog", "a_catalog", "patch"]

OPERATOR = Caller("usr_1", "operator", Role.OPERATOR)


@dataclass(frozen=True)
class OneStore:
    """Stores as far as products ask for them."""

    store: Store

    def default_for(self, caller: Caller) -> str:
        """Return the caller's own store, else `main`."""
        return caller.store_id or "main"

    def stored(self, store_id: str) -> Stored:
        """Return a store's document; raise NotFound."""
        found = self.store.get(store_key(store_id))
        if found is None:
            raise NotFound("No store has this id.", resource="store")
        return found


@dataclass(frozen=True)
class Catalog:
    """Products with what stands behind them."""

    products: Products
    categories: Categories
    store: Store
    clock: ManualClock

    def add(self, **said: Any) -> Stored:
        """Make a product as an operator; named `Cup` unless said otherwise."""
        return self.products.create(OPERATOR, NewProduct.model_validate({"name": "Cup", **said}))

    def change(self, product_id: str, **said: Any) -> dict[str, Any]:
        """Change a product as an operator; return it as shown."""
        return self.products.view(self.products.update(OPERATOR, product_id, patch(**said)))

    def show(self, product_id: str) -> dict[str, Any]:
        """Return a product as shown."""
        return self.products.view(self.products.get(product_id))


def patch(**said: Any) -> ProductPatch:
    """Return a change as read from a body."""
    return ProductPatch.model_validate(said)


def a_catalog(documents: Documents, rules: Rules | None = None) -> Catalog:
    """Return an empty catalogue with one store."""
    clock = ManualClock()
    store, ids = Store(documents, clock), RandomIds(clock)
    ledger = Ledger(store, clock, ids, WarehouseOutbox(store, clock))
    place = {"name": "Main", "region": "North", "store_type": "Warehouse"}
    documents.commit([Create(store_key(name), place) for name in ("main", "other")])
    categories = Categories(store, clock, ids)
    sums, stores = Sums(ledger), OneStore(store)
    products = Products(store, clock, ids, ledger, sums, stores, categories, rules or Rules())
    return Catalog(products, categories, store, clock)
