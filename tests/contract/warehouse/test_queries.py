"""Queries: one GoogleSQL text, the same exact answer on every engine."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.core.errors import Terminal, Transient
from tests.contract.warehouse.builders import AT, COUNTERS, READINGS, Desk, a_reading

EVER = datetime(2020, 1, 1, tzinfo=UTC)
NEVER = datetime(2030, 1, 1, tzinfo=UTC)
FILTERS: dict[str, Any] = dict.fromkeys(("to_time", "search", "least", "amount", "day", "ok", "ratio"))


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Give a warehouse with five readings of three things and one counter."""
    rows = [
        a_reading(id="a", at=AT, amount="10.10", count=1, ok=True, tags=["x", "y"], note="Beta", day=date(2026, 1, 15)),
        a_reading(
            id="a", at=AT + timedelta(hours=25, minutes=59), amount="0.20", count=4, ok=False, tags=["x"], note="alpha"
        ),
        a_reading(
            id="b", at=datetime(2026, 1, 31, 23, 30, tzinfo=UTC), amount="5", count=0, ok=True, tags=["y"], ratio=0.5
        ),
        a_reading(id="b", at=datetime(2026, 4, 1, 0, 0, tzinfo=UTC), amount=None, count=None, tags=[]),
        a_reading(id="c", at=datetime(2026, 4, 2, 0, 0, tzinfo=UTC), amount="7.77", count=10, ok=True, tags=["z"]),
    ]
    desk.warehouse.merge(READINGS, rows, batch_id="fill")
    desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 7}], batch_id="fill")
    return desk


def test_grouped_sums_counts_and_shares(filled: Desk) -> None:
    found = filled.golden("totals_by_tag", from_time=EVER, to_time=NEVER, tags=[])

    assert found == [
        _tag("y", 2, 2, 2, 1, "15.1", 15.1, 1.0),
        _tag("x", 2, 1, 1, 5, "10.3", 2.06, 0.5),
        _tag("z", 1, 1, 1, 10, "7.77", 0.777, 1.0),
    ]


def test_a_division_by_zero_is_null(filled: Desk) -> None:
    found = filled.golden("totals_by_tag", from_time=AT + timedelta(days=2), to_time=NEVER, tags=["y"])

    assert found == [_tag("y", 1, 1, 1, 0, "5", None, 1.0)]


@pytest.mark.parametrize(("tags", "expected"), [(["z", "x"], ["x", "z"]), (["nothing"], []), (None, ["y", "x", "z"])])
def test_a_list_parameter_selects(filled: Desk, tags: list[str] | None, expected: list[str]) -> None:
    found = filled.golden("totals_by_tag", from_time=EVER, to_time=NEVER, tags=tags)

    assert [row["tag"] for row in found] == expected


def test_buckets_follow_the_calendar_of_the_zone(filled: Desk) -> None:
    found = filled.golden("buckets", from_time=EVER, zone="Europe/Berlin")

    assert [tuple(row.values()) for row in found] == [
        (date(2026, 1, 15), date(2026, 1, 12), date(2026, 1, 1), date(2026, 1, 1), Decimal("10.1")),
        (date(2026, 1, 16), date(2026, 1, 12), date(2026, 1, 1), date(2026, 1, 1), Decimal("0.2")),
        (date(2026, 2, 1), date(2026, 1, 26), date(2026, 2, 1), date(2026, 1, 1), Decimal(5)),
        (date(2026, 4, 1), date(2026, 3, 30), date(2026, 4, 1), date(2026, 4, 1), None),
        (date(2026, 4, 2), date(2026, 3, 30), date(2026, 4, 1), date(2026, 4, 1), Decimal("7.77")),
    ]
    assert {type(row[name]) for row in found for name in ("day", "monday", "month", "quarter")} == {date}


def test_a_window_finds_the_latest_and_the_whole_hours_between(filled: Desk) -> None:
    found = filled.golden("latest", from_time=EVER, ids=["a", "c", "d"])

    assert found == [
        {"id": "a", "at": AT + timedelta(hours=25, minutes=59), "note": "alpha", "previous_at": AT, "hours": 25},
        {"id": "c", "at": datetime(2026, 4, 2, tzinfo=UTC), "note": None, "previous_at": None, "hours": None},
    ]


def test_quantiles_are_exact(filled: Desk) -> None:
    assert filled.golden("spread", from_time=EVER) == [
        {"known": 4, "mean": 3.75, "median": 2.5, "p90": pytest.approx(8.2)}
    ]


