"""J06: every slot once, through every change of the clocks, compared minute by minute with the calendar itself."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from shared.adapters.local_queue.cron import latest_slot, next_slot
from tests.faults.jobs.volume import sized

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SPECIAL = {
    "Africa/Cairo": "a skipped midnight",
    "America/New_York": "the usual hour",
    "America/St_Johns": "half past",
    "Antarctica/Troll": "two hours",
    "Asia/Kathmandu": "no change, odd offset",
    "Australia/Lord_Howe": "half an hour",
    "Europe/Berlin": "the usual hour",
    "Pacific/Chatham": "a quarter to",
}
Predicate = Callable[[datetime], bool]
# Rule, what it means of a local minute, and whether it names hours.
RULES: list[tuple[str, Predicate, bool]] = [
    ("30 2 * * *", lambda t: (t.hour, t.minute) == (2, 30), True),
    ("0 0 * * *", lambda t: (t.hour, t.minute) == (0, 0), True),
    ("*/20 0-4 * * *", lambda t: t.hour <= 4 and t.minute % 20 == 0, True),
    ("5 */6 * * *", lambda t: t.hour % 6 == 0 and t.minute == 5, True),
    ("45 1,2,3 * * 0", lambda t: t.hour in {1, 2, 3} and t.minute == 45 and t.weekday() == 6, True),
    ("*/15 * * * *", lambda t: t.minute % 15 == 0, False),
    ("7 * * * *", lambda t: t.minute == 7, False),
    ("10 0-23 * * *", lambda t: t.minute == 10, False),
]


def test_slots_are_right_around_every_change_of_the_clocks() -> None:
    changes = list(_changes(_zones(), 2026, 2027))
    print(f"{len(changes)} changes of {len({zone for zone, _ in changes})} zones, {len(RULES)} rules")

    wrong = [
        (zone, change.isoformat(), rule)
        for zone, change in changes
        for rule, means, named in RULES
        if _product(rule, zone, change - DAY, change + DAY) != _calendar(means, named, zone, change - DAY, change + DAY)
    ]

    assert wrong == []


def test_the_control_counting_in_utc_gets_them_wrong() -> None:
    changes = list(_changes(list(SPECIAL), 2026, 2026))

    wrong = [
        (zone, rule)
        for zone, change in changes
        for rule, means, named in RULES
        if _in_utc(rule, zone, change - DAY, change + DAY) != _calendar(means, named, zone, change - DAY, change + DAY)
    ]

    assert len(changes) == 14
    assert len(wrong) > 30


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # A skipped local time fires at the first minute that exists; the next day all is as usual.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:30Z"]),
        # A repeated one fires the first time.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        # Several skipped minutes are one slot.
        ("*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", ["2026-03-29T01:00Z", "2026-03-30T00:00Z"]),
        # Every quarter of an hour goes on through the repeated hour.
        ("*/15 * * * *", "Europe/Berlin", "2026-10-25T00:50Z", ["2026-10-25T01:00Z", "2026-10-25T01:15Z"]),
        # Midnight does not exist.
        ("0 */6 * * *", "Africa/Cairo", "2026-04-23T20:00Z", ["2026-04-23T22:00Z", "2026-04-24T03:00Z"]),
        # A whole day does not exist.
        ("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00Z", ["2011-12-30T10:00Z", "2012-12-29T22:00Z"]),
        # Leap days.
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00Z", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]),
        # Exactly on a slot means the next one; seconds do not matter.
        ("0 3 * * *", "UTC", "2026-01-01T03:00Z", ["2026-01-02T03:00Z"]),
        ("0 3 * * *", "UTC", "2026-01-01T02:59:59.999999Z", ["2026-01-01T03:00Z"]),
        ("*/15 * * * *", "Asia/Kathmandu", "2026-01-01T03:00:01.5Z", ["2026-01-01T03:15Z"]),
        ("0 2 * * 0", "UTC", "2026-11-01T02:00Z", ["2026-11-08T02:00Z"]),
    ],
)
def test_known_slots(cron: str, zone: str, after: str, expected: list[str]) -> None:
    slots, moment = [], datetime.fromisoformat(after)
    for _ in expected:
        moment = next_slot(cron, zone, moment)
        slots.append(moment)

    assert slots == [datetime.fromisoformat(text) for text in expected]


def test_missed_slots_yield_the_latest_one_only() -> None:
    seed = 20261101
    rng = random.Random(seed)
    zones = _zones()
    for case in range(sized(150, 2000)):
        cron, zone = rng.choice(RULES)[0], rng.choice(zones)
        after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(365 * 86400))
        until = after + timedelta(seconds=rng.choice([60, 3600, 90_000, 400_000]) * rng.uniform(0.1, 1))

        slots = _product(cron, zone, after, until)

        assert latest_slot(cron, zone, after, until) == (slots[-1] if slots else None), (seed, case, cron, zone)


def _zones() -> list[str]:
    """Return the zones of this run: the special ones and a sample, or all."""
    known = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    sample = random.Random(7).sample(known, sized(24, len(known)))
    return sorted({*SPECIAL, *sample})


def _changes(zones: list[str], first_year: int, last_year: int) -> Iterator[tuple[str, datetime]]:
    """Yield each change of a zone's offset in those years, to the minute."""
    for name in zones:
        zone, day = ZoneInfo(name), datetime(first_year, 1, 1, tzinfo=UTC)
        while day.year <= last_year:
            if day.astimezone(zone).utcoffset() != (day + DAY).astimezone(zone).utcoffset():
                minutes = (day + n * MINUTE for n in range(1441))
                before = day.astimezone(zone).utcoffset()
                yield name, next(minute for minute in minutes if minute.astimezone(zone).utcoffset() != before)
            day += DAY


def _product(cron: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    slots = []
    while (after := next_slot(cron, zone, after)) <= until:
        slots.append(after)
    return slots


Walls = list[tuple[datetime, datetime]]


@cache
def _walls(zone: str, after: datetime, until: datetime) -> Walls:
    """Return every minute of a time and of the day before it, with what the clock on the wall says."""
    local = ZoneInfo(zone)
    minutes = [after + n * MINUTE for n in range(1 - 1440, int((until - after) / MINUTE) + 1)]
    return [(minute, minute.astimezone(local).replace(tzinfo=None)) for minute in minutes]


def _calendar(means: Predicate, named: bool, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """Say when a rule fires by looking at every minute there is."""
    walls = _walls(zone, after, until)
    if not named:
        return [minute for minute, wall in walls if minute > after and means(wall)]
    first: dict[datetime, datetime] = {}
    for minute, wall in walls:
        first.setdefault(wall, minute)
    fired = {minute for wall, minute in first.items() if means(wall)}
    for (_, before), (minute, wall) in pairwise(walls):
        skipped = (before + n * MINUTE for n in range(1, max(1, int((wall - before) / MINUTE))))
        if any(means(each) for each in skipped):
            fired.add(minute)
    return sorted(minute for minute in fired if after < minute <= until)


def _in_utc(cron: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    """Do what a naive scheduler does: keep the offset of the beginning."""
    offset = after.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    return [slot - offset for slot in _product(cron, "UTC", after + offset, until + offset)]
