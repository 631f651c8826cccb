"""Tokens of another issuer (an option): HS256 under one shared secret, or the keys of a published JWKS.

The signature proves the token; issuer, audience and times are compared; `app_metadata.role` says what the caller may do
(viewer without it). A user record is made at first sight, named after issuer and subject, so that history, scopes and
deactivation work as for everybody else. Proven tokens are remembered until they expire: a request in between reads nothing.
"""

import hashlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from shared.core.caller import Caller, Role
from shared.core.clock import Clock
from shared.core.errors import AlreadyExists, InvalidState, Transient, Unauthenticated, Unavailable
from shared.core.values import dataclass
from shared.identity.compact import Compact, Malformed, is_whole, read
from shared.identity.keys import KeySource, PublicKey
from shared.identity.rules import ROLE_WORDS, is_email
from shared.identity.tokens import LEEWAY_S, OWN_TYPE
from shared.identity.users import Users, user_key
from shared.ports.documents import Stored

__all__ = ["ExternalTokens", "ExternalUsers", "Guest", "Issuer"]

_REFUSED = {"jku", "x5u", "jwk", "x5c", "crit", "b64"}
_SHARED = "HS256"
_REMEMBERED = 4096
_LONGEST_SUBJECT = 255


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are accepted: the issuer's name (None: any that holds the key), and the audience they are made for."""

    name: str | None
    audience: str


@dataclass(frozen=True, slots=True)
class Guest:
    """What a proven token says of its bearer."""

    issuer: str
    subject: str
    email: str | None
    role: Role


class ExternalUsers:
    """The records of users whom another issuer vouches for."""

    def __init__(self, users: Users) -> None:
        """Take the records."""
        self._users = users

    def seen(self, guest: Guest) -> Caller:
        """Return the caller, making or updating the record; raise Unauthenticated for a deactivated account."""
        named = hashlib.sha256(f"{guest.issuer}\x1f{guest.subject}".encode()).hexdigest()
        user_id = f"ext_{named[:26]}"
        stored = self._users.store.get(user_key(user_id)) or self._made(user_id, guest)
        if not stored.data["is_active"]:
            raise Unauthenticated.because("invalid", "The account of this token is not active.")
        if stored.data["role"] != guest.role.value:
            with suppress(
                InvalidState
            ):  # the last admin of the records stays one there; the token decides what he may do
                stored = self._users.change(user_id, lambda _: {"role": guest.role.value})
        scope = stored.data["store_id"], stored.data["region"]
        return Caller(user_id, stored.data["username"], guest.role, "external", *scope)

    def _made(self, user_id: str, guest: Guest) -> Stored:
        fields = {"username": guest.email or user_id, "email": guest.email, "role": guest.role.value}
        for tried in (fields, {**fields, "username": user_id, "email": None}):
            try:
                return self._users.create(tried, None, user_id=user_id)
            except AlreadyExists:  # made by a request beside this one, or the e-mail belongs to a user of ours
                present = self._users.store.get(user_key(user_id))
                if present is not None:
                    return present
        raise Unavailable("The account of this token cannot be made now.", retry_after=1)


class ExternalTokens:
    """Checks tokens of the other issuer."""

    def __init__(
        self, issuer: Issuer, users: ExternalUsers, clock: Clock, *, secret: PublicKey | None, keys: KeySource | None
    ) -> None:
        """Take whose tokens, the records, time, and the shared secret or where the issuer's keys come from."""
        self._issuer, self._users, self._clock = issuer, users, clock
        self._secret, self._keys = secret, keys
        self._known: dict[bytes, tuple[int, Caller]] = {}
        self._lock = threading.Lock()

    def verify(self, token: str) -> Caller:
        """Return the caller the token proves; raise Unauthenticated `invalid` or `expired`, or Unavailable."""
        name = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        now = self._clock.now().timestamp()
        known = self._known.get(name)
        if known is None:
            claims = self._proven(token, now)
            if claims["exp"] + LEEWAY_S <= now:
                raise Unauthenticated.because("expired", "The access token has expired.")
            known = claims["exp"], self._users.seen(_guest(claims))
            self._remember(name, known)
        if known[0] + LEEWAY_S <= now:
            raise Unauthenticated.because("expired", "The access token has expired.")
        return known[1]

    def _remember(self, name: bytes, known: tuple[int, Caller]) -> None:
        with self._lock:
            while len(self._known) >= _REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[name] = known

    def _proven(self, token: str, now: float) -> Mapping[str, Any]:
        try:
            compact = read(token)
            self._check_signature(compact, token)
            self._check_claims(compact.claims, now)
        except Malformed as error:
            raise Unauthenticated.because("invalid", "The access token is not valid.") from error
        return compact.claims

    def _check_signature(self, compact: Compact, token: str) -> None:
        key = self._key(compact)
        if key is None or not key.verifies(token):
            raise Malformed("not signed by the other issuer")

    def _key(self, compact: Compact) -> PublicKey | None:
        header = compact.header
        if set(header) & _REFUSED or header.get("typ") == OWN_TYPE:
            raise Malformed("another kind of token")
        if header.get("alg") == _SHARED:
            return self._secret
        kid = header.get("kid")
        if self._keys is None or not isinstance(kid, str):
            return None
        try:
            key = self._keys().find(kid)
        except Transient as error:
            raise Unavailable("The keys of the other issuer cannot be read now.", retry_after=5) from error
        return key if key is not None and key.algorithm == header.get("alg") else None

    def _check_claims(self, claims: Mapping[str, Any], now: float) -> None:
        expires, issued, begins = claims.get("exp"), claims.get("iat", 0), claims.get("nbf", 0)
        if not (is_whole(expires) and is_whole(issued) and is_whole(begins)):
            raise Malformed("bad times")
        if max(issued, begins) > now + LEEWAY_S:
            raise Malformed("not valid yet")
        if self._issuer.name is not None and claims.get("iss") != self._issuer.name:
            raise Malformed("another issuer")
        audience = claims.get("aud")
        if self._issuer.audience not in (audience if isinstance(audience, list) else [audience]):
            raise Malformed("meant for somebody else")
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
            raise Malformed("no subject")


def _guest(claims: Mapping[str, Any]) -> Guest:
    metadata, email = claims.get("app_metadata"), claims.get("email")
    word = metadata.get("role") if isinstance(metadata, dict) else None
    role = ROLE_WORDS.get(word) if isinstance(word, str) else None
    issuer = claims.get("iss")
    guest = Guest(issuer if isinstance(issuer, str) else "", claims["sub"], None, Role(role or Role.VIEWER))
    known = isinstance(email, str) and is_email(email) and len(email) <= 254  # noqa: PLR2004 - as of every user
    return replace(guest, email=email) if known else guest
