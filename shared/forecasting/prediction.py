"""One product's forecast from its history and stock. Pure, and the only door to the arithmetic (which loads numpy)."""

import hashlib
import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from shared.core.errors import InsufficientData
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
    variance = float(spread(histories, choice.rate)[0])
    units, weekdays = histories.units[0], np.array(history.weekdays)
    if not units.any():
        variance = 0.0
    factors = weekly(units[-182:], weekdays[-182:])
    ahead = [(today + timedelta(days=number + 1)) for number in range(asked.days)]
    base = float(choice.rate[0])
    rates = base * factors[[day.weekday() for day in ahead]]
    outlook = look_ahead(stock, rates, variance)
    rate = float(rates[:_RATE_DAYS].mean())
    method, number = METHODS[choice.chosen[0]], int(choice.chosen[0])
    errors = choice.errors[0]
    error, baseline = float(errors[number]), float(errors[METHODS.index(BASELINE)])
    components = _components(method, choice, base) | {"weekly_rhythm": rate - base}
    dates = [None if place is None else today + timedelta(days=place) for place in outlook.out]
    return {
        "current_stock": stock,
        "predicted_depletion_date": _text(dates[1]),
        "depletion_date_p10": _text(dates[0]),
        "depletion_date_p50": _text(dates[1]),
        "depletion_date_p90": _text(dates[2]),
        "daily_consumption_rate": round(rate, 4),
        "demand_p50": sorted(outlook.p50)[len(ahead) // 2],
        "demand_p90": sorted(outlook.p90)[len(ahead) // 2],
        "confidence_score": round(max(0.0, 1.0 - error), 4),
        "model_type": method,
        "model_version": _version(method, history),
        "explanation": {
            "window_start": _text(history.first),
            "window_end": _text(history.last),
            "days_used": history.days,
            "excluded_days": history.excluded,
            "demand_units": sum(history.units),
            "components": [{"name": name, "units_per_day": round(value, 4)} for name, value in components.items()],
            "backtest": {
                "days": int(choice.days[0]),
                "error": round(error, 6),
                "baseline_error": round(max(error, baseline), 6),
                "baseline": BASELINE,
            },
            "notes": _notes(history),
        },
        "replenishment": _replenishment(base, variance, stock, asked),
        "forecast": [
            {
                "date": _text(day),
                "demand_p50": p50,
                "demand_p90": p90,
                "predicted_stock": left,
                "lower_bound": lower,
                "upper_bound": upper,
            }
            for day, p50, p90, left, lower, upper in zip(
                ahead, outlook.p50, outlook.p90, outlook.stock, outlook.lower, outlook.upper, strict=True
            )
        ],
        "metrics": {
            "mae": round(float(choice.mae[0]), 4),
            "rmse": round(float(choice.rmse[0]), 4),
            "wape": round(error, 4),
            "training_samples": history.days,
        },
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
