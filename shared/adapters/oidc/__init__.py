"""The keys of other issuers of tokens: Google's, over google-auth's transport, and those of a JWKS address in the settings."""

import re
import threading
from collections.abc import Callable, Mapping

from shared.adapters.jose import read_jwks
from shared.core.clock import Clock
from shared.core.errors import Problem, Terminal, Transient
from shared.core.values import dataclass
from shared.identity.keys import KeyRing
from shared.ports.fetch import Fetch, Request

__all__ = ["Answer", "GoogleKeys", "IssuerKeys", "over_fetch"]

_ADDRESS = "https://www.googleapis.com/oauth2/v3/certs"
_SHORTEST_S, _LONGEST_S = 60, 24 * 3600
_OK = 200
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What the certificate address answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class IssuerKeys:
    """A key source: asks again when its keys are old. An outage is Transient, never a wrong answer.

    Keys are kept as `Cache-Control: max-age` says, or for a fixed time.
    """

    def __init__(
        self, address: str, clock: Clock, get: Callable[[str], Answer], *, life_s: float | None = None
    ) -> None:
        """Take the address, the clock that expiry runs on, the transport, and a fixed life of the keys."""
        self._address, self._clock, self._get, self._fixed_s = address, clock, get, life_s
        self._lock = threading.Lock()
        self._ring: KeyRing | None = None
        self._until = 0.0

    def __call__(self) -> KeyRing:
        """Return the keys in force."""
        with self._lock:
            if self._ring is None or self._clock.monotonic() >= self._until:
                answer = self._get(self._address)
                self._ring = _ring(answer)
                self._until = self._clock.monotonic() + (self._fixed_s or _life_s(answer.headers))
            return self._ring


class GoogleKeys(IssuerKeys):
    """Google's keys for OpenID Connect tokens."""

    def __init__(self, clock: Clock, get: Callable[[str], Answer] | None = None) -> None:
        """Take the clock, and the transport (google-auth's by default)."""
        super().__init__(_ADDRESS, clock, get or _over_google_auth)


def _ring(answer: Answer) -> KeyRing:
    try:
        keys = read_jwks(answer.body) if answer.status == _OK else []
    except ValueError:
        keys = []
    if not keys:
        raise Transient("oidc_keys", "The issuer's token keys cannot be read now.")
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


def over_fetch(fetch: Fetch) -> Callable[[str], Answer]:
    """Return a transport over the guarded way out, for an address that a setting names."""

    def get(address: str) -> Answer:
        try:
            answer = fetch.send(
                Request("GET", address, {"Accept": "application/json"}, max_bytes=_MOST_BYTES, total_s=10)
            )
            return Answer(answer.status, answer.headers, answer.read())
        except (Problem, Terminal) as error:
            raise Transient("oidc_keys", "The issuer's token keys cannot be reached.") from error

    return get
