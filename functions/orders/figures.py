"""Figures of transfer orders: how they stand, how long they take, what the coming days may ask for."""

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.clock import instant
from shared.http.context import Context
from shared.http.router import Router
from shared.orders.figure_models import (
    AnalyticsQuery,
    DemandQuery,
    DemandRow,
    Range,
    RegionRow,
    StatusRow,
    Summary,
    SummaryQuery,
    TimelineRow,
)

if TYPE_CHECKING:
    from shared.orders.figures import Days

__all__ = ["router"]

router = Router("orders")
Ctx = Context[App]


@router.get("/api/v1/transfer-orders/summary", etag=True)
def summary(ctx: Ctx, query: SummaryQuery) -> Summary:
    """Count transfer orders by status."""
    return cast("Summary", ctx.app.order_figures.summary(query.range))


@router.get("/api/v1/transfer-orders/analytics/fulfillment-timeline", policy="costly", etag=True)
def timeline(ctx: Ctx, query: AnalyticsQuery) -> list[TimelineRow]:
    """Return the mean hours until fulfilment by destination region and day of making."""
    return cast("list[TimelineRow]", ctx.app.order_figures.timeline(_days(ctx, query)))


@router.get("/api/v1/transfer-orders/analytics/regional-performance", policy="costly", etag=True)
def regional_performance(ctx: Ctx, query: AnalyticsQuery) -> list[RegionRow]:
    """Return how the orders of each destination region stand."""
    return cast("list[RegionRow]", ctx.app.order_figures.by_region(_days(ctx, query)))


@router.get("/api/v1/transfer-orders/analytics/status-distribution", policy="costly", etag=True)
def status_distribution(ctx: Ctx, query: AnalyticsQuery) -> list[StatusRow]:
    """Return how many orders are in each state."""
    return cast("list[StatusRow]", ctx.app.order_figures.distribution(_days(ctx, query)))


@router.get("/api/v1/transfer-orders/analytics/demand-forecast", policy="costly", etag=True)
def demand_forecast(ctx: Ctx, query: DemandQuery) -> list[DemandRow]:
    """Return the days with orders, and what the coming days are likely to ask for."""
    figures = ctx.app.order_figures
    days = _counted(ctx, query.range(figures.today()))
    return cast("list[DemandRow]", figures.demand(days, query.days_forward))


def _days(ctx: Ctx, query: AnalyticsQuery) -> "Days":
    return _counted(ctx, query.range(ctx.app.order_figures.today()))


def _counted(ctx: Ctx, wanted: Range) -> "Days":
    days, as_of = ctx.app.order_figures.counted(wanted)
    if as_of is not None:
        ctx.respond_header("X-Data-As-Of", instant(as_of))
    return days
