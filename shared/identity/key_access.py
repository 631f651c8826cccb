"""From an API key to a caller, in every function: it reads two documents and loads no model.

A key's role is the lower one of what it was made with and what its user has now. Proven keys are remembered for a minute:
that is how long a revoked key or a deactivated user goes on at most. Cost: two reads per key, instance and minute.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.core.caller import Caller, Role
from shared.core.clock import Clock, parse_instant
from shared.core.errors import Unauthenticated
from shared.core.once import later
from shared.ports.documents import Key, Stored

if TYPE_CHECKING:
    from shared.ports.store import Store

__all__ = ["KEYS", "PREFIX", "ApiKeyAccess", "digest", "is_api_key"]

KEYS = "api_keys"
PREFIX = "onk_"
_FORM = later(lambda: re.compile(r"onk_([a-z0-9]{20,40})\.([A-Za-z0-9_-]{43})"))
_REMEMBERED_S = 60.0
_MOST_REMEMBERED = 1024


def is_api_key(credentials: str) -> bool:
    """Say whether Bearer credentials are a key rather than a token."""
    return credentials.startswith(PREFIX)


def digest(secret: str) -> str:
    """Return what is kept of a secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiKeyAccess:
    """From a key to a caller."""

    def __init__(self, store: Callable[[], Store], clock: Clock) -> None:
        """Take where users and their keys lie (asked only for a key), and time."""
        self._store, self._clock = store, clock
        self._known: dict[bytes, tuple[float, Caller]] = {}
        self._lock = threading.Lock()

    def verify(self, credentials: str) -> Caller:
        """Return the caller a key stands for; raise Unauthenticated `invalid` or `expired`."""
        name = hashlib.sha256(credentials.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(name)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        caller, ends_s = self._examined(credentials)
        with self._lock:
            while len(self._known) >= _MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[name] = (self._clock.monotonic() + min(_REMEMBERED_S, ends_s), caller)
        return caller

    def _examined(self, credentials: str) -> tuple[Caller, float]:
        found = _FORM.fullmatch(credentials)
        stored = self._store().get(Key(KEYS, f"key_{found[1]}")) if found else None
        if found is None or stored is None or not hmac.compare_digest(stored.data["digest"], digest(found[2])):
            raise Unauthenticated.because("invalid", "The API key is not valid.")
        ends_s = (parse_instant(stored.data["expires_at"]) - self._clock.now()).total_seconds()
        if ends_s <= 0:
            raise Unauthenticated.because("expired", "The API key has expired.")
        user = self._store().get(Key("users", stored.data["user_id"]))
        if user is None or not user.data["is_active"]:
            raise Unauthenticated.because("invalid", "The account of this API key is not active.")
        return _caller(stored.data, user), ends_s


def _caller(key: Mapping[str, Any], user: Stored) -> Caller:
    made, present = Role(key["role"]), Role(user.data["role"])
    role = made if present.includes(made) else present
    scope = user.data["store_id"], user.data["region"]
    return Caller(user.key.id, user.data["username"], role, "key", *scope, frozenset(key["scopes"]))
