"""Signed webhooks of both vendors (Standard Webhooks; Svix uses the same under its own header names).

A delivery proves itself by HMAC-SHA256 over `id.timestamp.body`; its content is not believed, only the order it names is
marked and looked up. Duplicates, replays and any order of arrival therefore end in the same state.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from shared.core.caller import SYSTEM
from shared.core.clock import Clock
from shared.core.errors import NotFound, Unauthenticated
from shared.jobs.service import JobService
from shared.oos.marks import Marks
from shared.oos.refresh_order import KIND

__all__ = ["OrderOf", "WebhookService", "signature", "verify"]

OrderOf = Callable[[str, Any], tuple[str, str | None] | None]
"""Reads (order id, order number) from a source's delivery, or None when it names no order."""

TOLERANCE = timedelta(minutes=5)
_PREFIXES = ("webhook", "svix")
_SECRET = "whsec_"  # noqa: S105 - how secrets begin, not one
_VERSION = "v1,"


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature `v1,<base64>` of a delivery."""
    mac = hmac.new(_key(secret), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return _VERSION + base64.b64encode(mac.digest()).decode()


def verify(secret: str, header: Callable[[str], str | None], body: bytes, now: float) -> None:
    """Raise Unauthenticated unless one signature of the list fits and the time is within five minutes; `now` in seconds."""
    for prefix in _PREFIXES:
        sent = [header(f"{prefix}-{name}") for name in ("id", "timestamp", "signature")]
        if all(sent):
            message_id, timestamp, signatures = (text or "" for text in sent)
            break
    else:
        raise Unauthenticated.because("missing", "This delivery is not signed.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004 - seconds of any year
        raise Unauthenticated.because("invalid", "The time of the delivery cannot be read.")
    if abs(now - int(timestamp)) > TOLERANCE.total_seconds():
        raise Unauthenticated.because("expired", "The delivery is older than five minutes, or from the future.")
    expected = signature(secret, message_id, timestamp, body).encode()
    if not any(hmac.compare_digest(expected, each.encode("utf-8", "replace")) for each in signatures.split()):
        raise Unauthenticated.because("invalid", "The signature does not fit.")


class WebhookService:
    """Takes deliveries: verified, then one mark and one job."""

    def __init__(
        self, secrets: Mapping[str, str | None], marks: Marks, jobs: JobService, clock: Clock, order_of: OrderOf
    ) -> None:
        """Take the secret of each source (None: not set), the marks, the jobs, time, and how deliveries name orders."""
        self._secrets, self._marks, self._jobs, self._clock, self._order_of = secrets, marks, jobs, clock, order_of

    def check(self, source: str, header: Callable[[str], str | None], body: bytes) -> None:
        """Raise NotFound when the source takes no webhooks here, Unauthenticated for a delivery that proves nothing."""
        secret = self._secrets.get(source)
        if not secret:
            raise NotFound("No webhook secret is set for this source.", resource="webhook")
        verify(secret, header, body, self._clock.now().timestamp())

    def take(self, source: str, content: Any, trace: str | None = None) -> str | None:
        """Mark the order a verified delivery names and see that it is looked up; return the job's id, if any."""
        named = self._order_of(source, content)
        if named is None:
            return None
        order_id, number = named
        self._marks.mark(source, order_id, number)
        given = {"source": source, "order_id": order_id}
        return self._jobs.start(KIND, f"{source}:{order_id}", given, SYSTEM, request_trace=trace).job.id


def _key(secret: str) -> bytes:
    """Return the key: what follows `whsec_`, decoded; a secret written otherwise is the key itself."""
    if not secret.startswith(_SECRET):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_SECRET), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()
