"""Why an alert is as it is, and why what hangs on a 3PL's feed alerts or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.alerts.book import ALERTS, AlertBook
from shared.alerts.explained_models import AlertExplained, BacklogExplained, Delivered, FeedExplained
from shared.alerts.held import judge_backlog, source_of
from shared.alerts.rules import margin
from shared.alerts.words import AlertStatus
from shared.core.errors import NotFound
from shared.ports.documents import Query

if TYPE_CHECKING:
    from shared.alerts.deliveries import Deliveries
    from shared.alerts.sources import FeedWatch
    from shared.alerts.watch import Watch
    from shared.ports.store import Store

__all__ = ["Why"]

_STILL = (AlertStatus.ACTIVE.value, AlertStatus.ACKNOWLEDGED.value)


class Why:
    """Answers from the same judgements that evaluations make, without their effects."""

    def __init__(self, store: Store, book: AlertBook, watch: Watch, feeds: FeedWatch, deliveries: Deliveries) -> None:
        """Take the store, the book of alerts, the watch, the feeds, and what was told."""
        self._store, self._book, self._watch, self._feeds = store, book, watch, feeds
        self._deliveries = deliveries

    def alert(self, alert_id: str) -> AlertExplained:
        """Say what is true of an alert's cause now, and who was told of it; raise NotFound."""
        alert = self._book.get(alert_id).data
        judged = self._watch.cause_of(alert)
        facts: dict[str, Any] = dict(judged.facts) if judged is not None else {}
        return AlertExplained(
            alert_id=alert_id,
            fires=judged.fires if judged is not None else None,
            over=judged.over if judged is not None else None,
            message=judged.message if judged is not None else None,
            threshold=facts.get("threshold"),
            measured=facts.get("measured", facts.get("current_stock")),
            inhibited_by=judged.inhibited_by if judged is not None else None,
            deliveries=[_delivered(told) for told in self._deliveries.of(alert_id)],
        )

    def feed(self, source: str) -> FeedExplained:
        """Say why what hangs on the feed of a 3PL alerts or not; raise NotFound for one that is not configured."""
        known = {one.source: one for one in self._feeds.fresh()}
        if source not in known:
            raise NotFound("This source is not configured.", resource="source")
        settings, one = self._book.settings(), known[source]
        inhibited_by = self._feeds.inhibitors()[source]
        return FeedExplained(
            source=source,
            stale=one.stale,
            age_seconds=one.age_s,
            inhibited_by=inhibited_by,
            oos_backlog=self._backlog(source, None, inhibited_by),
            held_order_sla_hours=settings["held_order_sla_hours"],
            orders_held_longer=self._feeds.overdue(source, settings),
            open_alert_ids=self._open(source),
        )

    def backlogs(self, sku: str) -> Sequence[BacklogExplained]:
        """Say for each configured 3PL why the orders that wait for a SKU alert or not."""
        return [self._backlog(source, sku, by) for source, by in self._feeds.inhibitors().items()]

    def _backlog(self, source: str, sku: str | None, inhibited_by: str | None) -> BacklogExplained:
        settings, waiting = self._book.settings(), self._feeds.backlog(source)
        found = None
        if waiting is not None:
            found = waiting.orders if sku is None else waiting.by_sku.get(sku, 0)
        judged = judge_backlog(source, sku, found or 0, settings, inhibited_by=inhibited_by)
        threshold = judged.facts["threshold"]
        calm = threshold and max(0, threshold - margin(threshold, settings["hysteresis_percent"]))
        return BacklogExplained(
            source=source,
            sku=sku,
            orders=found,
            threshold=threshold,
            fires=judged.fires and inhibited_by is None,
            enabled=threshold is not None,
            clears_at=calm,
            inhibited_by=inhibited_by,
        )

    def _open(self, source: str) -> list[str]:
        found = self._store.walk(Query(ALERTS, (("status", _STILL),)))
        return [one.key.id for one in found if source_of(one.data) == source]


def _delivered(told: Mapping[str, Any]) -> Delivered:
    return Delivered(**{name: told[name] for name in Delivered.model_fields})
