"""Idempotency-Key: one request, one effect, one answer, however often it is sent.

Of an atomic operation the record is part of the commit of the effect, and made on condition that there is none yet: of equal
requests at once, in whatever processes, one commits, and the others find its answer when they try again. A crash leaves either
nothing (a retry starts anew) or both (a retry gets the answer). Within a process equal requests are told to wait.

What works outside the store cannot join its effect with a commit. There "in progress" is written first, in a commit of its own
that only one of several equal requests wins, and the final record on condition that the first one is still ours.
"""

import hashlib
import logging
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from struct import pack
from typing import Self

from shared.core.clock import Clock, instant
from shared.core.errors import BadRequest, FieldError, IdempotencyInFlight, IdempotencyKeyReused, Transient
from shared.core.values import dataclass
from shared.http.answers import Answer
from shared.ports.documents import Conflict, Create, Data, Delete, Key, Put, Stored, Write
from shared.ports.store import First, Store

__all__ = ["COLLECTION", "LEASE", "Attempt", "Claim", "Idempotency", "Known", "Replay", "read_key"]

COLLECTION = "idempotency"
LEASE = timedelta(seconds=30)
KEPT = timedelta(hours=24)
STORED = frozenset({404, 409, 412})
_BARE = re.compile(r"[\x21-\x7e]{1,255}")
_QUOTED = re.compile(r'"([\x21\x23-\x7e]{1,255})"')
_TRIES = 5
_SHORT = 4096
_ONE_BLOCK = b"\x78\x01\x01"
"""RFC 1950 and 1951: deflate, no dictionary; the last block, stored."""
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


class Known(Exception):
    """A key has a record already; what it says is `Idempotency.told`'s to read."""

    def __init__(self, stored: Stored) -> None:
        """Take the record."""
        super().__init__("this key has a record")
        self.stored = stored


