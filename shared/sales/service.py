"""Buying baskets and reading sales."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from shared.catalog.record import claim_of_sku, product_key
from shared.core.clock import Clock, instant
from shared.core.errors import InsufficientStock, NotFound, ValidationFailed
from shared.core.values import dataclass
from shared.inventory.keys import level_key, stock_key
from shared.inventory.ledger import Booking, Change, Ledger
from shared.inventory.words import MovementType
from shared.ports.documents import Create, Key, Query, Stored
from shared.sales.record import LINES_TABLE, SALES, line_rows, part_ids, sale_data, sale_key, sale_view, sellable
from shared.sales.rules import Asked, Failure, Reason, Sellable, decide, drawn, summed
from shared.stores.scope import check_scope

if TYPE_CHECKING:
    from shared.core.caller import Caller
    from shared.core.ids import Ids
    from shared.inventory.sums import Sums
    from shared.ports.store import Store
    from shared.sales.models import NewSale, SaleFilter
    from shared.warehousing.outbox import WarehouseOutbox

__all__ = ["ListAsked", "Sales", "Stores"]

_MOST_DRAWN = 120
"""Each is four writes, and a commit has at most 500."""


@dataclass(frozen=True, slots=True)
class ListAsked:
    """What a list asks of the store; an index holds all of it."""

    query: Query
    keep: Callable[[Stored], bool] | None = None


class Stores(Protocol):
    """What sales need of stores."""

    def default_for(self, caller: Caller) -> str:
        """Return the store an operation means that names none."""
        ...

    def likely_default(self, caller: Caller) -> tuple[Sequence[Key], str | None]:
        """Return the keys that `default_for` will read, and the store it is likely to return."""
        ...

    def stored(self, store_id: str) -> Stored:
        """Return a store's document; raise NotFound."""
        ...


