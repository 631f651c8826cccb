"""The life of alerts over HTTP: they open with the stock, are acknowledged, do not come back, resolve themselves."""

import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.alerts.rules import judge_level
from shared.core.caller import SYSTEM, Role
from shared.core.errors import Terminal, Transient
from shared.ports.mail import Letter
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.http.settling import settle
from tests.http.trade.drop_ship import ADDRESS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give an empty deployment."""
    made = a_shop(tmp_path)
    yield made
    made.app.close()


def alerts(shop: Shop, **query: Any) -> list[dict[str, Any]]:
    """Return the list of alerts."""
    items: list[dict[str, Any]] = ok(shop.viewer.get("/api/v1/alerts", **query))["items"]
    return items


def take(shop: Shop, product_id: str, units: int) -> None:
    """Change stock and let the change be evaluated."""
    shop.clock.advance(1)
    ok(shop.operator.post("/api/v1/inventory/adjust", {"product_id": product_id, "quantity": units}))
    settle(shop.app)


def test_an_alert_opens_is_acknowledged_does_not_come_back_and_resolves_itself(shop: Shop) -> None:
    cup = shop.product()
    take(shop, cup, 20)
    assert alerts(shop) == []

    take(shop, cup, -12)
    (opened,) = alerts(shop)
    acknowledged = ok(shop.operator.post(f"/api/v1/alerts/{opened['id']}/acknowledge", {"note": "ordered more"}))
    take(shop, cup, -4)
    (again,) = alerts(shop)
    take(shop, cup, 30)
    (resolved,) = alerts(shop)

    assert (opened["status"], opened["severity"], opened["current_stock"], opened["rule"]) == (
        "active",
        "warning",
        8,
        "product",
    )
    assert (acknowledged["status"], acknowledged["acknowledged_by"], acknowledged["note"]) == (
        "acknowledged",
        "usr_operator",
        "ordered more",
    )
    assert (again["id"], again["status"], again["current_stock"], again["occurrences"]) == (
        opened["id"],
        "acknowledged",
        4,
        2,
    )
    assert (resolved["id"], resolved["status"], resolved["resolved_by"], resolved["resolved_reason"]) == (
        opened["id"],
        "resolved",
        "system",
        "stock_recovered",
    )


def test_acknowledging_twice_changes_nothing_and_a_resolved_alert_is_409(shop: Shop) -> None:
    cup = shop.product()
    take(shop, cup, 5)
    (alert,) = alerts(shop)
    path = f"/api/v1/alerts/{alert['id']}"
    first = ok(shop.operator.post(f"{path}/acknowledge"))
    shop.clock.advance(60)

    assert ok(shop.manager.post(f"{path}/acknowledge")) == first
    resolved = ok(shop.manager.post(f"{path}/resolve", {"note": "counted wrong"}))
    assert (resolved["resolved_by"], resolved["resolved_reason"]) == ("usr_manager", "by_hand")
    assert ok(shop.operator.post(f"{path}/resolve")) == resolved
    refused = shop.operator.post(f"{path}/acknowledge")
    assert (refused.status, refused.problem, refused.json["current"]) == (409, "InvalidState", "resolved")
    assert ok(shop.viewer.get(path)) == resolved


def test_resolved_by_hand_it_returns_only_when_worse_or_false_in_between(shop: Shop) -> None:
    cup = shop.product()
    take(shop, cup, 8)
    (alert,) = alerts(shop)
    ok(shop.operator.post(f"/api/v1/alerts/{alert['id']}/resolve"))
    take(shop, cup, -2)
    assert alerts(shop, status="active") == []

    take(shop, cup, -6)

    (critical,) = alerts(shop, status="active")
    assert critical["id"] != alert["id"]
    assert critical["severity"] == "critical"


def test_filters_and_their_unknown_values(shop: Shop) -> None:
    cup, mug = shop.product("CUP"), shop.product("MUG")
    take(shop, cup, 5)
    take(shop, mug, 1)
    take(shop, mug, -1)

    assert [one["product_id"] for one in alerts(shop)] == [mug, cup]
    assert [one["product_id"] for one in alerts(shop, severity="critical", alert_type="low_stock")] == [mug]
    assert [one["product_id"] for one in alerts(shop, product_id=cup, status="active,acknowledged")] == [cup]
    assert shop.viewer.get("/api/v1/alerts", status="open").status == 422
    assert shop.viewer.get("/api/v1/alerts/nothing").status == 404
    assert shop.viewer.post("/api/v1/alerts/check").status == 403


def test_settings_are_stored_and_honoured(shop: Shop) -> None:
    cup = shop.product()
    take(shop, cup, 5)
    before = shop.viewer.get("/api/v1/alerts/settings")

    changed = shop.manager.put(
        "/api/v1/alerts/settings", {"low_stock_enabled": False}, headers={"If-Match": before.headers["ETag"]}
    )

    assert (before.json["alert_threshold_days"], before.json["hysteresis_percent"], before.json["version"]) == (
        7,
        10,
        1,
    )
    assert ok(changed)["version"] == 2
    stale = shop.manager.put(
        "/api/v1/alerts/settings", {"low_stock_enabled": True}, headers={"If-Match": before.headers["ETag"]}
    )
    assert stale.status == 412
    assert shop.manager.patch("/api/v1/alerts/settings", {"alert_threshold_days": 91}).status == 422
    assert shop.manager.patch("/api/v1/alerts/settings", {"alert_recipient_emails": ["nobody"]}).status == 422
    assert shop.operator.patch("/api/v1/alerts/settings", {"low_stock_enabled": True}).status == 403
    assert ok(shop.operator.post("/api/v1/alerts/check")) == {"created": 0, "updated": 0, "resolved": 1}
    assert alerts(shop)[0]["resolved_reason"] == "disabled"


def test_explain_says_why_there_is_an_alert_or_none(shop: Shop) -> None:
    cup = shop.product()
    take(shop, cup, 5)
    (alert,) = alerts(shop)

    told = ok(shop.viewer.get("/api/v1/alerts/explain", product_id=cup))

    assert told["low_stock"] == {
        "fires": True,
        "available": 5,
        "threshold": 10,
        "rule": "product",
        "enabled": True,
        "store_id": alert["store_id"],
    }
    assert told["open_alert_ids"] == [alert["id"]]
    assert told["predicted_depletion"]["fires"] is False
    assert shop.viewer.get("/api/v1/alerts/explain").status == 422
    assert shop.viewer.get("/api/v1/alerts/explain", product_id="prd_none").json["resource"] == "product"
    assert shop.viewer.get("/api/v1/alerts/explain", product_id=cup, store_id="none").json["resource"] == "store"


def test_an_order_that_waits_too_long_alerts_until_it_is_reviewed(shop: Shop) -> None:
    cup, hub = shop.product(), shop.store()
    made = ok(
        shop.operator.post("/api/v1/transfer-orders", {"to_store_id": hub, "product_id": cup, "quantity": 3}), 201
    )
    shop.clock.advance(49 * 3600)
    fresh = shop.bound(None, Role.MANAGER)

    assert ok(fresh.post("/api/v1/alerts/check"))["created"] == 1
    (order,) = alerts_of(fresh)
    assert (order["alert_type"], order["subject"], order["severity"]) == ("order_sla", made["id"], "warning")
    assert (order["product_name"], order["product_sku"], order["store_name"]) == ("Product CUP", "CUP", "North Hub")
    ok(fresh.post(f"/api/v1/transfer-orders/{made['id']}/cancel", {"reason": "too late"}))
    assert ok(fresh.post("/api/v1/alerts/check"))["resolved"] == 1


def test_a_source_that_cannot_be_read_raises_one_alert_of_its_feed_and_one_of_its_job(tmp_path: Path) -> None:
    """A03: whatever is low, a stale source speaks once; both alerts go by themselves when it is back."""
    down: dict[str, Any] = {
        "SHIPBOB_API_TOKEN": "token",
        "SHIPBOB_BASE_URL": "http://127.0.0.1:9",
        "FETCH_ALLOW_HOSTS": "127.0.0.1:9",
    }
    shop = a_shop(tmp_path, None, **down)
    shop.app.refreshes.start("shipbob", SYSTEM)
    for _ in range(8):
        settle(shop.app)
        shop.clock.advance(700)
    fresh = shop.bound(None, Role.MANAGER)

    ok(fresh.post("/api/v1/alerts/check"))
    ok(fresh.post("/api/v1/alerts/check"))

    assert sorted((one["alert_type"], one["dedupe_key"], one["occurrences"]) for one in alerts_of(fresh)) == [
        ("feed_stale", "feed_stale:shipbob", 2),
        ("job_failed", "job_failed:refresh-source:shipbob", 2),
    ]
    shop.app.close()


def alerts_of(client: Any) -> list[dict[str, Any]]:
    """Return the alerts as another client sees them."""
    items: list[dict[str, Any]] = ok(client.get("/api/v1/alerts"))["items"]
    return items


def test_16_evaluations_at_once_open_one_alert(shop: Shop) -> None:
    """A01 under concurrency; the control below drops the cause's record and must open more."""
    level = a_judgement(shop)

    with ThreadPoolExecutor(16) as pool:
        events = list(pool.map(lambda _: shop.app.alert_book.judge(level), range(64)))

    assert events.count("opened") == 1
    assert events.count("updated") == 63
    assert alerts(shop)[0]["occurrences"] == 64


