"""When a cron rule fires, in any time zone, through every change of its clocks.

Two sorts of rules behave differently when clocks are put forward or back, as people expect of them:

* A rule that **names hours** (`30 2 * * *`) is about local times. A skipped one fires at the first minute that exists, one
  that comes twice fires the first time only.
* A rule for **every hour** (`*/15 * * * *`) is about elapsed time: it fires whenever the local minute matches.

cronsim reads the rules and enumerates local times; which instants these are is decided here, because its own handling of
changes depends on how a field is written (`*/6` in the hour field would lose a skipped midnight).
"""

from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

__all__ = ["check_rule", "latest_slot", "next_slot"]

_FIELDS = 5
_HOURS = 24
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - local times have no zone here
_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


def check_rule(cron: str, time_zone: str) -> None:
    """Raise ValueError for a rule that is not five good fields or an unknown time zone."""
    _zone(time_zone)
    if len(cron.split()) != _FIELDS:
        message = "a cron rule has five fields: minute, hour, day of month, month, day of week"
        raise ValueError(message)
    try:
        next(CronSim(cron, _EPOCH))
    except CronSimError as error:
        message = f"not a cron rule: {error}"
        raise ValueError(message) from error
    except StopIteration as error:
        message = "this cron rule never fires"
        raise ValueError(message) from error


def next_slot(cron: str, time_zone: str, after: datetime) -> datetime:
    """Return the first instant (UTC) after the given one at which the rule fires."""
    zone = _zone(time_zone)
    if len(CronSim(cron, _EPOCH).hours) == _HOURS:
        return _next_elapsed(cron, zone, after.astimezone(UTC))
    for local in CronSim(cron, after.astimezone(zone).replace(tzinfo=None)):
        if (found := _instant(local, zone)) > after:
            return found
    message = "this cron rule never fires again"
    raise ValueError(message)


def latest_slot(cron: str, time_zone: str, after: datetime, until: datetime) -> datetime | None:
    """Return the last instant in (after, until] at which the rule fires, or None."""
    start = after
    for back in (timedelta(hours=1), timedelta(hours=25), timedelta(days=32)):
        if until - back > after and next_slot(cron, time_zone, until - back) <= until:
            start = until - back
            break
    latest = None
    while (slot := next_slot(cron, time_zone, latest or start)) <= until:
        latest = slot
    return latest


def _next_elapsed(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Look for the next matching minute under each offset in turn."""
    while True:
        offset = _offset(after, zone)
        fixed = timezone(offset)
        local = next(CronSim(cron, after.astimezone(fixed).replace(tzinfo=None)))
        found = local.replace(tzinfo=fixed).astimezone(UTC)
        change = _first_change(zone, after, found)
        if change is None:
            return found
        after = change - _SECOND
        if _matches(cron, change.astimezone(zone).replace(tzinfo=None)):
            return change
        after = change


def _matches(cron: str, local: datetime) -> bool:
    return next(CronSim(cron, local - _SECOND)) == local


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return when a local time is: the first of two, or the end of the gap it falls in."""
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == local:
        return first
    gap = _first_change(zone, first - 2 * _DAY, first)
    return gap or first


def _first_change(zone: ZoneInfo, start: datetime, end: datetime) -> datetime | None:
    """Return the first instant in (start, end] that has another offset than the one before it."""
    low = start.replace(microsecond=0)
    offset = _offset(low, zone)
    while low < end:
        high = min(low + _DAY, end)
        if _offset(high, zone) != offset:
            return _halved(zone, low, high, offset)
        low = high
    return None


def _halved(zone: ZoneInfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    """Narrow the change down to its second."""
    while high - low > _SECOND:
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


@lru_cache(1024)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = "not a time zone of the IANA database"
        raise ValueError(message) from error
