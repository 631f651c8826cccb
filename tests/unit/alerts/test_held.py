"""A01-A03 for what hangs on a 3PL's feed: backlogs and orders held too long, with a stale feed that silences them all."""

import random
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.alerts.book import ALERTS, AlertBook
from shared.alerts.held import MOST_HELD, Present, backlog_of, judge_backlog, judge_held, overdue
from shared.alerts.rules import DEFAULTS, Judgement, decided
from shared.alerts.sources import Feed, Feeds, FeedWatch
from shared.alerts.watch import Seen, Watch
from shared.core.caller import SYSTEM
from shared.core.clock import ManualClock, instant
from shared.core.ids import RandomIds
from shared.ports.documents import Query
from shared.ports.store import Store
from tests.stores import INDEX_FILE
from tests.unit.alerts.test_rules import Cause
from tests.unit.oos.rows import a_row

SEED = 20260115
LIMIT = 20
WATCHED = {**DEFAULTS, "oos_backlog_orders": LIMIT, "oos_backlog_sku_orders": 5, "held_order_sla_hours": 48}


class World:
    """One 3PL as the watch sees it, over a real book."""

    def __init__(self) -> None:
        """Nothing is held, and the feed is fresh."""
        self.clock = ManualClock()
        self.store = Store(SqliteDocuments(":memory:", Shapes.read(INDEX_FILE)), self.clock)
        self.told: list[str] = []
        self.book = AlertBook(self.store, self.clock, RandomIds(self.clock), self._tell)
        self.book.change_settings(lambda _: dict(WATCHED))
        self.stale, self.rows = False, list[dict[str, Any]]()
        feeds = Feeds(self._fresh, lambda _: self.rows, lambda _: {}, timedelta(hours=1))
        self.feeds = FeedWatch(self.clock, self.book, feeds)
        self.watch = Watch(
            self.store, self.clock, self.book, Seen(self.feeds, lambda _: None, lambda _: (), lambda _: None, 48)
        )

    def hold(self, *orders: str, sku: str = "TEE-1") -> None:
        """Let the 3PL hold exactly these orders, since now."""
        self.rows = [a_row(order, sku, source="stord", now=instant(self.clock.now())) for order in orders]

    def open(self) -> dict[str, dict[str, Any]]:
        """Return the open alerts by cause."""
        found = self.store.query(Query(ALERTS, (("status", ("active", "acknowledged")),), limit=1000))
        return {one.data["dedupe_key"]: one.data for one in found}

    def close(self) -> None:
        """Give the store back."""
        self.store.documents.close()

    def _fresh(self) -> list[Feed]:
        return [Feed("stord", 60, self.stale)]

    def _tell(self, alert_id: str, alert: Mapping[str, Any], event: str) -> None:
        self.told.append(f"{event} {alert['dedupe_key']}")


@pytest.fixture
def world() -> Iterator[World]:
    """Give a world."""
    made = World()
    yield made
    made.close()


def numbered(count: int) -> list[str]:
    """Return so many order ids."""
    return [f"o{number:04}" for number in range(count)]


@pytest.mark.parametrize(
    ("orders", "fires", "over", "severity"),
    [
        (0, False, True, "warning"),
        (18, False, True, "warning"),
        (19, False, False, "warning"),
        (20, False, False, "warning"),
        (21, True, False, "warning"),
        (40, True, False, "warning"),
        (41, True, False, "critical"),
    ],
)
def test_a_backlog_fires_above_its_threshold_and_is_over_below_the_margin(
    orders: int, fires: bool, over: bool, severity: str
) -> None:
    judged = judge_backlog("stord", None, orders, WATCHED, inhibited_by=None)

    assert (judged.fires, judged.over, judged.severity.value) == (fires, over, severity)


def test_the_least_threshold_can_be_undercut() -> None:
    least = {**WATCHED, "oos_backlog_orders": 1}

    assert judge_backlog("stord", None, 2, least, inhibited_by=None).fires
    assert judge_backlog("stord", None, 0, least, inhibited_by=None).over


def test_without_a_threshold_nothing_fires_and_what_is_open_is_over() -> None:
    judged = judge_backlog("stord", None, 10_000, DEFAULTS, inhibited_by="alr_1")

    assert (judged.fires, judged.over, judged.reason, judged.inhibited_by) == (False, True, "disabled", None)


def test_an_order_counts_once_per_sku_and_only_when_it_waits_for_stock() -> None:
    rows = [a_row("1", "A", "B"), a_row("2", "A", "A"), a_row("3", "A", line_reason="hold_address")]

    found = backlog_of(rows)

    assert (found.orders, dict(found.by_sku)) == (2, {"A": 2, "B": 1})


def walked(judge: Any, steps: int = 10_000) -> Cause:
    """Let a backlog wander around its threshold."""
    rng, orders, cause = random.Random(SEED), LIMIT, Cause(WATCHED)
    for _ in range(steps):
        orders = max(0, orders + rng.choice((-1, 0, 1)))
        cause.judge(judge(orders))
    return cause


def test_a_wandering_backlog_is_not_noisy() -> None:
    """A01; the control below, without hysteresis, opens more often on the same walk."""
    calm = walked(lambda orders: judge_backlog("stord", None, orders, WATCHED, inhibited_by=None))

    def nervous(orders: int) -> Judgement:
        judged = judge_backlog("stord", None, orders, WATCHED, inhibited_by=None)
        return Judgement(judged.alert_type, judged.dedupe_key, judged.fires, over=not judged.fires)

    opened, control = calm.events.count("opened"), walked(nervous).events.count("opened")
    print(f"seed {SEED}: {opened} openings with hysteresis, {control} without")
    assert calm.events.count("resolved") in {opened, opened - 1}
    assert 0 < opened < control / 2


