"""Stock levels: listing, reading, making and correcting them, and what is in the warehouses."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.export import Sheet, export, walked
from shared.http.page import listing, make_page, place_of
from shared.http.router import Raw, Router

if TYPE_CHECKING:
    from shared.inventory.change_models import LevelPatch, LotCount, NewLevel
    from shared.inventory.export_models import LevelExport
    from shared.inventory.list_models import LotFilter, LowStockFilter, WarehouseFilter, WarehouseRow
    from shared.inventory.models import InventoryLevel, LevelFilter, LevelQuery

__all__ = ["router"]

router = Router(
    "inventory",
    "shared.inventory.models",
    "shared.inventory.list_models",
    "shared.inventory.change_models",
    "shared.inventory.export_models",
)
Ctx = Context[App]


@router.get("/api/v1/inventory")
def list_levels(ctx: Ctx, query: LevelFilter) -> Page[InventoryLevel]:
    """List stock levels, the one that moved last first."""
    lists = ctx.app.stock_lists
    if not query.include:
        return cast("Page[InventoryLevel]", listing(ctx, query, lists.levels(query), lists.level_rows))
    page = listing(ctx, query, lists.levels(query), lists.level)
    ctx.app.add_incoming(page.items)
    return cast("Page[InventoryLevel]", page)


@router.get("/api/v1/inventory/low-stock")
def list_low_stock(ctx: Ctx, query: LowStockFilter) -> Page[InventoryLevel]:
    """List levels of active products at or below their threshold, or a given one, the lowest first."""
    lists = ctx.app.stock_lists
    return cast("Page[InventoryLevel]", listing(ctx, query, lists.low_stock(query), lists.level_rows))


@router.get("/api/v1/inventory/lots")
def list_lots(ctx: Ctx, query: LotFilter) -> Page[InventoryLevel]:
    """List levels that received lots, each with its lots, the first to expire first."""
    return cast("Page[InventoryLevel]", listing(ctx, query, ctx.app.stock_lists.lots(query), ctx.app.stock_lists.level))


@router.get("/api/v1/inventory/warehouse")
def list_warehouse(ctx: Ctx, query: WarehouseFilter) -> Page[WarehouseRow]:
    """List products with their stock over all warehouses."""
    ctx.app.sums.settle_due()
    found = ctx.app.warehouse_view.page(query, place_of(ctx, query))
    return cast("Page[WarehouseRow]", make_page(ctx, query, found.rows, found.next, found.total))


@router.get("/api/v1/inventory/export", policy="costly")
def export_levels(ctx: Ctx, query: LevelExport) -> Raw:
    """Write all stock levels that match as a file."""
    lists = ctx.app.stock_lists
    rows = map(lists.level, walked(ctx, query, lists.levels(query)))
    return export(ctx, query, Sheet("inventory", ctx.app.stock_lists.level_keys), rows)


@router.post("/api/v1/inventory", access="operator", status=201)
def make_level(ctx: Ctx, body: NewLevel) -> InventoryLevel:
    """Make the level of a product in a store, with its first stock."""
    level = ctx.app.levels.create(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/inventory/{level['id']}")
    return cast("InventoryLevel", level)


@router.get("/api/v1/inventory/{id}")
def read_level(ctx: Ctx, id: str, query: LevelQuery) -> InventoryLevel:
    """Return one stock level."""
    level = ctx.app.levels.get(id)
    if query.include:
        ctx.app.add_incoming([level])
    return cast("InventoryLevel", level)


@router.put("/api/v1/inventory/{id}", access="operator")
@router.patch("/api/v1/inventory/{id}", access="operator")
def change_level(ctx: Ctx, id: str, body: LevelPatch) -> InventoryLevel:
    """Change a stock level; another quantity is booked as a correction."""
    return cast("InventoryLevel", ctx.app.levels.change(ctx.caller, id, body, ctx.precondition))


@router.post("/api/v1/inventory/{id}/lots/count", access="operator")
def count_lots(ctx: Ctx, id: str, body: LotCount) -> InventoryLevel:
    """Let a level hold what was counted of some lots; each difference is booked as a correction."""
    return cast("InventoryLevel", ctx.app.levels.count_lots(ctx.caller, id, body, ctx.precondition))
