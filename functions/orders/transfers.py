"""Transfer orders: made, reviewed, fulfilled or cancelled; and their figures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.clock import instant
from shared.core.page import Page
from shared.http.context import Context
from shared.http.export import Sheet, export, walked
from shared.http.page import listing
from shared.http.router import Raw, Router
from shared.orders.rules import Move, Status
from shared.ports.documents import Stored

if TYPE_CHECKING:
    from shared.orders.figures import Days

if TYPE_CHECKING:
    from shared.orders.decision_models import (
        Attention,
        BulkBody,
        Bulked,
        CancelBody,
        CancelPatch,
        NewTransfer,
        NoteBody,
        NotePatch,
        StatusBody,
        TransferHistory,
        TransferPatch,
    )
    from shared.orders.export_models import TransferExport
    from shared.orders.figure_models import (
        AnalyticsQuery,
        DemandQuery,
        DemandRow,
        Range,
        RegionRow,
        RowsQuery,
        StatusRow,
        Summary,
        SummaryQuery,
        TimelineRow,
    )
    from shared.orders.models import TransferFilter, TransferOrder

__all__ = ["router"]

router = Router(
    "orders",
    "shared.orders.models",
    "shared.orders.decision_models",
    "shared.orders.figure_models",
    "shared.orders.export_models",
)
Ctx = Context[App]


@router.get("/api/v1/transfer-orders")
def list_transfers(ctx: Ctx, query: TransferFilter) -> Page[TransferOrder]:
    """List transfer orders, newest first."""
    transfers = ctx.app.transfers
    return cast("Page[TransferOrder]", listing(ctx, query, transfers.sought(query), transfers.view))


@router.get("/api/v1/transfer-orders/export", policy="costly")
def export_transfers(ctx: Ctx, query: TransferExport) -> Raw:
    """Export transfer orders."""
    from shared.orders.models import TransferOrder

    transfers = ctx.app.transfers
    rows = map(transfers.view, walked(ctx, query, transfers.sought(query)))
    return export(ctx, query, Sheet("transfer-orders", tuple(TransferOrder.model_fields)), rows)


@router.post("/api/v1/transfer-orders", access="operator", status=201)
def make_transfer(ctx: Ctx, body: NewTransfer) -> TransferOrder:
    """Ask for units in a store, from another one or from outside."""
    stored = ctx.app.transfers.create(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/transfer-orders/{stored.key.id}")
    return _shown(ctx, stored)


@router.get("/api/v1/transfer-orders/attention")
def attention(ctx: Ctx) -> Attention:
    """List open orders that wait too long, or that their source cannot serve, the oldest first."""
    return cast("Attention", {"items": ctx.app.transfers.attention()})


@router.get("/api/v1/transfer-orders/{id}", etag=True)
def read_transfer(ctx: Ctx, id: str) -> TransferOrder:
    """Return one transfer order, by id or number."""
    return _shown(ctx, ctx.app.transfers.get(id))


@router.get("/api/v1/transfer-orders/{id}/history", etag=True)
def read_history(ctx: Ctx, id: str) -> TransferHistory:
    """Return what happened to an order, oldest first."""
    return cast("TransferHistory", {"items": ctx.app.transfers.get(id).data["history"]})


@router.put("/api/v1/transfer-orders/{id}", access="operator")
@router.patch("/api/v1/transfer-orders/{id}", access="operator")
def change_transfer(ctx: Ctx, id: str, body: TransferPatch) -> TransferOrder:
    """Change the quantity (before the review) or the notes."""
    return _shown(ctx, ctx.app.transfers.update(ctx.caller, id, body, ctx.precondition))


@router.post("/api/v1/transfer-orders/{id}/approve", access="manager")
def approve(ctx: Ctx, id: str, body: NoteBody) -> TransferOrder:
    """Approve an order: its units are reserved at the source."""
    return _move(ctx, id, Status.APPROVED, body.notes)


@router.patch("/api/v1/transfer-orders/{id}/approve", access="manager")
def approve_version(ctx: Ctx, id: str, body: NotePatch) -> TransferOrder:
    """Approve an order, as the version the body names."""
    return _move(ctx, id, Status.APPROVED, body.notes, body.version)


@router.post("/api/v1/transfer-orders/{id}/fulfill", access="operator", needs_key=True)
def fulfil_transfer(ctx: Ctx, id: str, body: NoteBody) -> TransferOrder:
    """Fulfil an order: its units leave the source and arrive at the destination, in one commit."""
    return _move(ctx, id, Status.FULFILLED, body.notes)


@router.patch("/api/v1/transfer-orders/{id}/fulfill", access="operator", needs_key=True)
def fulfil_version(ctx: Ctx, id: str, body: NotePatch) -> TransferOrder:
    """Fulfil an order, as the version the body names."""
    return _move(ctx, id, Status.FULFILLED, body.notes, body.version)


@router.post("/api/v1/transfer-orders/{id}/cancel", access="operator")
def cancel(ctx: Ctx, id: str, body: CancelBody) -> TransferOrder:
    """Cancel an order; reserved units are free again."""
    return _move(ctx, id, Status.CANCELLED, body.reason)


@router.patch("/api/v1/transfer-orders/{id}/cancel", access="operator")
def cancel_version(ctx: Ctx, id: str, body: CancelPatch) -> TransferOrder:
    """Cancel an order, as the version the body names."""
    return _move(ctx, id, Status.CANCELLED, body.reason, body.version)


@router.put("/api/v1/transfer-orders/{id}/status", access="operator")
@router.patch("/api/v1/transfer-orders/{id}/status", access="operator")
def set_transfer_status(ctx: Ctx, id: str, body: StatusBody) -> TransferOrder:
    """Bring an order into a state: the transitions of the other paths, and no others."""
    return _move(ctx, id, body.status, body.reason if body.status is Status.CANCELLED else None, body.version)


@router.post("/api/v1/transfer-orders/bulk-approve", access="manager", atomic=False)
def approve_all(ctx: Ctx, body: BulkBody) -> Bulked:
    """Approve several orders, each by itself."""
    return _move_all(ctx, body, Status.APPROVED)


@router.post("/api/v1/transfer-orders/bulk-fulfill", access="operator", atomic=False, needs_key=True)
def fulfil_transfers(ctx: Ctx, body: BulkBody) -> Bulked:
    """Fulfil several orders, each by itself."""
    return _move_all(ctx, body, Status.FULFILLED)


def _move(ctx: Ctx, id: str, target: Status, said: str | None, version: int | None = None) -> TransferOrder:
    condition = ctx.precondition.stating(version)
    return _shown(ctx, ctx.app.transfers.move(id, Move(target, ctx.caller, said, condition)))


def _move_all(ctx: Ctx, body: BulkBody, target: Status) -> Bulked:
    move = Move(target, ctx.caller, token=ctx.header("Idempotency-Key"))
    return cast("Bulked", ctx.app.transfers.move_all(body.order_ids, move))


def _shown(ctx: Ctx, stored: Stored) -> TransferOrder:
    return cast("TransferOrder", ctx.app.transfers.view(stored))


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


@router.get("/api/v1/transfer-orders/analytics/orders", policy="costly")
def counted_orders(ctx: Ctx, query: RowsQuery) -> Page[TransferOrder]:
    """List the orders behind figures, newest first.

    Beside the page stand the sums of all of them: `order_count`, `total_units`, `total_value` and its `currency` (as in figures,
    other currencies are no part of it), and `avg_fulfillment_hours` of the fulfilled ones.
    """
    transfers, figures = ctx.app.transfers, ctx.app.order_figures
    today = figures.today()
    sums = figures.sums(_counted(ctx, query.range(today)), query.status)
    page = listing(ctx, query, transfers.sought(query.listed(today)), transfers.view)
    return cast("Page[TransferOrder]", replace(page, extra={**page.extra, **sums}))


def _days(ctx: Ctx, query: AnalyticsQuery) -> Days:
    return _counted(ctx, query.range(ctx.app.order_figures.today()))


def _counted(ctx: Ctx, wanted: Range) -> Days:
    days, as_of = ctx.app.order_figures.counted(wanted)
    if as_of is not None:
        ctx.respond_header("X-Data-As-Of", instant(as_of))
    return days
