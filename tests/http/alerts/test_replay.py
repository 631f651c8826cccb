"""What was told is sent again on somebody's word: the same message under the same name, and only once it went its way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.alerts.deliveries import DELIVERIES
from shared.ports.documents import Put, Query
from tests.http.alerts.test_alerts import alerts, take
from tests.http.alerts.test_webhook import a_watched_shop, receiver
from tests.http.inventory.builders import Shop, ok
from tests.http.settling import settle

__all__ = ["receiver"]


@pytest.fixture
def shop(tmp_path: Path, receiver: Any) -> Iterator[Shop]:
    """Give a deployment whose alerts are posted to the receiver."""
    made = a_watched_shop(tmp_path, receiver)
    yield made
    made.app.close()


def replay(shop: Shop, alert_id: str, **body: Any) -> Any:
    """Ask a manager's way."""
    return shop.manager.post(f"/api/v1/alerts/{alert_id}/replay", body)


def named(receiver: Any) -> list[tuple[str, bytes]]:
    """Return the name and the content of each post."""
    return [(headers["X-Onhand-Delivery"], body) for headers, body in receiver.posts]


def leave(shop: Shop, state: str) -> None:
    """Let every record of a message stand as a worker left it that died."""
    for stored in shop.app.store.query(Query(DELIVERIES, limit=10)):
        shop.app.store.write([Put(stored.key, {**stored.data, "state": state})])


def test_a_message_is_sent_again_under_its_name(shop: Shop, receiver: Any) -> None:
    take(shop, shop.product(), 5)
    (alert,) = alerts(shop)

    answer = replay(shop, alert["id"])
    settle(shop.app)

    assert (answer.status, answer.headers["Location"]) == (202, f"/api/v1/jobs/{answer.json['job_id']}")
    first, second = named(receiver)
    assert first == second
    (told,) = ok(shop.viewer.get(f"/api/v1/alerts/{alert['id']}/explain"))["deliveries"]
    assert (told["state"], told["job_id"]) == ("sent", answer.json["job_id"])


def test_the_newest_event_is_the_one_sent_again(shop: Shop, receiver: Any) -> None:
    cup = shop.product()
    take(shop, cup, 5)
    take(shop, cup, -5)
    (alert,) = alerts(shop)

    ok(replay(shop, alert["id"], channel="webhook"), 202)
    settle(shop.app)

    names = [name for name, _ in named(receiver)]
    assert len(names) == 3
    assert names[1] == names[2] != names[0]


def test_what_a_dead_worker_left_is_sent_again_only_by_word(shop: Shop, receiver: Any) -> None:
    take(shop, shop.product(), 5)
    (alert,) = alerts(shop)
    leave(shop, "sending")
    shop.clock.advance(600)
    settle(shop.app)
    before = len(receiver.posts)

    ok(replay(shop, alert["id"]), 202)
    settle(shop.app)

    assert (before, len(receiver.posts)) == (1, 2)


def test_what_is_on_its_way_or_was_never_told_is_refused(shop: Shop, receiver: Any) -> None:
    take(shop, shop.product(), 5)
    (alert,) = alerts(shop)
    ok(replay(shop, alert["id"]), 202)

    again = replay(shop, alert["id"])
    by_mail = replay(shop, alert["id"], channel="email")
    settle(shop.app)

    for refused in (again, by_mail):
        assert (refused.status, refused.problem, refused.json["current"]) == (409, "InvalidState", "not_told")
    assert len(receiver.posts) == 2


def test_a_replay_is_a_managers_and_names_what_there_is(shop: Shop, receiver: Any) -> None:
    take(shop, shop.product(), 5)
    (alert,) = alerts(shop)
    path = f"/api/v1/alerts/{alert['id']}/replay"

    assert shop.operator.post(path).status == 403
    assert replay(shop, "alr_none").status == 404
    assert replay(shop, alert["id"], channel="pigeon").status == 422
    assert replay(shop, alert["id"], other=1).status == 422
    assert len(receiver.posts) == 1
