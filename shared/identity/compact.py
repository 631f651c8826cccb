"""Reading a compact JSON Web Token strictly, before any signature is looked at.

The library accepts a megabyte, a key given twice (the last one wins), numbers beyond every integer, and sloppy base 64.
Each is refused here: it costs time, or lets two readers see two different tokens.
"""

import base64
import json
import re
from typing import Any, NoReturn, TypeGuard

from shared.core.once import later
from shared.core.values import dataclass

__all__ = ["LONGEST", "Compact", "Malformed", "is_whole", "read"]

LONGEST = 8 * 1024
_PART = later(lambda: re.compile(r"[A-Za-z0-9_-]+"))


class Malformed(ValueError):
    """This is no token that anybody of ours would have written."""


@dataclass(frozen=True, slots=True)
class Compact:
    """Header and claims of a token; nothing is proven about them yet."""

    header: dict[str, Any]
    claims: dict[str, Any]


def read(token: str) -> Compact:
    """Take a token apart; raise Malformed."""
    parts = token.split(".") if len(token) <= LONGEST else []
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):  # noqa: PLR2004 - header, claims, signature
        raise Malformed("not a compact token")
    header, claims, _ = (_decoded(part) for part in parts)
    return Compact(_object(header), _object(claims))


def is_whole(value: object) -> TypeGuard[int]:
    """Say whether a claim is an integer (booleans are not) that a clock could show."""
    return type(value) is int and 0 <= value < 2**40


def _decoded(part: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise Malformed("bad base64url") from error
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise Malformed("base64url in a second spelling")
    return raw


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_single, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("bad JSON") from error
    if not isinstance(value, dict):
        raise Malformed("not an object")
    return value


def _single(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a key stands twice")
    return found


def _no_constant(word: str) -> NoReturn:
    raise Malformed(f"{word} is not JSON")
