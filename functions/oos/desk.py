"""The OOS desk: SKUs, money at risk, diffs, analytics, live stock, plans, comments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from shared.app import App
from shared.core.errors import ValidationFailed
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import make_page, paginate, place_of
from shared.http.router import Router
from shared.oos.asked import Look, span_of
from shared.oos.views import legacy_stock
from shared.oos.words import SOURCES, SourceName

if TYPE_CHECKING:
    from shared.oos.analytics_models import AnalyticsSummary, SummaryQuery
    from shared.oos.desk_models import (
        AtRisk,
        AtRiskQuery,
        Comment,
        CommentFilter,
        Diff,
        DiffQuery,
        LegacyStock,
        LegacyStockQuery,
        NewComment,
        Plan,
        PlanBody,
        SkuFilter,
        SkuRow,
        SkuStocks,
        StockBody,
        Unblock,
        UnblockBody,
    )

__all__ = ["router"]

router = Router("oos", "shared.oos.models", "shared.oos.analytics_models", "shared.oos.desk_models")
Ctx = Context[App]


@router.get("/api/v1/oos/skus", etag=True)
def list_skus(ctx: Ctx, query: SkuFilter) -> Page[SkuRow]:
    """List the SKUs that open orders wait for."""
    place = place_of(ctx, query)
    first, pinned = (place[0], place[1]) if place else (query.offset, None)
    sources = tuple(source.value for source in query.source) if query.source else SOURCES
    field, descending = query.order
    found = ctx.app.desk.skus(Look(sources, query.as_of, pinned), query.facility or (), field, descending=descending)
    rows = found.rows[first : first + query.size]
    more = first + query.size < len(found.rows)
    following = [first + query.size, found.snapshots] if more else None
    _say_age(ctx, found.age_s)
    page: Page[Any] = make_page(ctx, query, rows, following, len(found.rows) if query.wants_total else None)
    return page


@router.get("/api/v1/oos/at-risk")
def at_risk(ctx: Ctx, query: AtRiskQuery) -> AtRisk:
    """Add up the money at risk, by group and currency."""
    shown, age_s = ctx.app.desk.at_risk(Look(as_of=query.as_of), query.group_by.value)
    _say_age(ctx, age_s)
    return cast("AtRisk", shown)


@router.get("/api/v1/oos/diff")
def diff(ctx: Ctx, query: DiffQuery) -> Diff:
    """Say what differs between two snapshots of a source, and why orders left."""
    before, after = _moment("from", query.from_), _moment("to", query.to)
    return cast("Diff", ctx.app.desk.diff(query.source.value, before, after))


@router.get("/api/v1/oos/analytics/summary", "/api/analytics/summary", policy="costly")
def summary(ctx: Ctx, query: SummaryQuery) -> AnalyticsSummary:
    """Sum up the orders first seen within a span of time."""
    span = span_of(query, ctx.app.clock, legacy=ctx.is_legacy)
    shown, age_s = ctx.app.desk.summary(span, query.sources)
    _say_age(ctx, age_s)
    if shown["as_of"] is not None:
        ctx.respond_header("X-Data-As-Of", shown["as_of"])
    return cast("AnalyticsSummary", shown)


@router.post("/api/v1/oos/sku-stock", access="viewer", policy="costly", atomic=False)
def sku_stock(ctx: Ctx, body: StockBody) -> SkuStocks:
    """Ask every configured source for the stock of SKUs, now."""
    return cast("SkuStocks", {"items": ctx.app.live_stock.of(body.skus)})


@router.post("/api/inventory/bulk", access="viewer", policy="costly", atomic=False, successor="/api/v1/oos/sku-stock")
def legacy_sku_stock(ctx: Ctx, body: LegacyStockQuery) -> dict[str, LegacyStock]:
    """Ask for stock as the older backend answered it; null where a source failed."""
    items = ctx.app.live_stock.of(body.skus) if body.skus else []
    shown: Any = legacy_stock(items, ctx.app.settings.shipbob_primary_location_id)
    return cast("dict[str, LegacyStock]", shown)


@router.post("/api/v1/oos/plan", access="operator", policy="costly", atomic=False)
def plan(ctx: Ctx, body: PlanBody) -> Plan:
    """Plan which held orders ship from elsewhere: most orders, then fewest splits; changes nothing."""
    made = ctx.app.desk.plan(_only(body.source), body.order_ids)
    _say_age(ctx, ctx.app.oos.age_s(_only(body.source)))
    return cast("Plan", made)


@router.post("/api/v1/oos/unblock", access="viewer", atomic=False)
def unblock(ctx: Ctx, body: UnblockBody) -> Unblock:
    """Say which orders release, oldest first, if so many units of a SKU arrive."""
    found = ctx.app.desk.unblock(_only(body.source), body.sku, body.quantity, body.facility)
    _say_age(ctx, ctx.app.oos.age_s(_only(body.source)))
    return cast("Unblock", found)


@router.get("/api/v1/comments")
def list_comments(ctx: Ctx, query: CommentFilter) -> Page[Comment]:
    """List the comments on an order, a SKU, or both, newest first."""
    service = ctx.app.comments
    return cast("Page[Comment]", paginate(ctx, query, service.query(query), service.view))


@router.post("/api/v1/comments", access="operator", status=201)
def add_comment(ctx: Ctx, body: NewComment) -> Comment:
    """Write a comment; order and SKU need not exist."""
    made = ctx.app.comments.add(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/comments/{made['id']}")
    return cast("Comment", made)


@router.delete("/api/v1/comments/{id}", access="operator")
def remove_comment(ctx: Ctx, id: str) -> None:
    """Remove a comment of one's own, or as manager any."""
    ctx.app.comments.remove(ctx.caller, id)


def _only(source: SourceName | None) -> tuple[str, ...]:
    return (source.value,) if source is not None else SOURCES


def _moment(name: str, text: str) -> str | datetime:
    """Read a time; what does not begin with a year is a snapshot's id. Raise ValidationFailed for a broken time."""
    if not text[:4].isdigit():
        return text
    try:
        moment = datetime.fromisoformat(text.upper().replace(" ", "T", 1))
    except ValueError:
        raise ValidationFailed.at(f"query:{name}", "invalid_time", "Give a snapshot's id or a time.") from None
    if moment.tzinfo is None:
        raise ValidationFailed.at(f"query:{name}", "naive_time", "A time needs its zone.")
    return moment


def _say_age(ctx: Ctx, age_s: int | None) -> None:
    if age_s is not None:
        ctx.respond_header("X-Data-Age", str(age_s))
