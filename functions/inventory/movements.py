"""Changing stock by hand, holding it for somebody, and the ledger of every change."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.export import Sheet, export, walked
from shared.http.page import listing
from shared.http.router import Raw, Router

if TYPE_CHECKING:
    from shared.inventory.change_models import (
        AdjustBody,
        Adjusted,
        BulkBody,
        CloseBody,
        Moves,
        NewReservation,
        TransferBody,
    )
    from shared.inventory.export_models import MovementExport
    from shared.inventory.list_models import HistoryFilter, MovementFilter, ReservationFilter
    from shared.inventory.models import Movement, Reservation

__all__ = ["router"]

router = Router(
    "inventory",
    "shared.inventory.models",
    "shared.inventory.list_models",
    "shared.inventory.change_models",
    "shared.inventory.export_models",
)
Ctx = Context[App]


@router.post("/api/v1/inventory/adjust", access="operator", needs_key=True)
def adjust(ctx: Ctx, body: AdjustBody) -> Movement:
    """Add units to a level or remove some."""
    return cast("Movement", ctx.app.adjustments.adjust(ctx.caller, body))


@router.post("/api/v1/inventory/adjust/bulk", access="operator", needs_key=True)
def adjust_all(ctx: Ctx, body: BulkBody) -> Adjusted:
    """Make several adjustments, all or none of them, or as many as can be made."""
    movements, failed = ctx.app.adjustments.adjust_all(ctx.caller, body)
    return cast("Adjusted", {"movements": movements, "failed_items": failed})


@router.post("/api/v1/inventory/transfer", access="operator")
def transfer(ctx: Ctx, body: TransferBody) -> Moves:
    """Move units from one store to another in one commit."""
    return cast("Moves", {"movements": ctx.app.adjustments.transfer(ctx.caller, body)})


@router.get("/api/v1/inventory/movements")
def list_movements(ctx: Ctx, query: MovementFilter) -> Page[Movement]:
    """List movements, newest first."""
    lists = ctx.app.stock_lists
    return cast("Page[Movement]", listing(ctx, query, lists.movements(query), lists.movement))


@router.get("/api/v1/inventory/movements/export", policy="costly")
def export_movements(ctx: Ctx, query: MovementExport) -> Raw:
    """Write all movements that match as a file."""
    lists = ctx.app.stock_lists
    rows = map(lists.movement, walked(ctx, query, lists.movements(query)))
    return export(ctx, query, Sheet("movements", ctx.app.stock_lists.movement_keys), rows)


@router.get("/api/v1/inventory/products/{id}/history")
def list_history(ctx: Ctx, id: str, query: HistoryFilter) -> Page[Movement]:
    """List the movements of one product, newest first."""
    ctx.app.require_product(id)
    lists = ctx.app.stock_lists
    return cast("Page[Movement]", listing(ctx, query, lists.history(id, query), lists.movement))


@router.get("/api/v1/inventory/reservations")
def list_reservations(ctx: Ctx, query: ReservationFilter) -> Page[Reservation]:
    """List reservations, newest first."""
    lists = ctx.app.stock_lists
    return cast("Page[Reservation]", listing(ctx, query, lists.reservations(query), lists.reservation))


@router.post("/api/v1/inventory/reservations", access="operator", status=201, needs_key=True)
def make_reservation(ctx: Ctx, body: NewReservation) -> Reservation:
    """Hold units for some time."""
    made = ctx.app.reservations.create(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/inventory/reservations/{made['id']}")
    return cast("Reservation", made)


@router.get("/api/v1/inventory/reservations/{id}")
def read_reservation(ctx: Ctx, id: str) -> Reservation:
    """Return one reservation."""
    return cast("Reservation", ctx.app.reservations.get(id))


@router.post("/api/v1/inventory/reservations/{id}/commit", access="operator")
def commit_reservation(ctx: Ctx, id: str, body: CloseBody) -> Reservation:
    """Take the held units out of stock."""
    return cast("Reservation", ctx.app.reservations.commit(ctx.caller, id, body.reason, ctx.precondition))


@router.post("/api/v1/inventory/reservations/{id}/release", access="operator")
def release_reservation(ctx: Ctx, id: str, body: CloseBody) -> Reservation:
    """Let the held units go."""
    return cast("Reservation", ctx.app.reservations.release(ctx.caller, id, body.reason, ctx.precondition))
