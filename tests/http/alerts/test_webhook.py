"""Alerts posted to a receiver on a real socket: signed, once per event, again after trouble, again by hand after a refusal."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.alerts.hook import signature
from shared.core.caller import SYSTEM
from tests.http.alerts.test_alerts import alerts, take
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.http.settling import settle

SECRET = "hook-secret"


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent; answers what it is told to."""

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.posts.append((dict(self.headers), body))
        server.paths.append(self.path)
        self.send_response(server.answers.pop(0) if server.answers else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Any]:
    """Run a receiver."""
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.posts, server.answers, server.paths = [], [], []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def a_watched_shop(folder: Path, receiver: Any, **more: str) -> Shop:
    place = f"127.0.0.1:{receiver.server_address[1]}"
    given = {"ALERT_WEBHOOK_URL": f"http://{place}/hook", "ALERT_WEBHOOK_SECRET": SECRET, "FETCH_ALLOW_HOSTS": place}
    return a_shop(folder, None, **(given | more))


def test_an_event_is_posted_once_and_signed(tmp_path: Path, receiver: Any) -> None:
    shop = a_watched_shop(tmp_path, receiver)
    cup = shop.product()

    take(shop, cup, 5)
    take(shop, cup, -1)
    take(shop, cup, -4)

    assert len(receiver.posts) == 2
    headers, body = receiver.posts[0]
    moment, _, signed = headers["X-Onhand-Signature"].removeprefix("t=").partition(",v1=")
    assert signed == signature(SECRET, moment, body)
    assert signed != signature("another", moment, body)
    assert body.startswith(b'{"text":"[warning] ')
    (alert,) = alerts(shop)
    again = {"alert_id": alert["id"], "event": "opened-1", "channel": "webhook"}
    redo = shop.app.jobs.start("notify", "again", again, SYSTEM)
    settle(shop.app)
    assert shop.app.jobs.get(redo.job.id).result == {"sent": 0}
    assert len(receiver.posts) == 2
    shop.app.close()


def test_a_receiver_in_trouble_is_tried_again(tmp_path: Path, receiver: Any) -> None:
    shop = a_watched_shop(tmp_path, receiver)
    receiver.answers += [503]

    take(shop, shop.product(), 5)
    shop.clock.advance(120)
    settle(shop.app)

    assert [headers["X-Onhand-Delivery"] for headers, _ in receiver.posts] == [
        f"{alerts_later(shop)[0]['id']}.opened-1"
    ] * 2
    shop.app.close()


def test_a_refused_post_fails_its_job_and_is_replayed_by_retrying_it(tmp_path: Path, receiver: Any) -> None:
    shop = a_watched_shop(tmp_path, receiver)
    receiver.answers += [400]
    take(shop, shop.product(), 5)
    shop.later(1)
    (failed,) = ok(shop.viewer.get("/api/v1/jobs", job_type="notify", status="failed"))["items"]

    ok(shop.operator.post(f"/api/v1/jobs/{failed['id']}/retry"), 202)
    settle(shop.app)

    assert failed["error"]["code"] == "webhook_refused"
    assert len(receiver.posts) == 2
    shop.app.close()


def test_an_address_inside_is_refused_before_any_connection(tmp_path: Path, receiver: Any) -> None:
    shop = a_watched_shop(tmp_path, receiver, FETCH_ALLOW_HOSTS="127.0.0.1:9")

    take(shop, shop.product(), 5)

    assert receiver.posts == []
    (failed,) = ok(shop.viewer.get("/api/v1/jobs", job_type="notify"))["items"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", "url_not_allowed")
    shop.app.close()


def alerts_later(shop: Shop) -> list[dict[str, Any]]:
    shop.later(1)
    return alerts(shop)
