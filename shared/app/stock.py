"""Stock: stores, the ledger that everything books through, and the way of its rows into the warehouse.

Other parts build on this one (`class TradeParts(StockParts)`) and may add, always calling `super()`:

* `on_stock_change(pairs)`: told inside the commit which levels changed;
* `store_in_use(store_id)`: whether something of theirs keeps a store from being deleted;
* `incoming(pairs)`: units on their way to levels;
* `tables()`: rows written with `outbox.rows(table, name, rows)` are taken to any declared table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.app.jobs import JobParts
from shared.core.once import later, once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.inventory.audit import StockAudit
    from shared.inventory.figures import StockFigures
    from shared.inventory.history import StockHistory
    from shared.inventory.ledger import Ledger, Pair
    from shared.inventory.listing import StockLists
    from shared.inventory.places import StockPlaces
    from shared.inventory.reservations import Reservations
    from shared.inventory.service import Adjustments, Levels
    from shared.inventory.sums import Sums
    from shared.inventory.warehouses import WarehouseView
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.jobs.slots import Duty
    from shared.ports.warehouse import Table
    from shared.stores.service import StoreService
    from shared.warehousing.flush import Flusher
    from shared.warehousing.outbox import WarehouseOutbox

__all__ = ["StockParts"]


class StockParts(JobParts):
    """The services of stores, stock and the outbox."""

    @once
    def outbox(self) -> WarehouseOutbox:
        """Return the rows on their way to the warehouse."""
        from shared.warehousing.outbox import WarehouseOutbox

        return WarehouseOutbox(self.store, self.clock)

    @once
    def flusher(self) -> Flusher:
        """Return what takes waiting rows to the warehouse."""
        from shared.warehousing.flush import Flusher

        return Flusher(self.outbox, lambda: self.warehouse, self._tables_by_name, self.clock)

    @once
    def ledger(self) -> Ledger:
        """Return the one way in which stock changes."""
        from shared.inventory.ledger import Ledger

        return Ledger(
            self.store,
            self.clock,
            self.ids,
            self.outbox,
            on_change=self.on_stock_change,
            on_rows=self.request_flush,
        )

    @once
    def sums(self) -> Sums:
        """Return the sums over a product's levels."""
        from shared.inventory.sums import Sums

        return Sums(self.ledger)

    @once
    def stores(self) -> StoreService:
        """Return the stores."""
        from shared.stores.service import Dependents, StoreService

        clear = lambda store_id: self.stock_places.clear(store_id)  # noqa: E731, PLW0108 - made when it is asked for
        dependents = Dependents(self._relabel_store, self.store_in_use, clear)
        return StoreService(self.store, self.clock, self.ids, dependents)

    @once
    def stock_places(self) -> StockPlaces:
        """Return what stock does when a store changes."""
        from shared.inventory.places import StockPlaces

        return StockPlaces(self.ledger)

    @once
    def levels(self) -> Levels:
        """Return levels by id."""
        from shared.inventory.service import Levels

        return Levels(self.ledger)

    @once
    def adjustments(self) -> Adjustments:
        """Return changing stock by hand."""
        from shared.inventory.service import Adjustments

        return Adjustments(self.ledger, later(lambda: self.stores), self.find_skus)

    @once
    def reservations(self) -> Reservations:
        """Return holding units."""
        from shared.inventory.reservations import Reservations

        return Reservations(self.ledger, later(lambda: self.stores))

    @once
    def stock_lists(self) -> StockLists:
        """Return reading lists of stock."""
        from shared.inventory.listing import StockLists

        return StockLists(self.sums, later(lambda: self.levels), later(lambda: self.reservations))

    @once
    def warehouse_view(self) -> WarehouseView:
        """Return products with their stock in warehouses."""
        from shared.inventory.warehouses import WarehouseView

        return WarehouseView(self.store)

    @once
    def stock_figures(self) -> StockFigures:
        """Return figures of stock as it is now."""
        from shared.inventory.figures import StockFigures

        return StockFigures(self.store, self.clock, self.settings.default_currency)

    @once
    def stock_history(self) -> StockHistory:
        """Return stock over time."""
        from shared.inventory.history import StockHistory

        return StockHistory(self.stock_figures, lambda: self.warehouse)

    @once
    def stock_audit(self) -> StockAudit:
        """Return comparing levels with their ledger."""
        from shared.inventory.audit import StockAudit

        return StockAudit(self.ledger)

    def find_skus(self, skus: Sequence[str]) -> Mapping[str, str]:
        """Return the ids of the products that have these SKUs, in any case."""
        from shared.catalog.record import claim_of_sku

        found = self.store.get_many([claim_of_sku(sku) for sku in skus])
        claimed = ((sku, found.get(claim_of_sku(sku))) for sku in skus)
        return {sku: claim.data["product_id"] for sku, claim in claimed if claim is not None}

    def require_product(self, product_id: str) -> None:
        """Raise NotFound when there is no such product."""
        from shared.core.errors import NotFound
        from shared.inventory.keys import product_key

        if self.store.get(product_key(product_id)) is None:
            raise NotFound("No product has this id.", resource="product")

    def low_products(self, threshold: int) -> list[dict[str, Any]]:
        """Return active products with so many units or fewer over all stores, as the older shop backend shows them."""
        from shared.inventory.keys import product_key
        from shared.inventory.legacy import shop_product
        from shared.inventory.lists import low_sums

        units = {stored.key.id: stored.data["current_stock"] for stored in self.store.walk(low_sums(threshold))}
        found = self.store.get_many([product_key(product_id) for product_id in units])
        products = {key.id: stored.data for key, stored in found.items() if stored.data["status"] == "active"}
        return [shop_product(name, products[name], count) for name, count in units.items() if name in products]

    def on_stock_change(self, pairs: Sequence[Pair]) -> None:
        """Be told, inside the commit, which levels changed; parts add what they queue then."""

    def store_in_use(self, store_id: str) -> bool:
        """Say whether something keeps a store from being deleted; parts add open orders."""
        return self.stock_places.is_holding(store_id)

    def has_open_orders(self, product_id: str) -> bool:
        """Say whether open orders keep a product from being archived; the part of orders says so."""
        return False

    def incoming(self, pairs: Sequence[Pair]) -> Mapping[Pair, int]:
        """Return the units on their way to levels (open transfer orders); parts add theirs."""
        return {}

    def add_incoming(self, levels: Sequence[dict[str, Any]]) -> None:
        """Let shown levels say how many units are on their way to them."""
        pairs = [(level["product_id"], level["store_id"]) for level in levels]
        found = self.incoming(pairs) if pairs else {}
        for level, pair in zip(levels, pairs, strict=True):
            level["incoming"] = found.get(pair, 0)

    def request_flush(self) -> None:
        """Let waiting rows be taken to the warehouse soon; call it after a commit that wrote some."""
        from shared.core.caller import SYSTEM
        from shared.warehousing.flush import KIND

        self.flusher.request(lambda: self.jobs.start(KIND, None, {}, SYSTEM))

    def tables(self) -> Sequence[Table]:
        """Add the table of movements."""
        from shared.inventory.warehouse import movement_table

        return (*super().tables(), movement_table())

    def kinds(self) -> Sequence[JobKind]:
        """Add the flush of the outbox, the relabelling of a store with many levels, and the audit of all levels."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import ALERTS, AUDIT_STOCK, FLUSH_OUTBOX, RELABEL_STORE

        flush = JobKind(FLUSH_OUTBOX, ALERTS, self._flush, "Flush")
        relabel = JobKind(RELABEL_STORE, ALERTS, self._relabel_levels, "Relabel store")
        audit = JobKind(AUDIT_STOCK, ALERTS, self._audit, "Stock audit")
        return (*super().kinds(), flush, relabel, audit)

    def duties(self) -> Mapping[str, Duty]:
        """Add the flush of every minute and the audit of every night."""
        from shared.jobs.names import AUDIT_STOCK
        from shared.jobs.slots import Duty
        from shared.warehousing.flush import KIND

        return {**super().duties(), KIND: Duty(self._flush_now, atomic=False), AUDIT_STOCK: Duty(self._start_audit)}

    def settle(self) -> None:
        """Take waiting rows to the warehouse."""
        super().settle()
        self.flusher.run()

    def _relabel_levels(self, step: Step) -> Done | Continue:
        return self.stock_places.relabel(step)

    def _relabel_store(self, store_id: str, store: Mapping[str, Any]) -> None:
        """Let the levels of a store repeat it: within the commit, or by a job when there are many."""
        from shared.core.caller import SYSTEM
        from shared.inventory.places import KIND

        if not self.stock_places.relabel_at_once(store_id, store):
            self.jobs.start(KIND, store_id, {}, SYSTEM, single_flight=False)

    def _start_audit(self) -> list[str]:
        from shared.core.caller import SYSTEM
        from shared.jobs.names import AUDIT_STOCK

        return [self.jobs.start(AUDIT_STOCK, None, {}, SYSTEM).job.id]

    def _audit(self, step: Step) -> Done | Continue:
        return self.stock_audit.watch(step)

    def _flush(self, _step: Step) -> Done:
        from shared.jobs.kinds import Done

        return Done({"documents": self.flusher.run()})

    def _flush_now(self) -> list[str]:
        self.flusher.run()
        return []

    def _tables_by_name(self) -> Mapping[str, Table]:
        return {table.name: table for table in self.tables()}
