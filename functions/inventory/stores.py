"""Stores and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import make_page, place_of
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.stores.models import (
        NewStore,
        OptionFilter,
        RegionOption,
        RegionSummary,
        Store,
        StoreFilter,
        StoreOption,
        StorePatch,
    )

__all__ = ["router"]

router = Router("inventory", "shared.stores.models")
Ctx = Context[App]


@router.get("/api/v1/stores")
def list_stores(ctx: Ctx, query: StoreFilter) -> Page[Store]:
    """List stores by name."""
    found, following, total = ctx.app.stores.page(query, place_of(ctx, query))
    return make_page(ctx, query, found, following, total if query.wants_total else None)


@router.post("/api/v1/stores", access="manager", status=201)
def make_store(ctx: Ctx, body: NewStore) -> Store:
    """Make a store; its code is made from the name when none is given."""
    store = ctx.app.stores.create(body)
    ctx.respond_header("Location", f"/api/v1/stores/{store.id}")
    return store


@router.get("/api/v1/stores/options")
def list_store_options(ctx: Ctx, query: OptionFilter) -> list[StoreOption]:
    """List stores to choose from."""
    return ctx.app.stores.options(query.region)


@router.get("/api/v1/stores/regions/options")
def list_region_options(ctx: Ctx) -> list[RegionOption]:
    """List regions to choose from; the first choice is all of them."""
    return ctx.app.stores.region_options()


@router.get("/api/v1/stores/regions/summary")
def summarise_regions(ctx: Ctx) -> list[RegionSummary]:
    """Count the stores of each region by type."""
    return ctx.app.stores.region_summary()


@router.get("/api/v1/stores/{id}")
def read_store(ctx: Ctx, id: str) -> Store:
    """Return one store."""
    return ctx.app.stores.get(id)


@router.put("/api/v1/stores/{id}", access="manager")
@router.patch("/api/v1/stores/{id}", access="manager")
def change_store(ctx: Ctx, id: str, body: StorePatch) -> Store:
    """Change a store; its stock repeats the new name and region."""
    return ctx.app.stores.update(id, body, ctx.precondition)


@router.delete("/api/v1/stores/{id}", access="manager", atomic=False)
def delete_store(ctx: Ctx, id: str) -> None:
    """Delete a store that is not the default, holds nothing and that no open order names."""
    ctx.app.stores.delete(id, ctx.precondition)
