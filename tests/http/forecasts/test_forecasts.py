"""Forecasts over HTTP: refused with too little, explained with enough, kept while the stock is the same, stored by training."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.local_queue import Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.tasks import Claimed
from shared.core.clock import instant
from shared.inventory.keys import movement_key, product_key
from shared.ports.documents import Create
from tests.http.inventory.builders import Shop, a_shop, ok

DAILY = 4


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give an empty deployment."""
    made = a_shop(tmp_path)
    yield made
    made.app.close()


def today(shop: Shop) -> date:
    return shop.clock.now().astimezone(UTC).date()


def sold_daily(shop: Shop, product_id: str, store_id: str, days: int, units: int = DAILY) -> None:
    """Write a past: a restock before everything, then so many units a day up to yesterday; forty are left."""
    left = 40 + days * units
    rows = [(days, "addition", left, 0)]
    for back in range(days, 0, -1):
        rows.append((back, "sale", -units, left))
        left -= units
    moment = shop.clock.now()
    writes = [
        Create(
            movement_key(f"mov_{product_id}_{number:04}"),
            {
                "product_id": product_id,
                "product_sku": "X",
                "product_name": "X",
                "store_id": store_id,
                "transaction_type": kind,
                "quantity": change,
                "previous_stock": before,
                "new_stock": before + change,
                "reason": None,
                "reference": None,
                "user_id": None,
                "created_at": instant(moment - timedelta(days=back) + timedelta(microseconds=number)),
            },
        )
        for number, (back, kind, change, before) in enumerate(rows)
        if change
    ]
    shop.app.documents.commit(writes)


def a_product(shop: Shop, days: int = 60, units: int = DAILY, sku: str = "CUP") -> str:
    """Make a product with a past and forty units."""
    product_id, store_id = shop.product(sku), shop.store(f"Store {sku}")
    sold_daily(shop, product_id, store_id, days, units)
    shop.stock(product_id, 40, store_id)
    return product_id