def test_the_longest_held_orders_have_alerts_and_not_more_than_so_many() -> None:
    now = ManualClock().now()
    rows = [a_row(f"{n}", now=instant(now - timedelta(hours=n))) for n in range(40, 300)]

    found = overdue(rows, now, WATCHED)

    assert len(found) == MOST_HELD
    assert [row["order_id"] for row in found[:2]] == ["299", "298"]
    assert overdue(rows, now, DEFAULTS) == []
    assert overdue(rows[:9], now, WATCHED) == []


@pytest.mark.parametrize(
    ("hours", "settings", "expected"),
    [
        (47, {}, (False, True, "within_limit")),
        (49, {}, (True, False, "within_limit")),
        (49, {"order_sla_enabled": False}, (False, True, "disabled")),
        (49, {"held_order_sla_hours": None}, (False, True, "disabled")),
        (None, {}, (False, True, "order_released")),
    ],
)
def test_a_held_order_is_judged_by_how_long_it_is_held(hours: int | None, settings: Any, expected: Any) -> None:
    now: datetime = ManualClock().now()
    row = a_row("7", now=instant(now - timedelta(hours=hours))) if hours is not None else None

    judged = judge_held("stord", "7", row, Present(now, {**WATCHED, **settings}, None))

    assert (judged.fires, judged.over, judged.reason) == expected


def test_backlog_of_source_and_sku_opens_updates_and_resolves_itself(world: World) -> None:
    world.hold(*numbered(21))
    first, again = world.watch.source("stord"), world.watch.source("stord")
    world.hold(*numbered(45))
    world.watch.source("stord")
    worse = world.open()["oos_backlog:stord"]
    world.hold(*numbered(3))
    over = world.watch.source("stord")

    assert (first.created, again.created, again.updated, over.resolved) == (2, 0, 2, 2)
    assert (worse["severity"], worse["measured"], worse["threshold"]) == ("critical", 45, LIMIT)
    assert world.open() == {}
    opened = ["opened-1 oos_backlog:stord", "opened-1 oos_backlog:stord:TEE-1"]
    assert sorted(world.told) == ["escalated-3 oos_backlog:stord", *opened]


def test_a_stale_feed_silences_its_skus_for_six_hours_and_all_is_told_after(world: World) -> None:
    """A03: 2,000 SKUs over their threshold while the feed is stale: one alert. Then they are caught up with."""
    world.book.change_settings(lambda _: {"oos_backlog_sku_orders": 1, "oos_backlog_orders": None})
    world.stale = True
    skus = [f"SKU-{number:04}" for number in range(2_000)]
    world.rows = [a_row(f"o{n}", *skus, source="stord") for n in range(2)]
    for _ in range(6):
        world.clock.advance(3600)
        world.watch.source("stord")
    stale = world.open()
    world.stale = False
    caught_up = world.watch.source("stord")

    assert list(stale) == ["feed_stale:stord"]
    assert world.told[:1] == ["opened-1 feed_stale:stord"]
    assert (caught_up.created, caught_up.resolved) == (2_000, 1)
    assert len(world.told) == 2_001


def test_control_without_inhibition_the_same_stale_feed_is_noisy(world: World) -> None:
    world.stale = True
    world.hold(*numbered(21))
    for judgement in world.feeds.judged("stord", None, world.book.settings()):
        world.book.judge(judgement)

    assert len(world.told) == 2


def test_on_stale_data_nothing_resolves_and_the_alert_says_what_holds_it(world: World) -> None:
    world.hold(*numbered(30))
    world.clock.advance(49 * 3600)
    world.watch.source("stord")
    before = world.open()
    world.stale, world.rows = True, []
    world.watch.everything()
    world.watch.open()
    during, feed = world.open(), world.book.open_id("feed_stale:stord")
    world.stale = False
    world.watch.open()

    assert len(before) == 32
    assert before.keys() | {"feed_stale:stord"} == during.keys()
    assert {during[key]["inhibited_by"] for key in before} == {feed} != {None}
    assert world.open() == {}


def test_a_feed_alert_closed_by_hand_still_holds_what_hangs_on_a_stale_feed(world: World) -> None:
    world.stale = True
    world.hold(*numbered(30))
    world.watch.source("stord")
    (feed,) = world.store.query(Query(ALERTS))

    world.book.resolve(SYSTEM, feed.key.id, None)

    assert world.watch.source("stord").created == 0
    assert world.feeds.inhibitors() == {"stord": "feed_stale:stord"}


def test_switched_off_what_is_inhibited_is_resolved(world: World) -> None:
    world.hold(*numbered(30))
    world.watch.source("stord")
    world.stale = True
    world.book.change_settings(lambda _: {"oos_backlog_orders": None})
    world.watch.open()

    assert "oos_backlog:stord" not in world.open()


def test_an_inhibited_judgement_changes_only_who_holds_the_alert() -> None:
    judged = judge_backlog("stord", None, 0, WATCHED, inhibited_by="alr_feed")
    alert = {"status": "active", "version": 4, "inhibited_by": None, "severity": "warning", "occurrences": 3}

    held = decided(judged, alert, {"alert_id": "alr_1", "by_hand": None}, "t")

    assert held.event == "nothing"
    assert held.alert == {**alert, "inhibited_by": "alr_feed", "updated_at": "t", "version": 5}
    assert decided(judged, held.alert, None, "t").alert is None
    assert decided(judged, None, None, "t").alert is None
