"""What a surface asks of the held orders and what it gets back of the older feed: words both sides know.

They stand apart from the service so that a function's routes load neither the reader of snapshots nor gzip before they are
needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.core.errors import ValidationFailed
from shared.core.values import dataclass, field
from shared.oos.queue import Filter, Place
from shared.oos.words import SOURCES

if TYPE_CHECKING:
    from shared.core.clock import Clock
    from shared.oos.analytics_models import SummaryQuery

__all__ = ["Asked", "Feed", "Look", "Span", "Walked", "span_of"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the queue is wanted. `pinned` (source -> snapshot id) comes from a cursor, `as_of` looks into the past."""

    wanted: Filter = field(default_factory=Filter)
    sources: Sequence[str] = SOURCES
    state: str = "open"
    sort: str = "opened_at"
    descending: bool = True
    limit: int = 50
    after: Place | None = None
    offset: int = 0
    pinned: Mapping[str, str] | None = None
    total: bool = False
    history: bool = False
    raw: bool = False
    coverage: bool = False
    promise: bool = False
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of the older feed: how to make its plain bytes and, for the default page, gzip; `etag` without quotes."""

    plain: Callable[[], bytes]
    packed: bytes | None
    etag: str
    total: int
    next: tuple[str, int] | None
    age_s: int | None


@dataclass(frozen=True, slots=True)
class Look:
    """Which snapshots to look at."""

    sources: Sequence[str] = SOURCES
    as_of: datetime | None = None
    pinned: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Inclusive bounds of a report, and how they are echoed."""

    start: datetime
    end: datetime
    shown: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Walked:
    """Which resolved orders to walk: sources, order, place to go on from, and what an index can pick out.

    `sku` is folded. `between` are inclusive bounds of the ordered time.
    """

    sources: Sequence[str]
    sort: str
    descending: bool = True
    after: Place | None = None
    sku: str | None = None
    reasons: Sequence[str] = ()
    between: tuple[str | None, str | None] = (None, None)


def span_of(query: SummaryQuery, clock: Clock, *, legacy: bool) -> Span:
    """Return the bounds asked for; raise ValidationFailed for what is no date or ends before it starts.

    Bare dates are days in the given zone. By default from the first of this month, UTC, until now.
    """
    zone = ZoneInfo(query.timezone)
    now = clock.now()
    first = now.astimezone(UTC).date().replace(day=1)
    start = _bound("start_date", query.start_date, zone, end=False, legacy=legacy)
    end = _bound("end_date", query.end_date, zone, end=True, legacy=legacy)
    span = Span(
        start or datetime.combine(first, time.min, UTC),
        end or now,
        (query.start_date or first.isoformat(), query.end_date or now.astimezone(UTC).date().isoformat()),
    )
    if span.end < span.start:
        raise ValidationFailed.at("query:end_date", "before_start", "end_date lies before start_date.")
    return span


def _bound(name: str, text: str | None, zone: ZoneInfo, *, end: bool, legacy: bool) -> datetime | None:
    if text is None:
        return None
    moment = _read(text, zone, end=end)
    if moment is not None and moment.tzinfo is None and not legacy:
        raise ValidationFailed.at(f"query:{name}", "naive_time", "A time needs its zone.")
    found = _in_utc(moment) if moment is not None else None
    if found is None:
        detail = "Give a date as YYYY-MM-DD, or a time as RFC 3339."
        raise ValidationFailed.at(f"query:{name}", "invalid_date", detail)
    return found


def _in_utc(moment: datetime) -> datetime | None:
    """Return a moment in UTC; None for the first and last hours of the calendar that UTC does not have."""
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _read(text: str, zone: ZoneInfo, *, end: bool) -> datetime | None:
    try:
        if _DAY.fullmatch(text):
            return _day(date.fromisoformat(text), zone, end=end)
        return datetime.fromisoformat(text.upper().replace(" ", "T", 1)) if _MOMENT.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _day(day: date, zone: ZoneInfo, *, end: bool) -> datetime:
    """Return the first or the last moment of a day in a zone."""
    if not end:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    following = datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    return following - timedelta(microseconds=1)
