"""Reading vendor JSON without trust: every reader takes anything and returns a clean value or None."""

import hashlib
import math
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.core.clock import instant

__all__ = [
    "Notes",
    "clean",
    "digest",
    "fold",
    "identifier",
    "items",
    "mapping",
    "money",
    "number",
    "record_id",
    "text",
    "time",
    "units",
]

_LONGEST_TEXT = 2000
_LONGEST_ID = 200
_MOST_UNITS = Decimal(1_000_000_000)
_MOST_MONEY = Decimal("99999999.99")
_DEEPEST = 40
_FIRST_YEAR = 1900
_SAFE_INTEGER = 2**53
_SHOWN = 60
_MOST_WORDS = 20


class Notes:
    """Counts of what a page held that we do not know, as `kind:word`; the number of different words is bounded."""

    def __init__(self) -> None:
        """Start with nothing noted."""
        self.counts: Counter[str] = Counter()

    def note(self, kind: str, word: object) -> None:
        """Count a word; beyond the bound only its kind."""
        name = f"{kind}:{(text(word) or '-')[:_SHOWN]}"
        known = name in self.counts or len(self.counts) < _MOST_WORDS
        self.counts[name if known else f"{kind}:..."] += 1


def text(value: Any) -> str | None:
    """Return trimmed text that can be stored and shown; numbers as they are written; None for anything else or nothing."""
    if type(value) is str:
        if len(value) > 2 * _LONGEST_TEXT or not value.isprintable():
            value = _storable(value[: 2 * _LONGEST_TEXT])
        return value.strip()[:_LONGEST_TEXT] or None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, int):
        return str(value) if abs(value) < 10**_LONGEST_ID else None
    return repr(value) if math.isfinite(value) else None


def identifier(value: Any) -> str | None:
    """Return an id as text, as exact as it came; None when there is no usable one."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < _SAFE_INTEGER else None
    if isinstance(value, str) and len(value.strip()) > _LONGEST_ID:
        return None
    found = text(value)
    return found if found is not None and len(found) <= _LONGEST_ID else None


def record_id(value: Any) -> int | None:
    """Return a vendor's small number (a reason id), else None."""
    found = identifier(value)
    return int(found) if found and found.isascii() and found.isdigit() and len(found) <= 9 else None  # noqa: PLR2004 (fits 32 bits)


def number(value: Any) -> Decimal | None:
    """Return a finite decimal from a number or a decimal text, else None."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < 10**30 else None
    # A float's repr is the shortest text that reads back: for the up to 15 digits of a price, what the vendor wrote.
    written = value.strip()[:64] if isinstance(value, str) else repr(value)
    try:
        found = Decimal(written)
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found.adjusted()) < 40 else None  # noqa: PLR2004 (no quantity or price is near)


def units(value: Any) -> int | None:
    """Return the whole units of a quantity, else None when it is no quantity."""
    found = number(value)
    return int(found) if found is not None and 0 <= found <= _MOST_UNITS else None


def money(value: Any) -> Decimal | None:
    """Return an amount, else None when it is none we can keep."""
    found = number(value)
    return found if found is not None and 0 <= found <= _MOST_MONEY else None


def time(value: Any, notes: Notes) -> str | None:
    """Return a time as the text of `instant`; one without zone is read as UTC and noted, nonsense is noted and None."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            notes.note("time", "without zone")
            moment = moment.replace(tzinfo=UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, TypeError, AttributeError, OverflowError):
        notes.note("time", "unreadable")
        return None
    return instant(moment) if moment.year >= _FIRST_YEAR else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object's keys, or none."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list; everything else in it is left out."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def fold(value: Any) -> str:
    """Return a vendor's word for comparing: without blanks and case."""
    return "".join((text(value) or "").split()).casefold()


def clean(value: Any, depth: int = 0) -> Any:
    """Return vendor JSON as it can be stored: no lone surrogates, no endless nesting, no numbers that are none."""
    kind = type(value)
    if kind is str:
        return value if value.isprintable() else _storable(value)
    if kind is dict:
        if depth >= _DEEPEST:
            return None
        return {
            (key if key.isprintable() else _storable(key)): (
                entry if entry is None or type(entry) is bool else clean(entry, depth + 1)
            )
            for key, entry in value.items()
        }
    if kind is list:
        return [clean(entry, depth + 1) for entry in value] if depth < _DEEPEST else None
    return _number(value)


def _number(value: Any) -> Any:
    """Keep what is no text and no container, numbers too large or not finite excepted."""
    if type(value) is float and not math.isfinite(value):
        return None
    if type(value) is int and abs(value) >= 2**63:
        return text(value)
    return value


def digest(rows: list[Any]) -> str:
    """Return a short name of a page's content, to notice when the same page comes again."""
    return hashlib.sha256(repr(rows).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _storable(value: str) -> str:
    """Replace lone surrogates and control characters, which no store takes; keep everything else as it came."""
    if value.isprintable():
        return value
    kept = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return "".join(char if char in "\n\t" or not _is_control(char) else " " for char in kept)


def _is_control(char: str) -> bool:
    return ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0  # noqa: PLR2004 (the two control ranges)
