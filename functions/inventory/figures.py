"""Figures of stock: now, over time, by category; and whether the ledger explains them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.clock import instant
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import make_page, place_of
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.inventory.change_models import Moves
    from shared.inventory.figure_models import (
        Audit,
        CategoryRow,
        Discrepancy,
        DiscrepancyFilter,
        Figures,
        Kpi,
        RepairBody,
        ShareFilter,
        TrendFilter,
        TrendRow,
    )

__all__ = ["router", "say_as_of"]

router = Router(
    "inventory", "shared.inventory.models", "shared.inventory.change_models", "shared.inventory.figure_models"
)
Ctx = Context[App]


@router.get("/api/v1/inventory/kpi")
def key_figures(ctx: Ctx, query: Figures) -> Kpi:
    """Return the key figures of stock."""
    kpi = ctx.app.stock_figures.kpi(query, ctx.app.stock_history.turnover(query))
    say_as_of(ctx, kpi.as_of)
    return kpi


@router.get("/api/v1/inventory/trends", etag=True)
def trends(ctx: Ctx, query: TrendFilter) -> list[TrendRow]:
    """Return units and value at the end of each day, today last."""
    rows, as_of = ctx.app.stock_history.trend(query)
    say_as_of(ctx, as_of)
    return rows


@router.get("/api/v1/inventory/categories", etag=True)
def categories(ctx: Ctx, query: ShareFilter) -> list[CategoryRow]:
    """Return what each category is worth, the most first."""
    return ctx.app.stock_figures.shares(query)


@router.get("/api/v1/inventory/audit", access="manager", policy="costly", etag=False)
def audit(ctx: Ctx) -> Audit:
    """Compare every level with its movements and reservations."""
    return ctx.app.stock_audit.check()


@router.post("/api/v1/inventory/audit/repair", access="admin", policy="costly")
def repair(ctx: Ctx, body: RepairBody) -> Moves:
    """Make levels agree with their ledger, with a movement that says so."""
    return cast("Moves", {"movements": ctx.app.stock_audit.repair(body.inventory_ids)})


@router.get("/api/v1/inventory/discrepancies", policy="costly")
def list_discrepancies(ctx: Ctx, query: DiscrepancyFilter) -> Page[Discrepancy]:
    """List SKUs that hold orders while a 3PL could sell them, or while our own stores have what it lacks."""
    found = ctx.app.discrepancies.page(query, place_of(ctx, query))
    return cast("Page[Discrepancy]", make_page(ctx, query, found.rows, found.next, found.total))


def say_as_of(ctx: Ctx, as_of: datetime | None) -> None:
    """Say how far a figure knows: the time of the last change it contains."""
    if as_of is not None:
        ctx.respond_header("X-Data-As-Of", instant(as_of))
