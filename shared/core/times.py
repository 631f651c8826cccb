"""Times on the wire: RFC 3339 with a zone in (UTC is assumed on legacy paths only), UTC with `Z` out."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.core.once import later

__all__ = ["Day", "From", "Instant", "To", "end_of", "start_of"]

_INSTANT = later(
    lambda: re.compile(
        r"\d{4}-\d{2}-\d{2}[Tt ][0-2]\d:[0-5]\d:[0-5]\d(?:\.\d{1,6})?([Zz]|[+-][0-2]\d:[0-5]\d)?", re.ASCII
    )
)
_DAY = later(lambda: re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII))


def start_of(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime.combine(day, time.min, UTC)


def end_of(day: date) -> datetime:
    """Return the last moment of a UTC day."""
    return datetime.combine(day, time.max, UTC)


def _instant(value: object, info: ValidationInfo) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    found = _INSTANT.fullmatch(value) if isinstance(value, str) else None
    if found is None or not isinstance(value, str):
        raise PydanticCustomError("invalid_time", "Give a time as RFC 3339, such as 2026-01-15T10:30:00Z.")
    if found[1] is None and not _is_legacy(info):
        raise PydanticCustomError("naive_time", "A time needs its zone: end it with Z or an offset such as +01:00.")
    return _utc(value)


def _utc(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T", 1))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("invalid_time", "There is no such time.") from None


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("invalid_date", "Give a date as YYYY-MM-DD.")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("invalid_date", "There is no such date.") from None


def _from(value: object, info: ValidationInfo) -> datetime:
    return start_of(_day(value)) if _is_day(value) else _instant(value, info)


def _to(value: object, info: ValidationInfo) -> datetime:
    return end_of(_day(value)) if _is_day(value) else _instant(value, info)


def _is_day(value: object) -> bool:
    return isinstance(value, str) and _DAY.fullmatch(value) is not None


def _is_legacy(info: ValidationInfo) -> bool:
    return isinstance(info.context, dict) and bool(info.context.get("legacy"))


_TIME = WithJsonSchema({"type": "string", "format": "date-time"})
_EITHER = WithJsonSchema(
    {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}, mode="validation"
)

Instant = Annotated[datetime, BeforeValidator(_instant), _TIME]
"""A moment; naive input is `naive_time`."""

Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day."""

From = Annotated[datetime, BeforeValidator(_from), _EITHER]
"""A lower bound: a moment, or a day standing for its first moment in UTC."""

To = Annotated[datetime, BeforeValidator(_to), _EITHER]
"""An inclusive upper bound: a moment, or a day standing for its last moment in UTC."""
