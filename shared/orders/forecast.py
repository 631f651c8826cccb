"""What transfer orders the coming days are likely to bring: the last week's level, its growth, and the weekday (api.md, 2.7.2)."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from shared.core.values import dataclass

__all__ = ["SEASON", "Day", "forecast"]

SEASON = {
    0: Fraction(1),
    1: Fraction(11, 10),
    2: Fraction(11, 10),
    3: Fraction(11, 10),
    4: Fraction(1),
    5: Fraction(8, 10),
    6: Fraction(7, 10),
}
"""How much of the usual level a weekday brings; Monday is 0."""
_WEEK = 7
_MOST_GROWTH = Fraction(1, 5)


@dataclass(frozen=True, slots=True)
class Day:
    """What one day brought, or is likely to bring."""

    day: date
    orders: int
    units: int
    cents: int


def forecast(history: Sequence[Day], today: date, forward: int) -> list[Day]:
    """Return the coming days; none with fewer than seven days of history (ascending days that had orders)."""
    if len(history) < _WEEK:
        return []
    orders = _Trend.of([one.orders for one in history])
    units = _Trend.of([one.units for one in history])
    cents = _Trend.of([one.cents for one in history])
    days = [today + timedelta(days=number) for number in range(1, forward + 1)]
    return [
        Day(
            day,
            max(1, int(orders.at(day, number))),
            max(1, int(units.at(day, number))),
            max(0, _rounded(cents.at(day, number))),
        )
        for number, day in enumerate(days, 1)
    ]


@dataclass(frozen=True, slots=True)
class _Trend:
    """The level and the weekly growth of one measure."""

    base: Fraction
    growth: Fraction

    @classmethod
    def of(cls, values: Sequence[int]) -> "_Trend":
        base = Fraction(sum(values[-_WEEK:]), _WEEK)
        before = Fraction(sum(values[-2 * _WEEK : -_WEEK]), _WEEK)
        if len(values) < 2 * _WEEK or not before:
            return cls(base, Fraction(0))
        return cls(base, max(-_MOST_GROWTH, min(_MOST_GROWTH, (base - before) / before)))

    def at(self, day: date, number: int) -> Fraction:
        return self.base * SEASON[day.weekday()] * (1 + self.growth * number / _WEEK)


def _rounded(value: Fraction) -> int:
    exact = Decimal(value.numerator) / value.denominator
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
