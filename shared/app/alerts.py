"""Alerts: the book of them, what is watched, and telling people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from shared.app.oos import OosParts
from shared.app.trade import TradeParts
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shared.alerts.book import AlertBook, Tally
    from shared.alerts.deliveries import Deliveries
    from shared.alerts.digest import Digests
    from shared.alerts.handling import Handling
    from shared.alerts.hook import Hook
    from shared.alerts.notify import Ways
    from shared.alerts.replay import Replay
    from shared.alerts.service import AlertDesk
    from shared.alerts.silences import Silences
    from shared.alerts.sources import Feed, FeedWatch
    from shared.alerts.watch import Watch
    from shared.alerts.why import Why
    from shared.inventory.ledger import Pair
    from shared.jobs.asking import Asker
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.jobs.record import Record
    from shared.jobs.slots import Duty
    from shared.ports.documents import Write
    from shared.ports.mail import Mail

__all__ = ["AlertParts"]

CHECK = "check-alerts"
_REST_S = 10.0
_PRODUCT, _OPEN, _CHANGED, _SOURCE = "product_id", "open", "changed", "source"
_ON_FEEDS = ("oos_backlog_orders", "oos_backlog_sku_orders", "held_order_sla_hours")


class AlertParts(TradeParts, OosParts):
    """The services of alerts."""

    @once
    def alert_book(self) -> AlertBook:
        """Return keeping alerts."""
        from shared.alerts.book import AlertBook

        return AlertBook(self.store, self.clock, self.ids, self._tell)

    @once
    def alerts(self) -> AlertDesk:
        """Return reading alerts."""
        from shared.alerts.service import AlertDesk, Asked

        backlogs = lambda sku: self.why.backlogs(sku)  # noqa: E731, PLW0108 - made when it is asked for
        asked = Asked(self.depletion_date, backlogs, lambda: self.secrets)
        return AlertDesk(self.store, self.clock, self.alert_book, asked)

    @once
    def handling(self) -> Handling:
        """Return what people do with open alerts."""
        from shared.alerts.handling import Handling

        return Handling(self.store, self.clock, self.alert_book, self._tell)

    @once
    def silences(self) -> Silences:
        """Return the silences."""
        from shared.alerts.silences import Silences

        return Silences(self.store, self.clock, self.ids)

    @once
    def deliveries(self) -> Deliveries:
        """Return what is to be told."""
        from shared.alerts.deliveries import Deliveries

        silences = self.silences.in_force
        return Deliveries(self.store, self.clock, self.alert_book, silences, lambda: self.jobs)

    @once
    def replay(self) -> Replay:
        """Return sending again what was told."""
        from shared.alerts.replay import Replay

        return Replay(self.store, self.alert_book, lambda: self.jobs)

    @once
    def digests(self) -> Digests:
        """Return the daily digests."""
        from shared.alerts.digest import Digests

        return Digests(self.store, self.clock, self.alert_book.settings, self._ways, lambda: self.jobs)

    @once
    def why(self) -> Why:
        """Return why alerts are as they are."""
        from shared.alerts.why import Why

        return Why(self.store, self.alert_book, self.watch, self._feed_watch, self.deliveries)

    @once
    def watch(self) -> Watch:
        """Return evaluating causes."""
        from shared.alerts.watch import Seen, Watch

        seen = Seen(
            self._feed_watch, self.depletion_date, self.depleting, self._transfer, self.settings.order_sla_hours
        )
        return Watch(self.store, self.clock, self.alert_book, seen)

    @once
    def _feed_watch(self) -> FeedWatch:
        from shared.alerts.sources import Feeds, FeedWatch

        stale_after = timedelta(minutes=self.settings.refresh_stale_minutes)
        feeds = Feeds(self._feeds, self._held_orders, self.own_shelves.product_ids, stale_after)
        return FeedWatch(self.clock, self.alert_book, feeds)

    @once
    def mail(self) -> Mail:
        """Return how letters leave."""
        from shared.adapters.mail import LoggedMail, SmtpMail

        settings = self.settings
        return (
            SmtpMail(settings.smtp_url, settings.mail_from or "onhand@localhost") if settings.smtp_url else LoggedMail()
        )

    def depletion_date(self, product_id: str) -> date | None:
        """Return when the newest stored forecast of a product expects it to run out; parts with forecasts say so."""
        return None

    def depleting(self, until: date) -> Iterable[str]:
        """Return the products whose newest stored forecast expects them to run out by a day; parts with forecasts say."""
        return ()

    def on_stock_change(self, pairs: Sequence[Pair]) -> None:
        """Mark changed levels for their evaluation, in the same commit, and ask for it after."""
        super().on_stock_change(pairs)
        self.watch.mark(pairs)
        self.store.after_commit(self._request_check)

    def kinds(self) -> Sequence[JobKind]:
        """Add evaluating, telling people, and the digest."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import ALERT_DIGEST, ALERTS, NOTIFY

        check = JobKind(CHECK, ALERTS, self._check, "Check alerts")
        tell = JobKind(NOTIFY, ALERTS, self._notify, "Notify")
        daily = JobKind(ALERT_DIGEST, ALERTS, self._digest, "Digest of alerts")
        return (*super().kinds(), check, tell, daily)

    def duties(self) -> Mapping[str, Duty]:
        """Add the hourly evaluation of everything, that of open alerts, and what comes due by time alone."""
        from shared.jobs.slots import Duty

        return {
            **super().duties(),
            CHECK: Duty(lambda: [self._start_check({})]),
            "resolve-alerts": Duty(lambda: [self._start_check({_OPEN: True})]),
            "tell-alerts": Duty(self.tell_alerts, atomic=False),
        }

    def chores(self) -> Sequence[Callable[[], None]]:
        """Add forgetting old records of what was told."""
        return (*super().chores(), self._forget_told)

    def settle(self) -> None:
        """Evaluate what was marked and not yet asked for, and let people be told."""
        super().settle()
        self.watch.marked()
        self.deliveries.tell()

    def check_alerts(self, product_id: str | None = None) -> Tally:
        """Evaluate one product, or everything, and let people be told."""
        tally = self.watch.everything() if product_id is None else self.watch.product(product_id)
        self.deliveries.tell()
        return tally

    def first_check(self) -> str:
        """Start an evaluation of everything, or join the one that is on its way; return the id of its job."""
        return self._start_check({})

    def tell_alerts(self) -> list[str]:
        """Wake alerts whose snooze is over, if their cause is still true; tell what waited; begin the day's digest."""
        for stored in self.handling.ended_snoozes():
            self.watch.again(stored.data)
            self.handling.wake(stored.key.id)
        self.deliveries.tell()
        return self.digests.begin()

    @once
    def _check_asker(self) -> Asker:
        from shared.jobs.asking import Asker

        return Asker(self.clock, _REST_S)

    def _request_check(self) -> None:
        self._check_asker.request(lambda: self._start_check({_CHANGED: True}))

    def _start_check(self, given: dict[str, Any]) -> str:
        from shared.core.caller import SYSTEM

        subject = next(iter(given), None)
        return self.jobs.start(CHECK, subject, given, SYSTEM).job.id

    def _check(self, step: Step) -> Done | Continue:
        from shared.jobs.kinds import Continue, Done

        tally = self._evaluated(step.input)
        self.deliveries.tell()
        if step.input.get(_CHANGED) and (tally.created or tally.updated or tally.resolved):
            return Continue(_REST_S)
        return Done({"created": tally.created, "updated": tally.updated, "resolved": tally.resolved})

    def _evaluated(self, given: Mapping[str, Any]) -> Tally:
        if given.get(_CHANGED):
            return self.watch.marked()
        if given.get(_PRODUCT):
            return self.watch.product(given[_PRODUCT])
        if given.get(_SOURCE):
            return self.watch.source(given[_SOURCE])
        if given.get(_OPEN):
            return self.watch.open()
        self.sums.settle_due()  # units whose lot has expired are not available any more, though nothing moved
        return self.watch.everything()

    def _notify(self, step: Step) -> Done | Continue:
        from shared.alerts.notify import Notifier

        return Notifier(self.store, self.clock, self.alert_book.settings, self._ways)(step)

    def _digest(self, step: Step) -> Done | Continue:
        return self.digests(step)

    @once
    def _ways(self) -> Ways:
        from shared.alerts.notify import Ways

        return Ways(lambda: self.mail, self._hook, self._slack)

    def _hook(self) -> Hook | None:
        from shared.alerts.hook import Hook

        url, secret = self.settings.alert_webhook_url, self.settings.alert_webhook_secret
        wanted = url and self.alert_book.settings()["webhook_notifications_enabled"]
        return Hook(lambda: self.fetch, self.clock, url, secret) if url and wanted else None

    def _slack(self) -> Hook | None:
        from shared.alerts.hook import Hook
        from shared.alerts.service import SLACK_PLACE

        settings = self.alert_book.settings()
        sealed = settings["slack_sealed"]
        if not sealed or not settings["slack_notifications_enabled"]:
            return None
        url = self.secrets.open(sealed, place=SLACK_PLACE).decode()
        return Hook(lambda: self.fetch, self.clock, url, None)

    def _tell(self, alert_id: str, alert: dict[str, Any], event: str) -> None:
        """Record whom to tell of an alert, in the commit that opened or escalated it or in which it came back."""
        from shared.alerts.words import Channel

        settings = self.alert_book.settings()
        wanted = {
            Channel.EMAIL: settings["email_notifications_enabled"] and settings["alert_recipient_emails"],
            Channel.WEBHOOK: self.settings.alert_webhook_url and settings["webhook_notifications_enabled"],
            Channel.SLACK: settings["slack_notifications_enabled"] and settings["slack_sealed"],
        }
        self.deliveries.add(alert_id, alert, event, [channel for channel, on in wanted.items() if on])

    def _refresh_ended(self, job: Record) -> Sequence[Write]:
        writes = super()._refresh_ended(job)
        source = job.subject
        if source is not None and self._hangs_on(source):
            self.store.after_commit(lambda: self._check_source(source))
        return writes

    def _hangs_on(self, source: str) -> bool:
        """Say whether a refresh of a source can change an alert: a threshold is stored, or its feed has an alert."""
        settings = self.alert_book.settings()
        wanted = any(settings[name] is not None for name in _ON_FEEDS)
        return wanted or self.alert_book.open_id(f"feed_stale:{source}") is not None

    def _check_source(self, source: str) -> None:
        self._start_check({_SOURCE: source})

    def _forget_told(self) -> None:
        from shared.alerts.deliveries import DELIVERIES
        from shared.alerts.digest import DIGESTS
        from shared.jobs.cleanup import clean_expired

        for collection in (DELIVERIES, DIGESTS):
            clean_expired(self.documents, self.clock, collection)

    def _held_orders(self, source: str) -> Sequence[dict[str, Any]] | None:
        loaded = self.snapshots.current(source).loaded
        return loaded.open if loaded is not None else None

    def _feeds(self) -> Sequence[Feed]:
        from shared.alerts.sources import Feed

        return [Feed(one.source, one.age_seconds, one.stale) for one in self.refreshes.status().sources if one.enabled]

    def _transfer(self, order_id: str) -> dict[str, Any] | None:
        from shared.orders.record import transfer_key

        stored = self.store.get(transfer_key(order_id))
        return {"id": order_id, **stored.data} if stored is not None else None
