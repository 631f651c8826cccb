"""The negative binomial distribution from its mean and variance, on whole arrays, without scipy.

F(k) = I_p(r, k + 1) with p = mean / variance and r = mean^2 / (variance - mean), I being the regularised incomplete beta
function. Log-gamma by Lanczos' series; the beta function by the continued fraction of Numerical Recipes (6.4). For very
many units (a + b above 20,000) the cube-root normal approximation of a gamma takes over; it is off by less than 0.002.
"""

import numpy as np

from shared.forecasting.maths.histories import Floats, Ints

__all__ = ["at_least", "betainc", "cdf", "quantile"]

_LANCZOS = (
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7,
)
_LEAST_SPREAD = 1.01
_TINY = 1e-300
_CLOSE = 1e-9
_MOST_STEPS = 600
_MANY_UNITS = 20_000.0
_BISECTIONS = 60


def lgamma(x: Floats) -> Floats:
    """Return log-gamma of positive numbers, to about 14 digits."""
    x = x - 1.0
    total = np.full_like(x, _LANCZOS[0])
    for number, part in enumerate(_LANCZOS[1:], start=1):
        total += part / (x + number)
    t = x + 7.5
    return np.asarray(0.5 * np.log(2 * np.pi) + (x + 0.5) * np.log(t) - t + np.log(total))


def betainc(a: Floats, b: Floats, x: Floats) -> Floats:
    """Return the regularised incomplete beta function I_x(a, b) of one-dimensional arrays, a and b positive."""
    swapped = x > (a + 1) / (a + b + 2)
    front_a, front_b = np.where(swapped, b, a), np.where(swapped, a, b)
    at = np.clip(np.where(swapped, 1 - x, x), _TINY, 1 - 1e-16)
    log_front = lgamma(a + b) - lgamma(a) - lgamma(b) + front_a * np.log(at) + front_b * np.log1p(-at)
    value = np.exp(log_front) * _fraction(front_a, front_b, at) / front_a
    value = np.where(swapped, 1 - value, value)
    return np.asarray(np.clip(np.where(x <= 0, 0.0, np.where(x >= 1, 1.0, value)), 0.0, 1.0))


def cdf(k: Floats | Ints, mean: Floats, variance: Floats) -> Floats:
    """Return P(demand <= k) for each element; a mean of 0 never demands anything."""
    whole, mean, variance = np.broadcast_arrays(np.floor(np.asarray(k, dtype=np.float64)), mean, variance)
    shape = whole.shape
    most, mean, variance = whole.ravel(), mean.ravel(), variance.ravel()
    result = (most >= 0).astype(np.float64)
    rows = np.flatnonzero((most >= 0) & (mean > 0))
    if rows.size:
        result[rows] = _cdf(most[rows], mean[rows], np.maximum(variance[rows], _LEAST_SPREAD * mean[rows]))
    return result.reshape(shape)


def at_least(stock: Floats | float, mean: Floats, variance: Floats) -> Floats:
    """Return P(demand >= stock)."""
    return np.asarray(1.0 - cdf(np.ceil(stock) - 1, mean, variance))


def quantile(chance: Floats | float, mean: Floats, variance: Floats) -> Ints:
    """Return the least k with P(demand <= k) >= chance, of each element (scalars serve for all)."""
    chances, means, variances = np.broadcast_arrays(np.asarray(chance, dtype=np.float64), mean, variance)
    shape = chances.shape
    chance, mean = chances.ravel(), means.ravel().astype(np.float64)
    variance = np.maximum(variances.ravel(), _LEAST_SPREAD * mean)
    low, high = _bracket(chance, mean, variance)
    for _ in range(_BISECTIONS):
        left = np.flatnonzero(high - low > 1)
        if not left.size:
            break
        middle = np.floor((low[left] + high[left]) / 2)
        enough = cdf(middle, mean[left], variance[left]) >= chance[left]
        high[left[enough]] = middle[enough]
        low[left[~enough]] = middle[~enough]
    return np.where(mean > 0, high, 0).astype(np.int64).reshape(shape)


def _bracket(chance: Floats, mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return bounds with the quantile above the first and not above the second: near a guess where that is right."""
    relative = variance / (9 * np.maximum(mean, 1e-9) ** 2)
    guess = mean * np.maximum(0.0, 1 - relative + _z(chance) * np.sqrt(relative)) ** 3
    low, high = np.maximum(np.floor(guess * 0.99) - 1, -1.0), np.ceil(guess * 1.01) + 1
    known = cdf(np.stack([low, high]), mean, variance)
    low = np.where(known[0] < chance, low, -1.0)
    short = np.flatnonzero((known[1] < chance) & (mean > 0))
    while short.size:
        low[short], high[short] = high[short], high[short] * 2 + 2
        short = short[cdf(high[short], mean[short], variance[short]) < chance[short]]
    return low, high


def _z(chance: Floats) -> Floats:
    """Return the normal distribution's quantile, to four digits (Abramowitz and Stegun 26.2.23)."""
    t = np.sqrt(-2 * np.log(np.minimum(chance, 1 - chance)))
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    z = t - above / below
    return np.asarray(np.where(chance > 0.5, z, -z))  # noqa: PLR2004 - the middle


def _cdf(k: Floats, mean: Floats, variance: Floats) -> Floats:
    r = mean**2 / (variance - mean)
    result = np.empty_like(k)
    many = r + k + 1 > _MANY_UNITS
    few = ~many
    result[few] = betainc(r[few], k[few] + 1, (mean / variance)[few])
    result[many] = _cube_root(k[many] + 0.5, mean[many], variance[many])
    return result


def _cube_root(k: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return the gamma distribution's chance by Wilson and Hilferty's approximation."""
    spread = variance / (9 * mean**2)
    return _normal((np.cbrt(np.maximum(k, 0) / mean) - (1 - spread)) / np.sqrt(spread))


def _normal(z: Floats) -> Floats:
    """Return the normal distribution's chance (Abramowitz and Stegun 26.2.17, off by at most 7.5e-8)."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi) * series
    return np.asarray(np.where(z > 0, 1 - tail, tail))


def _fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    """Return the continued fraction by Lentz' method; rows leave the work as they settle.

    Below (a + 1) / (a + b + 2), where it is used, no denominator comes near 0.
    """
    result = np.empty_like(x)
    left = np.arange(x.size)
    c = np.ones_like(x)
    d = 1 / (1 - (a + b) * x / (a + 1))
    h = d.copy()
    for m in range(1, _MOST_STEPS):
        a2, ab = a + 2 * m, a + m
        even = m * (b - m) * x / ((a2 - 1) * a2)
        d = 1 / (1 + even * d)
        c = 1 + even / c
        h *= d * c
        odd = -ab * (ab + b) * x / (a2 * (a2 + 1))
        d = 1 / (1 + odd * d)
        c = 1 + odd / c
        change = d * c
        h *= change
        if m % 4 == 0:
            going = np.abs(change - 1) > _CLOSE
            result[left] = h
            if not going.any():
                return result
            if going.mean() < 0.7:  # noqa: PLR2004 - copying pays when a third has settled
                left = left[going]
                a, b, x, c, d, h = (each[going] for each in (a, b, x, c, d, h))
    result[left] = h
    return result
