"""Reservations: units held for somebody."""

from typing import cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import listing
from shared.http.router import Router
from shared.inventory.models import CloseBody, NewReservation, Reservation, ReservationFilter

__all__ = ["router"]

router = Router("inventory")
Ctx = Context[App]


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
