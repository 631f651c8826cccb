"""Transfer orders: made, reviewed, fulfilled or cancelled."""

from typing import cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import listing
from shared.http.router import Router
from shared.orders.models import (
    BulkBody,
    Bulked,
    CancelBody,
    NewTransfer,
    NoteBody,
    StatusBody,
    TransferFilter,
    TransferHistory,
    TransferOrder,
    TransferPatch,
)
from shared.orders.rules import Move, Status
from shared.ports.documents import Stored

__all__ = ["router"]

router = Router("orders")
Ctx = Context[App]


@router.get("/api/v1/transfer-orders")
def list_transfers(ctx: Ctx, query: TransferFilter) -> Page[TransferOrder]:
    """List transfer orders, newest first."""
    transfers = ctx.app.transfers
    return cast("Page[TransferOrder]", listing(ctx, query, transfers.sought(query), transfers.view))


@router.post("/api/v1/transfer-orders", access="operator", status=201)
def make_transfer(ctx: Ctx, body: NewTransfer) -> TransferOrder:
    """Ask for units in a store, from another one or from outside."""
    stored = ctx.app.transfers.create(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/transfer-orders/{stored.key.id}")
    return _shown(ctx, stored)


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
@router.patch("/api/v1/transfer-orders/{id}/approve", access="manager")
def approve(ctx: Ctx, id: str, body: NoteBody) -> TransferOrder:
    """Approve an order: its units are reserved at the source."""
    return _move(ctx, id, Status.APPROVED, body.notes)


@router.post("/api/v1/transfer-orders/{id}/fulfill", access="operator", needs_key=True)
@router.patch("/api/v1/transfer-orders/{id}/fulfill", access="operator", needs_key=True)
def fulfil_transfer(ctx: Ctx, id: str, body: NoteBody) -> TransferOrder:
    """Fulfil an order: its units leave the source and arrive at the destination, in one commit."""
    return _move(ctx, id, Status.FULFILLED, body.notes)


@router.post("/api/v1/transfer-orders/{id}/cancel", access="operator")
@router.patch("/api/v1/transfer-orders/{id}/cancel", access="operator")
def cancel(ctx: Ctx, id: str, body: CancelBody) -> TransferOrder:
    """Cancel an order; reserved units are free again."""
    return _move(ctx, id, Status.CANCELLED, body.reason)


@router.put("/api/v1/transfer-orders/{id}/status", access="operator")
@router.patch("/api/v1/transfer-orders/{id}/status", access="operator")
def set_transfer_status(ctx: Ctx, id: str, body: StatusBody) -> TransferOrder:
    """Bring an order into a state: the transitions of the other paths, and no others."""
    return _move(ctx, id, body.status, body.reason if body.status is Status.CANCELLED else None)


@router.post("/api/v1/transfer-orders/bulk-approve", access="manager", atomic=False)
def approve_all(ctx: Ctx, body: BulkBody) -> Bulked:
    """Approve several orders, each by itself."""
    return _move_all(ctx, body, Status.APPROVED)


@router.post("/api/v1/transfer-orders/bulk-fulfill", access="operator", atomic=False, needs_key=True)
def fulfil_transfers(ctx: Ctx, body: BulkBody) -> Bulked:
    """Fulfil several orders, each by itself."""
    return _move_all(ctx, body, Status.FULFILLED)


def _move(ctx: Ctx, id: str, target: Status, said: str | None) -> TransferOrder:
    return _shown(ctx, ctx.app.transfers.move(id, Move(target, ctx.caller, said, ctx.precondition)))


def _move_all(ctx: Ctx, body: BulkBody, target: Status) -> Bulked:
    move = Move(target, ctx.caller, token=ctx.header("Idempotency-Key"))
    return cast("Bulked", ctx.app.transfers.move_all(body.order_ids, move))


def _shown(ctx: Ctx, stored: Stored) -> TransferOrder:
    return cast("TransferOrder", ctx.app.transfers.view(stored))
