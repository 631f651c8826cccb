"""Google's keys for OpenID Connect tokens, fetched over google-auth's transport and kept until they expire."""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.adapters.jose import read_jwks
from shared.core.clock import Clock
from shared.core.errors import Transient
from shared.identity.keys import KeyRing

__all__ = ["Answer", "GoogleKeys"]

_ADDRESS = "https://www.googleapis.com/oauth2/v3/certs"
_SHORTEST_S, _LONGEST_S = 60, 24 * 3600
_OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What the certificate address answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class GoogleKeys:
    """A key source: asks again when `Cache-Control: max-age` has passed. An outage is Transient, never a wrong answer."""

    def __init__(self, clock: Clock, get: Callable[[str], Answer] | None = None) -> None:
        """Take the clock that expiry runs on, and the transport (google-auth's by default)."""
        self._clock, self._get = clock, get or _over_google_auth
        self._lock = threading.Lock()
        self._ring: KeyRing | None = None
        self._until = 0.0

    def __call__(self) -> KeyRing:
        """Return the keys in force."""
        with self._lock:
            if self._ring is None or self._clock.monotonic() >= self._until:
                answer = self._get(_ADDRESS)
                self._ring = _ring(answer)
                self._until = self._clock.monotonic() + _life_s(answer.headers)
            return self._ring


def _ring(answer: Answer) -> KeyRing:
    try:
        keys = read_jwks(answer.body) if answer.status == _OK else []
    except ValueError:
        keys = []
    if not keys:
        raise Transient("oidc_keys", "Google's token keys cannot be read now.")
    return KeyRing(keys)


def _life_s(headers: Mapping[str, str]) -> int:
    found = re.search(r"max-age=(\d{1,9})", headers.get("cache-control", ""))
    return min(max(int(found[1]) if found else 0, _SHORTEST_S), _LONGEST_S)


def _over_google_auth(address: str) -> Answer:
    from google.auth.exceptions import TransportError
    from google.auth.transport.requests import Request

    try:
        answer = Request()(url=address, method="GET", timeout=10)
    except TransportError as error:
        raise Transient("oidc_keys", "Google's token keys cannot be reached now.") from error
    return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)
