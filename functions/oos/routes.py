"""The queue of held orders: the canonical list and one order."""

from typing import Any, cast

from shared.app import App
from shared.core.errors import ValidationFailed
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import make_page, place_of
from shared.http.router import Router
from shared.oos.asked import Asked
from shared.oos.models import Include, OosOrder, OrderQuery, QueueQuery
from shared.oos.queue import Filter
from shared.oos.views import order_view
from shared.oos.words import FEED_REASONS, SOURCES, SourceName

__all__ = ["router"]

router = Router("oos")
Ctx = Context[App]
MOST_WITH_RAW = 100


@router.get("/api/v1/oos/orders", etag=True)
def list_orders(ctx: Ctx, query: QueueQuery) -> Page[OosOrder]:
    """List held orders of all sources, served from the published snapshots."""
    if Include.RAW in (query.include or ()) and query.size > MOST_WITH_RAW:
        raise ValidationFailed.at("query:limit", "out_of_range", "With include=raw a page holds at most 100 orders.")
    place = place_of(ctx, query)
    found = ctx.app.oos.queue(_asked(query, place))
    pins = {source: shown["snapshot_id"] for source, shown in found.snapshots.items()}
    following = [*found.next, place[2] if place else pins] if found.next else None
    page: Page[Any] = make_page(ctx, query, found.orders, following, found.total)
    page.extra = {**page.extra, "snapshots": found.snapshots}
    _say_age(ctx, found.age_s)
    return page


@router.get("/api/v1/oos/orders/{source}/{order_id}")
def read_order(ctx: Ctx, source: SourceName, order_id: str, query: OrderQuery) -> OosOrder:
    """Return one order that is or was held."""
    found = ctx.app.oos.order(source.value, order_id)
    included = query.include or ()
    raw = found.raw if Include.RAW in included else None
    view = order_view(found.row, found.shown, raw=raw, history=Include.HISTORY in included)
    return cast("OosOrder", view)


def _asked(query: QueueQuery, place: list[Any] | None) -> Asked:
    """Translate the query; a cursor holds the place and the snapshots the walk is on."""
    included = query.include or ()
    field, descending = query.order
    return Asked(
        wanted=Filter(
            reasons=_reasons(query),
            skus=frozenset(sku.casefold() for sku in query.sku or ()),
            facilities=frozenset(query.facility or ()),
            channels=frozenset(query.channel or ()),
            order_types=frozenset(query.order_type or ()),
            min_age_hours=query.min_age_hours,
            search=query.search or "",
        ),
        sources=tuple(source.value for source in query.source) if query.source else SOURCES,
        state=query.state.value,
        sort=field,
        descending=descending,
        limit=query.size,
        after=(place[0], place[1]) if place else None,
        offset=query.offset,
        pinned=place[2] if place else None,
        total=query.wants_total,
        history=Include.HISTORY in included,
        raw=Include.RAW in included,
    )


def _reasons(query: QueueQuery) -> frozenset[str] | None:
    if query.reason is None:
        return FEED_REASONS
    wanted = frozenset(reason.value for reason in query.reason)
    return None if "all" in wanted else wanted


def _say_age(ctx: Ctx, age_s: int | None) -> None:
    """Say how old the oldest snapshot used is."""
    if age_s is not None:
        ctx.respond_header("X-Data-Age", str(age_s))
