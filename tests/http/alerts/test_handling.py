"""What people do with alerts over HTTP: snooze, assign, mute, silence; each repeatable, versioned, and for the right roles."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.core.clock import instant
from tests.http.alerts.test_alerts import alerts, take
from tests.http.alerts.test_webhook import a_watched_shop, receiver
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.http.settling import settle

__all__ = ["receiver"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give a deployment with one alert's worth of stock."""
    made = a_shop(tmp_path)
    yield made
    made.app.close()


@pytest.fixture
def heard(tmp_path: Path, receiver: Any) -> Iterator[Shop]:
    """Give a deployment whose alerts are posted to the receiver."""
    made = a_watched_shop(tmp_path, receiver)
    yield made
    made.app.close()


def later(shop: Shop, **time: float) -> None:
    """Move time on, do what the five-minute schedule does, and let it be delivered."""
    shop.later(timedelta(**time).total_seconds())
    shop.app.schedule_runner.fire("tell-alerts", None)
    settle(shop.app)


def soon(shop: Shop, **time: float) -> str:
    """Return a time from now as the wire writes it."""
    return instant(shop.clock.now() + timedelta(**time))


def the_alert(shop: Shop) -> dict[str, Any]:
    """Open an alert; return it."""
    take(shop, shop.product(), 5)
    (alert,) = alerts(shop)
    return alert


def events(receiver: Any) -> list[str]:
    """Return what the receiver was told, in order."""
    return [headers["X-Onhand-Delivery"].partition(".")[2].partition("-")[0] for headers, _ in receiver.posts]


def test_a_snoozed_alert_is_quiet_and_comes_back_when_it_is_still_true(heard: Shop, receiver: Any) -> None:
    alert = the_alert(heard)
    path = f"/api/v1/alerts/{alert['id']}"
    snoozed = ok(heard.operator.post(f"{path}/snooze", {"until": soon(heard, hours=2), "note": "after lunch"}))
    later(heard, hours=1)
    before = events(receiver)
    later(heard, hours=1, minutes=1)
    later(heard, minutes=5)

    assert (snoozed["status"], snoozed["snoozed_by"], snoozed["note"]) == ("active", "usr_operator", "after lunch")
    assert before == ["opened"]
    assert events(receiver) == ["opened", "returned"]
    (back,) = alerts(heard)
    assert (back["id"], back["status"], back["snoozed_until"]) == (alert["id"], "active", None)


def test_a_snoozed_alert_whose_cause_is_over_does_not_come_back(heard: Shop, receiver: Any) -> None:
    alert = the_alert(heard)
    ok(heard.operator.post(f"/api/v1/alerts/{alert['id']}/snooze", {"until": soon(heard, hours=2)}))
    take(heard, alert["product_id"], 50)
    later(heard, hours=3)

    assert events(receiver) == ["opened"]
    assert [(one["status"], one["snoozed_until"]) for one in alerts(heard)] == [("resolved", None)]


def test_a_snooze_ends_when_the_cause_gets_worse(heard: Shop, receiver: Any) -> None:
    alert = the_alert(heard)
    ok(heard.operator.post(f"/api/v1/alerts/{alert['id']}/snooze", {"until": soon(heard, days=2)}))
    take(heard, alert["product_id"], -5)

    assert events(receiver) == ["opened", "escalated"]
    assert alerts(heard)[0]["snoozed_until"] is None


def test_snoozing_is_repeatable_bounded_and_only_for_open_alerts(shop: Shop) -> None:
    alert = the_alert(shop)
    path, until = f"/api/v1/alerts/{alert['id']}", soon(shop, hours=2)
    first = ok(shop.operator.post(f"{path}/snooze", {"until": until}))

    assert ok(shop.manager.post(f"{path}/snooze", {"until": until})) == first
    for bad in (soon(shop, hours=-1), soon(shop, days=91), "tomorrow", "2026-01-20T10:00:00", None):
        assert shop.operator.post(f"{path}/snooze", {"until": bad}).status == 422
    assert shop.operator.post(f"{path}/snooze", {}).status == 422
    assert shop.viewer.post(f"{path}/snooze", {"until": until}).status == 403
    assert ok(shop.viewer.get(path)) == first
    awake = ok(shop.operator.post(f"{path}/unsnooze"))
    assert (awake["snoozed_until"], awake["version"]) == (None, first["version"] + 1)
    assert ok(shop.operator.post(f"{path}/unsnooze")) == awake
    ok(shop.operator.post(f"{path}/resolve"))
    refused = shop.operator.post(f"{path}/snooze", {"until": until})
    assert (refused.status, refused.problem, refused.json["current"]) == (409, "InvalidState", "resolved")
    assert shop.operator.post("/api/v1/alerts/alr_none/snooze", {"until": until}).status == 404


