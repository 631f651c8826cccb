"""What connectors of suppliers share: lists in every wrapping, texts without mark-up, prices as exact decimals."""

import re
from collections.abc import Mapping
from decimal import Decimal
from html import unescape
from typing import Any

from shared.adapters.sources.reading import money, text, units

__all__ = ["cents", "pictures", "plain", "quantity", "unwrap_list"]

_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]{0,2000}>", re.IGNORECASE | re.DOTALL)
_BREAK = re.compile(r"<\s*(br|/p|/li|/div|/h[1-6])\s*/?>", re.IGNORECASE)
_MOST_TEXT = 20_000


def unwrap_list(value: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a bare list, of a single object, or of an object with one key that holds the list."""
    if isinstance(value, dict):
        inner = next(iter(value.values())) if len(value) == 1 else None
        value = inner if isinstance(inner, list) else [value]
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def plain(value: Any) -> str | None:
    """Return an HTML description as plain text; None when nothing is left."""
    if not isinstance(value, str):
        return None
    spaced = _BREAK.sub("\n", value[: 4 * _MOST_TEXT])
    bare = unescape(_TAG.sub(" ", spaced))
    lines = (" ".join(line.split()) for line in bare.splitlines())
    return "\n".join(line for line in lines if line)[:_MOST_TEXT] or None


def cents(value: Any) -> Decimal | None:
    """Return a price with two places; None when it is none."""
    found = money(value)
    return None if found is None else found.quantize(Decimal("0.01"))


def quantity(value: Any) -> int | None:
    """Return whole units, None when unknown."""
    return units(value)


def pictures(values: Any) -> tuple[str, ...]:
    """Return https addresses of pictures, at most 50."""
    found = (text(value) for value in values if value is not None)
    return tuple(dict.fromkeys(one for one in found if one and one.startswith("https://")))[:50]
