"""Rates of demand per day by several methods; each takes histories of n products and returns n numbers, none negative.

Croston (1972); Syntetos and Boylan (2005) for SBA; Teunter, Syntetos and Babai (2011) for TSB; Nikolopoulos et al. (2011)
for ADIDA. What a method's recursion would do day by day is written as sums with the recursion's weights.
"""

from functools import cache

import numpy as np

from shared.forecasting.maths.histories import Floats, Histories, Ints, weights

__all__ = ["SES_ALPHAS", "adida", "combination", "linear", "mean_over", "sba", "seasonal_naive", "ses", "tsb"]

SES_ALPHAS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
_ADIDA_ALPHAS = (0.1, 0.15, 0.2, 0.25, 0.3)
_CROSTON_ALPHA = 0.1
_SBA_FACTOR = 1 - _CROSTON_ALPHA / 2
_TSB_ALPHA = 0.1
_BLOCK = 64
WINDOW = 91


def mean_over(histories: Histories, count: int) -> Floats:
    """Return the plain mean of the last `count` days (of fewer, where fewer are known)."""
    units, days = histories.last(count)
    return np.asarray(units.sum(axis=1) / np.maximum(days, 1))


def linear(histories: Histories, horizon: int, count: int = WINDOW) -> Floats:
    """Return the mean of a least-squares line over the next `horizon` days, not below 0. All `count` days must be known."""
    units, _ = histories.last(count)
    time = np.arange(units.shape[1]) - (units.shape[1] - 1) / 2
    slope = units @ time / (time @ time)
    ahead = (units.shape[1] - 1) / 2 + (horizon + 1) / 2
    return np.asarray(np.maximum(units.mean(axis=1) + slope * ahead, 0.0))


def seasonal_naive(histories: Histories) -> Floats:
    """Return last week's mean: what repeating the last week forecasts over whole weeks."""
    return mean_over(histories, 7)


def ses(histories: Histories) -> Floats:
    """Return simple exponential smoothing, with the alpha of the least squared one-step error for each row."""
    return _smoothed(histories, SES_ALPHAS)


def sba(histories: Histories) -> Floats:
    """Return Croston's ratio of smoothed demand to smoothed interval, with the correction of Syntetos and Boylan."""
    units, sold = histories.units, histories.units > 0
    count = sold.sum(axis=1)
    place = _rank_weights(sold, _CROSTON_ALPHA)
    demand = (units * place).sum(axis=1)
    interval = (_gaps(histories, sold) * place).sum(axis=1)
    return np.asarray(np.where(count > 0, _SBA_FACTOR * demand / np.maximum(interval, 1.0), 0.0))


def tsb(histories: Histories) -> Floats:
    """Return smoothed probability of a sale times smoothed size, both started from the means of the whole history."""
    units, sold = histories.units, histories.units > 0
    count, days = sold.sum(axis=1), np.maximum(histories.days, 1)
    length = units.shape[1]
    daily = weights(_TSB_ALPHA, length)[::-1]
    chance = sold @ daily + (1 - _TSB_ALPHA) ** days * (count / days)
    after: Ints = np.cumsum(sold[:, ::-1], axis=1)[:, ::-1] - sold
    size = (units * _TSB_ALPHA * (1 - _TSB_ALPHA) ** after).sum(axis=1)
    size += (1 - _TSB_ALPHA) ** count * units.sum(axis=1) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, chance * size, 0.0))


def adida(histories: Histories) -> Floats:
    """Return smoothing of sums over each row's own mean interval between sales, divided back to days."""
    sold = histories.units > 0
    count = sold.sum(axis=1)
    mean_gap = (_gaps(histories, sold) * sold).sum(axis=1) / np.maximum(count, 1)
    level = np.clip(np.rint(mean_gap), 1, np.maximum(histories.days, 1)).astype(np.int64)
    rates = np.zeros(len(sold))
    for size in np.unique(level[count > 0]):
        rows = np.flatnonzero((level == size) & (count > 0))
        rates[rows] = _smoothed(_summed(histories, rows, int(size)), _ADIDA_ALPHAS) / size
    return rates


