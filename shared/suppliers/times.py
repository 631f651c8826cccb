"""When a schedule is due: hourly, daily or weekly at a time of day in a zone. Pure; a period runs once."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

__all__ = ["latest_slot", "next_slot"]

_MONDAY = 0


def latest_slot(schedule: Mapping[str, Any], now: datetime) -> datetime:
    """Return the newest moment, not after `now`, at which the schedule was due."""
    moment = _slot(schedule, now)
    return moment if moment <= now else _slot(schedule, now, back=1)


def next_slot(schedule: Mapping[str, Any], now: datetime) -> datetime:
    """Return the first moment after `now` at which the schedule is due."""
    for ahead in (0, -1, -2):
        moment = _slot(schedule, now, back=ahead)
        if moment > now:
            return moment
    raise AssertionError("one of three periods lies ahead")


def _slot(schedule: Mapping[str, Any], now: datetime, back: int = 0) -> datetime:
    """Return the due moment of the period that `now` lies in, or of one so many periods earlier."""
    zone = ZoneInfo(schedule["timezone"])
    hour, minute = (int(part) for part in schedule["time_of_day"].split(":"))
    if schedule["frequency"] == "hourly":
        return now.astimezone(UTC).replace(minute=minute, second=0, microsecond=0) - timedelta(hours=back)
    local = now.astimezone(zone)
    day = local.date()
    if schedule["frequency"] == "weekly":
        wanted = schedule["weekday"] if schedule["weekday"] is not None else _MONDAY
        day -= timedelta(days=(day.weekday() - wanted) % 7)
        day -= timedelta(weeks=back)
    else:
        day -= timedelta(days=back)
    # A local time that is skipped by a clock change stands for the moment it would have been, one that repeats for its first.
    return datetime.combine(day, time(hour, minute), zone).astimezone(UTC)
