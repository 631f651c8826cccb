"""Internal calls: who may deliver tasks and schedules, proven by an OpenID Connect token of the platform."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from shared.core.caller import Caller
from shared.core.errors import Forbidden, Transient, Unauthenticated, Unavailable
from shared.core.values import dataclass
from shared.identity.compact import Malformed, is_whole, read
from shared.identity.keys import KeyRing, KeySource, PrivateKey
from shared.identity.tokens import LEEWAY_S

if TYPE_CHECKING:
    from shared.core.clock import Clock

__all__ = ["GOOGLE_ISSUERS", "InternalTokens", "Invokers", "LocalInvoker"]

GOOGLE_ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
_REFUSED = {"jku", "x5u", "jwk", "x5c", "crit", "b64"}
_LOCAL_ISSUER = "onhand-local"
_LOCAL_INVOKER = "queue@onhand.local"
_LOCAL_LIFE_S = 3600


@dataclass(frozen=True, slots=True)
class Invokers:
    """Which tokens are for the worker: who issues them, for which audience, for which accounts."""

    audience: str
    emails: Collection[str]
    issuers: Collection[str] = GOOGLE_ISSUERS


class InternalTokens:
    """Checks the tokens of internal calls: signature, issuer, audience, account."""

    def __init__(self, keys: KeySource, invokers: Invokers, clock: Clock) -> None:
        """Take where the issuer's keys come from and who may call."""
        self._keys, self._invokers, self._clock = keys, invokers, clock

    def verify(self, token: str) -> Caller:
        """Return the internal caller; raise Unauthenticated, Forbidden (another account) or Unavailable (no keys)."""
        try:
            claims = self._proven(token)
        except Malformed as error:
            raise Unauthenticated.because("invalid", "The token of this internal call is not valid.") from error
        if claims["exp"] + LEEWAY_S <= self._clock.now().timestamp():
            raise Unauthenticated.because("expired", "The token of this internal call has expired.")
        if claims["email"] not in self._invokers.emails:
            raise Forbidden("This account may not make internal calls.")
        return Caller(user_id="system", username=claims["email"], role=None, scheme="internal")

    def _proven(self, token: str) -> Mapping[str, Any]:
        compact = read(token)
        header, claims = compact.header, compact.claims
        kid = header.get("kid")
        if _REFUSED & set(header) or header.get("typ", "JWT") != "JWT" or not isinstance(kid, str):
            raise Malformed("another kind of token")
        key = self._ring().find(kid)
        if key is None or key.algorithm != header.get("alg") or not key.verifies(token):
            raise Malformed("not signed by the issuer")
        self._check(claims)
        return claims

    def _ring(self) -> KeyRing:
        try:
            return self._keys()
        except Transient as error:
            raise Unavailable("The keys that check internal calls cannot be had now.", retry_after=5) from error

    def _check(self, claims: Mapping[str, Any]) -> None:
        issued, expires = claims.get("iat"), claims.get("exp")
        now = self._clock.now().timestamp()
        if not (is_whole(issued) and is_whole(expires) and issued <= now + LEEWAY_S):
            raise Malformed("bad times")
        issuer, audience = claims.get("iss"), claims.get("aud")
        if not (isinstance(issuer, str) and issuer in self._invokers.issuers):
            raise Malformed("another issuer")
        if not isinstance(audience, str) or audience != self._invokers.audience:
            raise Malformed("meant for somebody else")
        if claims.get("email_verified") is not True or not isinstance(claims.get("email"), str):
            raise Malformed("no proven account")


class LocalInvoker:
    """The platform's part in a local run: one key made at start signs what the embedded queue sends."""

    def __init__(self, key: PrivateKey, audience: str, clock: Clock) -> None:
        """Take the key and the worker's audience."""
        self._key, self._clock = key, clock
        self.invokers = Invokers(audience, frozenset({_LOCAL_INVOKER}), frozenset({_LOCAL_ISSUER}))
        ring = KeyRing([key.public])
        self.keys: KeySource = lambda: ring

    def token(self) -> str:
        """Return a fresh token for one delivery."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": _LOCAL_ISSUER,
            "aud": self.invokers.audience,
            "sub": _LOCAL_INVOKER,
            "email": _LOCAL_INVOKER,
            "email_verified": True,
            "iat": now,
            "exp": now + _LOCAL_LIFE_S,
        }
        return self._key.sign(claims, typ="JWT")

    def verifier(self) -> InternalTokens:
        """Return the check that goes with it."""
        return InternalTokens(self.keys, self.invokers, self._clock)
