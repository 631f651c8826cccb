"""How people are told, over real sockets: grouped, after quiet hours, in a chat, once a day; each alert once per channel."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.alerts.rules import judge_level
from shared.core.caller import SYSTEM
from shared.core.clock import ManualClock
from shared.ports.documents import Put, Query
from tests.http.alerts.test_alerts import alerts, mailbox, take
from tests.http.alerts.test_handling import later
from tests.http.alerts.test_webhook import a_watched_shop, receiver
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.http.settling import settle

__all__ = ["mailbox", "receiver"]

SETTINGS = "/api/v1/alerts/settings"
MORNING = datetime(2026, 1, 15, 10, tzinfo=UTC)


@pytest.fixture
def heard(tmp_path: Path, receiver: Any) -> Iterator[Shop]:
    """Give a deployment whose alerts are posted to the receiver."""
    made = a_watched_shop(tmp_path, receiver)
    yield made
    made.app.close()


@pytest.fixture
def office(tmp_path: Path, receiver: Any, mailbox: Any) -> Iterator[Shop]:
    """Give a deployment with a mail server, a receiver for its signed posts, and a chat at another path of it."""
    place = f"127.0.0.1:{receiver.server_address[1]}"
    given = {
        "SMTP_URL": f"smtp://127.0.0.1:{mailbox.server_address[1]}",
        "MAIL_FROM": "onhand@example.com",
        "ALERT_WEBHOOK_URL": f"http://{place}/hook",
        "FETCH_ALLOW_HOSTS": place,
    }
    made = a_shop(tmp_path, None, ManualClock(MORNING), **given)
    chat = {"slack_webhook_url": f"http://{place}/services/T0/B0/hidden", "slack_notifications_enabled": True}
    ok(made.manager.put(SETTINGS, {"alert_recipient_emails": ["ops@example.com", "boss@example.com"], **chat}))
    yield made
    made.app.close()


def low(shop: Shop, *skus: str) -> list[str]:
    """Let products run low without an evaluation in between; return their ids."""
    ids = [shop.product(sku) for sku in skus]
    for product_id in ids:
        ok(shop.operator.post("/api/v1/inventory/adjust", {"product_id": product_id, "quantity": 5}))
    return ids


def posted(receiver: Any) -> list[dict[str, Any]]:
    """Return what was posted, in order."""
    return [json.loads(body) for _, body in receiver.posts]


# Groups


def test_alerts_of_one_kind_and_store_are_one_message_and_each_is_recorded_once(heard: Shop, receiver: Any) -> None:
    ids = low(heard, *(f"SKU-{number}" for number in range(12)))
    settle(heard.app)

    (post,) = posted(receiver)
    assert post["text"] == f"[warning] 12 alerts: low stock at {alerts(heard)[0]['store_name']} (opened)"
    assert sorted(one["product_id"] for one in post["alerts"]) == sorted(ids)
    records = [stored.data for stored in heard.app.store.query(Query("alert_deliveries", limit=100))]
    assert [record["state"] for record in records] == ["sent"] * 12
    assert len({record["job_id"] for record in records}) == 1
    settle(heard.app)
    later(heard, minutes=5)
    assert len(receiver.posts) == 1


def test_few_alerts_are_told_one_by_one_and_stores_apart(heard: Shop, receiver: Any) -> None:
    low(heard, "A", "B")
    settle(heard.app)
    assert [len(post["alerts"]) for post in posted(receiver)] == [1, 1]

    ok(heard.manager.patch(SETTINGS, {"group_from": 2}))
    hub = heard.store()
    for sku in ("C", "D", "E", "F"):
        body = {"product_id": heard.product(sku), "quantity": 5} | ({"store_id": hub} if sku in "CD" else {})
        ok(heard.operator.post("/api/v1/inventory/adjust", body))
    settle(heard.app)
    heard.later(20)
    settle(heard.app)

    assert sorted(len(post["alerts"]) for post in posted(receiver)[2:]) == [2, 2]


def test_a_group_whose_receiver_fails_is_told_whole_and_once_later(heard: Shop, receiver: Any) -> None:
    receiver.answers += [503]
    low(heard, *"ABCDE")
    settle(heard.app)
    later(heard, minutes=6)
    later(heard, minutes=6)

    assert [len(post["alerts"]) for post in posted(receiver)] == [5, 5]
    names = {headers["X-Onhand-Delivery"] for headers, _ in receiver.posts}
    assert len(names) == 1


def test_messages_that_were_given_up_are_not_tried_by_the_schedule_but_by_retrying_the_job(
    heard: Shop, receiver: Any
) -> None:
    receiver.answers += [400]
    low(heard, *"ABC")
    settle(heard.app)
    later(heard, minutes=10)
    (failed,) = ok(heard.viewer.get("/api/v1/jobs", job_type="notify", status="failed"))["items"]
    before = len(receiver.posts)
    ok(heard.operator.post(f"/api/v1/jobs/{failed['id']}/retry"), 202)
    settle(heard.app)

    assert before == 1
    assert [len(post["alerts"]) for post in posted(receiver)] == [3, 3]


def test_16_tellings_at_once_start_one_job_for_each_message(heard: Shop, receiver: Any) -> None:
    """Exactly once per alert, channel and state, under concurrency; the control below forgets the records."""
    for number in range(8):
        heard.app.alert_book.judge(a_low_level(heard, f"SKU-{number}"))

    with ThreadPoolExecutor(16) as pool:
        started = list(pool.map(lambda _: heard.app.deliveries.tell(), range(32)))
    settle(heard.app)

    assert sum(started) == 1
    assert [len(post["alerts"]) for post in posted(receiver)] == [8]


def test_control_a_record_put_back_to_waiting_is_told_twice(heard: Shop, receiver: Any) -> None:
    heard.app.alert_book.judge(a_low_level(heard, "CUP"))
    for _ in range(2):
        heard.app.deliveries.tell()
        settle(heard.app)
        for stored in heard.app.store.query(Query("alert_deliveries")):
            again = {"state": "waiting", "due_at": stored.data["at"]}
            heard.app.documents.commit([Put(stored.key, {**stored.data, **again})])

    assert len(receiver.posts) == 2


def a_low_level(shop: Shop, sku: str) -> Any:
    """Return a judgement that fires."""
    named = {"product_id": f"prd_{sku}", "store_id": "str_1", "product_name": sku, "store_name": "Main", "sku": sku}
    counted = {"available": 3, "effective_reorder_level": 10, "reorder_level": 10, "product_active": True}
    return judge_level(named | counted, shop.app.alert_book.settings())


# The chat


def test_a_chat_gets_text_and_blocks_and_its_address_is_never_shown(office: Shop, receiver: Any) -> None:
    ok(office.manager.patch(SETTINGS, {"webhook_notifications_enabled": False}))
    shown = ok(office.viewer.get(SETTINGS))
    receiver.answers += [500]
    take(office, office.product("CUP", name="<Cup> & co"), 5)
    later(office, minutes=10)
    jobs = office.viewer.get("/api/v1/jobs", job_type="notify").body

    first, again = posted(receiver)
    assert first == again
    assert first["text"].startswith("[warning] &lt;Cup&gt; &amp; co at ")
    assert [block["type"] for block in first["blocks"]] == ["header", "section", "context"]
    assert first["blocks"][0]["text"] == {"type": "plain_text", "text": "Warning: opened"}
    assert receiver.paths == ["/services/T0/B0/hidden"] * 2
    assert (shown["slack_webhook_set"], "slack_webhook_url" in shown) == (True, False)
    stored = json.dumps(office.app.alert_book.settings())
    assert not [text for text in (json.dumps(shown), stored, str(jobs)) if "hidden" in text]


def test_the_chats_address_is_set_once_kept_and_forgotten(office: Shop, receiver: Any) -> None:
    before = ok(office.viewer.get(SETTINGS))
    place = f"127.0.0.1:{receiver.server_address[1]}"

    same = ok(office.manager.patch(SETTINGS, {"slack_webhook_url": f"http://{place}/services/T0/B0/hidden"}))
    sent_back = ok(office.manager.put(SETTINGS, before))
    for bad in ("ftp://example.com/x", "https://", "https://user:pw@example.com/x", "nothing", 7):
        assert office.manager.patch(SETTINGS, {"slack_webhook_url": bad}).status == 422, bad
    assert office.manager.patch(SETTINGS, {"slack_webhook_set": False}).status == 422
    gone = ok(office.manager.patch(SETTINGS, {"slack_webhook_url": None}))
    take(office, office.product(), 5)

    assert (same, sent_back) == (before, before)
    assert (gone["slack_webhook_set"], gone["version"]) == (False, before["version"] + 1)
    assert [path for path in receiver.paths if path != "/hook"] == []


def test_a_chat_at_an_address_inside_is_refused_before_any_connection(office: Shop, receiver: Any) -> None:
    inside = {"slack_webhook_url": "http://127.0.0.1:9/x", "webhook_notifications_enabled": False}
    ok(office.manager.patch(SETTINGS, inside))
    take(office, office.product(), 5)

    (failed,) = ok(office.viewer.get("/api/v1/jobs", job_type="notify"))["items"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "url_not_allowed")
    assert receiver.posts == []


# Quiet hours


def test_messages_of_quiet_hours_are_sent_once_when_they_end_and_critical_ones_at_once(
    office: Shop, receiver: Any
) -> None:
    """22:00-07:00 in Berlin; it is 10:00 UTC, so the night begins in eleven hours."""
    night = {"quiet_hours_enabled": True, "time_zone": "Europe/Berlin", "slack_notifications_enabled": False}
    ok(office.manager.patch(SETTINGS, night))
    later(office, hours=12)
    take(office, office.product("CUP"), 5)
    quiet = len(receiver.posts)
    mug = office.product("MUG")
    take(office, mug, 1)
    take(office, mug, -1)
    loud = [post["alert"]["severity"] for post in posted(receiver)]
    later(office, hours=7, minutes=58)
    still = len(receiver.posts)
    later(office, minutes=3)
    later(office, minutes=5)

    assert (quiet, loud, still) == (0, ["critical"], 1)
    assert [post["alert"]["product_id"] for post in posted(receiver)[1:]] == ["prd_cup"]
    (worse,) = alerts(office, product_id=mug)
    told = ok(office.viewer.get(f"/api/v1/alerts/{worse['id']}/explain"))["deliveries"]
    assert [(one["event"], one["state"], one["reason"]) for one in told if one["channel"] == "webhook"] == [
        ("opened-1", "withheld", "superseded"),
        ("escalated-2", "sent", None),
    ]


def test_a_channel_that_is_switched_off_before_its_message_leaves_sends_nothing_and_says_so(
    heard: Shop, receiver: Any
) -> None:
    heard.app.alert_book.judge(a_low_level(heard, "CUP"))
    heard.app.deliveries.tell()
    ok(heard.manager.patch(SETTINGS, {"webhook_notifications_enabled": False}))
    settle(heard.app)

    (alert,) = alerts(heard)
    (told,) = ok(heard.viewer.get(f"/api/v1/alerts/{alert['id']}/explain"))["deliveries"]
    assert (told["state"], told["reason"], receiver.posts) == ("withheld", "channel_off", [])


def test_hours_that_make_no_sense_are_refused_and_change_nothing(office: Shop) -> None:
    before = ok(office.viewer.get(SETTINGS))
    refused: tuple[dict[str, Any], ...] = (
        {"quiet_hours_start": "07:00"},
        {"quiet_hours_start": "24:00"},
        {"quiet_hours_end": "7:00"},
        {"time_zone": "Mars/Olympus"},
        {"digest_hour": 24},
        {"digest_channels": []},
        {"digest_channels": ["pigeon"]},
        {"group_from": 1},
        {"oos_backlog_orders": 0},
        {"time_zone": None},
        {"quiet_hours_start": None},
    )
    for bad in refused:
        assert office.manager.patch(SETTINGS, bad).status == 422, bad

    assert ok(office.viewer.get(SETTINGS)) == before


# Digests


def a_digest(shop: Shop) -> None:
    """Want a digest at 8 in Berlin over every channel; nothing else is told."""
    wanted = {"digest_enabled": True, "time_zone": "Europe/Berlin", "digest_channels": ["email", "webhook", "slack"]}
    ok(shop.manager.patch(SETTINGS, wanted))


def test_a_digest_says_what_opened_was_resolved_and_is_open_once_to_each_recipient_and_channel(
    office: Shop, receiver: Any, mailbox: Any
) -> None:
    a_digest(office)
    take(office, office.product("CUP"), 5)
    take(office, office.product("MUG"), 5)
    take(office, "prd_mug", 50)
    receiver.posts.clear()
    later(office, hours=20)
    early = (len(mailbox.letters), len(receiver.posts))
    later(office, hours=3)
    later(office, minutes=1)
    later(office, hours=2)

    assert early == (0, 0)
    assert sorted(mailbox.recipients) == ["rcpt TO:<boss@example.com>", "rcpt TO:<ops@example.com>"]
    assert len(mailbox.letters) == 2
    assert "Subject: Alerts: 2 opened, 1 resolved, 1 still open" in mailbox.letters[0]
    assert "Still open: 1\r\n- [warning] Product CUP at " in mailbox.letters[0]
    hook = next(post for post in posted(receiver) if "event" in post)
    chat = next(post for post in posted(receiver) if "blocks" in post)
    assert len(receiver.posts) == 2
    assert hook["counts"] == {"opened": 2, "resolved": 1, "open": 1}
    assert [(one["message"][:11], one["resolved_reason"]) for one in hook["resolved"]] == [
        ("Product MUG", "stock_recovered")
    ]
    assert chat["text"] == "Alerts: 2 opened, 1 resolved, 1 still open"
    later(office, hours=24)
    assert (len(mailbox.letters), len(receiver.posts)) == (4, 4)
    assert "Subject: Alerts: 0 opened, 0 resolved, 1 still open" in mailbox.letters[-1]


def test_a_digest_task_that_comes_twice_at_once_and_late_is_told_once(
    office: Shop, receiver: Any, mailbox: Any
) -> None:
    a_digest(office)
    later(office, hours=20)
    office.later(30 * 3600)
    with ThreadPoolExecutor(8) as pool:
        began = list(pool.map(lambda _: office.app.digests.begin(), range(16)))
    settle(office.app)
    for number in range(4):
        office.app.jobs.start("alert-digest", f"again-{number}", {"day": "2026-01-17", "target": number}, SYSTEM)
    settle(office.app)

    assert [len(jobs) for jobs in began if jobs] == [4]
    assert (len(mailbox.letters), len(receiver.posts)) == (2, 2)


def test_a_digest_whose_receiver_is_in_trouble_is_tried_again(office: Shop, receiver: Any, mailbox: Any) -> None:
    ok(office.manager.patch(SETTINGS, {"digest_enabled": True, "digest_channels": ["webhook", "email"]}))
    later(office, hours=20)
    receiver.answers += [503]
    mailbox.refusals.append(b"451 later\r\n")
    later(office, hours=3)
    later(office, minutes=10)

    assert (len(mailbox.letters), len(receiver.posts)) == (2, 2)


def test_without_a_digest_wanted_none_is_sent(office: Shop, receiver: Any, mailbox: Any) -> None:
    """The control of the digests above."""
    later(office, hours=20)
    later(office, hours=30)

    assert (mailbox.letters, receiver.posts) == ([], [])
    assert alerts(office) == []
