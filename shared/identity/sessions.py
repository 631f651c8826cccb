"""Refresh tokens: opaque, 256 random bits, stored as digests, used once.

Two kinds of documents: a *family* (`refresh_families`) is the chain that began with one login; a *token*
(`refresh_tokens`, named by its SHA-256) leads to its family and never changes, except that a successor which a lost
answer replaced is marked. Ending all of a user's families is one number on his credential: families remember the one they
began under.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import Unauthenticated
from shared.core.ids import Ids
from shared.core.values import dataclass
from shared.identity.rules import FAMILY_LIFE, Family, Verdict, judged
from shared.identity.users import credential_key, user_key
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write
from shared.ports.store import Store

__all__ = ["Rotated", "Sessions"]

_FAMILIES, _TOKENS = "refresh_families", "refresh_tokens"
_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rotated:
    """A refresh token that was accepted: whose it is and what to use next time."""

    user: Stored
    token: str

    def __repr__(self) -> str:
        """Keep the token out of logs."""
        return f"Rotated(user={self.user.key.id!r})"


class Sessions:
    """The families of refresh tokens."""

    def __init__(self, store: Store, clock: Clock, ids: Ids) -> None:
        """Take the store, the clock of lifetimes, and the source of tokens."""
        self._store, self._clock, self._ids = store, clock, ids

    def begin(self, user_id: str, epoch: int) -> tuple[str, list[Write]]:
        """Return a new family's first token and the writes that make it, for the commit of the login."""
        now = self._clock.now()
        token, name = self._ids.token(), self._ids.new("fam")
        family = Family(_digest(token), now + FAMILY_LIFE)
        data = {"user_id": user_id, "epoch": epoch, "created_at": instant(now), **_fields(family)}
        return token, [Create(Key(_FAMILIES, name), data), _token(family.current, name, user_id, family.expires_at)]

    def rotate(self, token: str) -> Rotated:
        """Exchange a refresh token for its successor; raise Unauthenticated `invalid`, `expired` or `token_reused`."""
        digest = _digest(token)
        known = self._store.get(Key(_TOKENS, digest))
        if known is None:
            raise _refused(Verdict.REFUSE)
        successor = self._ids.token()
        keys = [
            known.key,
            Key(_FAMILIES, known.data["family_id"]),
            user_key(known.data["user_id"]),
            credential_key(known.data["user_id"]),
        ]

        def decide(found: Mapping[Key, Stored]) -> tuple[Verdict | Rotated, list[Write]]:
            return self._decided([found.get(key) for key in keys], digest, successor)

        outcome = self._store.change(keys, decide)
        if isinstance(outcome, Verdict):
            raise _refused(outcome)
        return outcome

    def end(self, token: str, user_id: str) -> None:
        """Revoke the family of one of the user's tokens; a token that is not his changes nothing."""
        known = self._store.get(Key(_TOKENS, _digest(token)))
        if known is None or known.data["user_id"] != user_id:
            return
        key = Key(_FAMILIES, known.data["family_id"])

        def decide(found: Mapping[Key, Stored]) -> tuple[None, list[Write]]:
            stored = found.get(key)
            if stored is None or stored.data["ended"] is not None:
                return None, []
            return None, [Put(key, stored.data | {"ended": "logout"}, stored.version)]

        self._store.change([key], decide)

    def sweep(self, limit: int = 200) -> int:
        """Delete families, tokens and counters of failed logins that expired a day ago; return how many."""
        before = instant(self._clock.now() - _KEPT)
        gone = 0
        for collection in (_TOKENS, _FAMILIES, "login_attempts"):
            found = self._store.query(Query(collection, order_by="expires_at", below=before, limit=limit))
            if found:
                self._store.write([Delete(stored.key) for stored in found])
            gone += len(found)
        return gone

    def _decided(
        self, stored: list[Stored | None], digest: str, successor: str
    ) -> tuple[Verdict | Rotated, list[Write]]:
        token, family_doc, user, credential = stored
        if token is None or family_doc is None or user is None or credential is None:
            return Verdict.REFUSE, []
        if not user.data["is_active"] or credential.data["epoch"] != family_doc.data["epoch"]:
            return Verdict.REFUSE, []
        now = self._clock.now()
        family = _family(family_doc.data)
        verdict = judged(family, digest, _moment(token.data["superseded_at"]), now)
        if verdict is Verdict.REVOKE:
            data = family_doc.data | {"ended": Verdict.REUSED.value}
            return Verdict.REUSED, [Put(family_doc.key, data, family_doc.version)]
        if verdict not in {Verdict.ROTATE, Verdict.REPLACE}:
            return verdict, []
        writes = self._succession(family_doc, family, verdict, _digest(successor))
        return Rotated(user, successor), writes

    def _succession(self, stored: Stored, family: Family, verdict: Verdict, digest: str) -> list[Write]:
        now = self._clock.now()
        after = family.with_token(digest, verdict, now)
        name, user_id = stored.key.id, stored.data["user_id"]
        writes: list[Write] = [
            Put(stored.key, stored.data | _fields(after), stored.version),
            _token(digest, name, user_id, after.expires_at),
        ]
        if verdict is Verdict.REPLACE:
            dead = _token(family.current, name, user_id, family.expires_at)
            writes.append(Put(dead.key, dead.data | {"superseded_at": instant(now)}))
        return writes


def _token(digest: str, family_id: str, user_id: str, expires_at: datetime) -> Create:
    data = {"family_id": family_id, "user_id": user_id, "superseded_at": None, "expires_at": instant(expires_at)}
    return Create(Key(_TOKENS, digest), data)


def _fields(family: Family) -> dict[str, Any]:
    return {
        "current": family.current,
        "previous": family.previous,
        "rotated_at": instant(family.rotated_at) if family.rotated_at else None,
        "ended": family.ended,
        "expires_at": instant(family.expires_at),
    }


def _family(data: Mapping[str, Any]) -> Family:
    return Family(
        current=data["current"],
        expires_at=parse_instant(data["expires_at"]),
        previous=data["previous"],
        rotated_at=_moment(data["rotated_at"]),
        ended=data["ended"],
    )


def _moment(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None


def _refused(verdict: Verdict) -> Unauthenticated:
    if verdict is Verdict.REUSED:
        return Unauthenticated.because("token_reused", "This refresh token was used before; sign in again.")
    if verdict is Verdict.EXPIRED:
        return Unauthenticated.because("expired", "The refresh token has expired; sign in again.")
    return Unauthenticated.because("invalid", "The refresh token is not valid; sign in again.")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
