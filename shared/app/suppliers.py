"""Suppliers: connections, syncs and their schedules, and placing orders with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app.catalog import CatalogParts
from shared.app.trade import TradeParts
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.app.alerts import AlertParts
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.jobs.record import Record
    from shared.jobs.slots import Duty
    from shared.orders.suppliers import Gateway, Link, Placed
    from shared.ports.documents import Write
    from shared.suppliers.connections import Connections
    from shared.suppliers.consent import Consents
    from shared.suppliers.port import Opened, Source
    from shared.suppliers.schedules import SyncSchedules
    from shared.suppliers.service import Syncs
    from shared.suppliers.sync import SyncWork

__all__ = ["SupplierParts"]


class SupplierParts(CatalogParts, TradeParts):
    """The services of suppliers."""

    @once
    def suppliers(self) -> Connections:
        """Return the connections."""
        from shared.suppliers.connections import Connections, Kinds

        kinds = Kinds(self._opened, self._supplier_defaults(), self._attend_supplier)
        return Connections(self.store, self.clock, self.ids, secrets=lambda: self.secrets, kinds=kinds)

    @once
    def supplier_consents(self) -> Consents:
        """Return asking users for their consent at AliExpress."""
        from shared.adapters.suppliers.aliexpress import AliExpressConsent
        from shared.suppliers.consent import Consents

        page = AliExpressConsent(self.settings.aliexpress_base_url, self.fetch, self.clock)
        return Consents(
            self.store, self.clock, self.ids, self.suppliers, secrets=lambda: self.secrets, page=lambda: page
        )

    @once
    def syncs(self) -> Syncs:
        """Return asking for syncs."""
        from shared.suppliers.service import Syncs

        return Syncs(self.store, self.jobs, self.suppliers)

    @once
    def sync_schedules(self) -> SyncSchedules:
        """Return the schedules of syncs."""
        from shared.adapters.local_queue import cron
        from shared.suppliers.schedules import SyncSchedules

        return SyncSchedules(self.store, self.clock, self.ids, self.suppliers.get, self.syncs.scheduled, cron)

    @once
    def sync_work(self) -> SyncWork:
        """Return what carries a sync out."""
        from shared.suppliers.sync import SyncWork
        from shared.suppliers.tracking import OrderTracking
        from shared.suppliers.upsert import Upsert

        upsert = Upsert(
            self.store,
            self.clock,
            self.products,
            self.product_links,
            self.find_skus,
            self.products.categories.named,
            self.settings.default_currency,
        )
        return SyncWork(self.store, self.clock, self.suppliers, upsert, OrderTracking(self.store, self._hear))

    def supplier_gateway(self, supplier_id: str) -> Gateway:
        """Return what places orders with a connection."""
        return self.suppliers.source(self.suppliers.get(supplier_id))

    def has_supplier(self, supplier_id: str) -> bool:
        """Say whether there is such a connection, whatever its state."""
        from shared.suppliers.connections import supplier_key

        return self.store.get(supplier_key(supplier_id)) is not None

    def supplier_links(self, product_ids: Sequence[str]) -> Mapping[str, Sequence[Link]]:
        """Return the offers of products by connected suppliers."""
        from decimal import Decimal

        from shared.orders.suppliers import Link

        connected = {one.key.id for one in self.suppliers.connected()}
        names = (
            "supplier_id",
            "supplier_product_id",
            "supplier_sku",
            "currency",
            "supplier_stock",
            "delivery_days",
            "is_active",
        )
        found: dict[str, list[Link]] = {}
        for product_id in product_ids:
            for stored in self.product_links.of_product(product_id):
                data = stored.data
                if data["supplier_id"] in connected:
                    cost = Decimal(data["cost"]) if data["cost"] is not None else None
                    link = Link(product_id, cost=cost, **{name: data[name] for name in names})
                    found.setdefault(product_id, []).append(link)
        return found

    def kinds(self) -> Sequence[JobKind]:
        """Add the sync of a supplier."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import SUPPLIER_SYNC

        sync = JobKind(
            SUPPLIER_SYNC,
            "sync",
            self._sync,
            "Sync",
            on_start=self._sync_started,
            on_end=self._sync_ended,
            resumes=True,
        )
        return (*super().kinds(), sync)

    def duties(self) -> Mapping[str, Duty]:
        """Add the hourly stock syncs, and the schedules that people made."""
        from shared.jobs.slots import Duty

        stock = Duty(self._sync_stock)
        return {
            **super().duties(),
            "stock-sync": stock,
            "run-schedules": Duty(self._fire_schedules, atomic=False),
        }

    def chores(self) -> Sequence[Callable[[], None]]:
        """Add forgetting consents that nobody gave, and notes of syncs that nobody took up again."""
        return (*super().chores(), self._forget_consents, self._forget_walks)

    def _sync_stock(self) -> list[str]:
        return self.syncs.stock_of_all()

    def _fire_schedules(self) -> list[str]:
        return self.sync_schedules.fire()

    def _sync(self, step: Step) -> Done | Continue:
        return self.sync_work(step)

    def _sync_started(self, job: Record) -> Sequence[Write]:
        return self.sync_work.started(job)

    def _sync_ended(self, job: Record) -> Sequence[Write]:
        return self.sync_work.ended(job)

    def _hear(self, order_id: str, reference: str, placed: Placed) -> bool:
        return self.customer_orders.heard(order_id, reference, placed)

    def _supplier_defaults(self) -> Mapping[str, Mapping[str, str]]:
        settings = self.settings
        aliexpress = {
            "api_key": settings.aliexpress_api_key,
            "app_key": settings.aliexpress_app_key,
            "app_secret": settings.aliexpress_app_secret,
        }
        return {
            "bigbuy": {"api_key": settings.bigbuy_api_key} if settings.bigbuy_api_key else {},
            "aliexpress": {name: value for name, value in aliexpress.items() if value},
        }

    def _opened(self, kind: str, opened: Opened) -> Source:
        """Open a connection of a kind."""
        import random

        from shared.adapters.suppliers.aliexpress import AliExpressSource
        from shared.adapters.suppliers.bigbuy import BigBuySource
        from shared.adapters.suppliers.feed import FeedSource
        from shared.suppliers.tracking import OrderMemory

        if kind == "feed":
            return FeedSource(opened, self.fetch, self._check_feed)
        if kind == "bigbuy":
            url = "https://api.sandbox.bigbuy.eu" if opened.config.get("sandbox") else self.settings.bigbuy_base_url
            return BigBuySource(opened, url, self.fetch, self.clock, random.Random())  # noqa: S311 - jitter is no secret
        orders = OrderMemory(self.store, self.clock)
        return AliExpressSource(opened, self.settings.aliexpress_base_url, self.fetch, self.clock, orders=orders)

    def _attend_supplier(self, supplier_id: str, name: str, needs: str | None) -> None:
        """Open or resolve the alert that only the user can bring a connection back."""
        from shared.alerts.rules import Judgement
        from shared.alerts.words import AlertType, Severity, ThresholdRule

        judgement = Judgement(
            AlertType.JOB_FAILED,
            f"job_failed:supplier-connection:{supplier_id}",
            fires=needs == "consent",
            over=needs != "consent",
            severity=Severity.CRITICAL,
            message=f"The supplier {name} has to be consented to again (POST /api/v1/suppliers/consent).",
            reason="consented",
            facts={"subject": supplier_id, "rule": ThresholdRule.DEFAULT.value},
        )
        cast("AlertParts", self).alert_book.judge(judgement)

    def _forget_consents(self) -> None:
        from shared.jobs.cleanup import clean_expired
        from shared.suppliers.consent import CONSENTS

        clean_expired(self.documents, self.clock, CONSENTS)

    def _forget_walks(self) -> None:
        from shared.jobs.cleanup import clean_expired
        from shared.suppliers.notes import WALKS

        clean_expired(self.documents, self.clock, WALKS, at_once=10)

    def _check_feed(self, url: str) -> None:
        from shared.adapters.fetch.guard import Guard

        settings = self.settings
        Guard(settings.fetch_allow_hosts, allow_private=not settings.in_cloud).check(url)
