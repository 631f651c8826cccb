"""Changing stock by hand, and the ledger of every change."""

from typing import cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.exports import export, walked
from shared.http.page import listing
from shared.http.router import Raw, Router
from shared.inventory.models import (
    AdjustBody,
    Adjusted,
    BulkBody,
    HistoryFilter,
    Movement,
    MovementExport,
    MovementFilter,
    Moves,
    TransferBody,
)

__all__ = ["router"]

router = Router("inventory")
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
    rows = walked(ctx.app.store, lists.movements(query), query, lists.movement)
    return export(ctx, "movements", tuple(Movement.model_fields), rows, query)


@router.get("/api/v1/inventory/products/{id}/history")
def list_history(ctx: Ctx, id: str, query: HistoryFilter) -> Page[Movement]:
    """List the movements of one product, newest first."""
    ctx.app.require_product(id)
    lists = ctx.app.stock_lists
    return cast("Page[Movement]", listing(ctx, query, lists.history(id, query), lists.movement))
