"""Whether people are told of an alert now, later or never: snoozes, mutes, silences, stale feeds, quiet hours. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from shared.alerts.words import AlertStatus, Severity
from shared.core.clock import instant, parse_instant
from shared.core.values import dataclass

__all__ = ["LOOK_AGAIN", "Around", "Hold", "Verdict", "covers", "digest_slot", "quiet_until", "verdict"]

Data = Mapping[str, Any]

LOOK_AGAIN = timedelta(minutes=5)
"""How soon something is looked at again whose end nobody knows."""
_SETTINGS_MAY_CHANGE = timedelta(hours=1)
"""What waits for the end of quiet hours is looked at as often: they may have been given up."""
_MINUTE = timedelta(minutes=1)
_DAY_MINUTES = 24 * 60
_MATCHED = (("alert_types", "alert_type"), ("store_id", "store_id"), ("product_id", "product_id"), ("source", "source"))


class Hold(StrEnum):
    """Why somebody is not told now."""

    RESOLVED = "resolved"
    SUPERSEDED = "superseded"
    MUTED = "muted"
    SNOOZED = "snoozed"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    QUIET_HOURS = "quiet_hours"
    CHANNEL_OFF = "channel_off"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of something to be told: sent now (no reason), later (`until`), or never (a reason without `until`).

    `by` is the silence, or the alert of the feed, that holds it.
    """

    reason: Hold | None = None
    until: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """What is so for all alerts now: the silences in force by id, when the present quiet hours end, who passes them."""

    now: datetime
    silences: Mapping[str, Data]
    quiet: datetime | None
    critical_passes: bool


def verdict(delivery: Data, alert: Data, around: Around) -> Verdict:
    """Say whether a delivery of an alert goes out now.

    What has waited is not told any more when the alert is resolved, or when something newer is to be told of it.
    """
    now, silences = around.now, around.silences
    never = _never(delivery, alert, now)
    if never is not None:
        return Verdict(never)
    silence = next((key for key, one in sorted(silences.items()) if covers(one, alert)), None)
    if silence is not None:
        ends = parse_instant(silences[silence]["ends_at"])
        return Verdict(Hold.SILENCED, instant(min(now + LOOK_AGAIN, ends)), silence)
    if alert.get("inhibited_by"):
        return Verdict(Hold.INHIBITED, instant(now + LOOK_AGAIN), alert["inhibited_by"])
    passes = around.critical_passes and alert["severity"] == Severity.CRITICAL.value
    if passes or around.quiet is None:
        return Verdict()
    return Verdict(Hold.QUIET_HOURS, instant(min(around.quiet, now + _SETTINGS_MAY_CHANGE)))


def _never(delivery: Data, alert: Data, now: datetime) -> Hold | None:
    """Say why a delivery will never go out, None when it will."""
    waited = delivery["reason"] is not None
    if waited and alert["status"] == AlertStatus.RESOLVED.value:
        return Hold.RESOLVED
    if waited and alert.get("last_event", delivery["event"]) != delivery["event"]:
        return Hold.SUPERSEDED
    if alert.get("muted_at"):
        return Hold.MUTED
    return Hold.SNOOZED if (alert.get("snoozed_until") or "") > instant(now) else None


def covers(silence: Data, alert: Data) -> bool:
    """Say whether a silence is about an alert: everything it names must be so; what it leaves out may be anything."""
    return all(_named(silence.get(name), alert.get(of)) for name, of in _MATCHED)


def _named(wanted: Any, found: Any) -> bool:
    return wanted is None or (found in wanted if isinstance(wanted, list) else found == wanted)


def quiet_until(now: datetime, settings: Data) -> datetime | None:
    """Return when the quiet hours of this moment end, None outside of them.

    Quiet is what the wall clock shows, from the start up to before the end, over midnight too. Their end is the first whole
    minute at which the wall clock shows something else, whatever happens to the clock in between.
    """
    if not settings["quiet_hours_enabled"]:
        return None
    start, end = (time.fromisoformat(settings[f"quiet_hours_{name}"]) for name in ("start", "end"))
    zone = ZoneInfo(settings["time_zone"])
    if not _is_quiet(now, zone, start, end):
        return None
    minute = now.replace(second=0, microsecond=0)
    later: Iterable[datetime] = (minute + passed * _MINUTE for passed in range(1, 2 * _DAY_MINUTES))
    return next((moment for moment in later if not _is_quiet(moment, zone, start, end)), None)


def _is_quiet(moment: datetime, zone: ZoneInfo, start: time, end: time) -> bool:
    shown = moment.astimezone(zone).time().replace(fold=0)
    return start <= shown < end if start < end else shown >= start or shown < end


def digest_slot(now: datetime, settings: Data) -> tuple[str, datetime] | None:
    """Return the local day and the moment of the latest digest that is due; None while there is none.

    The hour is the local one; where a change of the clocks skips it, the digest comes as much later as was skipped, and
    where the hour comes twice, it comes the first time. A digest is due only after `digest_since`.
    """
    if not settings["digest_enabled"] or settings["digest_since"] is None:
        return None
    zone, hour = ZoneInfo(settings["time_zone"]), time(settings["digest_hour"])
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        slot = datetime.combine(day, hour, zone).astimezone(now.tzinfo)
        if slot <= now:
            return (day.isoformat(), slot) if slot > parse_instant(settings["digest_since"]) else None
    return None
