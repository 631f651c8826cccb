"""How long a vendor asks us to wait: it says so in one of several headers, or in a sentence."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["LONGEST_WAIT_S", "asked_wait_s"]

LONGEST_WAIT_S = 3600.0
_HEADERS = ("x-retry-after", "retry-after", "x-ratelimit-reset", "ratelimit-retry-after")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
_SENTENCE = re.compile(r"(?<![\d.-])(\d{1,9})\s*(?:s\b|sec)", re.ASCII | re.IGNORECASE)
_AN_INSTANT = 1_000_000_000


def asked_wait_s(headers: Mapping[str, str], message: str, now: datetime) -> float | None:
    """Return the wait asked for, cut at an hour; None when there is no usable number (nonsense counts as absent)."""
    for name in _HEADERS:
        wait_s = _header_wait_s(headers.get(name, "").strip(), now)
        if wait_s is not None:
            return min(wait_s, LONGEST_WAIT_S)
    found = _SENTENCE.search(message)
    return min(float(found[1]), LONGEST_WAIT_S) if found else None


def _header_wait_s(text: str, now: datetime) -> float | None:
    if _NUMBER.fullmatch(text):
        number = float(text)
        return max(0.0, number - now.timestamp()) if number >= _AN_INSTANT else number
    if not text or not text[0].isalpha():
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
