"""Forecasts: one product's, many products', training, and the data behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app import App
from shared.http.context import Context
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.forecasting.models import (
        Batch,
        BatchQuery,
        DataSummary,
        Forecast,
        ForecastQuery,
        StoreQuery,
        TrainBody,
        Trained,
    )
    from shared.jobs.models import Accepted

__all__ = ["router"]

router = Router("forecasts", "shared.forecasting.models", "shared.jobs.models")
Ctx = Context[App]


@router.get("/api/v1/predictions/{product_id}")
def read_forecast(ctx: Ctx, product_id: str, query: ForecastQuery) -> Forecast:
    """Foretell a product's demand and when its stock will have run out."""
    return ctx.app.forecasts.get(product_id, query)


@router.post("/api/v1/predictions/train", access="operator")
def train_product(ctx: Ctx, body: TrainBody) -> Trained:
    """Store a product's forecast."""
    return ctx.app.forecasts.train(body.product_id, force=body.force_retrain)


@router.post("/api/v1/predictions/train-all", access="operator", status=202)
def train_all(ctx: Ctx) -> Accepted:
    """Store the forecasts of all active products."""
    from shared.jobs.models import Accepted

    started = ctx.app.start_training(ctx.caller, ctx.trace)
    answer = Accepted.of([started.job.id], joined=started.joined, message="The training has started.")
    ctx.respond_header("Location", answer.status_url)
    return answer


@router.get("/api/v1/predictions/batch", etag=False)
def read_batch(ctx: Ctx, query: BatchQuery) -> Batch:
    """Foretell several products, all active ones a page at a time."""
    return ctx.app.forecast_lists.page(query)


@router.get("/api/v1/predictions/{product_id}/data-summary")
def read_data_summary(ctx: Ctx, product_id: str, query: StoreQuery) -> DataSummary:
    """Say what there is to learn from."""
    return ctx.app.forecasts.summary(product_id, query.store_id)


@router.delete("/api/v1/predictions/{product_id}/cache", access="operator")
def forget_forecasts(ctx: Ctx, product_id: str) -> None:
    """Drop the kept forecasts of a product."""
    ctx.app.forecasts.forget(product_id)
