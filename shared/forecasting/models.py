"""What the wire shows of forecasts, and what it takes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.core.text import Id

__all__ = [
    "Backtest",
    "Batch",
    "BatchQuery",
    "Component",
    "DataSummary",
    "Explanation",
    "Forecast",
    "ForecastQuery",
    "ForecastSummary",
    "Metrics",
    "Replenishment",
    "StoreQuery",
    "TrainBody",
    "Trained",
]

Days = Annotated[int, Field(ge=7, le=365)]


class ForecastQuery(BaseModel, defer_build=True):
    """Which forecast is wanted. Service level, lead time and least quantity shape the advice on ordering only."""

    forecast_days: Days = 90
    store_id: Id | None = None
    use_cache: bool = True
    service_level: Annotated[float, Field(ge=0.5, le=0.999)] = 0.95
    lead_time_days: Annotated[int, Field(ge=1, le=120)] = 7
    moq: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class BatchQuery(BaseModel, defer_build=True):
    """Which forecasts are wanted."""

    product_ids: Annotated[list[Id] | None, Field(max_length=500)] = None
    min_confidence: Annotated[float, Field(ge=0, le=1)] = 0.0
    forecast_days: Days = 90
    use_cache: bool = True
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: str | None = None


class StoreQuery(BaseModel, defer_build=True):
    """Which store is meant."""

    store_id: Id | None = None


class TrainBody(BaseModel, defer_build=True):
    """Which product is to be learnt."""

    product_id: Id
    force_retrain: bool = False


class ForecastDay(BaseModel, defer_build=True):
    """One day ahead."""

    date: date
    demand_p50: int
    demand_p90: int
    predicted_stock: int
    lower_bound: int
    upper_bound: int


class Component(BaseModel, defer_build=True):
    """What one part adds to the rate."""

    name: str
    units_per_day: float


class Backtest(BaseModel, defer_build=True):
    """What the method would have missed at earlier origins, next to a naive baseline."""

    days: int
    error: float
    baseline_error: float
    baseline: str


class Explanation(BaseModel, defer_build=True):
    """Where a forecast comes from."""

    window_start: date
    window_end: date
    days_used: int
    excluded_days: int
    demand_units: int
    components: list[Component]
    backtest: Backtest
    notes: list[str]


class Replenishment(BaseModel, defer_build=True):
    """What to order, by the demand of the lead time at the service level."""

    service_level: float
    lead_time_days: int
    reorder_point: int
    safety_stock: int
    incoming: int
    order_quantity: int


class ForecastSummary(BaseModel, defer_build=True):
    """A forecast without its days."""

    product_id: str
    product_name: str
    product_sku: str
    store_id: str | None
    current_stock: int
    predicted_depletion_date: date | None
    depletion_date_p10: date | None
    depletion_date_p50: date | None
    depletion_date_p90: date | None
    daily_consumption_rate: float
    demand_p50: int
    demand_p90: int
    confidence_score: float
    model_type: str
    model_version: str
    explanation: Explanation
    replenishment: Replenishment
    created_at: datetime
    cached: bool


class Forecast(ForecastSummary, defer_build=True):
    """A forecast."""

    forecast: list[ForecastDay]


class BatchError(BaseModel, defer_build=True):
    """Why a product has no forecast."""

    product_id: str
    error: str


class Batch(BaseModel, defer_build=True):
    """Forecasts of several products."""

    total_products: int
    successful_predictions: int
    failed_predictions: int
    predictions: list[ForecastSummary]
    errors: list[BatchError]
    next_cursor: str | None


class Metrics(BaseModel, defer_build=True):
    """How the method did at earlier origins, per day."""

    mae: float
    rmse: float
    wape: float
    training_samples: int


class Trained(BaseModel, defer_build=True):
    """A stored forecast."""

    product_id: str
    success: Literal[True] = True
    message: str
    model_version: str
    model_type: str
    training_metrics: Metrics
    trained_at: datetime


class DataSummary(BaseModel, defer_build=True):
    """What there is to learn from."""

    product_id: str
    has_sufficient_data: bool
    days_of_data: int
    min_required_days: int
    total_transactions: int
    demand_days: int
    stockout_days: int
    date_range: dict[str, Any]
    stock_statistics: dict[str, Any]
    message: str
