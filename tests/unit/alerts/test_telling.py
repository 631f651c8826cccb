"""Who is told when: quiet hours by the wall clock, silences, the digest's hour. Each rule beside a broken variant."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.alerts.rules import DEFAULTS
from shared.alerts.telling import Around, Hold, Verdict, covers, digest_slot, quiet_until, verdict
from shared.core.clock import instant

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca")
MINUTES = some.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
CHANGES = (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def quiet(start: str, end: str, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    """Return settings with quiet hours."""
    hours = {"quiet_hours_enabled": True, "quiet_hours_start": start, "quiet_hours_end": end, "time_zone": zone}
    return {**DEFAULTS, **hours, **more}


def an_alert(**facts: Any) -> dict[str, Any]:
    """Return what telling reads of an open alert."""
    named = {"store_id": "str_1", "product_id": "prd_1", "source": None}
    return {"alert_type": "low_stock", "severity": "warning", "status": "active", **named, **facts}


def told(alert: dict[str, Any], reason: str | None = None, **around: Any) -> Verdict:
    """Judge a delivery of an alert at noon."""
    usual: dict[str, Any] = {"silences": {}, "quiet": None, "critical_passes": True}
    return verdict({"reason": reason, "event": "opened-1"}, alert, Around(NOON, **(usual | around)))


@pytest.mark.parametrize(
    ("start", "end", "zone", "at", "until"),
    [
        ("22:00", "07:00", "UTC", "2026-01-15T23:30:00", "2026-01-16T07:00:00"),
        ("22:00", "07:00", "UTC", "2026-01-15T06:59:59", "2026-01-15T07:00:00"),
        ("22:00", "07:00", "UTC", "2026-01-15T07:00:00", None),
        ("22:00", "07:00", "UTC", "2026-01-15T22:00:00", "2026-01-16T07:00:00"),
        ("12:00", "13:00", "UTC", "2026-01-15T12:59:00", "2026-01-15T13:00:00"),
        ("12:00", "13:00", "UTC", "2026-01-15T13:00:00", None),
        ("22:00", "07:00", "America/New_York", "2026-01-15T11:30:00", "2026-01-15T12:00:00"),
        # Clocks go forward from 02:00 to 03:00: the night is an hour shorter.
        ("22:00", "07:00", "Europe/Berlin", "2026-03-28T21:30:00", "2026-03-29T05:00:00"),
        # The end does not exist that night: quiet is over when the clock jumps over it.
        ("22:00", "02:30", "Europe/Berlin", "2026-03-29T00:30:00", "2026-03-29T01:00:00"),
        # Clocks go back from 03:00 to 02:00: the wall shows 02:30 twice, and both times the hours begin and end.
        ("22:00", "02:30", "Europe/Berlin", "2026-10-25T00:15:00", "2026-10-25T00:30:00"),
        ("22:00", "02:30", "Europe/Berlin", "2026-10-25T01:15:00", "2026-10-25T01:30:00"),
    ],
)
def test_quiet_hours_end_when_the_wall_clock_says_so(
    start: str, end: str, zone: str, at: str, until: str | None
) -> None:
    found = quiet_until(datetime.fromisoformat(at).replace(tzinfo=UTC), quiet(start, end, zone))

    assert found == (datetime.fromisoformat(until).replace(tzinfo=UTC) if until else None)


@settings(max_examples=120, deadline=None)
@given(
    start=MINUTES,
    end=MINUTES,
    zone=some.sampled_from(ZONES),
    day=some.sampled_from(CHANGES),
    minute=some.integers(-1500, 1500),
)
def test_quiet_hours_hold_throughout_and_are_over_at_their_end(
    start: str, end: str, zone: str, day: datetime, minute: int
) -> None:
    """Any hours, any zone, around changes of the clocks: every quarter before the end is quiet, the end is not."""
    if start == end:
        return
    now, given_hours = day + timedelta(minutes=minute), quiet(start, end, zone)

    until = quiet_until(now, given_hours)

    shown = now.astimezone(ZoneInfo(zone)).strftime("%H:%M")
    inside = start <= shown < end if start < end else shown >= start or shown < end
    assert (until is not None) == inside
    if until is not None:
        assert now < until <= now + timedelta(hours=26)
        assert quiet_until(until, given_hours) is None
        quarters = range(int((until - now) / timedelta(minutes=15)) + 1)
        passed = [now + number * timedelta(minutes=15) for number in quarters]
        assert all(quiet_until(moment, given_hours) == until for moment in passed if moment < until)


def test_control_adding_the_nights_length_in_utc_is_wrong_when_clocks_change() -> None:
    now, hours = datetime(2026, 3, 28, 21, 30, tzinfo=UTC), quiet("22:00", "07:00", "Europe/Berlin")
    naive = now.replace(hour=21, minute=0) + timedelta(hours=9)

    assert quiet_until(now, hours) != naive


def test_switched_off_there_are_no_quiet_hours() -> None:
    assert quiet_until(NOON, {**quiet("00:00", "23:59"), "quiet_hours_enabled": False}) is None


def test_critical_alerts_pass_quiet_hours_where_the_setting_says_so() -> None:
    until, critical = NOON + timedelta(minutes=50), an_alert(severity="critical")

    assert told(an_alert(), quiet=until) == Verdict(Hold.QUIET_HOURS, instant(until))
    assert told(critical, quiet=until) == Verdict()
    hour = instant(NOON + timedelta(hours=1))
    assert told(an_alert(), quiet=NOON + timedelta(hours=9)) == Verdict(Hold.QUIET_HOURS, hour)
    assert told(critical, quiet=until, critical_passes=False) == Verdict(Hold.QUIET_HOURS, instant(until))


def test_muted_snoozed_and_resolved_alerts_are_not_told_of() -> None:
    later, before = instant(NOON + timedelta(minutes=1)), instant(NOON)

    assert told(an_alert(muted_at=before)) == Verdict(Hold.MUTED)
    assert told(an_alert(snoozed_until=later)) == Verdict(Hold.SNOOZED)
    assert told(an_alert(snoozed_until=before)) == Verdict()
    assert told(an_alert(status="resolved"), "quiet_hours") == Verdict(Hold.RESOLVED)
    assert told(an_alert(last_event="escalated-2"), "quiet_hours") == Verdict(Hold.SUPERSEDED)
    assert told(an_alert(last_event="escalated-2")) == told(an_alert(last_event="opened-1"), "silenced") == Verdict()
    assert told(an_alert(status="resolved")) == Verdict()
    assert told(an_alert(inhibited_by="alr_9")) == Verdict(
        Hold.INHIBITED, instant(NOON + timedelta(minutes=5)), "alr_9"
    )


def test_a_silence_holds_what_it_names_until_it_ends_and_is_looked_at_often() -> None:
    long = {"sil_1": {"alert_types": ["low_stock"], "ends_at": instant(NOON + timedelta(days=1))}}
    short = {"sil_2": {"store_id": "str_1", "ends_at": instant(NOON + timedelta(minutes=2))}}

    assert told(an_alert(), silences=long) == Verdict(Hold.SILENCED, instant(NOON + timedelta(minutes=5)), "sil_1")
    assert told(an_alert(), silences=short) == Verdict(Hold.SILENCED, instant(NOON + timedelta(minutes=2)), "sil_2")
    assert told(an_alert(store_id="str_2"), silences=short) == Verdict()


@pytest.mark.parametrize(
    ("silence", "expected"),
    [
        ({"alert_types": ["low_stock", "feed_stale"]}, True),
        ({"alert_types": ["feed_stale"]}, False),
        ({"alert_types": ["low_stock"], "store_id": "str_2"}, False),
        ({"product_id": "prd_1", "store_id": "str_1"}, True),
        ({"source": "stord"}, False),
    ],
)
def test_a_silence_covers_what_is_all_that_it_names(silence: dict[str, Any], expected: bool) -> None:
    assert covers(silence, an_alert()) is expected


def digest(hour: int, zone: str = "UTC", since: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> dict[str, Any]:
    """Return settings with a digest."""
    named = {"digest_enabled": True, "digest_hour": hour, "time_zone": zone}
    return {**DEFAULTS, **named, "digest_since": instant(since)}


def test_a_digest_is_due_from_its_hour_on_however_late_it_is_asked_for() -> None:
    seven = datetime(2026, 1, 15, 7, tzinfo=UTC)

    assert digest_slot(seven, digest(8, "Europe/Berlin")) == ("2026-01-15", seven)
    assert digest_slot(seven + timedelta(hours=9), digest(8, "Europe/Berlin")) == ("2026-01-15", seven)
    yesterday = ("2026-01-14", seven - timedelta(days=1))
    assert digest_slot(seven - timedelta(seconds=1), digest(8, "Europe/Berlin")) == yesterday


def test_a_digest_begins_with_the_hour_after_it_was_wanted() -> None:
    assert digest_slot(NOON, digest(8, since=NOON - timedelta(hours=1))) is None
    assert digest_slot(NOON + timedelta(days=1), digest(8, since=NOON)) is not None
    assert digest_slot(NOON, {**digest(8), "digest_enabled": False}) is None


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 2, 23])
def test_each_local_day_has_one_digest_through_changes_of_the_clocks(zone: str, hour: int) -> None:
    wanted, start = digest(hour, zone), datetime(2026, 1, 2, tzinfo=UTC)
    moments = (start + number * timedelta(minutes=30) for number in range(48 * 330))
    slots = {slot for moment in moments if (slot := digest_slot(moment, wanted)) is not None}

    days = [day for day, _ in slots]
    assert len(days) == len(set(days))
    assert len(days) in {330, 331}
    local = {slot.astimezone(ZoneInfo(zone)).time().replace(fold=0) for _, slot in slots}
    assert time(hour) in local