def test_arrays_structs_and_a_left_join(filled: Desk) -> None:
    found = filled.golden("collected", from_time=datetime(2026, 1, 15, tzinfo=UTC))

    assert found[0] == {
        "id": "a",
        "counts": [1, 4],
        "notes": "Beta, alpha",
        "pairs": [
            {"at": AT, "amount": Decimal("10.1")},
            {"at": AT + timedelta(hours=25, minutes=59), "amount": Decimal("0.2")},
        ],
        "n": 7,
        "verdict": "some",
    }
    assert [(row["counts"], row["notes"], row["n"], row["verdict"]) for row in found[1:]] == [
        ([0], None, -1, "all"),
        ([10], None, -1, "all"),
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ["a", "a", "b", "b", "c"]),
        ({"to_time": AT}, []),
        ({"search": "BET"}, ["a"]),
        ({"search": "%"}, []),
        ({"least": 4}, ["a", "c"]),
        ({"amount": Decimal("5.000000000")}, ["b"]),
        ({"day": date(2026, 1, 15)}, ["a"]),
        ({"ok": False}, ["a"]),
        ({"ratio": 0.5}, ["b"]),
    ],
)
def test_a_null_parameter_of_any_type_switches_its_filter_off(
    filled: Desk, given: dict[str, Any], expected: list[str]
) -> None:
    found = filled.golden("optional_filters", from_time=EVER, **FILTERS | given)

    assert [row["id"] for row in found] == expected


def test_nulls_sort_before_everything_going_up_and_after_it_going_down(filled: Desk) -> None:
    found = filled.golden("nulls", from_time=EVER)

    assert [(row["id"], row["up"], row["down"]) for row in found] == [
        ("b", 1, 5),
        ("b", 2, 4),
        ("a", 3, 3),
        ("a", 4, 2),
        ("c", 5, 1),
    ]


def test_days_without_rows_are_there_too(filled: Desk) -> None:
    found = filled.golden("days", from_time=EVER, first=date(2026, 1, 14), last=date(2026, 1, 17))

    assert [(row["day"], row["readings"]) for row in found] == [
        (date(2026, 1, 14), 0),
        (date(2026, 1, 15), 1),
        (date(2026, 1, 16), 1),
        (date(2026, 1, 17), 0),
    ]


def test_exact_numbers_stay_exact(desk: Desk) -> None:
    (found,) = desk.golden("exact", price=Decimal("19.99"), units=7)

    assert found == {
        "total": Decimal("139.93"),
        "nine": Decimal("0.123456789"),
        "up": Decimal("2.35"),
        "down": Decimal("-2.35"),
        "nothing": None,
        "rest": 1,
        "unreadable": None,
    }
    assert type(found["total"]) is Decimal


def test_arithmetic_with_times(desk: Desk) -> None:
    (found,) = desk.golden("moments", at=AT)

    assert found == {
        "midnight": datetime(2026, 1, 15, tzinfo=UTC),
        "full_hour": datetime(2026, 1, 15, 10, tzinfo=UTC),
        "later": datetime(2026, 1, 16, 22, 30, tzinfo=UTC),
        "sooner": datetime(2026, 1, 15, 10, 15, tzinfo=UTC),
        "day": date(2026, 1, 15),
        "next_month": date(2026, 2, 15),
        "hour": 10,
        "year": 2026,
        "days": 45,
        "whole_hours": 1,
        "hours_before": -1,
        "label": "2026-01",
    }


def test_parameters_other_than_the_declared_ones_are_an_error_of_ours(desk: Desk) -> None:
    for given in ({}, {"at": AT, "more": 1}):
        with pytest.raises(ValueError, match="declares"):
            desk.golden("moments", **given)


def test_a_parameter_cannot_break_out_of_its_place(filled: Desk) -> None:
    hostile = "x' OR 1=1; DROP TABLE readings; --"

    assert filled.golden("optional_filters", from_time=EVER, **FILTERS | {"search": hostile}) == []
    assert len(filled.readings()) == 5


def test_a_query_that_cannot_be_read_is_refused(desk: Desk) -> None:
    with pytest.raises(Terminal) as refusal:
        desk.ask("SELECT id FROM {counters} WHERE no_such_column = 1 ORDER BY id")

    assert refusal.value.code == "bad_query"


def test_bytes_are_told_without_running(filled: Desk) -> None:
    named = filled.named("SELECT id, n FROM {counters} ORDER BY id")

    assert filled.warehouse.scan_bytes(named, {}) == filled.warehouse.query(named, {}).bytes_scanned


def test_ping_answers(desk: Desk) -> None:
    desk.warehouse.ping()


def test_without_its_database_everything_is_transient(desk: Desk) -> None:
    named = desk.named("SELECT id, n FROM {counters} ORDER BY id")
    desk.break_down()

    for call in (
        desk.warehouse.ping,
        lambda: desk.warehouse.ensure([COUNTERS]),
        lambda: desk.warehouse.merge(COUNTERS, [{"id": "a", "n": 1}], batch_id="one"),
        lambda: desk.warehouse.query(named, {}),
    ):
        with pytest.raises(Transient):
            call()


def _tag(*values: Any) -> dict[str, Any]:
    tag, readings, good, things, units, value, unit_value, good_share = values
    return {
        "tag": tag,
        "readings": readings,
        "good": good,
        "things": things,
        "units": units,
        "value": Decimal(value),
        "unit_value": None if unit_value is None else pytest.approx(unit_value),
        "good_share": good_share,
    }
