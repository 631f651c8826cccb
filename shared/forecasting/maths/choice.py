"""Choosing a method for each product by what it would have forecast at earlier origins, next to a naive baseline."""

import numpy as np
from numpy.typing import NDArray

from shared.core.values import dataclass
from shared.forecasting.maths.histories import Floats, Histories
from shared.forecasting.maths.methods import WINDOW, mean_over, parts, ses, tsb

__all__ = ["BASELINE", "METHODS", "Choice", "choose"]

BASELINE = "mean_28"
METHODS = ("combination", "half_mean_28", "ses", "tsb", BASELINE)
_HORIZONS = ((140, 28), (70, 14), (0, 7))
_MOST_ORIGINS = 3
_LEAST_PAST = 14
_CLEARLY_BETTER = 0.9


@dataclass(frozen=True)
class Choice:
    """What was chosen for n products: everything has n rows.

    `rates` (n, methods) in the order of METHODS; `chosen` (n,) indexes them. `errors` (n, methods) are the absolute errors
    of whole horizons over all origins, divided by the demand of these; `days` is how many days were foretold. `members`
    are what the parts of the combination add to it.
    """

    chosen: NDArray[np.intp]
    rates: Floats
    errors: Floats
    mae: Floats
    rmse: Floats
    days: NDArray[np.int64]
    members: dict[str, Floats]

    @property
    def rate(self) -> Floats:
        """Return the chosen units per day."""
        return np.asarray(self.rates[np.arange(len(self.rates)), self.chosen])


def choose(histories: Histories) -> Choice:
    """Choose for products that have the same number of origins and the same horizon: see `plan`.

    The combination stands unless another did clearly better, or the baseline did better at all: three origins are a small
    sample, and a rule that follows it closely forecasts worse than the combination everywhere.
    """
    horizon, origins = plan(int(histories.days.min()))
    stacked = _stacked(histories, horizon, origins)
    members = parts(stacked)
    together, plain = np.asarray(sum(members.values())), mean_over(stacked, 28)
    made = np.stack([together, (together + plain) / 2, ses(stacked), tsb(stacked), plain], axis=1)
    count = len(histories.units)
    made = made.reshape(origins + 1, count, len(METHODS))
    missed = made[1:] * horizon - _actual(histories, horizon, origins)[:, :, None]
    demand = _actual(histories, horizon, origins).sum(axis=0)
    total = np.abs(missed).sum(axis=0)
    errors = np.where(demand[:, None] > 0, total / np.maximum(demand, 1)[:, None], total > 0)
    rows, chosen = np.arange(count), _chosen(errors)
    picked = missed[:, rows, chosen] / horizon
    return Choice(
        chosen,
        made[0],
        errors,
        np.abs(picked).mean(axis=0),
        np.sqrt((picked**2).mean(axis=0)),
        np.full(count, horizon * origins),
        {name: value[:count] for name, value in members.items()},
    )


def plan(days: int) -> tuple[int, int]:
    """Return the horizon and how many origins a history of so many days is judged by."""
    horizon = next(horizon for least, horizon in _HORIZONS if days >= least)
    return horizon, max(1, min(_MOST_ORIGINS, (days - _LEAST_PAST) // horizon))


def spread(histories: Histories, rate: Floats) -> Floats:
    """Return the variance of a day's demand: of days or of weeks (as days), whichever is greater, over 91 days."""
    units, days = histories.last(WINDOW)
    count = np.maximum(days, 2)
    counted = np.arange(units.shape[1]) >= (units.shape[1] - days)[:, None]
    mean = units.sum(axis=1) / count
    daily = (((units - mean[:, None]) ** 2) * counted).sum(axis=1) / (count - 1)
    weeks = units.shape[1] // 7
    sums = units[:, units.shape[1] - weeks * 7 :].reshape(len(units), weeks, 7).sum(axis=2)
    whole = np.arange(weeks) >= (weeks - days // 7)[:, None]
    many = np.maximum(whole.sum(axis=1), 2)
    middle = (sums * whole).sum(axis=1) / many
    weekly = (((sums - middle[:, None]) ** 2) * whole).sum(axis=1) / (many - 1) / 7
    return np.asarray(np.maximum(np.maximum(daily, weekly), 1.01 * rate))


def _stacked(histories: Histories, horizon: int, origins: int) -> Histories:
    """Return the histories as known today and at each origin, one below the other."""
    units, length = histories.units, histories.units.shape[1]
    past = [np.pad(units[:, : length - back], ((0, 0), (back, 0))) for back in _backs(horizon, origins)]
    days = [histories.days - back for back in _backs(horizon, origins)]
    return Histories(np.concatenate([units, *past]), np.concatenate([histories.days, *days]))


def _actual(histories: Histories, horizon: int, origins: int) -> Floats:
    length = histories.units.shape[1]
    ends = [length - back for back in _backs(horizon, origins)]
    return np.stack([histories.units[:, end : end + horizon].sum(axis=1) for end in ends])


def _backs(horizon: int, origins: int) -> list[int]:
    return [horizon * (number + 1) for number in range(origins)]


def _chosen(errors: Floats) -> NDArray[np.intp]:
    """Take the first of the combination and its half way to the baseline that did no worse, else the best of all."""
    best, lowest, baseline = errors.argmin(axis=1), errors.min(axis=1), errors[:, METHODS.index(BASELINE)]
    chosen: NDArray[np.intp] = best
    for method in (1, 0):
        stands = (errors[:, method] <= baseline) & (lowest >= _CLEARLY_BETTER * errors[:, method])
        chosen = np.where(stands, method, chosen)
    return chosen