def forecast(shop: Shop, product_id: str, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(shop.viewer.get(f"/api/v1/predictions/{product_id}", **query))
    return found


def finish_jobs(shop: Shop) -> None:
    def deliver(claimed: Claimed) -> Called:
        return Called(shop.app.job_runner.deliver(claimed.task.kind, dict(claimed.task.payload)).status)

    shop.app.jobs.sweep()
    Dispatcher(shop.app.local_tasks, deliver, shop.clock).run_due()


def test_a_steady_product_has_its_rate_its_date_and_its_reasons(shop: Shop) -> None:
    found = forecast(shop, a_product(shop))

    assert found["current_stock"] == 40
    assert found["daily_consumption_rate"] == pytest.approx(DAILY, rel=0.05)
    assert found["cached"] is False
    days = [found[f"depletion_date_p{chance}"] for chance in (10, 50, 90)]
    assert days == sorted(days)
    assert found["predicted_depletion_date"] == days[1]
    assert 8 <= (date.fromisoformat(days[1]) - today(shop)).days <= 11
    why = found["explanation"]
    assert sum(one["units_per_day"] for one in why["components"]) == pytest.approx(
        found["daily_consumption_rate"], abs=0.01
    )
    assert why["days_used"] == 60
    assert why["excluded_days"] == 0
    assert why["demand_units"] == 60 * DAILY
    assert why["window_end"] == (today(shop) - timedelta(days=1)).isoformat()
    assert why["backtest"]["error"] <= why["backtest"]["baseline_error"]
    assert found["confidence_score"] == pytest.approx(1 - why["backtest"]["error"], abs=0.001)
    rows = found["forecast"]
    assert len(rows) == 90
    assert rows[0]["date"] == (today(shop) + timedelta(days=1)).isoformat()
    assert all(0 <= row["lower_bound"] <= row["predicted_stock"] <= row["upper_bound"] for row in rows)
    assert all(row["demand_p50"] <= row["demand_p90"] for row in rows)


def test_the_days_asked_for_are_the_days_given(shop: Shop) -> None:
    product = a_product(shop)

    assert len(forecast(shop, product, forecast_days=7)["forecast"]) == 7
    assert forecast(shop, product, forecast_days=7)["depletion_date_p90"] is None
    assert shop.viewer.get(f"/api/v1/predictions/{product}", forecast_days=6).status == 422
    assert shop.viewer.get(f"/api/v1/predictions/{product}", forecast_days=366).status == 422


def test_too_little_data_is_refused_with_how_much_there_is(shop: Shop) -> None:
    product = a_product(shop, days=29)

    refused = shop.viewer.get(f"/api/v1/predictions/{product}")

    assert refused.status == 422
    assert refused.json["type"] == "/problems/InsufficientData"
    assert (refused.json["min_required_days"], refused.json["days_of_data"]) == (30, 29)
    trained = shop.operator.post("/api/v1/predictions/train", {"product_id": product})
    assert (trained.status, trained.json["days_of_data"]) == (422, 29)
    assert shop.viewer.get("/api/v1/predictions/nothing").status == 404


def test_thirty_days_without_demand_are_an_answer(shop: Shop) -> None:
    found = forecast(shop, a_product(shop, days=30, units=0))

    assert found["daily_consumption_rate"] == 0
    assert [found[f"depletion_date_p{chance}"] for chance in (10, 50, 90)] == [None, None, None]
    assert "no_demand" in found["explanation"]["notes"]


def test_without_stock_the_dates_are_today(shop: Shop) -> None:
    product, store = shop.product(), shop.store()
    sold_daily(shop, product, store, 40)

    found = forecast(shop, product)

    assert {found[f"depletion_date_p{chance}"] for chance in (10, 50, 90)} == {today(shop).isoformat()}


def test_a_kept_forecast_lasts_an_hour_and_only_while_the_stock_is_the_same(shop: Shop) -> None:
    product = a_product(shop)
    first = forecast(shop, product)

    assert forecast(shop, product) == first | {"cached": True}
    assert forecast(shop, product, use_cache=False)["cached"] is False
    assert forecast(shop, product, forecast_days=30)["cached"] is False
    shop.stock(product, 5)
    changed = forecast(shop, product)
    assert (changed["cached"], changed["current_stock"]) == (False, 45)
    assert forecast(shop, product)["cached"] is True
    shop.later(3601)
    assert forecast(shop, product)["cached"] is False
    assert shop.operator.delete(f"/api/v1/predictions/{product}/cache").status == 204
    assert forecast(shop, product)["cached"] is False


def test_a_store_is_forecast_by_its_own_demand(shop: Shop) -> None:
    product = a_product(shop)
    other = shop.store("Other")
    shop.stock(product, 7, other)

    refused = shop.viewer.get(f"/api/v1/predictions/{product}", store_id=other)

    assert (refused.status, refused.json["days_of_data"]) == (422, 0)
    assert shop.viewer.get(f"/api/v1/predictions/{product}", store_id="nowhere").status == 404


def test_training_stores_the_date_of_the_product_and_an_unchanged_model_is_said_to_be_so(shop: Shop) -> None:
    product = a_product(shop)
    expected = forecast(shop, product)

    first = ok(shop.operator.post("/api/v1/predictions/train", {"product_id": product}))
    shop.clock.advance(1)
    second = ok(shop.operator.post("/api/v1/predictions/train", {"product_id": product}))
    third = ok(shop.operator.post("/api/v1/predictions/train", {"product_id": product, "force_retrain": True}))

    assert first["success"] is True
    assert first["model_version"] == expected["model_version"]
    assert set(first["training_metrics"]) == {"mae", "rmse", "wape", "training_samples"}
    assert second["trained_at"] == first["trained_at"]
    assert third["model_version"] == first["model_version"]
    stored = shop.app.store.get(product_key(product))
    assert stored is not None
    assert stored.data["predicted_depletion_date"] == expected["depletion_date_p50"]
    assert shop.app.depletion_date(product) == date.fromisoformat(expected["depletion_date_p50"])


def test_training_everything_counts_what_was_learnt_and_what_was_not(shop: Shop) -> None:
    a_product(shop)
    a_product(shop, days=3, sku="NEW")

    started = ok(shop.operator.post("/api/v1/predictions/train-all"), 202)
    joined = ok(shop.operator.post("/api/v1/predictions/train-all"), 202)
    finish_jobs(shop)

    assert joined["job_id"] == started["job_id"]
    job = shop.app.jobs.get(started["job_id"])
    assert job.status == "succeeded"
    assert job.result == {"total_products": 2, "trained": 1, "skipped": 1, "failed": 0}


def test_the_weekly_slot_starts_one_training_however_often_it_is_delivered(shop: Shop) -> None:
    first = shop.app.schedule_runner.fire("train-forecasts", "2026-01-04T02:00:00Z")
    second = shop.app.schedule_runner.fire("train-forecasts", "2026-01-04T02:00:00Z")

    assert first == second
    assert first is not None
    assert len(first) == 1


def test_a_batch_names_what_it_cannot_foretell(shop: Shop) -> None:
    good, short = a_product(shop), a_product(shop, days=3, sku="NEW")

    found = ok(shop.viewer.get("/api/v1/predictions/batch", product_ids=f"{good},{short},prd_unknown"))

    assert (found["total_products"], found["successful_predictions"], found["failed_predictions"]) == (3, 1, 2)
    assert [one["product_id"] for one in found["predictions"]] == [good]
    assert "forecast" not in found["predictions"][0]
    assert [one["product_id"] for one in found["errors"]] == [short, "prd_unknown"]
    assert found["next_cursor"] is None


def test_a_batch_of_everything_goes_on_where_it_ended(shop: Shop) -> None:
    names = sorted(a_product(shop, sku=f"P{number}") for number in range(3))

    first = ok(shop.viewer.get("/api/v1/predictions/batch", limit=2))
    rest = ok(shop.viewer.get("/api/v1/predictions/batch", limit=2, cursor=first["next_cursor"]))

    assert [one["product_id"] for one in first["predictions"] + rest["predictions"]] == names
    assert rest["next_cursor"] is None
    assert shop.viewer.get("/api/v1/predictions/batch", cursor="!").status == 400


def test_the_summary_says_what_there_is(shop: Shop) -> None:
    product = a_product(shop, days=31)

    found = ok(shop.viewer.get(f"/api/v1/predictions/{product}/data-summary"))

    assert found["has_sufficient_data"] is True
    assert (found["days_of_data"], found["min_required_days"], found["demand_days"]) == (31, 30, 31)
    assert found["total_transactions"] == 33
    assert found["stockout_days"] == 0
    assert found["date_range"] == {
        "start": (today(shop) - timedelta(days=31)).isoformat(),
        "end": (today(shop) - timedelta(days=1)).isoformat(),
    }
    assert found["stock_statistics"]["current"] == 40
    assert found["stock_statistics"]["min"] == 40
    assert shop.viewer.get("/api/v1/predictions/nothing/data-summary").status == 404


def test_an_alert_opens_on_the_stored_date_and_resolves_with_a_newer_one(shop: Shop) -> None:
    product = a_product(shop, units=10)
    ok(shop.operator.post("/api/v1/predictions/train", {"product_id": product}))
    ok(shop.operator.post("/api/v1/alerts/check", {"product_id": product}))
    opened = ok(shop.viewer.get("/api/v1/alerts", alert_type="predicted_depletion"))["items"]

    shop.stock(product, 2000)
    ok(shop.operator.post("/api/v1/predictions/train", {"product_id": product}))
    ok(shop.operator.post("/api/v1/alerts/check", {"product_id": product}))
    after = ok(shop.viewer.get("/api/v1/alerts", alert_type="predicted_depletion"))["items"]

    assert [one["status"] for one in opened] == ["active"]
    assert [(one["status"], one["resolved_by"]) for one in after] == [("resolved", "system")]


@pytest.mark.parametrize("role", ["viewer"])
def test_reading_is_for_everybody_and_training_for_operators(shop: Shop, role: str) -> None:
    product = a_product(shop)
    client = shop.clients[role]

    assert client.post("/api/v1/predictions/train", {"product_id": product}).status == 403
    assert client.post("/api/v1/predictions/train-all").status == 403
    assert client.delete(f"/api/v1/predictions/{product}/cache").status == 403


def test_the_check_of_everything_alerts_about_what_stored_forecasts_expect(shop: Shop) -> None:
    soon, later = a_product(shop), a_product(shop, sku="PEN", units=1)
    for product in (soon, later):
        ok(shop.operator.post("/api/v1/predictions/train", {"product_id": product}))

    def check(days: int) -> tuple[int, int, int]:
        ok(shop.manager.patch("/api/v1/alerts/settings", {"alert_threshold_days": days}))
        told = ok(shop.operator.post("/api/v1/alerts/check"))
        return told["created"], told["updated"], told["resolved"]

    assert check(7) == (0, 0, 0)
    assert check(15) == (1, 0, 0)
    (alert,) = ok(shop.viewer.get("/api/v1/alerts", alert_type="predicted_depletion"))["items"]
    assert (alert["dedupe_key"], alert["product_sku"], alert["store_id"]) == (
        f"predicted_depletion:{soon}",
        "CUP",
        None,
    )
    assert (alert["severity"], alert["threshold"], alert["rule"], alert["current_stock"]) == (
        "warning",
        15,
        "settings",
        40,
    )
    assert check(15) == (0, 1, 0)
    ok(shop.operator.post(f"/api/v1/alerts/{alert['id']}/resolve"))
    assert check(15) == (0, 0, 0)
    assert check(1) == (0, 0, 0)
    assert check(15) == (1, 0, 0)
