"""When schedules are due: every period once, in any zone, over clock changes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.suppliers.times import latest_slot, next_slot

ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")
moments = st.integers(0, 4 * 366 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def a_schedule(frequency: str, zone: str = "UTC", at: str = "03:00", weekday: int | None = None) -> dict[str, Any]:
    """Return a schedule's times."""
    return {"frequency": frequency, "timezone": zone, "time_of_day": at, "weekday": weekday}


schedules = st.builds(
    a_schedule,
    st.sampled_from(("hourly", "daily", "weekly")),
    st.sampled_from(ZONES),
    st.sampled_from(("00:00", "02:30", "03:00", "23:59")),
    st.one_of(st.none(), st.integers(0, 6)),
)


@given(schedules, moments)
def test_now_lies_between_the_latest_slot_and_the_next(schedule: dict[str, Any], now: datetime) -> None:
    latest, following = latest_slot(schedule, now), next_slot(schedule, now)

    assert latest <= now < following
    assert latest_slot(schedule, latest) == latest
    assert latest_slot(schedule, following - timedelta(microseconds=1)) == latest


@pytest.mark.parametrize(
    ("schedule", "now", "latest"),
    [
        (a_schedule("hourly", at="00:20"), "2026-01-15T10:19", "2026-01-15T09:20"),
        (a_schedule("daily", "Europe/Paris"), "2026-07-15T00:59", "2026-07-14T01:00"),
        (a_schedule("daily", "Europe/Paris"), "2026-01-15T02:00", "2026-01-15T02:00"),
        (a_schedule("weekly", weekday=6), "2026-01-15T10:00", "2026-01-11T03:00"),
        (a_schedule("weekly"), "2026-01-12T02:59", "2026-01-05T03:00"),
    ],
)
def test_slots_are_local_times_of_day(schedule: dict[str, Any], now: str, latest: str) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert latest_slot(schedule, at(now)) == at(latest)


def test_a_year_of_days_has_one_slot_each_over_both_clock_changes() -> None:
    zone = ZoneInfo("Europe/Paris")
    schedule = a_schedule("daily", zone.key, "02:30")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    slots = set()
    while now < datetime(2027, 1, 1, tzinfo=UTC):
        slots.add(latest_slot(schedule, now))
        now += timedelta(minutes=15)

    assert len({slot.astimezone(zone).date() for slot in slots}) == len(slots) == 366
