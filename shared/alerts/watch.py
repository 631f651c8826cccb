"""Looking: what is evaluated when, and from where. Every cause is judged by what the documents say now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from shared.alerts.book import ALERTS, AlertBook, Tally
from shared.alerts.held import source_of
from shared.alerts.rules import (
    UNFULFILLED,
    Judgement,
    judge_customer_order,
    judge_depletion,
    judge_job,
    judge_level,
    judge_order,
)
from shared.alerts.words import AlertStatus, AlertType
from shared.core.clock import Clock, instant, parse_instant
from shared.core.values import dataclass
from shared.inventory.keys import LEVELS, level_id, level_key, product_key, stock_key
from shared.inventory.rules import active_word, recounted, shelf_word
from shared.jobs.record import JOBS
from shared.ports.documents import Delete, Key, Put, Query, Stored

if TYPE_CHECKING:
    from shared.alerts.sources import FeedWatch
    from shared.ports.store import Store

__all__ = ["Seen", "Watch"]

Data = dict[str, Any]
Pair = tuple[str, str]
PENDING = "alert_pending"
CUSTOMER_ORDERS = "customer_orders"
_MANY = 200
_OPEN = (AlertStatus.ACTIVE.value, AlertStatus.ACKNOWLEDGED.value)
_OWN_JOBS = frozenset({"notify", "check-alerts", "flush-outbox"})
_FINISHED = ("succeeded", "failed")


@dataclass(frozen=True)
class Seen:
    """What other parts of the product show to the watch.

    `depletion` tells when the newest forecast of a product expects it to run out, `depleting` which products' newest
    forecasts expect that by a day.
    """

    feeds: FeedWatch
    depletion: Callable[[str], date | None]
    depleting: Callable[[date], Iterable[str]]
    order: Callable[[str], Data | None]
    sla_h: float


class Watch:
    """Evaluates causes."""

    def __init__(self, store: Store, clock: Clock, book: AlertBook, seen: Seen) -> None:
        """Take the store, time, the book of alerts and what is watched."""
        self._store, self._clock, self._book, self._seen = store, clock, book, seen
        self._feeds = seen.feeds

    def mark(self, pairs: Iterable[Pair]) -> None:
        """Note, in the present commit, that levels are to be judged: one write each, whatever changed how often."""
        now = instant(self._clock.now())
        self._store.write(
            [
                Put(Key(PENDING, level_id(store, product)), {"product_id": product, "store_id": store, "at": now})
                for product, store in pairs
            ]
        )

    def marked(self) -> Tally:
        """Judge levels that were marked, oldest first, until none is left."""
        tally = Tally()
        while found := self._store.query(Query(PENDING, order_by="at", limit=_MANY)):
            for stored in found:
                self._level(stored.data["product_id"], stored.data["store_id"], tally)
                self._forget(stored)
        return tally

    def product(self, product_id: str) -> Tally:
        """Judge everything about one product."""
        tally = Tally()
        for stored in self._store.walk(Query(LEVELS, (("product_id", product_id),))):
            self._judge(judge_level(recounted(stored.data, self._clock.now()), self._book.settings()), tally)
        self._depletion(product_id, tally)
        return tally

    def source(self, source: str) -> Tally:
        """Judge what hangs on one 3PL's feed, which has just been read: its freshness first, for the rest depends on it."""
        tally, settings = Tally(), self._book.settings()
        self._freshness(tally, settings)
        stopped = self._feeds.inhibitors()
        for stored in self._store.walk(Query(ALERTS, (("status", _OPEN),))):
            if source_of(stored.data) == source:
                self._judge_again(stored.data, stopped, tally)
        self._judge_new(self._feeds.judged(source, stopped.get(source), settings), tally)
        return tally

    def everything(self) -> Tally:
        """Judge all causes: those that may fire, and those whose alert is open."""
        tally = self.open()
        settings, now = self._book.settings(), self._clock.now()
        low = self._store.walk(Query(LEVELS, (("shelf", shelf_word(low=True)), ("active", active_word(active=True)))))
        self._judge_new((judge_level(recounted(stored.data, now), settings) for stored in low), tally)
        self._judge_new(self._elsewhere(settings), tally)
        return tally

    def open(self) -> Tally:
        """Judge the feeds, then again every cause whose alert is open."""
        tally = Tally()
        self._freshness(tally, self._book.settings())
        stopped = self._feeds.inhibitors()
        for stored in self._store.walk(Query(ALERTS, (("status", _OPEN),))):
            if stored.data["alert_type"] != AlertType.FEED_STALE:
                self._judge_again(stored.data, stopped, tally)
        return tally

    def again(self, alert: Mapping[str, Any]) -> None:
        """Judge the cause of one open alert again."""
        self._judge_again(dict(alert), self._feeds.inhibitors(), Tally())

    def cause_of(self, alert: Mapping[str, Any]) -> Judgement | None:
        """Judge the cause of an alert as it is now, without any effect; None when there is nothing left to judge."""
        return self._again(alert, self._feeds.inhibitors())

    def _freshness(self, tally: Tally, settings: Mapping[str, Any]) -> None:
        for judgement in self._feeds.freshness(settings):
            self._judge(judgement, tally)

    def _judge_again(self, alert: Data, stopped: Mapping[str, str | None], tally: Tally) -> None:
        judgement = self._again(alert, stopped)
        if judgement is not None:
            self._judge(judgement, tally)

    def _judge_new(self, judgements: Iterable[Judgement], tally: Tally) -> None:
        """Judge what has no open alert: the others have been judged already."""
        done = self._open_keys()
        for judgement in judgements:
            if judgement.dedupe_key not in done:
                self._judge(judgement, tally)

    def _elsewhere(self, settings: Mapping[str, Any]) -> Iterable[Judgement]:
        """Judge what has no level: forecasts, orders, what hangs on feeds, jobs."""
        yield from self._depletions(settings)
        yield from self._orders(settings)
        yield from self._customer_orders(settings)
        for source, inhibited_by in self._feeds.inhibitors().items():
            yield from self._feeds.judged(source, inhibited_by, settings)
        yield from self._jobs()

    def _depletions(self, settings: Mapping[str, Any]) -> Iterable[Judgement]:
        """Judge the products that run out soon, and those whose alert was closed by hand: they may have recovered."""
        until = self._clock.now().date() + timedelta(days=settings["alert_threshold_days"])
        by_hand = self._book.closed_by_hand(AlertType.PREDICTED_DEPLETION)
        for product_id in list(dict.fromkeys((*self._seen.depleting(until), *by_hand))):
            judgement = self._judged_depletion(product_id)
            if judgement is not None:
                yield judgement

    def _open_keys(self) -> set[str]:
        return {stored.data["dedupe_key"] for stored in self._store.walk(Query(ALERTS, (("status", _OPEN),)))}

    def _judge(self, judgement: Judgement, tally: Tally) -> None:
        tally.count(self._book.judge(judgement))

    def _level(self, product_id: str, store_id: str, tally: Tally) -> None:
        stored = self._store.get(level_key(store_id, product_id))
        if stored is not None:
            self._judge(judge_level(recounted(stored.data, self._clock.now()), self._book.settings()), tally)

    def _forget(self, stored: Stored) -> None:
        """Remove a mark, unless the level was marked again meanwhile: then it is judged again."""
        self._store.change([stored.key], lambda found: (None, _same(stored, found.get(stored.key))))

    def _depletion(self, product_id: str, tally: Tally) -> None:
        judgement = self._judged_depletion(product_id)
        if judgement is not None:
            self._judge(judgement, tally)

    def _judged_depletion(self, product_id: str) -> Judgement | None:
        keys = product_key(product_id), stock_key(product_id)
        found = self._store.get_many(keys)
        product, stock = found.get(keys[0]), found.get(keys[1])
        if product is None:
            return None
        facts = {
            "id": product_id,
            "name": product.data["name"],
            "sku": product.data["sku"],
            "active": product.data.get("status", "active") == "active",
            "available": stock.data["available_stock"] if stock else 0,
        }
        today = self._clock.now().date()
        return judge_depletion(facts, self._seen.depletion(product_id), today, self._book.settings())

    def _again(self, alert: Mapping[str, Any], stopped: Mapping[str, str | None]) -> Judgement | None:
        """Judge the cause of an alert anew; `stopped` says which feeds keep theirs from being judged."""
        settings, kind = self._book.settings(), alert["alert_type"]
        if (source := source_of(alert)) is not None:
            return self._feeds.again(alert, stopped.get(source), settings)
        if kind == AlertType.LOW_STOCK:
            stored = self._store.get(level_key(alert["store_id"], alert["product_id"]))
            return None if stored is None else judge_level(recounted(stored.data, self._clock.now()), settings)
        if kind == AlertType.PREDICTED_DEPLETION:
            return self._judged_depletion(alert["product_id"])
        if kind == AlertType.ORDER_SLA:
            return self._order_again(alert["subject"], settings)
        if kind == AlertType.FEED_STALE:
            judged = self._feeds.freshness(settings)
            return next((one for one in judged if one.dedupe_key == alert["dedupe_key"]), None)
        _, job_kind, subject = alert["dedupe_key"].split(":", 2)
        return self._last_job(job_kind, subject or None)

    def _orders(self, settings: Mapping[str, Any]) -> Iterable[Judgement]:
        before = instant(self._clock.now() - timedelta(hours=self._seen.sla_h))
        waiting = Query("transfer_orders", (("status", "pending_review"),), order_by="created_at", at_most=before)
        for stored in self._store.walk(waiting):
            yield self._judged_order({"id": stored.key.id, **stored.data}, settings)

    def _customer_orders(self, settings: Mapping[str, Any]) -> Iterable[Judgement]:
        limit = settings["customer_order_sla_hours"]
        if limit is None:
            return
        before = instant(self._clock.now() - timedelta(hours=limit))
        late = Query(CUSTOMER_ORDERS, (("status", UNFULFILLED),), order_by="created_at", at_most=before)
        for stored in self._store.walk(late):
            yield self._judged_customer_order({"id": stored.key.id, **stored.data}, settings)

    def _order_again(self, order_id: str, settings: Mapping[str, Any]) -> Judgement | None:
        """Judge a transfer order or a customer's order anew."""
        transfer = self._seen.order(order_id)
        if transfer is not None:
            return self._judged_order(transfer, settings)
        stored = self._store.get(Key(CUSTOMER_ORDERS, order_id))
        return self._judged_customer_order({"id": order_id, **stored.data}, settings) if stored else None

    def _judged_customer_order(self, order: Data, settings: Mapping[str, Any]) -> Judgement:
        waited = self._clock.now() - parse_instant(order["created_at"])
        return judge_customer_order(order, waited.total_seconds() / 3600, settings)

    def _judged_order(self, order: Data, settings: Mapping[str, Any]) -> Judgement:
        waited_h = (self._clock.now() - parse_instant(order["created_at"])).total_seconds() / 3600
        return judge_order(order, waited_h, self._seen.sla_h, settings)

    def _jobs(self) -> Iterable[Judgement]:
        """Judge the last finished job of every kind and subject that failed lately."""
        failed = self._store.query(
            Query(JOBS, (("status", "failed"),), order_by="created_at", descending=True, limit=_MANY)
        )
        named = dict.fromkeys((stored.data["kind"], stored.data["subject"]) for stored in failed)
        for kind, subject in named:
            if kind not in _OWN_JOBS and (judgement := self._last_job(kind, subject)) is not None:
                yield judgement

    def _last_job(self, kind: str, subject: str | None) -> Judgement | None:
        same = (("kind", kind), ("subject", subject), ("status", _FINISHED))
        found = self._store.query(Query(JOBS, same, order_by="created_at", descending=True, limit=1))
        if not found:
            return None
        error = found[0].data.get("error") or {}
        return judge_job(kind, subject, error.get("code"), failed=found[0].data["status"] == "failed")


def _same(read: Stored, present: Stored | None) -> list[Delete]:
    return [Delete(read.key, read.version)] if present is not None and present.version == read.version else []
