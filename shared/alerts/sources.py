"""What hangs on the feeds of the 3PLs: their freshness, how many orders wait, and which are held for too long."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.alerts.held import Backlog, Present, backlog_of, judge_backlog, judge_held, overdue
from shared.alerts.rules import Judgement, judge_feed
from shared.alerts.words import AlertType
from shared.core.values import dataclass

if TYPE_CHECKING:
    from shared.alerts.book import AlertBook
    from shared.core.clock import Clock

__all__ = ["Feed", "FeedWatch", "Feeds"]

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Feed:
    """How fresh one configured 3PL's orders are."""

    source: str
    age_s: int | None
    stale: bool


@dataclass(frozen=True)
class Feeds:
    """What the 3PLs' side shows to the watch.

    How fresh each is, the published open orders of one (None before its first snapshot), and our product's id of SKUs.
    """

    fresh: Callable[[], Sequence[Feed]]
    held: Callable[[str], Sequence[Data] | None]
    products: Callable[[Collection[str]], Mapping[str, str]]
    stale_after: timedelta


class FeedWatch:
    """Judges feeds, and what can be said from them."""

    def __init__(self, clock: Clock, book: AlertBook, feeds: Feeds) -> None:
        """Take time, the book of alerts, and the feeds."""
        self._clock, self._book, self._feeds = clock, book, feeds
        self._read: dict[str, _Read] = {}

    def fresh(self) -> Sequence[Feed]:
        """Return how fresh every configured 3PL is."""
        return self._feeds.fresh()

    def freshness(self, settings: Mapping[str, Any]) -> Sequence[Judgement]:
        """Judge every feed."""
        limit = self._feeds.stale_after
        return [judge_feed(one.source, one.age_s, limit, settings, stale=one.stale) for one in self._feeds.fresh()]

    def inhibitors(self) -> Mapping[str, str | None]:
        """Return for each configured 3PL what keeps its figures from being judged, None while it is fresh.

        That is the open alert of its feed, or the name of that cause while the feed is stale without an open alert.
        """
        found: dict[str, str | None] = {}
        for one in self._feeds.fresh():
            cause = f"{AlertType.FEED_STALE.value}:{one.source}"
            found[one.source] = self._book.open_id(cause) or (cause if one.stale else None)
        return found

    def judged(self, source: str, inhibited_by: str | None, settings: Mapping[str, Any]) -> Iterable[Judgement]:
        """Judge what may fire at one 3PL: its backlog, that of its SKUs, and the orders that are held too long."""
        read = self._held(source)
        if read is None:
            return
        backlog = read.backlog
        yield judge_backlog(source, None, backlog.orders, settings, inhibited_by=inhibited_by)
        limit = settings["oos_backlog_sku_orders"]
        many = [sku for sku, orders in backlog.by_sku.items() if limit is not None and orders > limit]
        known = self._feeds.products(many)
        for sku in many:
            judgement = judge_backlog(source, sku, backlog.by_sku[sku], settings, inhibited_by=inhibited_by)
            yield replace(judgement, facts={**judgement.facts, "product_id": known.get(sku)})
        for row in overdue(read.rows, self._clock.now(), settings):
            yield judge_held(source, row["order_id"], row, Present(self._clock.now(), settings, inhibited_by))

    def again(
        self, alert: Mapping[str, Any], inhibited_by: str | None, settings: Mapping[str, Any]
    ) -> Judgement | None:
        """Judge the cause of an open alert that hangs on a feed anew; None while nothing has been published."""
        source = alert["source"]
        read = self._held(source)
        if read is None:
            return None
        if alert["alert_type"] == AlertType.OOS_BACKLOG:
            sku = alert["product_sku"]
            orders = read.backlog.orders if sku is None else read.backlog.by_sku.get(sku, 0)
            again = judge_backlog(source, sku, orders, settings, inhibited_by=inhibited_by)
            return replace(again, facts={**again.facts, "product_id": alert["product_id"]})
        order_id = alert["subject"]
        present = Present(self._clock.now(), settings, inhibited_by)
        return judge_held(source, order_id, read.by_id.get(order_id), present)

    def backlog(self, source: str) -> Backlog | None:
        """Count what waits at a 3PL; None before anything was published."""
        read = self._held(source)
        return read.backlog if read is not None else None

    def overdue(self, source: str, settings: Mapping[str, Any]) -> int:
        """Count the orders that a 3PL holds for longer than allowed, as far as they have alerts of their own."""
        read = self._held(source)
        return len(overdue(read.rows, self._clock.now(), settings)) if read is not None else 0

    def _held(self, source: str) -> _Read | None:
        """Return the published open orders with what is derived from them, once per snapshot."""
        rows = self._feeds.held(source)
        if rows is None:
            return None
        known = self._read.get(source)
        if known is None or known.rows is not rows:
            known = _Read(rows, backlog_of(rows), {row["order_id"]: row for row in rows})
            self._read[source] = known
        return known


@dataclass(frozen=True, slots=True)
class _Read:
    """The open orders of one snapshot."""

    rows: Sequence[Data]
    backlog: Backlog
    by_id: Mapping[str, Data]
