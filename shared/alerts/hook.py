"""Telling a program: one POST per message, signed where there is a secret to sign with."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any

from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient
from shared.core.values import dataclass, field
from shared.ports.fetch import Fetch, Request

__all__ = ["Hook", "signature"]

_TOO_MANY, _TIMEOUT, _THEIRS = 429, 408, 500
_GOOD = range(200, 300)


@dataclass(frozen=True)
class Hook:
    """Where messages are posted to, through the guarded way out, and the secret they are signed with (None: unsigned)."""

    fetch: Callable[[], Fetch]
    clock: Clock
    url: str = field(repr=False)
    secret: str | None = field(repr=False)

    def send(self, content: Mapping[str, Any], name: str) -> None:
        """Post one message; raise Transient when it is worth another try, Terminal or UrlNotAllowed when it is not."""
        moment = str(int(self.clock.now().timestamp()))
        body = json.dumps(content, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "X-Onhand-Delivery": name}
        if self.secret is not None:
            headers["X-Onhand-Signature"] = f"t={moment},v1={signature(self.secret, moment, body)}"
        response = self.fetch().send(Request("POST", self.url, headers, body, max_bytes=65_536))
        response.close()
        status = response.status
        if status in {_TOO_MANY, _TIMEOUT} or status >= _THEIRS:
            raise Transient("webhook_unavailable", f"The receiver answered {status}.", rate_limited=status == _TOO_MANY)
        if status not in _GOOD:
            raise Terminal("webhook_refused", f"The receiver answered {status}.")


def signature(secret: str, moment: str, body: bytes) -> str:
    """Return the hexadecimal HMAC-SHA256 of `<seconds>.<body>`; a receiver refuses moments that are minutes old."""
    return hmac.new(secret.encode(), moment.encode() + b"." + body, hashlib.sha256).hexdigest()
