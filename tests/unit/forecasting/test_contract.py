"""The contract of forecasts over 500 awkward series: refuse or answer, finite, ordered, not worse than the baseline."""

import json
import math
import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from shared.core.errors import InsufficientData
from shared.forecasting.history import History, history_of
from shared.forecasting.prediction import LEAST_DAYS, Asked, predict

TODAY = date(2026, 3, 1)
SERIES = 500


def movements(rng: random.Random, days: int, shape: str) -> list[dict[str, Any]]:
    """Return a product's movements: restocks when it runs low (except in the stock-out-ridden shape) and sales."""
    rows: list[dict[str, Any]] = []
    stock = 0

    def move(day: date, kind: str, quantity: int) -> None:
        nonlocal stock
        rows.append(
            {
                "created_at": f"{day.isoformat()}T{len(rows) % 24:02}:00:00Z",
                "store_id": "sto_a",
                "transaction_type": kind,
                "quantity": quantity,
                "previous_stock": stock,
                "new_stock": stock + quantity,
            }
        )
        stock += quantity

    for back in range(days, 0, -1):
        day = TODAY - timedelta(days=back)
        if stock <= 0 and (shape != "ridden" or rng.random() < 0.1):
            move(day, "addition", rng.randint(20, 60) if shape == "ridden" else rng.randint(60, 300))
        units = min(stock, demand(rng, shape))
        if units:
            move(day, "sale", -units)
    if shape == "future":
        move(TODAY + timedelta(days=3), "sale", -1)
    return rows


def demand(rng: random.Random, shape: str) -> int:
    if shape == "constant":
        return 5
    if shape == "zero":
        return 0
    if shape == "spiky":
        return rng.choice([0, 0, 0, 0, 0, 0, 0, 400])
    return max(0, round(rng.gauss(3, 2)))


def awkward() -> Iterator[tuple[int, str, History, int]]:
    for seed in range(SERIES):
        rng = random.Random(seed)
        shape = rng.choice(["short", "constant", "zero", "spiky", "ridden", "future"])
        days = rng.randint(0, 29) if shape == "short" else rng.randint(25, 380)
        rows = movements(rng, days, shape)
        yield seed, shape, history_of(rows, TODAY), rng.choice([0, 1, 5, 60, 4000])


def test_every_series_is_refused_or_answered_in_good_order() -> None:
    answered = 0
    for seed, shape, history, stock in awkward():
        if history.days < LEAST_DAYS:
            with pytest.raises(InsufficientData) as refused:
                predict(history, stock, TODAY, Asked())
            assert refused.value.extra == {"min_required_days": 30, "days_of_data": history.days}, seed
            continue
        answered += 1
        check(predict(history, stock, TODAY, Asked()), f"{shape} {seed}", stock)
    assert answered > SERIES / 2


def check(found: dict[str, Any], name: str, stock: int) -> None:
    assert all(math.isfinite(value) for value in numbers(found)), name
    json.dumps(found, allow_nan=False)
    assert found["demand_p50"] <= found["demand_p90"], name
    assert all(row["demand_p50"] <= row["demand_p90"] for row in found["forecast"]), name
    assert all(0 <= row["lower_bound"] <= row["predicted_stock"] <= row["upper_bound"] for row in found["forecast"])
    days = [found[f"depletion_date_p{chance}"] or "9999" for chance in (10, 50, 90)]
    assert days == sorted(days), name
    backtest = found["explanation"]["backtest"]
    assert backtest["error"] <= backtest["baseline_error"], name
    parts = sum(one["units_per_day"] for one in found["explanation"]["components"])
    assert abs(parts - found["daily_consumption_rate"]) <= 0.01, name
    assert 0 <= found["confidence_score"] <= 1, name
    if stock == 0:
        assert days == [TODAY.isoformat()] * 3, name
    if found["explanation"]["demand_units"] == 0:
        assert found["daily_consumption_rate"] == 0, name


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, int | float):
        yield value


def test_a_forecast_of_not_a_number_fails_the_contract() -> None:
    """Control: the same check refuses a broken forecast."""
    history = next(history for _, shape, history, _ in awkward() if shape == "spiky" and history.days >= LEAST_DAYS)
    broken = predict(history, 60, TODAY, Asked()) | {"daily_consumption_rate": math.nan}

    with pytest.raises(AssertionError):
        check(broken, "broken", 60)


def test_restocks_are_no_demand_and_hide_none() -> None:
    rng = random.Random(3)
    rows = movements(rng, 90, "constant")

    history = history_of(rows, TODAY)

    sold = -sum(row["quantity"] for row in rows if row["transaction_type"] == "sale")
    assert sum(history.units) == sold
    assert any(row["transaction_type"] == "addition" for row in rows[1:])


def test_days_without_stock_say_nothing_about_demand() -> None:
    rows = movements(random.Random(5), 200, "ridden")

    history = history_of(rows, TODAY)
    found = predict(history, 60, TODAY, Asked())

    assert history.excluded > 50
    assert history.first is not None
    assert history.days + history.excluded == (TODAY - history.first).days
    assert found["daily_consumption_rate"] == pytest.approx(3, rel=0.4)
    censored = sum(history.units) / (history.days + history.excluded)
    assert censored < 0.75 * found["daily_consumption_rate"]
    assert "stockout_days_excluded" in found["explanation"]["notes"]


def test_what_is_dated_in_the_future_is_ignored() -> None:
    rows = movements(random.Random(7), 60, "future")

    assert history_of(rows, TODAY).units == history_of(rows[:-1], TODAY).units
