"""Goal 17: when stock runs out, on the public retail data set; and on a seeded simulation of restocked products."""

from datetime import date
from typing import Any

from bench.accuracy_data import HORIZON, ORIGINS, daily_table, day_of, selected
from bench.harness import Outcome
from bench.restocked import PRODUCTS, simulated

__all__ = ["measure"]


def measure() -> Outcome:
    """Foretell, look what came, and compare with one date from the average."""
    import numpy as np

    seen = np.mean([_origin(origin) for origin in ORIGINS], axis=0)
    brier, calibration, early, plain = seen
    found, error, naive = simulated()
    share = found / PRODUCTS
    passed = brier <= min(0.16, 0.68 * plain) and calibration <= 0.08 and early <= 0.13
    return Outcome(
        value=f"Brier {brier:.3f} (one date from the average {plain:.3f}), calibration {calibration:.3f}, early {early:.3f}; "
        f"restocked: a date for {share:.1%}, off by {error:.2f} days (28-day mean {naive:.2f})",
        goal="Brier <= 0.16 and <= 0.68x one date; calibration <= 0.08; early <= 0.13; restocked >= 95 %, <= 1.5 days",
        passed=bool(passed and share >= 0.95 and error <= 1.5),
    )


def _origin(origin: date) -> tuple[float, float, float, float]:
    import numpy as np

    from shared.forecasting.maths.choice import spread
    from shared.forecasting.maths.histories import Histories
    from shared.forecasting.maths.methods import combination, mean_over
    from shared.forecasting.maths.outlook import out_by

    table, day = daily_table(), day_of(origin)
    rows = selected(table, day)
    past, came = Histories.full(table[rows, :day]), table[rows, day : day + HORIZON]
    average, rate = mean_over(past, 91), combination(past)
    stock = np.maximum(1, np.round(average * np.random.default_rng(day).uniform(5, 40, len(rows))))
    chances = out_by(stock, rate, spread(past, rate), HORIZON)
    out = came.cumsum(axis=1) >= stock[:, None]
    ahead = np.arange(1, HORIZON + 1)
    one_date = (ahead * average[:, None] >= stock[:, None]).astype(float)
    return _brier(chances, out), _gaps(chances[:, 13], out[:, 13]), _early(chances, out), _brier(one_date, out)


def _brier(chances: Any, out: Any) -> float:
    return float(((chances - out) ** 2).mean())


def _gaps(chances: Any, out: Any) -> float:
    """Return the mean absolute gap between chance and frequency in ten bins, each weighing as many items as it has."""
    import numpy as np

    bins = np.minimum((chances * 10).astype(int), 9)
    gaps = [
        abs(chances[bins == one].mean() - out[bins == one].mean()) * (bins == one).mean() for one in np.unique(bins)
    ]
    return float(sum(gaps))


def _early(chances: Any, out: Any) -> float:
    """Return the share of items that were out before the day whose chance first reached a tenth."""
    import numpy as np

    reached, gone = chances >= 0.1, out.any(axis=1)
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), HORIZON)
    return float((gone & (out.argmax(axis=1) < first)).mean())