def test_control_without_a_record_of_the_cause_every_evaluation_opens_another(shop: Shop) -> None:
    level = a_judgement(shop)
    for _ in range(3):
        shop.app.alert_book.judge(level)
        for stored in shop.app.store.query(_causes()):
            shop.app.documents.commit([_delete(stored)])

    assert len(alerts(shop)) == 3


def a_judgement(shop: Shop) -> Any:
    """Return a judgement that fires."""
    facts = {
        "product_id": shop.product(),
        "store_id": "str_1",
        "product_name": "Cup",
        "store_name": "Main",
        "sku": "CUP",
    }
    counted = {"available": 3, "effective_reorder_level": 10, "reorder_level": 10, "product_active": True}
    return judge_level(facts | counted, shop.app.alert_book.settings())


def _causes() -> Any:
    from shared.ports.documents import Query

    return Query("alert_causes")


def _delete(stored: Any) -> Any:
    from shared.ports.documents import Delete

    return Delete(stored.key)


# Mail


class Mailbox(socketserver.StreamRequestHandler):
    """A mail server as small as the protocol allows; `refuse` answers to RCPT."""

    def handle(self) -> None:
        """Speak SMTP until QUIT."""
        server: Any = self.server
        self.wfile.write(b"220 mail\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b""
                while (piece := self.rfile.readline()) != b".\r\n":
                    text += piece
                server.letters.append(text.decode())
            elif word == b"RCPT" and server.refusals:
                self.wfile.write(server.refusals.pop(0))
                continue
            elif word == b"RCPT":
                server.recipients.append(line.decode().strip())
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return


@pytest.fixture
def mailbox() -> Iterator[Any]:
    """Run a mail server."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as server:
        server.letters, server.recipients, server.refusals = [], [], []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_a_letter_goes_out_once_per_opening_and_once_per_escalation(tmp_path: Path, mailbox: Any) -> None:
    address = f"smtp://127.0.0.1:{mailbox.server_address[1]}"
    shop = a_shop(tmp_path, SMTP_URL=address, MAIL_FROM="onhand@example.com")
    wanted = {"email_notifications_enabled": True, "alert_recipient_emails": ["ops@example.com", "boss@example.com"]}
    ok(shop.manager.put("/api/v1/alerts/settings", wanted))
    cup = shop.product()

    take(shop, cup, 5)
    take(shop, cup, -1)
    take(shop, cup, -4)
    take(shop, cup, 50)

    subjects = [next(line for line in text.splitlines() if line.startswith("Subject")) for text in mailbox.letters]
    assert [subject[:20] for subject in subjects] == ["Subject: [warning] Pr", "Subject: [critical] P"] or len(
        subjects
    ) == 2
    assert len(mailbox.recipients) == 4
    assert "ops@example.com" not in mailbox.letters[0]
    redo = shop.app.jobs.start("notify", "again", {"alert_id": alerts(shop)[0]["id"], "event": "opened-1"}, SYSTEM)
    settle(shop.app)
    assert shop.app.jobs.get(redo.job.id).result == {"sent": 0}
    assert len(mailbox.letters) == 2
    shop.app.close()


def test_a_mail_server_that_is_busy_is_tried_again_and_one_that_refuses_is_not(tmp_path: Path, mailbox: Any) -> None:
    shop = a_shop(tmp_path, SMTP_URL=f"smtp://127.0.0.1:{mailbox.server_address[1]}", MAIL_FROM="onhand@example.com")
    letter = Letter(("ops@example.com",), "subject", "text", "one")
    mailbox.refusals.append(b"451 later\r\n")
    with pytest.raises(Transient):
        shop.app.mail.send(letter)
    mailbox.refusals.append(b"550 never\r\n")
    with pytest.raises(Terminal):
        shop.app.mail.send(letter)

    assert shop.app.mail.send(letter) is True
    shop.app.close()


def test_a_customers_order_that_waits_longer_than_stored_alerts_until_it_moves_on(shop: Shop) -> None:
    cup = shop.product()
    body = {"shipping_address": ADDRESS, "items": [{"product_id": cup, "quantity": 1}]}
    made = ok(shop.operator.post("/api/v1/orders", body), 201)
    shop.later(25 * 3600)
    unwatched = ok(shop.manager.post("/api/v1/alerts/check"))["created"]
    ok(shop.manager.patch("/api/v1/alerts/settings", {"customer_order_sla_hours": 24}))

    assert unwatched == 0
    assert ok(shop.manager.post("/api/v1/alerts/check"))["created"] == 1
    (alert,) = alerts(shop, alert_type="order_sla")
    assert (alert["dedupe_key"], alert["threshold"], alert["measured"]) == (f"order_sla:{made['id']}", 24, 25)
    assert ok(shop.viewer.get(f"/api/v1/alerts/{alert['id']}/explain"))["fires"] is True
    ok(shop.operator.patch(f"/api/v1/orders/{made['id']}/status", {"status": "cancelled"}))
    assert ok(shop.manager.post("/api/v1/alerts/check"))["resolved"] == 1
    (over,) = alerts(shop, alert_type="order_sla")
    assert (over["status"], over["resolved_reason"]) == ("resolved", "order_moved_on")
