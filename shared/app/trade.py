"""Trade: sales and their reports, transfer orders between stores, and customers' orders placed with suppliers.

Suppliers come in through three methods that the part of suppliers overrides: `supplier_gateway(supplier_id)` finds what places
orders with a connection (`shared.orders.suppliers.Gateway`), `has_supplier(supplier_id)` says whether there is one,
`supplier_links(product_ids)` finds the offers of products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app.stock import StockParts
from shared.core.once import later, once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.inventory.ledger import Pair
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.jobs.record import Record
    from shared.jobs.slots import Duty
    from shared.orders.customers import CustomerOrders
    from shared.orders.figures import OrderFigures
    from shared.orders.service import Transfers
    from shared.orders.suppliers import Gateway, Link
    from shared.ports.documents import Write
    from shared.ports.warehouse import Table
    from shared.sales.drill import Drills
    from shared.sales.report import Reports
    from shared.sales.returns import Returns
    from shared.sales.service import Sales

__all__ = ["TradeParts"]


class TradeParts(StockParts):
    """The services of sales and orders."""

    @once
    def sales(self) -> Sales:
        """Return buying and reading sales."""
        from shared.sales.service import Sales

        return Sales(self.store, self.clock, self.ids, self.ledger, self.sums, later(lambda: self.stores), self.outbox)

    @once
    def sale_returns(self) -> Returns:
        """Return returns and voids of sales."""
        from shared.sales.returns import Returns

        return Returns(self.sales)

    @once
    def sales_reports(self) -> Reports:
        """Return reports of sales."""
        from shared.sales.report import Reports

        return Reports(self.store, self.warehouse, self.settings.default_currency)

    @once
    def sales_drills(self) -> Drills:
        """Return the rows behind reports of sales."""
        from shared.sales.drill import Drills

        return Drills(self.sales_reports)

    @once
    def transfers(self) -> Transfers:
        """Return transfer orders."""
        from shared.orders.service import Transfers

        return Transfers(
            self.store,
            self.clock,
            self.ids,
            self.ledger,
            later(lambda: self.stores),
            self.outbox,
            self.settings.order_sla_hours,
        )

    @once
    def order_figures(self) -> OrderFigures:
        """Return the figures of transfer orders."""
        from shared.orders.figures import OrderFigures

        settings = self.settings
        return OrderFigures(self.store, self.warehouse, self.clock, settings.default_currency, settings.order_sla_hours)

    @once
    def customer_orders(self) -> CustomerOrders:
        """Return customers' orders."""
        from shared.orders.customers import CustomerOrders

        currency = self.settings.default_currency
        return CustomerOrders(self.store, self.clock, self.ids, later(lambda: self.jobs), currency, self.has_supplier)

    def supplier_gateway(self, supplier_id: str) -> Gateway:
        """Return what places orders with a supplier connection; raise NotFound, or Terminal when it takes no orders."""
        from shared.core.errors import NotFound

        raise NotFound("No supplier has this id.", resource="supplier")

    def has_supplier(self, supplier_id: str) -> bool:
        """Say whether there is such a supplier connection; the part of suppliers knows."""
        return False

    def supplier_links(self, product_ids: Sequence[str]) -> Mapping[str, Sequence[Link]]:
        """Return the offers of products by product id, those of connected suppliers only."""
        return {}

    def store_in_use(self, store_id: str) -> bool:
        """Add open transfer orders."""
        return super().store_in_use(store_id) or self.transfers.open_for("store_ids", store_id)

    def has_open_orders(self, product_id: str) -> bool:
        """Say whether an open transfer order names a product."""
        return self.transfers.open_for("product_id", product_id)

    def incoming(self, pairs: Sequence[Pair]) -> Mapping[Pair, int]:
        """Add the units of approved transfer orders."""
        found = dict(super().incoming(pairs))
        for pair, units in self.transfers.incoming(pairs).items():
            found[pair] = found.get(pair, 0) + units
        return found

    def tables(self) -> Sequence[Table]:
        """Add the lines of sales and the transfer orders."""
        from shared.orders.warehouse import ORDERS
        from shared.sales.warehouse import LINES

        return (*super().tables(), LINES, ORDERS)

    def kinds(self) -> Sequence[JobKind]:
        """Add the fulfilment of a customer's order."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import FULFIL_ORDER

        kind = JobKind(
            FULFIL_ORDER, "orders", self._fulfil, "Fulfilment", on_start=self._fulfil_started, on_end=self._fulfil_ended
        )
        return (*super().kinds(), kind)

    def duties(self) -> Mapping[str, Duty]:
        """Add the sweep of orders that are to be fulfilled by themselves."""
        from shared.jobs.slots import Duty

        return {**super().duties(), "fulfil-pending": Duty(self._fulfil_pending)}

    def _fulfil(self, step: Step) -> Done | Continue:
        from shared.orders.fulfilment import Fulfilment

        return Fulfilment(self.store, self.supplier_gateway, self.supplier_links)(step)

    def _fulfil_started(self, record: Record) -> Sequence[Write]:
        from shared.orders.customers import start_writes

        return start_writes(self.store, record)

    def _fulfil_ended(self, record: Record) -> Sequence[Write]:
        from shared.orders.fulfilment import end_writes

        return end_writes(self.store, record)

    def _fulfil_pending(self) -> list[str]:
        from shared.core.caller import SYSTEM

        return self.customer_orders.sweep(SYSTEM)
