"""What a rate and a spread mean for the days ahead: quantiles of demand, the days on which stock may have run out.

A day's demand is negative binomial. Over h days the rate itself is uncertain, lognormally with median 1 and coefficient of
variation `RATE_SPREAD`: the mean of the sum is rate x h x sqrt(1 + c^2), its variance the days' own plus (c x mean)^2.
`RATE_SPREAD` was chosen where P90 covers 90 % at four origins that no goal is measured at (bench accuracy says which).
"""

import numpy as np

from shared.core.values import dataclass
from shared.forecasting.maths.histories import Floats
from shared.forecasting.maths.negbin import at_least, quantile

__all__ = ["CHANCES", "RATE_SPREAD", "Outlook", "look_ahead", "out_by", "sums", "weekly"]

RATE_SPREAD = 0.6
CHANCES = (0.1, 0.5, 0.9)
_LIFT = float(np.sqrt(1 + RATE_SPREAD**2))
_Z95 = 1.6448536269514722
_PRIOR_WEEKS = 4.0


@dataclass(frozen=True)
class Outlook:
    """The days ahead of one product: arrays of one element per day; `out` are days from 1 (None: not within them)."""

    p50: list[int]
    p90: list[int]
    stock: list[int]
    lower: list[int]
    upper: list[int]
    out: tuple[int | None, int | None, int | None]


def sums(rate: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of a sum of days; `rate` and `variance` are the sums of the days' own."""
    mean = rate * _LIFT
    return mean, variance * _LIFT + (RATE_SPREAD * mean) ** 2


def out_by(stock: Floats, rate: Floats, variance: Floats, days: int) -> Floats:
    """Return (n, days) chances that stock has run out by each day, never falling; a rate of 0 never empties anything."""
    ahead = np.arange(1, days + 1)
    mean, spread = sums(rate[:, None] * ahead, variance[:, None] * ahead)
    return np.asarray(np.maximum.accumulate(at_least(stock[:, None], mean, spread), axis=1))


def weekly(units: Floats, weekdays: Floats) -> Floats:
    """Return seven factors, mean 1, of one product's days of the week (0 is Monday); few weeks and few units stay near 1."""
    count = np.bincount(weekdays, minlength=7).astype(np.float64)
    sold = np.bincount(weekdays, weights=units, minlength=7)
    mean = units.mean() if len(units) else 0.0
    if mean <= 0:
        return np.ones(7)
    spread = max(float(units.var()) / mean, 1.0)
    prior = _PRIOR_WEEKS * spread
    factors = (sold / mean + prior) / (count + prior)
    return np.asarray(factors / factors.mean())


def look_ahead(stock: int, rates: Floats, variance: float) -> Outlook:
    """Return the outlook of one product whose expected demand is `rates` on the days ahead."""
    if stock <= 0:
        out: tuple[int | None, ...] = (0, 0, 0)
    elif rates.sum() <= 0:
        out = (None, None, None)
    else:
        chances = _chances(stock, rates, variance)
        out = tuple(_first(chances, chance) for chance in CHANCES)
    p50, p90 = _daily(rates, variance)
    lower, middle, upper = _bounds(stock, rates, variance)
    at = out[1]
    day = np.arange(1, len(rates) + 1)
    middle = np.where(day >= at, 0, np.maximum(middle, 1)) if at is not None else np.maximum(middle, min(stock, 1))
    upper = np.maximum(upper, middle)
    lower = np.minimum(lower, middle)
    return Outlook(p50, p90, _whole(middle), _whole(lower), _whole(upper), (out[0], out[1], out[2]))


def _chances(stock: int, rates: Floats, variance: float) -> Floats:
    mean, spread = sums(np.cumsum(rates), np.float64(variance) * np.arange(1.0, len(rates) + 1))
    return np.asarray(np.maximum.accumulate(at_least(float(stock), mean, spread)))


def _first(chances: Floats, chance: float) -> int | None:
    reached = chances >= chance
    return int(reached.argmax()) + 1 if reached.any() else None


def _daily(rates: Floats, variance: float) -> tuple[list[int], list[int]]:
    """Return P50 and P90 of each day; there are few different rates, one for each day of the week."""
    different, place = np.unique(rates, return_inverse=True)
    mean, spread = sums(different, np.maximum(variance, 1.01 * different))
    found = quantile(np.array([[0.5], [0.9]]), mean, spread)[:, place]
    return [int(each) for each in found[0]], [int(each) for each in found[1]]


def _bounds(stock: int, rates: Floats, variance: float) -> tuple[Floats, Floats, Floats]:
    """Return the stock left at 95, 50 and 5 % of the sums of demand, by Wilson and Hilferty's cube root."""
    mean, spread = sums(np.cumsum(rates), np.float64(variance) * np.arange(1.0, len(rates) + 1))
    relative = spread / (9 * np.maximum(mean, 1e-12) ** 2)
    left = []
    for z in (_Z95, 0.0, -_Z95):
        gone = mean * np.maximum(0.0, 1 - relative + z * np.sqrt(relative)) ** 3
        left.append(np.maximum(0.0, max(stock, 0) - np.maximum.accumulate(np.floor(gone))))
    return left[0], left[1], left[2]


def _whole(values: Floats) -> list[int]:
    return [int(each) for each in values]
