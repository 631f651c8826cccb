"""Access tokens: minted by `auth` alone, checked by every function without reading a document."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.core.caller import Caller, Role
from shared.core.errors import Transient, Unauthenticated, Unavailable
from shared.core.values import dataclass
from shared.identity.compact import Compact, Malformed, is_whole, read

if TYPE_CHECKING:
    from shared.core.clock import Clock
    from shared.core.ids import Ids
    from shared.identity.keys import KeyRing, KeySource, PrivateKey

__all__ = ["LEEWAY_S", "LIFE_S", "OWN_TYPE", "AccessTokens", "Realm", "TokenMint", "is_own"]

LIFE_S = 900
LEEWAY_S = 30
_REMEMBERED = 4096
_HEADER = {"alg", "kid", "typ"}
OWN_TYPE = "at+jwt"
_ROLES = frozenset(role.value for role in Role)
_TEXTS = ("sub", "username", "jti")


@dataclass(frozen=True, slots=True)
class Realm:
    """Who issues tokens and for whom."""

    issuer: str = "onhand"
    audience: str = "onhand-api"


class TokenMint:
    """Writes access tokens; needs the private key, which only the function `auth` has."""

    def __init__(self, key: Callable[[], PrivateKey], realm: Realm, clock: Clock, ids: Ids) -> None:
        """Take where the signing key comes from (asked only when a token is minted) and what every token says."""
        self._key, self._realm, self._clock, self._ids = key, realm, clock, ids

    def mint(self, caller: Caller) -> str:
        """Return a token that proves to be this caller for 15 minutes."""
        if caller.role is None:
            raise ValueError("a caller without a role gets no token")
        now = int(self._clock.now().timestamp())
        claims: dict[str, Any] = {
            "iss": self._realm.issuer,
            "aud": self._realm.audience,
            "sub": caller.user_id,
            "username": caller.username,
            "role": caller.role.value,
            "typ": "access",
            "iat": now,
            "exp": now + LIFE_S,
            "jti": self._ids.new("tok"),
        }
        scope = {"store_id": caller.store_id, "region": caller.region}
        return self._key().sign(claims | {name: value for name, value in scope.items() if value}, typ=OWN_TYPE)


class AccessTokens:
    """Checks access tokens; remembers up to 4,096 whose signature was good until they expire or the keys change."""

    def __init__(self, keys: KeySource, realm: Realm, clock: Clock) -> None:
        """Take where the public keys come from and what a token must say."""
        self._keys, self._realm, self._clock = keys, realm, clock
        self._ring: KeyRing | None = None
        self._known: dict[bytes, tuple[int, Caller]] = {}
        self._lock = threading.Lock()

    def verify(self, token: str) -> Caller:
        """Return the caller the token proves.

        Raise Unauthenticated `invalid` or `expired`, and Unavailable (never 401) while the keys cannot be had.
        """
        ring = self._current()
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        now = self._clock.now().timestamp()
        known = self._known.get(name)
        if known is None:
            known = self._examined(token, ring, now)
            self._remember(name, known, ring)
        if known[0] + LEEWAY_S <= now:
            raise Unauthenticated.because("expired", "The access token has expired.")
        return known[1]

    def _current(self) -> KeyRing:
        try:
            ring = self._keys()
        except Transient as error:
            raise Unavailable("The keys that check tokens cannot be read now.", retry_after=5) from error
        if ring is not self._ring:
            with self._lock:
                self._ring, self._known = ring, {}
        return ring

    def _remember(self, name: bytes, known: tuple[int, Caller], ring: KeyRing) -> None:
        with self._lock:
            if self._ring is not ring:
                return
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[name] = known

    def _examined(self, token: str, ring: KeyRing, now: float) -> tuple[int, Caller]:
        try:
            compact = read(token)
            self._check_header(compact, ring, token)
            self._check_claims(compact.claims, now)
            return compact.claims["exp"], _caller(compact.claims)
        except Malformed as error:
            raise Unauthenticated.because("invalid", "The access token is not valid.") from error

    def _check_header(self, compact: Compact, ring: KeyRing, token: str) -> None:
        header = compact.header
        if set(header) != _HEADER or header["typ"] != OWN_TYPE or not isinstance(header["kid"], str):
            raise Malformed("another kind of token")
        key = ring.find(header["kid"])
        if key is None or key.algorithm != header["alg"] or not key.verifies(token):
            raise Malformed("not signed by a key of ours")

    def _check_claims(self, claims: Mapping[str, Any], now: float) -> None:
        issued, expires = claims.get("iat"), claims.get("exp")
        if not (is_whole(issued) and is_whole(expires) and 0 < expires - issued <= LIFE_S and issued <= now + LEEWAY_S):
            raise Malformed("bad times")
        wanted = {"iss": self._realm.issuer, "aud": self._realm.audience, "typ": "access"}
        if any(type(claims.get(name)) is not str or claims[name] != value for name, value in wanted.items()):
            raise Malformed("meant for somebody else")
        if "nbf" in claims and not (is_whole(claims["nbf"]) and claims["nbf"] <= now + LEEWAY_S):
            raise Malformed("not valid yet")


def is_own(token: str) -> bool:
    """Say whether a token looks like one of ours: by its type alone, which its signature will have to confirm."""
    try:
        return read(token).header.get("typ") == OWN_TYPE
    except Malformed:
        return True


def _caller(claims: Mapping[str, Any]) -> Caller:
    texts = [claims.get(name) for name in _TEXTS]
    scope = [claims.get(name) for name in ("store_id", "region")]
    if not all(isinstance(text, str) and text for text in texts):
        raise Malformed("claims are missing")
    if not all(part is None or (isinstance(part, str) and part) for part in scope):
        raise Malformed("a bad scope")
    if not (isinstance(claims.get("role"), str) and claims["role"] in _ROLES):
        raise Malformed("no such role")
    return Caller(claims["sub"], claims["username"], Role(claims["role"]), "bearer", *scope)
