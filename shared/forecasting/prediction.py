"""One product's forecast from its history and stock. Pure, and the only door to the arithmetic (which loads numpy)."""

from __future__ import annotations

import hashlib
import math
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.errors import InsufficientData
from shared.core.values import dataclass

if TYPE_CHECKING:
    from shared.forecasting.history import History

__all__ = ["LEAST_DAYS", "Asked", "predict", "require_enough"]

LEAST_DAYS = 30
_RATE_DAYS = 30
_COVERED_DAYS = 28
_FEW_SALES = 5
Data = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What a forecast is asked for."""

    days: int = 90
    service_level: float = 0.95
    lead_time_days: int = 7
    moq: int = 1
    incoming: int = 0


def require_enough(history: History) -> None:
    """Raise InsufficientData when a history is too short to learn from."""
    if history.days < LEAST_DAYS:
        detail = f"A forecast needs {LEAST_DAYS} days of data; there are {history.days}."
        raise InsufficientData(detail, min_required_days=LEAST_DAYS, days_of_data=history.days)


def predict(history: History, stock: int, today: date, asked: Asked) -> Data:
    """Return the keys of a forecast that follow from history and stock, and `metrics`; raise InsufficientData."""
    require_enough(history)
    import numpy as np

    from shared.forecasting.maths.choice import BASELINE, METHODS, choose, spread  # noqa: PLC0415
    from shared.forecasting.maths.histories import Histories  # noqa: PLC0415
    from shared.forecasting.maths.outlook import look_ahead, weekly  # noqa: PLC0415

    histories = Histories.of([history.units])
    choice = choose(histories)
    variance = float(spread(histories, choice.rate)[0]) if any(history.units) else 0.0
    units, weekdays = histories.units[0], np.array(history.weekdays)
    factors = weekly(units[-182:], weekdays[-182:])
    ahead = [today + timedelta(days=number + 1) for number in range(asked.days)]
    base, number = float(choice.rate[0]), int(choice.chosen[0])
    rates = base * factors[[day.weekday() for day in ahead]]
    outlook = look_ahead(stock, rates, variance)
    rate = float(rates[:_RATE_DAYS].mean())
    method, error = METHODS[number], float(choice.errors[0][number])
    baseline = float(choice.errors[0][METHODS.index(BASELINE)])
    backtest = _backtest(int(choice.days[0]), error, baseline) | {"baseline": BASELINE}
    components = _components(method, choice, base) | {"weekly_rhythm": rate - base}
    return {
        "current_stock": stock,
        **_dates(outlook.out, today),
        "daily_consumption_rate": round(rate, 4),
        **{
            f"demand_{name}": sorted(days)[len(days) // 2]
            for name, days in (("p50", outlook.p50), ("p90", outlook.p90))
        },
        "confidence_score": round(max(0.0, 1.0 - error), 4),
        "model_type": method,
        "model_version": _version(method, history),
        "explanation": _explanation(history, components, backtest),
        "replenishment": _replenishment(base, variance, stock, asked),
        "forecast": _rows(ahead, outlook),
        "metrics": _metrics(choice, error, history),
    }


def _backtest(days: int, error: float, baseline: float) -> Data:
    return {"days": days, "error": round(error, 6), "baseline_error": round(max(error, baseline), 6)}


def _dates(out: tuple[int | None, int | None, int | None], today: date) -> Data:
    days = [None if place is None else (today + timedelta(days=place)).isoformat() for place in out]
    names = ("depletion_date_p10", "depletion_date_p50", "depletion_date_p90")
    return {"predicted_depletion_date": days[1], **dict(zip(names, days, strict=True))}


def _explanation(history: History, components: dict[str, float], backtest: Data) -> Data:
    return {
        "window_start": _text(history.first),
        "window_end": _text(history.last),
        "days_used": history.days,
        "excluded_days": history.excluded,
        "demand_units": sum(history.units),
        "components": [{"name": name, "units_per_day": round(value, 4)} for name, value in components.items()],
        "backtest": backtest,
        "notes": _notes(history),
    }


def _rows(ahead: list[date], outlook: Any) -> list[Data]:
    columns = zip(ahead, outlook.p50, outlook.p90, outlook.stock, outlook.lower, outlook.upper, strict=True)
    names = ("demand_p50", "demand_p90", "predicted_stock", "lower_bound", "upper_bound")
    return [{"date": day.isoformat(), **dict(zip(names, row, strict=True))} for day, *row in columns]


def _metrics(choice: Any, error: float, history: History) -> Data:
    return {
        "mae": round(float(choice.mae[0]), 4),
        "rmse": round(float(choice.rmse[0]), 4),
        "wape": round(error, 4),
        "training_samples": history.days,
    }


def _components(method: str, choice: Any, base: float) -> dict[str, float]:
    """Return what makes up the base rate, by name."""
    members = {name: float(value[0]) for name, value in choice.members.items()}
    if method == "combination":
        return members
    if method == "half_mean_28":
        halves = {name: value / 2 for name, value in members.items()}
        return halves | {"mean_28": base - sum(halves.values())}
    return {method: base}


def _replenishment(rate: float, variance: float, stock: int, asked: Asked) -> Data:
    """Return the advice on ordering: cover the lead time at the service level, order four weeks above it."""
    import numpy as np

    from shared.forecasting.maths.negbin import quantile  # noqa: PLC0415
    from shared.forecasting.maths.outlook import sums  # noqa: PLC0415

    lead = asked.lead_time_days
    mean, spread = sums(np.array([rate * lead]), np.array([variance * lead]))
    point = int(quantile(asked.service_level, mean, spread)[0])
    missing = point + math.ceil(rate * _COVERED_DAYS) - stock - asked.incoming
    due = stock + asked.incoming <= point and rate > 0
    return {
        "service_level": asked.service_level,
        "lead_time_days": lead,
        "reorder_point": point,
        "safety_stock": max(0, point - math.ceil(rate * lead)),
        "incoming": asked.incoming,
        "order_quantity": max(asked.moq, missing) if due else 0,
    }


def _notes(history: History) -> list[str]:
    sold = sum(units > 0 for units in history.units)
    notes = []
    if sold == 0:
        notes.append("no_demand")
    elif sold < _FEW_SALES:
        notes.append("few_sales")
    if history.excluded:
        notes.append("stockout_days_excluded")
    return notes


def _version(method: str, history: History) -> str:
    """Name method and data window: equal ones forecast the same rates."""
    content = repr((method, history.first, history.last, history.units))
    return hashlib.blake2b(content.encode(), digest_size=8).hexdigest()


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
