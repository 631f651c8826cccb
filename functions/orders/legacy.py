"""The documented order paths of the store operations demo, as projections of the canonical operations."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from shared.app import App
from shared.core.clock import instant
from shared.http.context import Context
from shared.http.page import listing
from shared.http.router import Router
from shared.orders.decision_models import BulkBody, CancelPatch, NotePatch
from shared.orders.legacy import (
    DemoAnalytics,
    DemoDemand,
    DemoNewOrder,
    DemoOrderFilter,
    DemoOrderPatch,
    DemoStatus,
    DemoSummary,
    demo_order,
)
from shared.orders.rules import Move, Status
from shared.ports.documents import Stored

if TYPE_CHECKING:
    from shared.orders.figure_models import Range
    from shared.orders.figures import Days

__all__ = ["router"]

router = Router("orders")
Ctx = Context[App]
H = TypeVar("H", bound=Callable[..., Any])
ORDERS = "/api/v1/transfer-orders"


def _figure(name: str) -> Callable[[H], H]:
    """Declare an older path of a figure."""
    path = f"/analytics/{name}"
    return router.get(f"/api/orders{path}", policy="costly", etag=True, successor=f"{ORDERS}{path}")


@router.get("/api/orders", successor=ORDERS)
def demo_orders(ctx: Ctx, query: DemoOrderFilter) -> dict[str, Any]:
    """List transfer orders, newest first."""
    wanted, transfers = query.canonical(), ctx.app.transfers
    page = listing(ctx, wanted, transfers.sought(wanted), transfers.view)
    ctx.sent.pop("Link", None)
    return {"data": [demo_order(order) for order in page.items], **page.extra, "total": page.total}


@router.post("/api/orders", access="operator", status=201, successor=ORDERS)
def demo_make_order(ctx: Ctx, body: DemoNewOrder) -> dict[str, Any]:
    """Ask for units in a store."""
    stored = ctx.app.transfers.create(ctx.caller, body.canonical())
    ctx.respond_header("Location", f"{ORDERS}/{stored.key.id}")
    return _written(ctx, stored, "Order created successfully")


@router.get("/api/orders/status/summary", successor=f"{ORDERS}/summary", etag=True)
def demo_summary(ctx: Ctx, query: DemoSummary) -> dict[str, Any]:
    """Count transfer orders by status."""
    told = ctx.app.order_figures.summary(query.range)
    return {**told, "total_cases": told["total_units"]}


@_figure("fulfillment-timeline")
def demo_timeline(ctx: Ctx, query: DemoAnalytics) -> list[dict[str, Any]]:
    """Return the mean hours until fulfilment by destination region and day of making."""
    return ctx.app.order_figures.timeline(_days(ctx, query))


@_figure("regional-performance")
def demo_regions(ctx: Ctx, query: DemoAnalytics) -> list[dict[str, Any]]:
    """Return how the orders of each destination region stand."""
    return ctx.app.order_figures.by_region(_days(ctx, query))


@_figure("status-distribution")
def demo_distribution(ctx: Ctx, query: DemoAnalytics) -> list[dict[str, Any]]:
    """Return how many orders are in each state."""
    return ctx.app.order_figures.distribution(_days(ctx, query))


@_figure("demand-forecast")
def demo_demand(ctx: Ctx, query: DemoDemand) -> list[dict[str, Any]]:
    """Return the days with orders, and what the coming days are likely to ask for."""
    figures = ctx.app.order_figures
    rows = figures.demand(_counted(ctx, query.range(figures.today())), query.days_forward)
    return [{**row, "total_cases": row["total_units"]} for row in rows]


@router.patch("/api/orders/bulk-approve", access="manager", atomic=False, successor=f"{ORDERS}/bulk-approve")
def demo_approve_all(ctx: Ctx, body: BulkBody) -> dict[str, Any]:
    """Approve several orders, each by itself."""
    return _bulk(ctx, body, Status.APPROVED)


@router.patch(
    "/api/orders/bulk-fulfill",
    access="operator",
    atomic=False,
    needs_key=True,
    successor=f"{ORDERS}/bulk-fulfill",
)
def demo_fulfil_all(ctx: Ctx, body: BulkBody) -> dict[str, Any]:
    """Fulfil several orders, each by itself."""
    return _bulk(ctx, body, Status.FULFILLED)


@router.get("/api/orders/{id}", etag=True, successor=f"{ORDERS}/{{id}}")
def demo_read_order(ctx: Ctx, id: str) -> dict[str, Any]:
    """Return one transfer order."""
    return demo_order(ctx.app.transfers.view(ctx.app.transfers.get(id)))


@router.put("/api/orders/{id}", access="operator", successor=f"{ORDERS}/{{id}}")
def demo_change_order(ctx: Ctx, id: str, body: DemoOrderPatch) -> dict[str, Any]:
    """Change the quantity (before the review) or the notes."""
    patch = body.canonical(ctx.app.transfers.get(id).data["quantity"])
    stored = ctx.app.transfers.update(ctx.caller, id, patch, ctx.precondition)
    return _written(ctx, stored, "Order updated successfully")


@router.patch("/api/orders/{id}/approve", access="manager", successor=f"{ORDERS}/{{id}}/approve")
def demo_approve(ctx: Ctx, id: str, body: NotePatch) -> dict[str, Any]:
    """Approve an order: its units are reserved at the source."""
    return _move(ctx, id, Status.APPROVED, body.notes, body.version)


@router.patch("/api/orders/{id}/fulfill", access="operator", needs_key=True, successor=f"{ORDERS}/{{id}}/fulfill")
def demo_fulfil(ctx: Ctx, id: str, body: NotePatch) -> dict[str, Any]:
    """Fulfil an order: its units leave the source and arrive at the destination, in one commit."""
    return _move(ctx, id, Status.FULFILLED, body.notes, body.version)


@router.put("/api/orders/{id}/cancel", access="operator", successor=f"{ORDERS}/{{id}}/cancel")
def demo_cancel(ctx: Ctx, id: str, body: CancelPatch) -> dict[str, Any]:
    """Cancel an order; reserved units are free again."""
    return _move(ctx, id, Status.CANCELLED, body.reason, body.version)


@router.put("/api/orders/{id}/status", access="operator", successor=f"{ORDERS}/{{id}}/status")
def demo_set_status(ctx: Ctx, id: str, query: DemoStatus, body: DemoStatus) -> dict[str, Any]:
    """Bring an order into a state: the transitions of the other paths, and no others."""
    wanted = body.over(query)
    reason = wanted.reason if wanted.status is Status.CANCELLED else None
    return _move(ctx, id, wanted.status, reason, wanted.version)


def _move(ctx: Ctx, id: str, target: Status, said: str | None, version: int | None) -> dict[str, Any]:
    stored = ctx.app.transfers.move(id, Move(target, ctx.caller, said, ctx.precondition.stating(version)))
    return _written(ctx, stored, f"Order {target.value} successfully")


def _bulk(ctx: Ctx, body: BulkBody, target: Status) -> dict[str, Any]:
    move = Move(target, ctx.caller, token=ctx.header("Idempotency-Key"))
    told = ctx.app.transfers.move_all(body.order_ids, move)
    message = f"{len(told['succeeded'])} orders {target.value}, {len(told['failed'])} refused"
    return {"success": True, "data": told, "message": message, "error": None}


def _written(ctx: Ctx, stored: Stored, message: str) -> dict[str, Any]:
    return {"success": True, "data": demo_order(ctx.app.transfers.view(stored)), "message": message, "error": None}


def _days(ctx: Ctx, query: DemoAnalytics) -> "Days":
    return _counted(ctx, query.range(ctx.app.order_figures.today()))


def _counted(ctx: Ctx, wanted: "Range") -> "Days":
    days, as_of = ctx.app.order_figures.counted(wanted)
    if as_of is not None:
        ctx.respond_header("X-Data-As-Of", instant(as_of))
    return days
