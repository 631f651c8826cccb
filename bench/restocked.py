"""A seeded simulation of restocked products whose true day of running out is known.

Demand is Poisson, 2 to 20 units a day with a weekly rhythm (weekends 0.6 or 1.5 times a weekday); the shelf is refilled to a
target when it runs low, a refill in six arrives late and leaves days without stock. At the end each product has stock for
3 to 25 days; the truth is the day on which its further demand empties it.
"""

import math
from datetime import date, timedelta

__all__ = ["PRODUCTS", "simulated"]

PRODUCTS = 500
_DAYS = 180
_TODAY = date(2026, 3, 2)
_AHEAD = 90


def simulated() -> tuple[int, float, float]:
    """Return how many products got a date, how far it was off on average, and how far that of a 28-day mean was."""
    import numpy as np

    from shared.forecasting.history import History
    from shared.forecasting.prediction import Asked, predict

    rng = np.random.default_rng(17)
    found = 0
    errors: list[float] = []
    naive: list[float] = []
    for _ in range(PRODUCTS):
        rate, weekend = rng.uniform(2, 20), rng.choice([0.6, 1.5])
        days = [_TODAY - timedelta(days=back) for back in range(_DAYS, 0, -1)]
        units, weekdays, excluded = _past(rng, rate, weekend, days)
        history = History(days[0], days[-1], units, weekdays, excluded, len(units), [1])
        stock = max(1, round(rate * rng.uniform(3, 25)))
        truth = _truth(rng, rate, weekend, stock)
        made = predict(history, stock, _TODAY, Asked(_AHEAD))["depletion_date_p50"]
        if made is not None:
            found += 1
            errors.append(abs((date.fromisoformat(made) - _TODAY).days - truth))
        naive.append(abs(math.ceil(stock / max(sum(units[-28:]) / 28, 1e-9)) - truth))
    return found, float(np.mean(errors)), float(np.mean(naive))


def _past(rng: "object", rate: float, weekend: float, days: list[date]) -> tuple[list[int], list[int], int]:
    """Return sold units and weekdays of the days that say something, and how many say nothing."""
    stock, late, units, weekdays, excluded = round(rate * 20), 0, [], [], 0
    for day in days:
        if stock <= rate * 4 and late == 0:
            late = 4 if rng.random() < 1 / 6 else 1  # type: ignore[attr-defined]
        if late:
            late -= 1
            stock += round(rate * 20) if late == 0 else 0
        wanted = int(rng.poisson(_daily(rate, weekend, day)))  # type: ignore[attr-defined]
        sold = min(stock, wanted)
        if stock == 0:
            excluded += 1
            continue
        stock -= sold
        units.append(sold)
        weekdays.append(day.weekday())
    return units, weekdays, excluded


def _truth(rng: "object", rate: float, weekend: float, stock: int) -> int:
    day = 0
    while stock > 0:
        day += 1
        stock -= int(rng.poisson(_daily(rate, weekend, _TODAY + timedelta(days=day))))  # type: ignore[attr-defined]
    return day


def _daily(rate: float, weekend: float, day: date) -> float:
    return rate * 7 / (5 + 2 * weekend) * (weekend if day.weekday() >= 5 else 1.0)
