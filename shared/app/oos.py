"""Held orders: the 3PLs, refreshing from them, and reading what is published."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.app.stock import StockParts
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.jobs.record import Record
    from shared.jobs.slots import Duty
    from shared.oos.comments import CommentService
    from shared.oos.desk import Desk
    from shared.oos.history import History
    from shared.oos.live import LiveStock
    from shared.oos.marks import Marks
    from shared.oos.own import OwnShelves
    from shared.oos.publisher import Publisher
    from shared.oos.reader import SnapshotReader
    from shared.oos.refresh import RefreshHandler
    from shared.oos.refresh_order import RefreshOrderHandler
    from shared.oos.refreshes import RefreshService
    from shared.oos.service import OosService
    from shared.oos.source import OrderSource
    from shared.oos.warehouse import OosTables
    from shared.oos.webhooks import WebhookService
    from shared.ports.documents import Write
    from shared.ports.warehouse import Table

__all__ = ["OosParts"]


class OosParts(StockParts):
    """The services of held orders."""

    @once
    def oos_tables(self) -> OosTables:
        """Return the warehouse tables of held orders."""
        from shared.oos.warehouse import oos_tables

        settings = self.settings
        return oos_tables(
            stord=settings.bigquery_table_stord_oos,
            shipbob=settings.bigquery_table_shipbob_oos,
            last_refresh=settings.bigquery_table_last_refresh,
        )

    @once
    def history(self) -> History:
        """Return the writer of history."""
        from shared.oos.history import History

        return History(self.store, lambda: self.warehouse, self.oos_tables.lines)

    @once
    def snapshots(self) -> SnapshotReader:
        """Return the reader of published snapshots."""
        from shared.oos.reader import SnapshotReader

        return SnapshotReader(self.store, self.clock, timedelta(minutes=self.settings.refresh_stale_minutes))

    @once
    def oos(self) -> OosService:
        """Return reading held orders."""
        from shared.oos.service import OosService

        free = lambda skus: self.own_shelves.free(skus)  # noqa: E731, PLW0108 - made when it is asked for
        return OosService(self.store, self.snapshots, free)

    @once
    def desk(self) -> Desk:
        """Return the questions about all held orders at once."""
        from shared.oos.desk import Desk

        return Desk(self.store, self.clock, self.snapshots, self.oos.views, self.settings.default_currency)

    @once
    def live_stock(self) -> LiveStock:
        """Return asking the 3PLs for stock."""
        from shared.oos.live import LiveStock

        return LiveStock(self.clock, self.order_source, self.enabled_sources)

    @once
    def comments(self) -> CommentService:
        """Return the comments on stuck orders."""
        from shared.oos.comments import CommentService

        return CommentService(self.store, self.clock, self.ids)

    @once
    def webhooks(self) -> WebhookService:
        """Return taking the 3PLs' deliveries."""
        from shared.adapters.sources.deliveries import order_of
        from shared.oos.webhooks import WebhookService

        secrets = {"shipbob": self.settings.shipbob_webhook_secret, "stord": self.settings.stord_webhook_secret}
        return WebhookService(secrets, self.marks, self.jobs, self.clock, order_of)

    @once
    def own_shelves(self) -> OwnShelves:
        """Return what the house itself knows of SKUs."""
        from shared.oos.own import OwnShelves

        return OwnShelves(self.store)

    @once
    def refreshes(self) -> RefreshService:
        """Return starting refreshes and saying how fresh everything is."""
        from shared.oos.refreshes import RefreshService

        return RefreshService(self.store, self.jobs, self.snapshots, self.enabled_sources)

    @once
    def enabled_sources(self) -> tuple[str, ...]:
        """Return the 3PLs whose token is set."""
        tokens = {"shipbob": self.settings.shipbob_api_token, "stord": self.settings.stord_api_token}
        return tuple(name for name, token in tokens.items() if token)

    @once
    def _shipbob(self) -> OrderSource:
        from shared.adapters.sources.configured import shipbob_of

        return shipbob_of(self.settings, self.fetch, self.clock)

    @once
    def _stord(self) -> OrderSource:
        from shared.adapters.sources.configured import stord_of

        return stord_of(self.settings, self.fetch, self.clock)

    def order_source(self, name: str) -> OrderSource:
        """Return the connector of a 3PL by name; one per process, since it holds the account's pace."""
        return self._shipbob if name == "shipbob" else self._stord

    @once
    def marks(self) -> Marks:
        """Return the orders a webhook told us to look at."""
        from shared.oos.marks import Marks

        return Marks(self.store, self.clock)

    @once
    def publisher(self) -> Publisher:
        """Return what replaces a source's snapshot."""
        from shared.oos.publisher import Publisher

        return Publisher(self.store, self.ids, self.history, self.snapshots.forget, self.own_shelves)

    @once
    def refresh_handler(self) -> RefreshHandler:
        """Return what carries a refresh out."""
        from shared.oos.refresh import RefreshHandler

        currency = self.settings.default_currency
        return RefreshHandler(self.store, self.publisher, self.order_source, self.marks, currency=currency)

    @once
    def refresh_order_handler(self) -> RefreshOrderHandler:
        """Return what carries the refresh of one order out."""
        from shared.oos.refresh_order import RefreshOrderHandler

        currency = self.settings.default_currency
        return RefreshOrderHandler(self.publisher, self.order_source, self.marks, self.snapshots, currency=currency)

    def tables(self) -> Sequence[Table]:
        """Add the tables of held orders."""
        return (*super().tables(), *self.oos_tables.all())

    def kinds(self) -> Sequence[JobKind]:
        """Add the refresh of a 3PL, and of one order."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import REFRESH_ORDER, REFRESH_SOURCE

        refresh = JobKind(REFRESH_SOURCE, "refresh", self._refresh, "Refresh", on_end=self._refresh_ended)
        order = JobKind(REFRESH_ORDER, "refresh", self._refresh_order, "Refresh of an order")
        return (*super().kinds(), refresh, order)

    def duties(self) -> Mapping[str, Duty]:
        """Add the regular refresh."""
        from shared.jobs.slots import Duty

        return {**super().duties(), "refresh": Duty(self._scheduled_refresh)}

    def chores(self) -> Sequence[Callable[[], None]]:
        """Add forgetting old snapshots and staged rows."""
        return (*super().chores(), self._forget_snapshots)

    def _refresh(self, step: Step) -> Done | Continue:
        return self.refresh_handler(step)

    def _refresh_order(self, step: Step) -> Done | Continue:
        return self.refresh_order_handler(step)

    def _refresh_ended(self, job: Record) -> Sequence[Write]:
        from shared.oos.refreshes import ended_writes, run_row

        row = run_row(job)
        told = self.outbox.rows(self.oos_tables.runs.name, row["id"], [row])
        return [*ended_writes(self.store, self.snapshots.forget, job), told]

    def _scheduled_refresh(self) -> list[str]:
        from shared.core.caller import SYSTEM

        if not self.enabled_sources:
            return []
        return [started.job.id for started in self.refreshes.start("all", SYSTEM, trigger="schedule")]

    def _forget_snapshots(self) -> None:
        from shared.jobs.cleanup import clean_expired
        from shared.oos.maintenance import OosMaintenance

        OosMaintenance(self.store, self.clock).clean()
        clean_expired(self.documents, self.clock, "oos_staged")
