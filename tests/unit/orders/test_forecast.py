"""The demand of the coming days: the check of the contract, and what holds for any history."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.orders.forecast import Day, forecast

TODAY = date(2026, 1, 17)
"""A Saturday: tomorrow is Sunday."""


def history(units: list[int]) -> list[Day]:
    """Return days that end today, each with one order for ten units and ten cents a unit."""
    first = TODAY - timedelta(days=len(units) - 1)
    return [Day(first + timedelta(days=at), max(1, each // 10), each, each * 10) for at, each in enumerate(units)]


def test_two_flat_weeks_of_a_hundred_units_give_the_weekdays_their_share() -> None:
    told = forecast(history([100] * 14), TODAY, 7)

    by_weekday = {day.day.strftime("%a"): (day.units, day.orders, day.cents) for day in told}
    assert by_weekday == {
        "Sun": (70, 7, 700),
        "Mon": (100, 10, 1000),
        "Tue": (110, 11, 1100),
        "Wed": (110, 11, 1100),
        "Thu": (110, 11, 1100),
        "Fri": (100, 10, 1000),
        "Sat": (80, 8, 800),
    }


def test_growth_is_clamped_and_adds_up_by_the_day() -> None:
    told = forecast(history([100] * 7 + [1000] * 7), TODAY, 9)

    monday, next_monday = told[1], told[8]
    assert monday.units == int(1000 * (1 + 0.2 * 2 / 7))
    assert next_monday.units == int(1000 * (1 + 0.2 * 9 / 7))


def test_fewer_than_seven_days_of_history_foretell_nothing_and_fewer_than_fourteen_no_growth() -> None:
    assert forecast(history([10] * 6), TODAY, 30) == []
    assert forecast([], TODAY, 30) == []
    assert forecast(history([10] * 6 + [170]), TODAY, 2)[1].units == 32


@given(st.lists(st.integers(1, 10**6), min_size=7, max_size=40), st.integers(1, 90))
def test_every_day_brings_at_least_one_order_and_one_unit(units: list[int], forward: int) -> None:
    told = forecast(history(units), TODAY, forward)

    assert [day.day for day in told] == [TODAY + timedelta(days=n) for n in range(1, forward + 1)]
    assert all(day.units >= 1 and day.orders >= 1 and day.cents >= 0 for day in told)
