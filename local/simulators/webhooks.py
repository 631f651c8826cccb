"""Webhooks as the vendors send them: Standard Webhooks signatures, and the ways a delivery goes wrong."""

import base64
import hashlib
import hmac
import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from shared.core.clock import Clock
from shared.core.values import dataclass

__all__ = ["VARIANTS", "Delivery", "Webhooks", "sign"]

VARIANTS = ("good", "bad_signature", "old_timestamp", "duplicate", "out_of_order", "legacy_unsigned")
_OLD_S = 3_600


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return `v1,<base64>` over id, timestamp and raw body, with the key that follows `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request, ready to send."""

    headers: dict[str, str]
    body: bytes


class Webhooks:
    """Subscriptions, and deliveries signed with the secret."""

    def __init__(self, secret: str, clock: Clock, prefix: str = "webhook") -> None:
        """Take the secret, the clock of the timestamps, and the header names' beginning (`webhook` or `svix`)."""
        self.subscriptions: list[dict[str, Any]] = []
        self.prefix = prefix
        self._secret = secret
        self._clock = clock
        self._sent = 0
        self._subscribed = 0

    def subscribe(self, topics: Sequence[str], url: str) -> dict[str, Any]:
        """Keep a subscription and return it."""
        self._subscribed += 1
        subscription = {"id": self._subscribed, "topics": list(topics), "url": url, "secret": self._secret}
        self.subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, number: int) -> bool:
        """Forget a subscription; say whether there was one."""
        kept = [subscription for subscription in self.subscriptions if subscription["id"] != number]
        gone = len(kept) < len(self.subscriptions)
        self.subscriptions = kept
        return gone

    def deliveries(self, events: Sequence[tuple[str, Any]], variant: str = "good") -> list[Delivery]:
        """Return the requests that tell of (topic, payload) events, in the order a vendor would send them."""
        if variant not in VARIANTS:
            message = f"no variant {variant!r}; there are {', '.join(VARIANTS)}"
            raise ValueError(message)
        made = [self._delivery(topic, payload, variant) for topic, payload in events]
        if variant == "duplicate":
            return [delivery for delivery in made for _ in range(2)]
        return made[::-1] if variant == "out_of_order" else made

    def send(self, url: str, events: Sequence[tuple[str, Any]], variant: str = "good") -> list[int]:
        """Deliver events to a URL and return the statuses."""
        return [_post(url, delivery) for delivery in self.deliveries(events, variant)]

    def _delivery(self, topic: str, payload: Any, variant: str) -> Delivery:
        self._sent += 1
        message_id = f"msg_{self._sent:06d}"
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if variant == "legacy_unsigned":
            headers |= {"shipbob-subscription-id": "1", "shipbob-topic": topic.replace("order.shipment.", "shipment_")}
            return Delivery(headers, body)
        stamp = int(self._clock.now().timestamp()) - (_OLD_S if variant == "old_timestamp" else 0)
        signature = sign(self._secret, message_id, stamp, body if variant != "bad_signature" else body + b" ")
        headers |= {
            f"{self.prefix}-id": message_id,
            f"{self.prefix}-timestamp": str(stamp),
            f"{self.prefix}-signature": signature,
            "x-webhook-topic": topic,
        }
        return Delivery(headers, body)


def _post(url: str, delivery: Delivery) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=15)
    try:
        connection.request(
            "POST", parts.path + ("?" + parts.query if parts.query else ""), delivery.body, delivery.headers
        )
        return connection.getresponse().status
    finally:
        connection.close()
