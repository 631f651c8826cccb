"""Calendar periods partition the range, in any time zone, over any range."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sales.buckets import TICK, Bucket, Span, buckets, first_day

CUT = [bucket for bucket in Bucket if bucket is not Bucket.NONE]
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})).map(ZoneInfo)
MOMENTS = st.integers(0, 200 * 365 * 86400).map(
    lambda second: datetime(1900, 1, 2, tzinfo=UTC) + timedelta(seconds=second)
)
SPANS = st.timedeltas(timedelta(0), timedelta(days=900))


def cut(start: datetime, end: datetime, bucket: Bucket, zone: str = "UTC") -> list[Span]:
    """Return the periods of a range that has few enough of them."""
    found = buckets(start, end, bucket, ZoneInfo(zone), most=3700)
    assert found is not None
    return found


def partitions(spans: list[Span], start: datetime, end: datetime) -> bool:
    """Say whether spans follow each other without gap or overlap and cover a range, the outer ones touching it."""
    meets = all(one.end + TICK == other.start for one, other in pairwise(spans))
    return meets and spans[0].start <= start <= spans[0].end and spans[-1].start <= end <= spans[-1].end


@given(MOMENTS, SPANS, st.sampled_from(CUT), ZONES)
def test_buckets_partition_any_range_in_any_zone(
    start: datetime, length: timedelta, bucket: Bucket, zone: ZoneInfo
) -> None:
    spans = buckets(start, start + length, bucket, zone, most=3700)

    assert spans is not None
    assert partitions(spans, start, start + length)
    assert all(one.start.astimezone(zone).hour == 0 or _jumped(one, zone) for one in spans)


def _jumped(span: Span, zone: ZoneInfo) -> bool:
    """Say whether the clock of a zone moved at the beginning of a span."""
    before, after = (span.start - TICK).astimezone(zone), span.start.astimezone(zone)
    return before.utcoffset() != after.utcoffset()


def test_control_periods_of_24_hours_do_not_partition_a_year_with_clock_changes() -> None:
    zone = ZoneInfo("Europe/Berlin")
    days = [datetime(2024, 1, 1, tzinfo=zone) + timedelta(days=n) for n in range(366)]
    naive = [
        Span(day.date(), "", day.astimezone(UTC), day.astimezone(UTC) + timedelta(hours=24) - TICK) for day in days
    ]

    assert not partitions(naive, naive[0].start, naive[-1].end)


@given(st.dates(date(1900, 1, 1), date(2900, 1, 1)), st.sampled_from(CUT))
def test_every_day_lies_in_the_period_that_begins_on_its_first_day(day: date, bucket: Bucket) -> None:
    first = first_day(day, bucket)

    assert first <= day
    assert first_day(first, bucket) == first


def test_weeks_run_from_monday_and_are_shown_whole() -> None:
    spans = cut(datetime(2023, 1, 4, tzinfo=UTC), datetime(2023, 1, 12, 23, 59, tzinfo=UTC), Bucket.WEEKLY)

    assert [span.period for span in spans] == ["2023-01-02 to 2023-01-08", "2023-01-09 to 2023-01-15"]
    assert spans[0].start == datetime(2023, 1, 2, tzinfo=UTC)
    assert spans[1].end == datetime(2023, 1, 15, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25), (date(2024, 6, 1), 24)])
def test_a_day_has_the_hours_its_clock_shows(day: date, hours: int) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    (span,) = cut(noon, noon, Bucket.DAILY, "Europe/Berlin")

    assert span.end + TICK - span.start == timedelta(hours=hours)


def test_a_midnight_that_the_clock_skips_begins_the_day_at_the_jump() -> None:
    noon = datetime(2018, 11, 4, 15, tzinfo=UTC)
    (span,) = cut(noon, noon, Bucket.DAILY, "America/Sao_Paulo")

    assert span.start.astimezone(ZoneInfo("America/Sao_Paulo")).isoformat() == "2018-11-04T01:00:00-02:00"


def test_a_day_that_a_zone_skipped_is_none() -> None:
    spans = cut(
        datetime(2011, 12, 29, 12, tzinfo=UTC), datetime(2011, 12, 31, 12, tzinfo=UTC), Bucket.DAILY, "Pacific/Apia"
    )

    assert [span.period for span in spans] == ["2011-12-29", "2011-12-31", "2012-01-01"]


def test_months_and_years_are_named_as_people_write_them() -> None:
    start, end = datetime(2023, 11, 15, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)

    assert [span.period for span in cut(start, end, Bucket.MONTHLY)] == ["2023-11", "2023-12", "2024-01"]
    assert [span.period for span in cut(start, end, Bucket.YEARLY)] == ["2023", "2024"]


def test_without_buckets_there_is_one_from_start_to_end() -> None:
    start, end = datetime(2023, 11, 15, 5, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)

    assert [(one.period, one.start, one.end) for one in cut(start, end, Bucket.NONE)] == [("all", start, end)]


def test_more_periods_than_wanted_are_none_and_cost_little() -> None:
    start, end = datetime(1900, 1, 1, tzinfo=UTC), datetime(2999, 12, 31, tzinfo=UTC)

    assert buckets(start, end, Bucket.DAILY, ZoneInfo("UTC"), most=3700) is None
    assert buckets(start, start + timedelta(days=3699), Bucket.DAILY, ZoneInfo("UTC"), most=3700) is not None
    assert buckets(start, start + timedelta(days=3700), Bucket.DAILY, ZoneInfo("UTC"), most=3700) is None
