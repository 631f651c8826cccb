"""A01, A02 for messages: whatever people and time do, each is told once or withheld with a reason, and none is lost."""

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.alerts.rules import judge_level
from shared.alerts.settings_models import NewSilence
from shared.alerts.words import AlertType
from shared.core.caller import SYSTEM
from shared.core.errors import InvalidState
from shared.ports.documents import Query, Stored
from tests.http.inventory.builders import Shop, a_shop
from tests.http.settling import settle

SEED = 20260115
OPEN = ("active", "acknowledged")
NIGHT = {
    "email_notifications_enabled": True,
    "alert_recipient_emails": ["ops@example.com"],
    "quiet_hours_enabled": True,
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give a deployment whose letters go to its log, quiet at night."""
    made = a_shop(tmp_path)
    made.app.alert_book.change_settings(lambda _: dict(NIGHT))
    yield made
    made.app.close()


class Weeks:
    """Random weeks of some causes, with people who snooze, mute, silence, resolve."""

    def __init__(self, shop: Shop, seed: int) -> None:
        """Take the deployment and the seed."""
        self.app, self.clock, self.rng = shop.app, shop.clock, random.Random(seed)

    def live(self, steps: int) -> None:
        """Let things happen; five minutes to two hours pass between them."""
        for _ in range(steps):
            people = (self.snooze, self.mute, self.let_speak, self.resolve, self.silence)
            self.rng.choice((self.stock, self.stock, self.stock, *people))()
            self.pass_time(timedelta(minutes=self.rng.choice((5, 20, 120))))

    def pass_time(self, time: timedelta) -> None:
        """Move time on, and do what the schedule does."""
        self.clock.advance(time.total_seconds())
        self.app.tell_alerts()
        settle(self.app, 1)

    def stock(self) -> None:
        """Let a level change."""
        number, available = self.rng.randrange(4), self.rng.choice((0, 5, 5, 50))
        named = {"product_id": f"prd_{number}", "store_id": "str_1", "product_name": "Cup", "store_name": "Main"}
        counted = {"sku": "CUP", "available": available, "effective_reorder_level": 10, "reorder_level": 10}
        judged = judge_level({**named, **counted, "product_active": True}, self.app.alert_book.settings())
        self.app.alert_book.judge(judged)

    def snooze(self) -> None:
        """Put an open alert off for some hours."""
        for alert in self.some_open():
            until = self.clock.now() + timedelta(hours=self.rng.randrange(1, 30))
            self.app.handling.snooze(SYSTEM, alert.key.id, until, note=None)

    def mute(self) -> None:
        """Mute an open alert, seldom."""
        for alert in self.some_open() if self.rng.random() < 0.2 else ():
            self.app.handling.mute(SYSTEM, alert.key.id, note=None)

    def let_speak(self) -> None:
        """Take a snooze or a mute away."""
        for alert in self.some_open():
            take_away = self.rng.choice((self.app.handling.unsnooze, self.app.handling.unmute))
            take_away(alert.key.id)

    def resolve(self) -> None:
        """Resolve an open alert by hand."""
        for alert in self.some_open():
            self.app.alert_book.resolve(SYSTEM, alert.key.id, None)

    def silence(self) -> None:
        """Silence everything low for some hours, and perhaps end it at once."""
        ends = self.clock.now() + timedelta(hours=self.rng.randrange(1, 12))
        made = self.app.silences.create(SYSTEM, NewSilence(alert_types=[AlertType.LOW_STOCK], ends_at=ends))
        if self.rng.random() < 0.5:
            self.app.silences.end(SYSTEM, made.key.id)

    def some_open(self) -> list[Stored]:
        """Return one open alert, or none."""
        found = self.app.store.query(Query("alerts", (("status", OPEN),)))
        return [self.rng.choice(found)] if found else []

    def told(self) -> dict[str, list[dict[str, Any]]]:
        """Return the records of every alert."""
        alerts = self.app.store.walk(Query("alerts", order_by="created_at"))
        return {one.key.id: self.app.deliveries.of(one.key.id) for one in alerts}


@pytest.mark.parametrize("seed", [SEED, SEED + 1, SEED + 2])
def test_every_message_is_told_once_or_withheld_with_a_reason(shop: Shop, seed: int) -> None:
    weeks = Weeks(shop, seed)
    weeks.live(150)
    for _ in range(40):
        weeks.pass_time(timedelta(hours=1))

    told = weeks.told()
    records = [record for each in told.values() for record in each]
    states = [record["state"] for record in records]
    print(f"seed {seed}: {len(told)} alerts, {len(records)} messages, {states.count('withheld')} withheld")
    assert len(told) > 10
    assert set(states) == {"logged", "withheld"}
    withheld = {record["reason"] for record in records if record["state"] == "withheld"}
    assert {"snoozed"} <= withheld <= {"muted", "snoozed", "resolved", "superseded"}
    for stored in shop.app.store.query(Query("alerts", (("status", OPEN),))):
        if not stored.data["muted_at"]:
            assert "logged" in {record["state"] for record in told[stored.key.id]}


def test_control_when_nobody_wakes_the_snoozed_ones_they_are_lost(shop: Shop) -> None:
    weeks = Weeks(shop, SEED)
    weeks.stock()
    while not (open_ones := weeks.some_open()):
        weeks.stock()
    (alert,) = open_ones
    shop.app.handling.snooze(SYSTEM, alert.key.id, shop.clock.now() + timedelta(hours=5), note=None)
    for _ in range(30):
        shop.clock.advance(3600)
        shop.app.deliveries.tell()
        settle(shop.app, 1)

    assert {record["state"] for record in weeks.told()[alert.key.id]} == {"withheld"}


def test_a_refused_change_of_a_resolved_alert_writes_nothing(shop: Shop) -> None:
    weeks = Weeks(shop, SEED)
    while not (found := weeks.some_open()):
        weeks.stock()
    shop.app.alert_book.resolve(SYSTEM, found[0].key.id, None)
    before = shop.app.alert_book.get(found[0].key.id).data

    with pytest.raises(InvalidState):
        shop.app.handling.mute(SYSTEM, found[0].key.id, note=None)

    assert shop.app.alert_book.get(found[0].key.id).data == before
