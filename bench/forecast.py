"""Goal 15: forecasts of 10,000 SKUs x 365 days with quantiles, in CPU seconds of one core, next to one Ridge per SKU."""

import subprocess
import time
from statistics import median
from typing import Any

from bench.harness import BENCH_PYTHON, ROOT, Missing, Outcome

__all__ = ["measure"]

SKUS, DAYS, ROUNDS = 10_000, 365, 3
_SLAB = 500


def measure() -> Outcome:
    """Measure in turn: ours over all, Ridge in its own process over a twentieth (scaled up), and one product alone."""
    units = _units()
    rounds = [(_refreshed(units), _ridge()) for _ in range(ROUNDS)]
    ours, single = median(one for one, _ in rounds), _single(units[0])
    ratio = median(ridge / one for one, ridge in rounds)
    return Outcome(
        value=f"{ours:.2f} s CPU, {ratio:.1f}x faster than Ridge per SKU; one prediction {single * 1000:.1f} ms",
        goal="<= 5 s CPU, >= 3x faster than Ridge per SKU; one prediction < 5 ms",
        passed=ours <= 5 and ratio >= 3 and single < 0.005,
        rounds=[f"ours {one:.2f} s, Ridge {ridge:.1f} s" for one, ridge in rounds],
    )


def _units() -> Any:
    import numpy as np

    rng = np.random.default_rng(15)
    sold = rng.random((SKUS, DAYS)) > 0.65
    return np.where(sold, rng.geometric(0.2, (SKUS, DAYS)), 0).astype(np.float64)


def _refreshed(units: Any) -> float:
    """Forecast everything in slabs: rate, spread, P50 and P90 of four weeks, chances of running out over 60 days."""
    import numpy as np

    from shared.forecasting.maths.choice import spread
    from shared.forecasting.maths.histories import Histories
    from shared.forecasting.maths.methods import combination
    from shared.forecasting.maths.negbin import quantile
    from shared.forecasting.maths.outlook import out_by, sums

    began = time.process_time()
    for begin in range(0, len(units), _SLAB):
        past = Histories.full(units[begin : begin + _SLAB])
        rate = combination(past)
        variance = spread(past, rate)
        quantile(np.array([[0.5], [0.9]]), *sums(rate * 28, variance * 28))
        out_by(np.round(rate * 20), rate, variance, 60)
    return time.process_time() - began


def _ridge() -> float:
    """Let the bench's own environment fit one Ridge per SKU; return CPU seconds for all SKUs."""
    if not BENCH_PYTHON.exists():
        raise Missing("the environment of the benches (make bench makes it)")
    run = [str(BENCH_PYTHON), str(ROOT / "bench" / "ridge.py")]
    return float(subprocess.run(run, capture_output=True, check=True, text=True).stdout)


def _single(row: Any) -> float:
    from datetime import date, timedelta

    from shared.forecasting.history import History
    from shared.forecasting.prediction import Asked, predict

    first = date(2025, 1, 1)
    days = [first + timedelta(days=number) for number in range(DAYS)]
    history = History(first, days[-1], [int(each) for each in row], [day.weekday() for day in days], 0, 1, [1])
    times = []
    for _ in range(31):
        began = time.process_time()
        predict(history, 60, days[-1] + timedelta(days=1), Asked())
        times.append(time.process_time() - began)
    return median(times[1:])