def test_an_alert_is_given_to_a_user_to_another_and_to_nobody(shop: Shop) -> None:
    alert, path = the_alert(shop), ""
    path = f"/api/v1/alerts/{alert['id']}"
    user = ok(
        shop.admin.post(
            "/api/v1/users", {"username": "ada", "email": "ada@example.com", "password": "a-good-password-9"}
        ),
        201,
    )["id"]

    given = ok(shop.operator.post(f"{path}/assign", {"user_id": user, "note": "yours"}))
    mine = alerts(shop, assigned_to=user, status="active,acknowledged")
    theirs = alerts(shop, assigned_to="usr_viewer")
    again = ok(shop.manager.post(f"{path}/assign", {"user_id": user}))
    stale = shop.operator.post(f"{path}/assign", {"user_id": None}, headers={"If-Match": '"nothing.nothing"'})
    freed = ok(shop.operator.post(f"{path}/assign", {"user_id": None}))

    assert (given["assigned_to"], given["assigned_by"], given["note"]) == (user, "usr_operator", "yours")
    assert (again, mine, theirs) == (given, [given], [])
    assert shop.viewer.get("/api/v1/alerts", source="fedex").status == 422
    assert stale.status == 412
    assert (freed["assigned_to"], freed["assigned_at"], freed["assigned_by"]) == (None, None, None)
    unknown = shop.operator.post(f"{path}/assign", {"user_id": "usr_nobody"})
    assert (unknown.status, unknown.json["resource"]) == (404, "user")
    assert shop.operator.post(f"{path}/assign", {}).status == 422
    assert shop.viewer.post(f"{path}/assign", {"user_id": user}).status == 403
    assert ok(shop.viewer.get(path)) == freed


def test_a_muted_alert_is_told_of_no_more_until_another_one_opens(heard: Shop, receiver: Any) -> None:
    alert = the_alert(heard)
    path = f"/api/v1/alerts/{alert['id']}"
    muted = ok(heard.operator.post(f"{path}/mute", {"note": "known"}))
    again = ok(heard.manager.post(f"{path}/mute"))
    take(heard, alert["product_id"], -5)
    told = ok(heard.viewer.get(f"{path}/explain"))["deliveries"]
    take(heard, alert["product_id"], 50)
    take(heard, alert["product_id"], -48)

    assert (muted["muted_by"], again) == ("usr_operator", muted)
    assert [(one["event"], one["state"], one["reason"]) for one in told] == [
        ("opened-1", "sent", None),
        ("escalated-3", "withheld", "muted"),
    ]
    assert events(receiver) == ["opened", "opened"]
    assert heard.viewer.post(f"{path}/mute").status == 403
    assert heard.operator.post(f"{path}/unmute").status == 409


@pytest.mark.parametrize("held", ["mute", "snooze"])
def test_an_alert_that_may_speak_again_is_told_once_to_be_back(heard: Shop, receiver: Any, held: str) -> None:
    alert = the_alert(heard)
    path = f"/api/v1/alerts/{alert['id']}"
    ok(heard.operator.post(f"{path}/{held}", {"until": soon(heard, days=1)} if held == "snooze" else {}))
    back = ok(heard.operator.post(f"{path}/un{held}"))
    again = ok(heard.operator.post(f"{path}/un{held}"))
    later(heard, minutes=5)
    take(heard, alert["product_id"], -5)

    assert again == back
    assert events(receiver) == ["opened", "returned", "escalated"]


# Silences


def test_a_silence_holds_messages_and_what_is_still_true_is_told_when_it_ends(heard: Shop, receiver: Any) -> None:
    made = ok(
        heard.manager.post("/api/v1/alerts/silences", {"alert_types": ["low_stock"], "ends_at": soon(heard, hours=4)}),
        201,
    )
    alert = the_alert(heard)
    later(heard, hours=3)
    during = ok(heard.viewer.get(f"/api/v1/alerts/{alert['id']}/explain"))["deliveries"]
    shown = alerts(heard)[0]
    quiet = events(receiver)
    later(heard, hours=1, minutes=1)
    later(heard, minutes=10)

    assert (made["state"], made["created_by"], made["version"]) == ("active", "usr_manager", 1)
    assert [(one["state"], one["reason"], one["held_by"]) for one in during] == [("waiting", "silenced", made["id"])]
    assert (shown["silenced_by"], shown["status"], quiet) == (made["id"], "active", [])
    assert events(receiver) == ["opened"]
    assert ok(heard.viewer.get(f"/api/v1/alerts/silences/{made['id']}"))["state"] == "ended"


