"""Products: listing, making, changing, archiving, editing many, kits, who changed what, and all of them in figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.clock import instant
from shared.core.page import Page
from shared.http.context import Context
from shared.http.export import Sheet, export
from shared.http.page import make_page, paginate, place_of, position_of
from shared.http.router import Raw, Router

if TYPE_CHECKING:
    from shared.catalog.change_models import NewProduct, ProductPatch
    from shared.catalog.export_models import ProductExport
    from shared.catalog.history import ChangeFilter, ProductChange
    from shared.catalog.kit_models import Kit, NewKit
    from shared.catalog.models import Option, Product, ProductFilter, ProductQuery, ProductStats
    from shared.catalog.price_models import BulkEdit, BulkEdited

__all__ = ["router"]

router = Router(
    "catalog",
    "shared.catalog.models",
    "shared.catalog.price_models",
    "shared.catalog.kit_models",
    "shared.catalog.history",
    "shared.catalog.change_models",
    "shared.catalog.export_models",
)
Ctx = Context[App]


@router.get("/api/v1/products")
def list_products(ctx: Ctx, query: ProductFilter) -> Page[Product]:
    """List products by name; without a status, all but archived ones."""
    found = ctx.app.product_lists.page(query, position_of(place_of(ctx, query)))
    return cast("Page[Product]", make_page(ctx, query, found.items, found.following, found.total))


@router.get("/api/v1/products/export", policy="costly")
def export_products(ctx: Ctx, query: ProductExport) -> Raw:
    """Export every product of a list as CSV or JSON lines."""
    from shared.catalog.models import PRODUCT_KEYS
    from shared.catalog.states import OF_CATEGORY

    lists = ctx.app.product_lists
    columns = (*PRODUCT_KEYS, *(OF_CATEGORY if lists.products.categories.have_thresholds() else ()))
    return export(ctx, query, Sheet("products", columns), lists.rows(query))


@router.post("/api/v1/products", access="operator", status=201)
def make_product(ctx: Ctx, body: NewProduct) -> Product:
    """Make a product; its first stock is booked in the same commit."""
    made = ctx.app.products.create(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/products/{made.key.id}")
    return cast("Product", ctx.app.products.view(made))


@router.post("/api/v1/products/bulk-edit", access="manager")
def edit_products(ctx: Ctx, body: BulkEdit) -> BulkEdited:
    """Give many products the same values in one commit; `dry_run` shows what would change."""
    from shared.catalog.price_models import BulkEdited

    items, unchanged = ctx.app.product_edits.edit(ctx.caller, body)
    return BulkEdited(
        success=True, updated_count=len(items), unchanged_count=unchanged, dry_run=body.dry_run, items=items
    )


@router.get("/api/v1/products/{id}")
def read_product(ctx: Ctx, id: str, query: ProductQuery) -> Product:
    """Return one product, with its levels and vendors when asked for."""
    product = ctx.app.products.view(ctx.app.products.get(id))
    included = query.include or ()
    if "levels" in included:
        product["levels"] = [ctx.app.levels.shown(level) for level in ctx.app.sums.levels_of(id)]
    if "vendors" in included:
        product["vendors"] = ctx.app.vendor_prices.of_product(id, None)
    if "kit" in included:
        stored = ctx.app.products.get(id)
        product["kit"] = ctx.app.kits.shown(stored) if stored.data.get("kit") else None
    return cast("Product", product)


@router.put("/api/v1/products/{id}", access="operator")
@router.patch("/api/v1/products/{id}", access="operator")
def change_product(ctx: Ctx, id: str, body: ProductPatch) -> Product:
    """Change a product; another stock is booked as a correction."""
    changed = ctx.app.products.update(ctx.caller, id, body, ctx.precondition)
    return cast("Product", ctx.app.products.view(changed))


@router.delete("/api/v1/products/{id}", access="manager")
def archive_product(ctx: Ctx, id: str) -> None:
    """Archive a product; its history stays, and its SKU stays taken."""
    ctx.app.products.archive(ctx.caller, id, ctx.precondition)


@router.get("/api/v1/products/{id}/kit", etag=True)
def read_kit(ctx: Ctx, id: str) -> Kit:
    """Return what a kit is put together from, and how many can be put together now."""
    return cast("Kit", ctx.app.kits.view(id))


@router.put("/api/v1/products/{id}/kit", access="operator")
def define_kit(ctx: Ctx, id: str, body: NewKit) -> Kit:
    """Make a product without stock a kit of other products, or change what it is put together from."""
    return cast("Kit", ctx.app.kits.define(ctx.caller, id, body, ctx.precondition))


@router.delete("/api/v1/products/{id}/kit", access="operator")
def dissolve_kit(ctx: Ctx, id: str) -> None:
    """Make a kit a product like others again."""
    ctx.app.kits.dissolve(ctx.caller, id, ctx.precondition)


@router.get("/api/v1/products/{id}/changes")
def list_changes(ctx: Ctx, id: str, query: ChangeFilter) -> Page[ProductChange]:
    """List who changed what of a product, the newest first."""
    from shared.catalog.history import change_view, changes_of_product

    ctx.app.products.get(id)
    wanted = changes_of_product(id, query)
    return cast("Page[ProductChange]", paginate(ctx, query, wanted, lambda stored: change_view(stored, id)))


@router.get("/api/v1/products/stats", policy="costly")
def product_stats(ctx: Ctx) -> ProductStats:
    """Return the catalogue in figures."""
    stats = ctx.app.catalog_figures.stats()
    if stats.as_of is not None:
        ctx.respond_header("X-Data-As-Of", instant(stats.as_of))
    return stats


@router.get("/api/v1/products/categories/list", "/api/products/categories/list")
def list_category_options(ctx: Ctx) -> list[Option]:
    """List the categories in use."""
    return _counted(ctx, ctx.app.catalog_figures.categories())


@router.get("/api/v1/products/brands/list", "/api/products/brands/list")
def list_brand_options(ctx: Ctx) -> list[Option]:
    """List the brands in use."""
    return _counted(ctx, ctx.app.catalog_figures.brands())


def _counted(ctx: Ctx, options: list[Option]) -> list[Option]:
    if ctx.is_legacy:
        ctx.respond_header("X-Total-Count", str(len(options)))
    return options
