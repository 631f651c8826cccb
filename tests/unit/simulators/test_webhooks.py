"""Deliveries as sources.md 1.9 and 2.4 describe them."""

import base64
import hashlib
import hmac

import pytest

from local.simulators import STORD_WEBHOOK_SECRET, ShipBob, Stord
from local.simulators.server import SocketServer
from local.simulators.webhooks import Delivery, sign
from local.simulators.wire import Answer, Request
from shared.core.clock import ManualClock

EVENTS = [("order.shipment.exception", {"id": 1}), ("order.shipped", {"id": 2})]


def test_the_vector_of_the_design_is_met() -> None:
    body = b'{"topic":"order.shipment.exception","order_id":1001}'
    secret = "whsec_b25oYW5kLXdlYmhvb2stdGVzdC1rZXktMzItYnl0ZXM="

    assert sign(secret, "msg_0001", 1_700_000_000, body) == "v1,ZeS/TmDAR7ezISm2zqsZN+lY977CZGU0m2YEtHC02S0="


def test_a_delivery_is_signed_over_id_time_and_body(stord: Stord, clock: ManualClock) -> None:
    delivery = stord.webhooks.deliveries(EVENTS)[0]

    assert _valid(delivery, "webhook")
    assert delivery.headers["webhook-timestamp"] == str(int(clock.now().timestamp()))
    assert delivery.headers["x-webhook-topic"] == "order.shipment.exception"


def test_stord_may_call_its_headers_svix(stord: Stord) -> None:
    stord.switch(webhook_prefix="svix")

    assert _valid(stord.webhooks.deliveries(EVENTS)[0], "svix")


def test_deliveries_go_wrong_in_every_way(stord: Stord, clock: ManualClock) -> None:
    ids = [delivery.headers["webhook-id"] for delivery in stord.webhooks.deliveries(EVENTS, "duplicate")]
    topics = [delivery.headers["x-webhook-topic"] for delivery in stord.webhooks.deliveries(EVENTS, "out_of_order")]
    old = stord.webhooks.deliveries(EVENTS, "old_timestamp")[0]

    assert (ids[0], ids[2]) == (ids[1], ids[3])
    assert topics == ["order.shipped", "order.shipment.exception"]
    assert int(old.headers["webhook-timestamp"]) == int(clock.now().timestamp()) - 3_600
    assert _valid(old, "webhook")
    assert not _valid(stord.webhooks.deliveries(EVENTS, "bad_signature")[0], "webhook")
    with pytest.raises(ValueError, match="legacy_unsigned"):
        stord.webhooks.deliveries(EVENTS, "lost")


def test_the_old_style_is_unsigned(shipbob: ShipBob) -> None:
    delivery = shipbob.webhooks.deliveries(EVENTS, "legacy_unsigned")[0]

    assert (delivery.headers["shipbob-topic"], "webhook-signature" in delivery.headers) == ("shipment_exception", False)


def test_events_are_delivered_to_a_url(shipbob: ShipBob) -> None:
    taken: list[Request] = []

    def take(request: Request) -> Answer:
        taken.append(request)
        return Answer(204 if len(taken) == 1 else 503)

    server = SocketServer(take)
    server.start()
    try:
        statuses = shipbob.webhooks.send(f"http://127.0.0.1:{server.port}/hook?x=1", EVENTS)
    finally:
        server.stop()

    assert statuses == [204, 503]
    assert [(request.method, request.target, request.body) for request in taken] == [
        ("POST", "/hook?x=1", b'{"id":1}'),
        ("POST", "/hook?x=1", b'{"id":2}'),
    ]


def _valid(delivery: Delivery, prefix: str) -> bool:
    key = base64.b64decode(STORD_WEBHOOK_SECRET.removeprefix("whsec_"))
    head = f"{delivery.headers[f'{prefix}-id']}.{delivery.headers[f'{prefix}-timestamp']}."
    mac = base64.b64encode(hmac.new(key, head.encode() + delivery.body, hashlib.sha256).digest()).decode()
    return delivery.headers[f"{prefix}-signature"] == f"v1,{mac}"
