"""Prices: many at once, over time, and what competitors ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.catalog.price_models import (
        BulkPriced,
        BulkPrices,
        CompetitorFilter,
        CompetitorPrice,
        NewCompetitorPrice,
        PriceChange,
        PriceFilter,
    )

__all__ = ["router"]

router = Router("catalog", "shared.catalog.price_models")
Ctx = Context[App]


@router.post("/api/v1/products/bulk-price-update", access="manager")
def change_prices(ctx: Ctx, body: BulkPrices) -> BulkPriced:
    """Change the prices of many products, all or none; `dry_run` shows what they would be."""
    from shared.catalog.price_models import BulkPriced

    items = ctx.app.prices.change_many(ctx.caller, body)
    return BulkPriced(success=True, updated_count=len(items), dry_run=body.dry_run, items=items)


@router.get("/api/v1/products/{id}/price-history")
def list_price_changes(ctx: Ctx, id: str, query: PriceFilter) -> Page[PriceChange]:
    """List the changed prices of a product, the newest first."""
    prices = ctx.app.prices
    return cast("Page[PriceChange]", paginate(ctx, query, prices.history(id, query), prices.shown))


@router.get("/api/v1/products/{id}/competitor-prices")
def list_competitor_prices(ctx: Ctx, id: str, query: CompetitorFilter) -> Page[CompetitorPrice]:
    """List what competitors asked for a product, seen last first."""
    prices = ctx.app.prices
    return cast("Page[CompetitorPrice]", paginate(ctx, query, prices.competitors(id, query), prices.shown_competitor))


@router.post("/api/v1/products/{id}/competitor-prices", access="operator", status=201)
def keep_competitor_price(ctx: Ctx, id: str, body: NewCompetitorPrice) -> CompetitorPrice:
    """Keep what a competitor asks for a product."""
    made = ctx.app.prices.add_competitor(ctx.caller, id, body)
    ctx.respond_header("Location", f"/api/v1/products/{id}/competitor-prices")
    return cast("CompetitorPrice", made)
