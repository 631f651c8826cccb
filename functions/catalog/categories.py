"""Categories."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.errors import ValidationFailed
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import listing
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.catalog.category_models import (
        Category,
        CategoryFilter,
        CategoryPatch,
        CategoryThresholds,
        NewCategory,
        ThresholdsPatch,
    )

__all__ = ["router"]

router = Router("catalog", "shared.catalog.models", "shared.catalog.category_models")
Ctx = Context[App]


@router.get("/api/v1/categories")
def list_categories(ctx: Ctx, query: CategoryFilter) -> Page[Category]:
    """List categories by name."""
    return cast("Page[Category]", listing(ctx, query, ctx.app.categories.listed(query), ctx.app.categories.view))


@router.post("/api/v1/categories", access="operator", status=201)
def make_category(ctx: Ctx, body: NewCategory) -> Category:
    """Make a category; its slug is made from the name when none is given."""
    made = ctx.app.categories.create(body)
    ctx.respond_header("Location", f"/api/v1/categories/{made.key.id}")
    return cast("Category", ctx.app.categories.view(made))


@router.get("/api/v1/categories/{id}")
def read_category(ctx: Ctx, id: str) -> Category:
    """Return one category."""
    return cast("Category", ctx.app.categories.view(ctx.app.categories.get(id)))


@router.patch("/api/v1/categories/{id}", access="operator")
def change_category(ctx: Ctx, id: str, body: CategoryPatch) -> Category:
    """Change a category; its products repeat the new name."""
    before = ctx.app.categories.get(id)
    after = ctx.app.categories.update(id, body, ctx.precondition)
    if after.data["name"] != before.data["name"]:
        ctx.app.rename_category_later(id)
    return cast("Category", ctx.app.categories.view(after))


@router.delete("/api/v1/categories/{id}", access="manager")
def delete_category(ctx: Ctx, id: str) -> None:
    """Delete a category that no product uses."""
    ctx.app.categories.delete(id, ctx.precondition)


@router.get("/api/v1/categories/{id}/thresholds", etag=True)
def read_thresholds(ctx: Ctx, id: str) -> CategoryThresholds:
    """Return when products of a category are low, in all stores and in some."""
    return cast("CategoryThresholds", ctx.app.categories.thresholds(id))


@router.put("/api/v1/categories/{id}/thresholds", access="manager")
@router.patch("/api/v1/categories/{id}/thresholds", access="manager")
def change_thresholds(ctx: Ctx, id: str, body: ThresholdsPatch) -> CategoryThresholds:
    """Say when products of a category are low that have no threshold of their own."""
    if not body.model_fields_set:
        raise ValidationFailed.at("", "missing", "Say what to change.")
    return _changed(ctx, id, body)


@router.delete("/api/v1/categories/{id}/thresholds", access="manager")
def clear_thresholds(ctx: Ctx, id: str) -> None:
    """Let products of a category go by their own thresholds or the default again."""
    from shared.catalog.category_models import ThresholdsPatch

    _changed(ctx, id, ThresholdsPatch(threshold=None, stores=None))


def _changed(ctx: Ctx, category_id: str, body: ThresholdsPatch) -> CategoryThresholds:
    shown, changed = ctx.app.categories.set_thresholds(category_id, body, ctx.precondition)
    if changed:
        ctx.app.repeat_thresholds_later(category_id)
    return cast("CategoryThresholds", shown)
