"""The catalogue: products, categories, prices, barcodes; and purchasing: vendors, their prices, links to suppliers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app.stock import StockParts
from shared.core.once import later, once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.catalog.categories import Categories
    from shared.catalog.edits import Edits
    from shared.catalog.figures import CatalogFigures
    from shared.catalog.kits import Kits
    from shared.catalog.listing import ProductLists
    from shared.catalog.prices import Prices
    from shared.catalog.products import Products
    from shared.catalog.scanning import Scanning
    from shared.catalog.upkeep import Upkeep
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.purchasing.links import SupplierLinks
    from shared.purchasing.prices import VendorPrices
    from shared.purchasing.vendors import Vendors

__all__ = ["CatalogParts"]


class CatalogParts(StockParts):
    """The services of catalogue and purchasing."""

    @once
    def categories(self) -> Categories:
        """Return the categories."""
        from shared.catalog.categories import Categories

        return Categories(self.store, self.clock, self.ids)

    @once
    def products(self) -> Products:
        """Return making, changing and archiving products."""
        from shared.catalog.products import Products, Rules

        settings = self.settings
        rules = Rules(settings.default_currency, settings.strict_barcodes, settings.fetch_allow_hosts)
        return Products(
            self.store,
            self.clock,
            self.ids,
            self.ledger,
            self.sums,
            later(lambda: self.stores),
            later(lambda: self.categories),
            rules,
            self.has_open_orders,
        )

    @once
    def kits(self) -> Kits:
        """Return the kits among the products."""
        from shared.catalog.kits import Kits

        return Kits(self.products)

    @once
    def product_lists(self) -> ProductLists:
        """Return lists of products."""
        from shared.catalog.listing import ProductLists

        return ProductLists(self.store, self.sums, later(lambda: self.products))

    @once
    def product_edits(self) -> Edits:
        """Return edits of many products."""
        from shared.catalog.edits import Edits

        return Edits(self.products, self.product_lists, self._relabel_later)

    @once
    def prices(self) -> Prices:
        """Return prices of many products, and over time."""
        from shared.catalog.prices import Prices

        return Prices(self.products, self.product_edits)

    @once
    def scanning(self) -> Scanning:
        """Return reading barcodes."""
        from shared.catalog.scanning import Outside, Scanning

        url = self.settings.barcode_lookup_url
        outside = Outside(lambda: self.fetch, url, self.settings.barcode_lookup_key) if url else None
        return Scanning(self.products, outside)

    @once
    def catalog_figures(self) -> CatalogFigures:
        """Return the catalogue in figures."""
        from shared.catalog.figures import CatalogFigures

        return CatalogFigures(self.product_lists, self.stock_figures)

    @once
    def catalog_upkeep(self) -> Upkeep:
        """Return repeating names and prices where they are repeated."""
        from shared.catalog.upkeep import Upkeep

        return Upkeep(self.products)

    @once
    def vendors(self) -> Vendors:
        """Return the vendors."""
        from shared.purchasing.vendors import Vendors

        return Vendors(self.store, self.clock, self.ids)

    @once
    def vendor_prices(self) -> VendorPrices:
        """Return what vendors ask."""
        from shared.purchasing.prices import VendorPrices

        return VendorPrices(self.vendors, self.settings.default_currency)

    @once
    def product_links(self) -> SupplierLinks:
        """Return products as connected suppliers have them; syncs write them, fulfilment reads them."""
        from shared.purchasing.links import SupplierLinks

        return SupplierLinks(self.store, self.settings.default_currency, self.has_supplier)

    def has_supplier(self, supplier_id: str) -> bool:
        """Say whether a supplier connection has this id."""
        from shared.ports.documents import Key

        return self.store.get(Key("suppliers", supplier_id)) is not None

    def rename_category_later(self, category_id: str) -> None:
        """Let products repeat the new name of a category once the present commit stands."""
        self._keep_up({"category_id": category_id}, category_id)

    def repeat_thresholds_later(self, category_id: str) -> None:
        """Let products and levels repeat the new thresholds of a category once the present commit stands."""
        self._keep_up({"category_id": category_id, "thresholds": True}, category_id)

    def kinds(self) -> Sequence[JobKind]:
        """Add the upkeep of what repeats products and categories."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import ALERTS, CATALOG_UPKEEP

        return (*super().kinds(), JobKind(CATALOG_UPKEEP, ALERTS, self._kept_up, "Upkeep"))

    def _relabel_later(self, product_ids: Sequence[str]) -> None:
        self._keep_up({"product_ids": list(product_ids)}, None)

    def _keep_up(self, wanted: dict[str, object], subject: str | None) -> None:
        """Do it right after the commit, and have a job do it again in case the process ends before."""
        from shared.core.caller import SYSTEM
        from shared.jobs.names import CATALOG_UPKEEP

        self.jobs.start(CATALOG_UPKEEP, subject, wanted, SYSTEM, single_flight=False)
        self.store.after_commit(lambda: self._at_once(wanted))

    def _at_once(self, wanted: dict[str, object]) -> None:
        import logging

        from shared.core.errors import Unavailable

        try:
            self.catalog_upkeep.run(wanted)
        except Unavailable:  # the change stands and must not be answered as a failure; the job does this again
            logging.getLogger(__name__).warning("levels are busy; the job %s will repeat this", "catalog-upkeep")

    def _kept_up(self, step: Step) -> Done | Continue:
        return self.catalog_upkeep.work(step)