def combination(histories: Histories) -> Floats:
    """Return the plain mean of SBA, ADIDA, SES and the mean of 91 days."""
    return np.asarray(sum(parts(histories).values()))


def parts(histories: Histories) -> dict[str, Floats]:
    """Return what each member adds to the combination."""
    members = {"sba": sba, "adida": adida, "ses": ses}
    made = {name: method(histories) / 4 for name, method in members.items()}
    return made | {f"mean_{WINDOW}": mean_over(histories, WINDOW) / 4}


def _rank_weights(sold: "np.typing.NDArray[np.bool_]", alpha: float) -> Floats:
    """Return each sale's weight in a smoothing over sales alone that starts at the first one."""
    after: Ints = np.cumsum(sold[:, ::-1], axis=1)[:, ::-1] - sold
    place = alpha * (1 - alpha) ** np.arange(sold.shape[1] + 1)
    held = place[after] * sold
    first = sold & (np.cumsum(sold, axis=1) == 1)
    held[first] /= alpha
    return np.asarray(held)


def _gaps(histories: Histories, sold: "np.typing.NDArray[np.bool_]") -> Floats:
    """Return for each sale the days since the one before (since the history's start for the first)."""
    length = sold.shape[1]
    begin = length - histories.days[:, None] - 1
    place = np.where(sold, np.arange(length), -1)
    latest = np.maximum.accumulate(place, axis=1)
    before = np.concatenate([np.full((len(sold), 1), -1), latest[:, :-1]], axis=1)
    return np.asarray(np.where(sold, np.arange(length) - np.maximum(before, begin), 0), dtype=np.float64)


def _summed(histories: Histories, rows: "np.typing.NDArray[np.intp]", size: int) -> Histories:
    """Return sums over chunks of so many days, cut from the end; a remainder at the beginning is left out."""
    chunks = histories.units.shape[1] // size
    kept = histories.units[rows, histories.units.shape[1] - chunks * size :]
    return Histories(kept.reshape(len(rows), chunks, size).sum(axis=2), np.maximum(histories.days[rows] // size, 1))


def _smoothed(histories: Histories, alphas: tuple[float, ...]) -> Floats:
    """Return the last level of a smoothing that starts at each row's first value, with its best alpha."""
    units, length = histories.units, histories.units.shape[1]
    start = units[np.arange(len(units)), length - histories.days]
    filled = np.where(np.arange(length) < (length - histories.days)[:, None], start[:, None], units)
    levels, errors = _smooth(filled, alphas)
    return np.asarray(levels[errors.argmin(axis=0), np.arange(len(units))])


def _smooth(units: Floats, alphas: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return the last levels and the sums of squared one-step errors, (alphas, n) each, by blocks of days."""
    kernel, decay = _kernel(alphas)
    speed = np.array(alphas)[:, None]
    level = np.broadcast_to(units[:, 0], (len(alphas), len(units)))
    error = np.zeros((len(alphas), len(units)))
    for begin in range(1, units.shape[1], _BLOCK):
        block = units[:, begin : begin + _BLOCK]
        width = block.shape[1]
        before = block @ kernel[:, :width, :width] + level[:, :, None] * decay[:, None, :width]
        level = before[:, :, -1].copy()
        missed = np.subtract(block, before, out=before)
        error += np.einsum("aij,aij->ai", missed, missed)
        level = level + speed * missed[:, :, -1]
    return np.asarray(level), error


@cache
def _kernel(alphas: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return for each alpha how a block's days, and the level before it, make the levels each of its days starts from."""
    day = np.arange(_BLOCK)
    age = day[None, :] - day[:, None] - 1
    speed = np.array(alphas)[:, None, None]
    kernel = np.where(age >= 0, speed * (1 - speed) ** np.maximum(age, 0), 0.0)
    return np.asarray(kernel, dtype=np.float64), np.asarray((1 - speed[:, :, 0]) ** day, dtype=np.float64)
