"""Each method against its recursion, written day by day as its authors do; and histories of different lengths."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.forecasting.maths import methods
from shared.forecasting.maths.choice import BASELINE, METHODS, choose
from shared.forecasting.maths.histories import Floats, Histories

Series = Sequence[int]
DAYS = st.lists(st.sampled_from([0, 0, 0, 1, 2, 7, 40]), min_size=30, max_size=200)


def ses_by_day(series: Series, alphas: Sequence[float]) -> float:
    best = (float("inf"), 0.0)
    for alpha in alphas:
        level, error = float(series[0]), 0.0
        for units in series[1:]:
            error += (units - level) ** 2
            level += alpha * (units - level)
        best = min(best, (error, level), key=lambda pair: pair[0])
    return best[1]


def croston_by_day(series: Series) -> float:
    size = gap = since = 0.0
    seen = False
    for units in series:
        since += 1
        if units > 0:
            size = size + 0.1 * (units - size) if seen else float(units)
            gap = gap + 0.1 * (since - gap) if seen else since
            seen, since = True, 0.0
    return 0.95 * size / gap if seen else 0.0


def tsb_by_day(series: Series) -> float:
    sold = [units for units in series if units > 0]
    if not sold:
        return 0.0
    chance, size = len(sold) / len(series), sum(sold) / len(sold)
    for units in series:
        chance += 0.1 * ((units > 0) - chance)
        size += 0.1 * (units - size) if units > 0 else 0.0
    return chance * size


def adida_by_day(series: Series) -> float:
    places = [day for day, units in enumerate(series) if units > 0]
    if not places:
        return 0.0
    gaps = np.diff([-1, *places])
    size = max(1, min(len(series), int(np.rint(gaps.mean()))))
    kept = series[len(series) % size :]
    sums = [sum(kept[begin : begin + size]) for begin in range(0, len(kept), size)]
    return ses_by_day(sums, (0.1, 0.15, 0.2, 0.25, 0.3)) / size


PAIRS: list[tuple[Callable[[Histories], Floats], Callable[[Series], float]]] = [
    (methods.ses, lambda series: ses_by_day(series, methods.SES_ALPHAS)),
    (methods.sba, croston_by_day),
    (methods.tsb, tsb_by_day),
    (methods.adida, adida_by_day),
    (lambda histories: methods.mean_over(histories, 91), lambda series: float(np.mean(series[-91:]))),
]


@pytest.mark.parametrize(("method", "by_day"), PAIRS, ids=["ses", "sba", "tsb", "adida", "mean"])
@given(series=st.lists(DAYS, min_size=1, max_size=4))
def test_a_method_over_many_products_is_its_recursion_over_each(
    method: Callable[[Histories], Floats], by_day: Callable[[Series], float], series: list[list[int]]
) -> None:
    found = method(Histories.of(series))

    assert found == pytest.approx([by_day(one) for one in series], rel=1e-6, abs=1e-9)


@given(series=DAYS)
def test_the_chosen_method_never_did_worse_than_the_baseline(series: list[int]) -> None:
    choice = choose(Histories.of([series]))

    error, baseline = choice.errors[0, choice.chosen[0]], choice.errors[0, METHODS.index(BASELINE)]
    assert error <= baseline
    assert np.isfinite(choice.rates).all()
    assert (choice.rates >= 0).all()


def test_a_choice_that_looks_at_the_future_is_seen() -> None:
    """Control: an origin that is not cut off forecasts its own horizon without error."""
    series = [0] * 60 + [50] * 7
    honest = choose(Histories.of([series]))

    assert honest.errors[0].min() > 0
