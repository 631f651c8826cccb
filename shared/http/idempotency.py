"""Idempotency-Key: one request, one effect, one answer, however often it is sent.

"In progress" is written first, in a commit of its own that only one of several equal requests wins; the final record is part
of the commit of the effect, on condition that the first record is still ours. So a crash leaves either nothing (the lease
ends, a retry starts anew) or both (a retry gets the answer), and a worker whose lease was taken over commits nothing.
"""

import hashlib
import logging
import re
import zlib
from collections.abc import Callable
from datetime import timedelta

from shared.core.clock import Clock, instant
from shared.core.errors import BadRequest, FieldError, IdempotencyInFlight, IdempotencyKeyReused, Transient
from shared.core.values import dataclass
from shared.http.answers import Answer
from shared.ports.documents import Conflict, Create, Data, Delete, Key, Put, Stored, Write
from shared.ports.store import Store

__all__ = ["COLLECTION", "LEASE", "Claim", "Idempotency", "Replay", "read_key"]

COLLECTION = "idempotency"
LEASE = timedelta(seconds=30)
KEPT = timedelta(hours=24)
STORED = frozenset({404, 409, 412})
_BARE = re.compile(r"[\x21-\x7e]{1,255}")
_QUOTED = re.compile(r'"([\x21\x23-\x7e]{1,255})"')
_TRIES = 5
_SHORT = 4096
_log = logging.getLogger(__name__)


def read_key(header: str | None) -> str | None:
    """Return the key of the header, bare or quoted; raise BadRequest when it is malformed."""
    if header is None:
        return None
    quoted = _QUOTED.fullmatch(header)
    if quoted:
        return quoted[1]
    if header.startswith('"') or not _BARE.fullmatch(header):
        detail = "An Idempotency-Key has 1 to 255 visible ASCII characters, bare or in quotes."
        raise BadRequest(detail, errors=(FieldError("header:Idempotency-Key", "invalid", detail),))
    return header


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer a key already has."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a key until the lease ends: `version` is the fence."""

    store: Store
    key: Key
    fingerprint: str
    version: str
    expires_at: str

    def final(self, answer: Answer) -> Put:
        """Return the final record, for the commit of the effect.

        Its condition is the fence: once another request took the key over, which it may only after the lease, the commit fails
        and its deadline has long passed, so nothing of a late worker's effect is ever written.
        """
        body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
        data: Data = {
            "state": "done",
            "fingerprint": self.fingerprint,
            "status": answer.status,
            "headers": answer.headers,
            "etag": answer.etag,
            "body": _compressed(body),
            "expires_at": self.expires_at,  # of the first record: an index entry less to move
        }
        return Put(self.key, data, self.version)

    def settle(self, answer: Answer) -> None:
        """Keep the answer of a request without effect, or free the key for another try."""
        write: Write = self.final(answer) if answer.status in STORED else Delete(self.key, self.version)
        try:
            self.store.documents.commit([write])
        except (Conflict, Transient):
            _log.info("an idempotency record was not settled; its lease ends by itself")


class Idempotency:
    """The records of all keys."""

    def __init__(self, store: Callable[[], Store], clock: Clock) -> None:
        """Take where records live (asked for on need) and the clock their leases run on."""
        self._store, self._clock = store, clock

    def claim(self, scope: tuple[str, ...], fingerprint: str) -> Claim | Replay:
        """Take a key for work, or return the answer it has.

        `scope` is user, method, operation (by its canonical path) and key. Raise IdempotencyInFlight while another request works on it, and
        IdempotencyKeyReused when it belongs to another payload.
        """
        key = Key(COLLECTION, hashlib.sha256("\n".join(scope).encode()).hexdigest())
        for number in range(_TRIES):
            stored = self._store().documents.get(key) if number else None
            if stored is not None and not self._is_free(stored):
                return _decided(stored, fingerprint)
            try:
                return self._begun(key, fingerprint, stored)
            except Conflict:
                continue
        raise _in_flight()

    def _begun(self, key: Key, fingerprint: str, stored: Stored | None) -> Claim:
        now = self._clock.now()
        expires_at = instant(now + KEPT)
        data: Data = {
            "state": "working",
            "fingerprint": fingerprint,
            "lease_until": instant(now + LEASE),
            "expires_at": expires_at,
        }
        write: Write = Create(key, data) if stored is None else Put(key, data, stored.version)
        store = self._store()
        return Claim(store, key, fingerprint, store.documents.commit([write])[0], expires_at)

    def _is_free(self, stored: Stored) -> bool:
        """Say whether a record is past its time; deletion by the store lags, so it is looked at here."""
        now = instant(self._clock.now())
        if stored.data["expires_at"] <= now:
            return True
        return bool(stored.data["state"] == "working" and stored.data["lease_until"] <= now)


def _decided(stored: Stored, fingerprint: str) -> Replay:
    data = stored.data
    if data["fingerprint"] != fingerprint:
        detail = "This Idempotency-Key was used with another request; use a new key."
        raise IdempotencyKeyReused(detail, errors=(FieldError("header:Idempotency-Key", "reused", detail),))
    if data["state"] != "done":
        raise _in_flight()
    headers = {**data["headers"], "Idempotency-Replayed": "true"}
    return Replay(Answer(data["status"], headers, zlib.decompress(data["body"]), data["etag"]))


def _compressed(body: bytes) -> bytes:
    """Compress an answer; the compressor's usual tables cost more to set up than a short answer does to compress."""
    if len(body) > _SHORT:
        return zlib.compress(body)
    short = zlib.compressobj(wbits=10, memLevel=2)
    return short.compress(body) + short.flush()


def _in_flight() -> IdempotencyInFlight:
    return IdempotencyInFlight("The request with this key is still being worked on.", headers={"Retry-After": "1"})
