"""The negative binomial distribution without scipy: tabulated values, and quantiles that are what they say."""

import numpy as np
import pytest

from shared.forecasting.maths.negbin import at_least, betainc, cdf, quantile

# Made once by scipy.stats.nbinom.cdf(k, mean^2 / (variance - mean), mean / variance) 1.17.
TABLE = [
    (0.5, 1.0, 0, 0.7071067811865476),
    (3.0, 9.0, 5, 0.8321684435541826),
    (40.0, 300.0, 60, 0.878031469704486),
    (500.0, 9000.0, 420, 0.2052019660617287),
]


@pytest.mark.parametrize(("mean", "variance", "k", "chance"), TABLE)
def test_a_chance_is_the_tabulated_one(mean: float, variance: float, k: int, chance: float) -> None:
    assert cdf(np.array([k]), np.array([mean]), np.array([variance]))[0] == pytest.approx(chance, abs=1e-8)


def test_the_incomplete_beta_function_meets_its_closed_forms() -> None:
    x = np.linspace(0.01, 0.99, 33)
    one, three = np.ones(33), np.full(33, 3.0)

    assert betainc(one, one, x) == pytest.approx(x, abs=1e-9)
    assert betainc(three, one, x) == pytest.approx(x**3, abs=1e-9)
    assert betainc(one, three, x) == pytest.approx(1 - (1 - x) ** 3, abs=1e-9)


def test_a_quantile_is_the_least_number_that_reaches_its_chance() -> None:
    rng = np.random.default_rng(1)
    mean = 10 ** rng.uniform(-2, 3, 2000)
    variance = mean * 10 ** rng.uniform(0.1, 2.5, 2000)

    for chance in (0.05, 0.5, 0.9, 0.99):
        found = quantile(chance, mean, variance)
        assert (cdf(found, mean, variance) >= chance).all()
        assert ((cdf(found - 1, mean, variance) < chance) | (found == 0)).all()


def test_nothing_is_ever_demanded_at_a_mean_of_zero() -> None:
    nothing = np.zeros(3)

    assert quantile(0.99, nothing, nothing).tolist() == [0, 0, 0]
    assert at_least(np.array([1.0, 5.0, 9.0]), nothing, nothing).tolist() == [0, 0, 0]


def test_very_many_units_are_close_to_the_exact_chances() -> None:
    mean, variance = np.array([19_000.0]), np.array([4_000_000.0])
    at = np.arange(13_000.0, 26_000.0, 37.0)

    chances = cdf(at, mean, variance)

    assert np.isfinite(chances).all()
    assert (np.diff(chances) > -0.002).all()
