"""Backlogs and orders held too long, from a refresh of a 3PL to the alert, its explanation, and a feed that goes stale."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.core.caller import Caller, Role
from shared.identity.tokens import Realm, TokenMint
from tests.http.settling import settle
from tests.installation import PASSWORD, Installation, installed

MANAGER = Caller("usr_manager", "manager", Role.MANAGER)


@pytest.fixture
def onhand(tmp_path: Path) -> Iterator[Installation]:
    """Give an installation of Stord that has been refreshed once, with a few orders tolerated."""
    with installed(tmp_path, size=120) as made:
        made.refresh("stord")
        yield made


def change(onhand: Installation, **settings: Any) -> Any:
    """Change alert settings as a manager."""
    app = onhand.app
    mint = TokenMint(
        lambda: app.signing_key, Realm(app.settings.auth_issuer, app.settings.auth_audience), onhand.clock, app.ids
    )
    headers = {"Authorization": f"Bearer {mint.mint(MANAGER)}"}
    answer = onhand.http.patch("/api/v1/alerts/settings", json=settings, headers=headers)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def ask(onhand: Installation, path: str) -> Any:
    """Read a path that answers 200."""
    answer = onhand.get(path)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.json


def post(onhand: Installation, path: str) -> Any:
    """Post to a path as an operator."""
    return onhand.http.post(path, json={}, auth=("demo", PASSWORD)).json


def of(onhand: Installation, kind: str, **query: str) -> list[dict[str, Any]]:
    """Return the alerts of a kind."""
    more = "".join(f"&{name}={value}" for name, value in query.items())
    items: list[dict[str, Any]] = ask(onhand, f"/api/v1/alerts?alert_type={kind}&limit=500{more}")["items"]
    return items


def refresh(onhand: Installation) -> None:
    """Refresh Stord, and let the evaluation that follows be done."""
    onhand.clock.advance(60)
    onhand.refresh("stord")
    settle(onhand.app)


def waiting(onhand: Installation) -> int:
    """Count the open orders that wait for stock."""
    rows = onhand.app.snapshots.current("stord").loaded
    assert rows is not None
    return sum(
        any(line["reason"] in {"out_of_stock", "partially_committed"} for line in row["lines"]) for row in rows.open
    )


def test_a_backlog_alerts_after_a_refresh_and_is_explained(onhand: Installation) -> None:
    orders = waiting(onhand)
    quiet = post(onhand, "/api/v1/alerts/check")
    change(onhand, oos_backlog_orders=orders // 2)
    refresh(onhand)
    (alert,) = of(onhand, "oos_backlog")
    why = ask(onhand, f"/api/v1/alerts/{alert['id']}/explain")
    feed = ask(onhand, "/api/v1/alerts/explain/stord")
    change(onhand, oos_backlog_orders=None)
    post(onhand, "/api/v1/alerts/check")
    (over,) = of(onhand, "oos_backlog")

    assert quiet["created"] <= 1
    assert (alert["dedupe_key"], alert["source"], alert["subject"]) == ("oos_backlog:stord", "stord", "stord")
    assert (alert["threshold"], alert["measured"], alert["rule"]) == (orders // 2, waiting(onhand), "settings")
    assert (why["fires"], why["over"], why["measured"], why["inhibited_by"]) == (True, False, alert["measured"], None)
    assert feed["oos_backlog"]["fires"] is True
    assert (feed["oos_backlog"]["orders"], feed["stale"]) == (alert["measured"], False)
    assert feed["open_alert_ids"] == [alert["id"]]
    assert (over["status"], over["resolved_reason"]) == ("resolved", "disabled")
    assert onhand.get("/api/v1/alerts/explain/fedex").status_code == 404


def test_a_sku_that_many_orders_wait_for_alerts_with_our_product(onhand: Installation) -> None:
    onhand.app.stores.ensure_default()
    change(onhand, oos_backlog_sku_orders=1)
    refresh(onhand)
    alerts = of(onhand, "oos_backlog")
    sku = alerts[0]["product_sku"]
    made: Any = onhand.http.post("/api/v1/products", json={"sku": sku, "name": "Ours"}, auth=("demo", PASSWORD))
    told = ask(onhand, f"/api/v1/alerts/explain?product_id={made.json['id']}")["oos_backlog"]

    assert {alert["dedupe_key"] for alert in alerts} == {f"oos_backlog:stord:{one['product_sku']}" for one in alerts}
    assert all(alert["measured"] > 1 for alert in alerts)
    stord = next(one for one in told if one["source"] == "stord")
    assert (stord["sku"], stord["fires"], stord["orders"]) == (sku, True, alerts[0]["measured"])


def test_an_order_held_too_long_alerts_until_it_is_released_and_not_from_stale_data(onhand: Installation) -> None:
    change(onhand, held_order_sla_hours=24)
    onhand.clock.advance(25 * 3600)
    stale = ask(onhand, "/api/v1/alerts/explain/stord")
    post(onhand, "/api/v1/alerts/check")
    before = of(onhand, "order_sla")
    (feed,) = [one for one in of(onhand, "feed_stale") if one["source"] == "stord"]
    held = ask(onhand, "/api/v1/alerts/explain/stord")
    refresh(onhand)
    opened = of(onhand, "order_sla", status="active")
    onhand.clock.advance(3 * 3600)
    post(onhand, "/api/v1/alerts/check")
    during = of(onhand, "order_sla", status="active")
    stopped = ask(onhand, f"/api/v1/alerts/{opened[0]['id']}/explain")
    refresh(onhand)
    after = of(onhand, "order_sla", status="active")

    assert (stale["stale"], stale["inhibited_by"]) == (True, "feed_stale:stord")
    assert before == []
    assert held["inhibited_by"] == feed["id"]
    assert held["orders_held_longer"] > 0
    assert 0 < len(opened) <= held["orders_held_longer"]
    assert {one["id"] for one in during} == {one["id"] for one in opened}
    newer = next(one for one in of(onhand, "feed_stale") if one["source"] == "stord" and one["id"] != feed["id"])
    assert {one["inhibited_by"] for one in during} == {newer["id"]}
    assert stopped["inhibited_by"] == newer["id"]
    assert {one["inhibited_by"] for one in after} == {None}
    assert {one["dedupe_key"] for one in after} <= {f"order_sla:stord:{order}" for order in onhand.open_ids("stord")}


def test_without_thresholds_no_refresh_asks_for_an_evaluation(onhand: Installation) -> None:
    """The control: nothing of this happens in a deployment that stored no threshold."""
    refresh(onhand)
    onhand.clock.advance(60)
    post(onhand, "/api/v1/alerts/check")

    assert of(onhand, "oos_backlog") == of(onhand, "order_sla") == []
    assert ask(onhand, "/api/v1/jobs?job_type=check-alerts")["items"] == []
