"""Alerts: the book of them, what is watched, and telling people."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from shared.app.oos import OosParts
from shared.app.trade import TradeParts
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.alerts.book import AlertBook
    from shared.alerts.hook import Hook
    from shared.alerts.service import AlertDesk
    from shared.alerts.watch import Feed, Watch
    from shared.inventory.ledger import Pair
    from shared.jobs.asking import Asker
    from shared.jobs.kinds import Continue, Done, JobKind, Step
    from shared.jobs.slots import Duty
    from shared.ports.mail import Mail

__all__ = ["AlertParts"]

CHECK = "check-alerts"
_REST_S = 10.0
_PRODUCT, _OPEN, _CHANGED = "product_id", "open", "changed"


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
        from shared.alerts.service import AlertDesk

        return AlertDesk(self.store, self.clock, self.alert_book, self.depletion_date)

    @once
    def watch(self) -> Watch:
        """Return evaluating causes."""
        from shared.alerts.watch import Seen, Watch

        stale_after = timedelta(minutes=self.settings.refresh_stale_minutes)
        seen = Seen(
            self._feeds,
            self.depletion_date,
            self.depleting,
            self._transfer,
            stale_after,
            self.settings.order_sla_hours,
        )
        return Watch(self.store, self.clock, self.alert_book, seen)

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
        """Add evaluating, and telling people."""
        from shared.alerts import notify
        from shared.jobs.kinds import JobKind

        check = JobKind(CHECK, notify.QUEUE, self._check, "Check alerts")
        tell = JobKind(notify.KIND, notify.QUEUE, self._notify, "Notify")
        return (*super().kinds(), check, tell)

    def duties(self) -> Mapping[str, Duty]:
        """Add the hourly evaluation of everything, and that of open alerts."""
        from shared.jobs.slots import Duty

        return {
            **super().duties(),
            CHECK: Duty(lambda: [self._start_check({})]),
            "resolve-alerts": Duty(lambda: [self._start_check({_OPEN: True})]),
        }

    def settle(self) -> None:
        """Evaluate what was marked and not yet asked for."""
        super().settle()
        self.watch.marked()

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

        given = step.input
        if given.get(_CHANGED):
            tally = self.watch.marked()
            return Continue(_REST_S) if tally.created or tally.updated or tally.resolved else Done(_shown(tally))
        if given.get(_PRODUCT):
            return Done(_shown(self.watch.product(given[_PRODUCT])))
        return Done(_shown(self.watch.open() if given.get(_OPEN) else self.watch.everything()))

    def _notify(self, step: Step) -> Done | Continue:
        from shared.alerts.notify import Notifier

        return Notifier(self.store, self.clock, self.mail, self.alert_book.settings, self._hook)(step)

    @once
    def _hook(self) -> Hook | None:
        from shared.alerts.hook import Hook

        url, secret = self.settings.alert_webhook_url, self.settings.alert_webhook_secret
        return Hook(lambda: self.fetch, self.clock, url, secret) if url else None

    def _tell(self, alert_id: str, event: str) -> None:
        """Let people be told of an alert, in the commit that opened or escalated it."""
        from shared.alerts.notify import KIND, WEBHOOK
        from shared.core.caller import SYSTEM

        if self.settings.alert_webhook_url:
            posted = {"alert_id": alert_id, "event": event, "channel": WEBHOOK}
            self.jobs.start(KIND, f"{alert_id}.{event}.{WEBHOOK}", posted, SYSTEM)
        settings = self.alert_book.settings()
        if settings["email_notifications_enabled"] and settings["alert_recipient_emails"]:
            self.jobs.start(KIND, f"{alert_id}.{event}", {"alert_id": alert_id, "event": event}, SYSTEM)

    def _feeds(self) -> Sequence[Feed]:
        from shared.alerts.watch import Feed

        return [Feed(one.source, one.age_seconds, one.stale) for one in self.refreshes.status().sources if one.enabled]

    def _transfer(self, order_id: str) -> dict[str, Any] | None:
        from shared.orders.record import transfer_key

        stored = self.store.get(transfer_key(order_id))
        return {"id": order_id, **stored.data} if stored is not None else None


def _shown(tally: Any) -> dict[str, int]:
    return {"created": tally.created, "updated": tally.updated, "resolved": tally.resolved}
