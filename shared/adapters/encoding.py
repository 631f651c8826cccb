"""What a document may hold, checked and encoded alike for every store, so that what one takes all take."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from shared.ports.documents import Key, Write

__all__ = ["MAX_WRITES", "check_writes", "encoded", "is_field", "possible"]

MAX_WRITES = 500
_MAX_BYTES = 1_048_576
_COLLECTION = re.compile(r"[a-z][a-z0-9_]*")
_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED_ID = re.compile(r"\.{1,2}|__.*__", re.DOTALL)
# Cheap looks for numbers that may be too large or not finite, the second outside of most texts; only then are all values visited.
_DIGITS = bytes.maketrans(b"123456789", b"0" * 9)
_MANY_DIGITS = b"0" * 19
_SUSPECT = re.compile(rb"[:,\[]-?(?:NaN|Infinity|\d{19})")
_LONGEST_ID = 1500
_MAX_INT = 2**63


def check_writes(writes: Sequence[Write], most: int = MAX_WRITES) -> None:
    """Raise ValueError for a commit no store takes: too many writes, two for one key, an impossible key."""
    if len(writes) > most:
        raise ValueError(f"{len(writes)} writes in one commit; at most {most} are atomic")
    keys = {write.key for write in writes}
    if len(keys) < len(writes):
        raise ValueError("two writes of one document in one commit")
    for write in writes:
        if not possible(write.key):
            raise ValueError(f"not a document's key: {write.key.collection}/{write.key.id[:80]!r}")


def encoded(data: Mapping[str, Any], key: Key) -> tuple[bytes, dict[str, bytes]]:
    """Return the document as JSON without its bytes fields, and those; raise ValueError for what JSON cannot hold."""
    if not all(map(is_field, data)):
        raise ValueError(f"{key.collection}: not a field name among {sorted(data)}")
    plain, blobs = data, {}
    if bytes in map(type, data.values()):
        blobs = {name: value for name, value in data.items() if type(value) is bytes}
        plain = {name: value for name, value in data.items() if name not in blobs}
    body = to_json(plain)
    if _is_suspect(body):
        _check_numbers(plain, key)
    if len(body) + sum(map(len, blobs.values())) > _MAX_BYTES:
        raise ValueError(f"{key.collection}/{key.id} is larger than 1 MiB")
    return body, blobs


def possible(key: Key) -> bool:
    """Say whether a document can have this key; reading an impossible one finds nothing."""
    try:
        size = len(key.id.encode())
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    reserved = key.id[:1] in {".", "_"} and _RESERVED_ID.fullmatch(key.id)
    return 1 <= size <= _LONGEST_ID and "/" not in key.id and not reserved and _is_collection(key.collection)


@lru_cache(4096)
def _is_collection(name: str) -> bool:
    return _COLLECTION.fullmatch(name) is not None


@lru_cache(4096)
def is_field(name: str) -> bool:
    """Say whether a field of a document may have this name."""
    return _FIELD.fullmatch(name) is not None


def _is_suspect(body: bytes) -> bool:
    if _MANY_DIGITS not in body.translate(_DIGITS) and b"NaN" not in body and b"Infinity" not in body:
        return False
    return _SUSPECT.search(body) is not None


def _check_numbers(value: object, key: Key) -> None:
    """Refuse what a store would change silently: integers beyond 64 bits, NaN and infinities."""
    if isinstance(value, Mapping):
        for item in value.values():
            _check_numbers(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_numbers(item, key)
    elif isinstance(value, int) and not -_MAX_INT <= value < _MAX_INT:
        raise ValueError(f"{key.collection}/{key.id}: an integer beyond 64 bits")
    elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):  # noqa: PLR0124
        raise ValueError(f"{key.collection}/{key.id}: a number that is not finite")