@dataclass(frozen=True)
class Sales:
    """Sales of one merchant."""

    store: Store
    clock: Clock
    ids: Ids
    ledger: Ledger
    sums: Sums
    stores: Stores
    outbox: WarehouseOutbox

    def purchase(self, caller: Caller, wanted: NewSale) -> Stored:
        """Buy a basket, everything that goes with it in one commit; return the sale.

        Raise InsufficientStock with `failed_items` when nothing (or, all-or-nothing, not everything) could be bought,
        NotFound or Forbidden for the store.
        """
        return self.store.atomically(lambda: self._bought(caller, wanted, self.ids.new("sal")))

    def try_purchase(self, caller: Caller, wanted: NewSale) -> tuple[Stored | None, list[dict[str, Any]]]:
        """Buy what can be bought; return the sale, or None when there is none, and the failed items either way."""
        try:
            stored = self.purchase(caller, wanted)
        except InsufficientStock as refused:
            failed: Any = refused.extra["failed_items"]
            return None, failed
        return stored, stored.data["failed_items"]

    def get(self, sale_id: str) -> Stored:
        """Return a sale; raise NotFound."""
        found = self.store.get(sale_key(sale_id))
        if found is None:
            raise NotFound("No sale has this id.", resource="sale")
        return found

    def view(self, stored: Stored) -> dict[str, Any]:
        """Return a sale as shown."""
        return sale_view(stored)

    def sought(self, wanted: SaleFilter) -> ListAsked:
        """Return what a list of sales asks of the store."""
        given = {"store_id": wanted.store_id, "user_id": wanted.user_id}
        filters = [(name, values[0] if len(values) == 1 else tuple(values)) for name, values in given.items() if values]
        low, high = wanted.created_from, wanted.created_to
        bounds = (instant(low) if low else None, instant(high) if high else None)
        return ListAsked(Query(SALES, tuple(filters), at_least=bounds[0], at_most=bounds[1]))

    def _bought(self, caller: Caller, wanted: NewSale, sale_id: str) -> Stored:
        self._foresee(caller, wanted)
        store_id = wanted.store_id if wanted.store_id is not None else self.stores.default_for(caller)
        if caller.store_id != store_id:
            self._check_store(caller, wanted)
        basket, products = self._resolved(wanted)
        drawable = [product_id for product in products.values() for product_id, _ in product.draws(1)]
        booking = self.ledger.open((product_id, store_id) for product_id in drawable)
        decision = decide(basket, products, partial(_short, booking, store_id))
        failed = self._with_elsewhere(decision.failed)
        if not decision.bought or (failed and wanted.mode == "all_or_nothing"):
            raise _refusal(failed)
        taken = drawn(decision.bought)
        if len(taken) > _MOST_DRAWN:
            detail = f"A basket takes at most {_MOST_DRAWN} products from the shelf, those in its kits among them."
            raise ValidationFailed.at("/items", "too_many_components", detail)
        for product_id, units in taken.items():
            kind, user_id = MovementType.SALE, caller.user_id
            booking.add(Change(product_id, store_id, -units, kind, reference=sale_id, user_id=user_id))
        data = sale_data(sale_id, decision, failed, _facts(caller, wanted, store_id, instant(booking.now)))
        booking.write({LINES_TABLE: line_rows(data)})
        self.store.write([Create(sale_key(sale_id), data)])
        return Stored(sale_key(sale_id), data, "")

    def _foresee(self, caller: Caller, wanted: NewSale) -> None:
        """Read in one go what a basket of products named by id needs, as long as none is a kit and the default store is known."""
        keys, store_id = ([], wanted.store_id) if wanted.store_id is not None else self.stores.likely_default(caller)
        keys = list(keys)
        for product_id in dict.fromkeys(item.product_id for item in wanted.items if item.product_id is not None):
            keys.append(product_key(product_id))
            if store_id is not None:
                keys += (level_key(store_id, product_id), stock_key(product_id))
        self.store.foresee(keys)

    def _check_store(self, caller: Caller, wanted: NewSale) -> None:
        """Raise NotFound for a store that is named and unknown, Forbidden outside the caller's own."""
        if wanted.store_id is not None:
            self.stores.stored(wanted.store_id)
            check_scope(caller, wanted.store_id)

    def _resolved(self, wanted: NewSale) -> tuple[list[Asked], dict[str, Sellable]]:
        """Return the summed basket and the products it names; a SKU stands for the product that has it."""
        by_sku = self._by_sku({item.sku for item in wanted.items if item.product_id is None and item.sku is not None})
        named = [
            Asked(item.quantity, item.product_id or by_sku.get((item.sku or "").casefold()), item.sku)
            for item in wanted.items
        ]
        basket = summed(named)
        keys = [product_key(each.product_id) for each in basket if each.product_id is not None]
        found = self.store.get_many(keys) if keys else {}
        return basket, self._sellables(found)

    def _sellables(self, found: Mapping[Key, Stored]) -> dict[str, Sellable]:
        """Return what products are sold as; the parts of kits are read once for all."""
        parts = {product_key(each) for stored in found.values() for each in part_ids(stored)}
        read = self.store.get_many(sorted(parts)) if parts else {}
        return {key.id: sellable(stored, read) for key, stored in found.items()}

    def _by_sku(self, skus: set[str]) -> dict[str, str]:
        if not skus:
            return {}
        claims: dict[Key, str] = {claim_of_sku(sku): sku.casefold() for sku in skus}
        found = self.store.get_many(list(claims))
        return {claims[key]: stored.data["product_id"] for key, stored in found.items()}

    def _with_elsewhere(self, failed: Sequence[Failure]) -> list[Failure]:
        """Say of products that are short how many units the other stores have; a kit has none of its own."""
        short = [one for one in failed if one.reason is Reason.INSUFFICIENT_STOCK and one.component is None]
        if not short:
            return list(failed)
        sums = self.sums.of(one.asked.product_id or "" for one in short)
        return [
            replace(one, elsewhere=max(0, sums[one.asked.product_id or ""]["available_stock"] - (one.available or 0)))
            if one in short
            else one
            for one in failed
        ]


def _short(booking: Booking, store_id: str, product_id: str, quantity: int) -> int | None:
    enough = booking.can_take(product_id, store_id, quantity)
    return None if enough else booking.available(product_id, store_id)


def _facts(caller: Caller, wanted: NewSale, store_id: str, moment: str) -> dict[str, Any]:
    return {
        "store_id": store_id,
        "user_id": caller.user_id,
        "customer_reference": wanted.customer_reference,
        "created_at": moment,
    }


def _refusal(failed: Sequence[Failure]) -> InsufficientStock:
    detail = "Nothing was bought; failed_items says why." if failed else "There is nothing to buy."
    return InsufficientStock(detail, failed_items=[one.view() for one in failed])
