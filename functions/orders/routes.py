"""Customers' orders here; transfer orders and their figures in the files beside this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.errors import Problem, ValidationFailed
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import listing
from shared.http.router import Router
from shared.ports.documents import Stored

from . import transfers

if TYPE_CHECKING:
    from shared.jobs.models import Accepted
    from shared.orders.customer_models import (
        BulkAccepted,
        BulkFulfil,
        CustomerFilter,
        CustomerOrder,
        Fulfil,
        NewCustomerOrder,
        StatusChange,
        StatusQuery,
        Tracking,
    )

__all__ = ["router"]

router = Router("orders", "shared.orders.customer_models", "shared.jobs.models")
Ctx = Context[App]


@router.get("/api/v1/orders")
def list_orders(ctx: Ctx, query: CustomerFilter) -> Page[CustomerOrder]:
    """List customers' orders, newest first."""
    return cast(
        "Page[CustomerOrder]", listing(ctx, query, ctx.app.customer_orders.sought(query), ctx.app.customer_orders.view)
    )


@router.post("/api/v1/orders", access="operator", status=201)
def make_order(ctx: Ctx, body: NewCustomerOrder) -> CustomerOrder:
    """Keep a customer's order."""
    stored = ctx.app.customer_orders.create(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/orders/{stored.key.id}")
    return _shown(ctx, stored)


@router.get("/api/v1/orders/{id}", etag=True)
def read_order(ctx: Ctx, id: str) -> CustomerOrder:
    """Return one customer's order."""
    return _shown(ctx, ctx.app.customer_orders.get(id))


@router.patch("/api/v1/orders/{id}/status", access="operator")
def set_status(ctx: Ctx, id: str, query: StatusQuery, body: StatusChange) -> CustomerOrder:
    """Move an order by hand."""
    status = body.status or query.status
    if status is None:
        raise ValidationFailed.at("/status", "missing", "Say which state the order is to have.")
    condition = ctx.precondition.stating(body.version)
    return _shown(ctx, ctx.app.customer_orders.set_status(id, status, condition))


@router.patch("/api/v1/orders/{id}/items/{item_id}", access="operator")
def track_item(ctx: Ctx, id: str, item_id: str, body: Tracking) -> CustomerOrder:
    """Say how an item travels: it is shipped then, and the order with its last item."""
    stored = ctx.app.customer_orders.track(id, item_id, body, ctx.precondition.stating(body.version))
    return _shown(ctx, stored)


@router.post("/api/v1/orders/fulfill", access="operator", status=202, needs_key=True)
def fulfil(ctx: Ctx, body: Fulfil) -> Accepted:
    """Have an order fulfilled by suppliers."""
    from shared.jobs.models import Accepted

    started = ctx.app.customer_orders.fulfil(ctx.caller, body, ctx.precondition, trace=ctx.trace)
    message = "This order is being fulfilled already." if started.joined else "The fulfilment has started."
    answer = Accepted.of([started.job.id], joined=started.joined, message=message)
    ctx.respond_header("Location", answer.status_url)
    return answer


@router.post("/api/v1/orders/bulk-fulfill", access="operator", status=202, needs_key=True, atomic=False)
def fulfil_all(ctx: Ctx, body: BulkFulfil) -> BulkAccepted:
    """Have several orders fulfilled, each by a job of its own; those that cannot be are named."""
    from shared.orders.customer_models import BulkAccepted, Fulfil

    started, failed, refusals = [], [], []
    for order_id in dict.fromkeys(body.order_ids):
        try:
            wish = Fulfil(order_id=order_id, supplier_id=body.supplier_preference)
            started.append(ctx.app.customer_orders.fulfil(ctx.caller, wish, trace=ctx.trace))
        except Problem as refused:
            refusals.append(refused)
            failed.append({"order_id": order_id, "error": refused.title, "detail": refused.detail})
    if not started:
        raise refusals[0]
    joined = all(one.joined for one in started)
    message = f"{len(started)} fulfilments have started, {len(failed)} were refused."
    answer = BulkAccepted.of([one.job.id for one in started], joined=joined, message=message, failed=failed)
    ctx.respond_header("Location", answer.status_url)
    return answer


def _shown(ctx: Ctx, stored: Stored) -> CustomerOrder:
    return cast("CustomerOrder", ctx.app.customer_orders.view(stored))


router.include(transfers.router)