def test_a_silence_that_is_ended_early_lets_go_and_what_is_over_is_never_told(heard: Shop, receiver: Any) -> None:
    wanted = {"store_id": None, "alert_types": ["low_stock"], "ends_at": soon(heard, hours=4)}
    made = ok(heard.manager.post("/api/v1/alerts/silences", wanted), 201)
    cup, mug = heard.product("CUP"), heard.product("MUG")
    take(heard, cup, 5)
    take(heard, mug, 5)
    take(heard, mug, 50)
    path = f"/api/v1/alerts/silences/{made['id']}/end"
    ended = ok(heard.manager.post(path))
    later(heard, minutes=6)

    assert (ended["state"], ended["ended_by"], ended["version"]) == ("ended", "usr_manager", 2)
    assert ok(heard.manager.post(path)) == ended
    assert heard.operator.post(path).status == 403
    (told,) = receiver.posts
    assert cup in told[1].decode()
    resolved = next(one for one in alerts(heard) if one["product_id"] == mug)
    kept = ok(heard.viewer.get(f"/api/v1/alerts/{resolved['id']}/explain"))["deliveries"]
    assert [(one["state"], one["reason"]) for one in kept] == [("withheld", "resolved")]


def test_a_silence_about_something_else_holds_nothing(heard: Shop, receiver: Any) -> None:
    """The control of the silences above."""
    wanted = {"alert_types": ["job_failed"], "ends_at": soon(heard, hours=4)}
    ok(heard.manager.post("/api/v1/alerts/silences", wanted), 201)
    pending = {"alert_types": ["low_stock"], "starts_at": soon(heard, hours=1), "ends_at": soon(heard, hours=4)}
    assert ok(heard.manager.post("/api/v1/alerts/silences", pending), 201)["state"] == "pending"

    the_alert(heard)

    assert events(receiver) == ["opened"]


def test_silences_are_listed_made_by_managers_and_name_something_that_exists(shop: Shop) -> None:
    path, ends = "/api/v1/alerts/silences", soon(shop, hours=1)
    cup, store = shop.product(), shop.store()
    first = ok(shop.manager.post(path, {"product_id": cup, "store_id": store, "ends_at": ends, "comment": "a"}), 201)
    shop.clock.advance(1)
    second = ok(shop.manager.post(path, {"source": "stord", "ends_at": ends}), 201)

    assert [one["id"] for one in ok(shop.viewer.get(path))["items"]] == [second["id"], first["id"]]
    page = ok(shop.viewer.get(path, limit=1, include_total="true"))
    assert (len(page["items"]), page["total"]) == (1, 2)
    for body in (
        {"ends_at": ends},
        {"alert_types": [], "ends_at": ends},
        {"alert_types": ["noise"], "ends_at": ends},
        {"source": "fedex", "ends_at": ends},
        {"source": "stord", "ends_at": soon(shop, hours=-1)},
        {"source": "stord", "ends_at": soon(shop, days=400)},
        {"source": "stord", "starts_at": soon(shop, hours=2), "ends_at": soon(shop, hours=2)},
        {"source": "stord", "ends_at": "9999-12-31T23:59:59Z"},
        {"source": "stord", "starts_at": "0001-01-01T00:00:00Z", "ends_at": ends},
        {"source": "stord"},
        {"source": "stord", "ends_at": ends, "created_by": "me"},
    ):
        assert shop.manager.post(path, body).status == 422, body
    assert shop.operator.post(path, {"source": "stord", "ends_at": ends}).status == 403
    assert shop.manager.post(path, {"store_id": "str_none", "ends_at": ends}).json["resource"] == "store"
    assert shop.manager.post(path, {"product_id": "prd_none", "ends_at": ends}).json["resource"] == "product"
    assert shop.viewer.get(f"{path}/sil_none").json["resource"] == "silence"
    assert shop.manager.post(f"{path}/sil_none/end").status == 404
    assert len(ok(shop.viewer.get(path))["items"]) == 2