class Attempt:
    """An atomic operation at work on a key; while it is entered, equal requests to this process are told to wait."""

    __slots__ = ("_is_looked_up", "_records", "_version", "fingerprint", "key")

    def __init__(self, records: "Idempotency", key: Key, fingerprint: str) -> None:
        """Take the records, the key and what the request says."""
        self._records, self.key, self.fingerprint = records, key, fingerprint
        self._version: str | None = None
        self._is_looked_up = False

    def __enter__(self) -> Self:
        """Begin; raise IdempotencyInFlight or IdempotencyKeyReused while another request of this process is at work."""
        other = self._records.working.setdefault(self.key, self)
        if other is not self:
            raise _in_flight() if other.fingerprint == self.fingerprint else _reused()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        del self._records.working[self.key]

    @property
    def first(self) -> First:
        """Return the record, to be read before the work: Known ends it."""
        return First(self.key, self._told)

    def final(self, answer: Answer) -> Write:
        """Return the record with the answer, for the commit of the effect: only one such commit can succeed."""
        data = _done(self.fingerprint, answer, self._records.expiry())
        return Create(self.key, data) if self._version is None else Put(self.key, data, self._version)

    def refused(self, answer: Answer) -> Answer:
        """Keep a refusal that is to be kept, and return it; raise Known when the key has an answer already."""
        documents = self._records.store.documents
        if not self._is_looked_up:
            self._told(documents.get(self.key))
        if answer.status in STORED:
            try:
                documents.commit([self.final(answer)])
            except Conflict:
                self._told(documents.get(self.key))
            except Transient:
                _log.info("a refusal was not kept; a retry is decided anew")
        return answer

    def replay(self, known: Known) -> Answer:
        """Return the answer of the record; raise IdempotencyKeyReused, or IdempotencyInFlight while another process works."""
        return _decided(known.stored, self.fingerprint).answer

    def _told(self, stored: Stored | None) -> None:
        self._is_looked_up = True
        if stored is not None and not self._records.is_free(stored):
            raise Known(stored)
        self._version = None if stored is None else stored.version


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work outside the store on a key until the lease ends: `version` is the fence."""

    store: Store
    key: Key
    fingerprint: str
    version: str
    expires_at: str

    def final(self, answer: Answer) -> Put:
        """Return the final record, on condition that no other request took the key over, which it may after the lease.

        It keeps the expiry of the first record: an index entry less to move.
        """
        return Put(self.key, _done(self.fingerprint, answer, self.expires_at), self.version)

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
        self.working: dict[Key, Attempt] = {}
        """What this process works on."""

    @property
    def store(self) -> Store:
        """Return where records live."""
        return self._store()

    def key(self, scope: tuple[str, ...]) -> Key:
        """Return where the record of a key lies; `scope` is user, method, canonical path and key."""
        return Key(COLLECTION, hashlib.sha256("\n".join(scope).encode()).hexdigest())

    def attempt(self, scope: tuple[str, ...], fingerprint: str) -> Attempt:
        """Return the work of an atomic operation on a key, to be entered."""
        return Attempt(self, self.key(scope), fingerprint)

    def claim(self, scope: tuple[str, ...], fingerprint: str) -> Claim | Replay:
        """Take a key for work outside the store, or return the answer it has.

        Raise IdempotencyInFlight while another request works on it, and IdempotencyKeyReused when it belongs to another
        payload.
        """
        key = self.key(scope)
        for number in range(_TRIES):
            stored = self._store().documents.get(key) if number else None
            if stored is not None and not self.is_free(stored):
                return _decided(stored, fingerprint)
            try:
                return self._begun(key, fingerprint, stored)
            except Conflict:
                continue
        raise _in_flight()

    def _begun(self, key: Key, fingerprint: str, stored: Stored | None) -> Claim:
        expires_at = self.expiry()
        data: Data = {
            "state": "working",
            "fingerprint": fingerprint,
            "lease_until": instant(self._clock.now() + LEASE),
            "expires_at": expires_at,
        }
        write: Write = Create(key, data) if stored is None else Put(key, data, stored.version)
        store = self._store()
        return Claim(store, key, fingerprint, store.documents.commit([write])[0], expires_at)

    def expiry(self) -> str:
        """Return until when a record made now is kept."""
        return instant(self._clock.now() + KEPT)

    def is_free(self, stored: Stored) -> bool:
        """Say whether a record is past its time; deletion by the store lags, so it is looked at here."""
        now = instant(self._clock.now())
        if stored.data["expires_at"] <= now:
            return True
        return bool(stored.data["state"] == "working" and stored.data["lease_until"] <= now)


def _decided(stored: Stored, fingerprint: str) -> Replay:
    data = stored.data
    if data["fingerprint"] != fingerprint:
        raise _reused()
    if data["state"] != "done":
        raise _in_flight()
    headers = {**data["headers"], "Idempotency-Replayed": "true"}
    return Replay(Answer(data["status"], headers, zlib.decompress(data["body"]), data["etag"]))


def _done(fingerprint: str, answer: Answer, expires_at: str) -> Data:
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    return {
        "state": "done",
        "fingerprint": fingerprint,
        "status": answer.status,
        "headers": answer.headers,
        "etag": answer.etag,
        "body": _compressed(body),
        "expires_at": expires_at,
    }


def _compressed(body: bytes) -> bytes:
    """Return an answer in zlib's form; a short one as it is, in one block that says so: to compress it costs more than it saves."""
    if len(body) > _SHORT:
        return zlib.compress(body)
    return b"".join([_ONE_BLOCK, pack("<HH", len(body), len(body) ^ 0xFFFF), body, pack(">I", zlib.adler32(body))])


def _reused() -> IdempotencyKeyReused:
    detail = "This Idempotency-Key was used with another request; use a new key."
    return IdempotencyKeyReused(detail, errors=(FieldError("header:Idempotency-Key", "reused", detail),))


def _in_flight() -> IdempotencyInFlight:
    return IdempotencyInFlight("The request with this key is still being worked on.", headers={"Retry-After": "1"})
