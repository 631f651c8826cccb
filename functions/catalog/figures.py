"""The catalogue in figures, and the choices its lists offer."""

from shared.app import App
from shared.catalog.figures import Option, ProductStats
from shared.core.clock import instant
from shared.http.context import Context
from shared.http.router import Router

__all__ = ["router"]

router = Router("catalog")
Ctx = Context[App]


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
    return ctx.app.catalog_figures.categories()


@router.get("/api/v1/products/brands/list", "/api/products/brands/list")
def list_brand_options(ctx: Ctx) -> list[Option]:
    """List the brands in use."""
    return ctx.app.catalog_figures.brands()
