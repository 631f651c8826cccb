"""Calendar periods of a time zone: the buckets of reports. Pure; times in and out are aware UTC.

A period begins at midnight of its first day in the zone, also where the clock then shows another time because it moved at
midnight, and ends a microsecond before the next begins. Days may have 23 or 25 hours, and a day that a zone skipped is none.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from zoneinfo import ZoneInfo

from shared.core.values import dataclass

__all__ = ["TICK", "Bucket", "Span", "buckets", "day_end", "day_start", "first_day", "label"]

TICK = timedelta(microseconds=1)


class Bucket(StrEnum):
    """How a range is cut."""

    NONE = "none"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Span:
    """One period: its first day in the zone, and its first and last microsecond in UTC."""

    first_day: date
    period: str
    start: datetime
    end: datetime


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in a zone; for a skipped midnight or day, the moment of the jump."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """Return the last moment of a day in a zone."""
    return day_start(day + timedelta(days=1), zone) - TICK


def first_day(day: date, bucket: Bucket) -> date:
    """Return the first day of the period that holds a day."""
    if bucket is Bucket.WEEKLY:
        return day - timedelta(days=day.weekday())
    if bucket is Bucket.MONTHLY:
        return day.replace(day=1)
    if bucket is Bucket.YEARLY:
        return day.replace(month=1, day=1)
    return day


def following(day: date, bucket: Bucket) -> date:
    """Return the first day of the period after the one that begins with `day`."""
    if bucket is Bucket.WEEKLY:
        return day + timedelta(days=7)
    if bucket is Bucket.MONTHLY:
        return (day + timedelta(days=32)).replace(day=1)
    if bucket is Bucket.YEARLY:
        return day.replace(year=day.year + 1)
    return day + timedelta(days=1)


def label(day: date, bucket: Bucket) -> str:
    """Return how a period that begins with `day` is written."""
    if bucket is Bucket.WEEKLY:
        return f"{day} to {day + timedelta(days=6)}"
    if bucket is Bucket.MONTHLY:
        return f"{day:%Y-%m}"
    return f"{day:%Y}" if bucket is Bucket.YEARLY else f"{day}"


def buckets(start: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo, *, most: int) -> list[Span] | None:
    """Return every period that touches [start, end], whole and ascending; None when there are more than `most`.

    Without buckets the one span is the range itself.
    """
    if bucket is Bucket.NONE:
        return [Span(start.astimezone(zone).date(), "all", start, end)]
    found = list(islice(_spans(start, end, bucket, zone), most + 1))
    return found if len(found) <= most else None


def _spans(start: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo) -> Iterator[Span]:
    day = first_day(start.astimezone(zone).date(), bucket)
    begin = day_start(day, zone)
    while begin <= end:
        after = following(day, bucket)
        close = day_start(after, zone)
        if close > begin and close > start:
            yield Span(day, label(day, bucket), begin, close - TICK)
        day, begin = after, close
