"""The queue of held orders: the canonical list, one order, and the history of resolved ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from shared.app import App
from shared.core.clock import instant
from shared.core.errors import ValidationFailed
from shared.core.page import Page
from shared.http.context import Context
from shared.http.export import Sheet, export
from shared.http.page import make_page, place_of, position_of
from shared.http.router import Raw, Router
from shared.oos.asked import Asked, Walked
from shared.oos.queue import Filter
from shared.oos.words import FEED_REASONS, SOURCES, SourceName

from . import desk

if TYPE_CHECKING:
    from datetime import datetime

    from shared.oos.desk_models import HistoryFilter
    from shared.oos.export_models import QueueExport
    from shared.oos.models import Include, OosOrder, OrderQuery, QueueQuery

__all__ = ["asked_of", "router"]

router = Router("oos", "shared.oos.models", "shared.oos.desk_models", "shared.oos.export_models")
router.include(desk.router)
Ctx = Context[App]
MOST_WITH_RAW = 100


@router.get("/api/v1/oos/orders", etag=True)
def list_orders(ctx: Ctx, query: QueueQuery) -> Page[OosOrder]:
    """List held orders of all sources, served from the published snapshots."""
    from shared.oos.models import Include

    if Include.RAW in (query.include or ()) and query.size > MOST_WITH_RAW:
        raise ValidationFailed.at("query:limit", "out_of_range", "With include=raw a page holds at most 100 orders.")
    place = place_of(ctx, query)
    found = ctx.app.oos.queue(asked_of(query, place))
    pins = {source: shown["snapshot_id"] for source, shown in found.snapshots.items()}
    following = [*found.next, place[2] if place else pins] if found.next else None
    page: Page[Any] = make_page(ctx, query, found.orders, following, found.total)
    page.extra = {**page.extra, "snapshots": found.snapshots}
    _say_age(ctx, found.age_s)
    return page


@router.get("/api/v1/oos/orders/export", policy="costly")
def export_orders(ctx: Ctx, query: QueueExport) -> Raw:
    """Export every order of the queue as CSV or JSON lines."""
    from shared.oos.models import ORDER_KEYS

    return export(ctx, query, Sheet("oos-orders", ORDER_KEYS), ctx.app.oos.everything(asked_of(query)))


@router.get("/api/v1/oos/orders/{source}/{order_id}")
def read_order(ctx: Ctx, source: SourceName, order_id: str, query: OrderQuery) -> OosOrder:
    """Return one order that is or was held."""
    shown = ctx.app.oos.order_shown(source.value, order_id, _including(query.include))
    _say_age(ctx, ctx.app.oos.age_s((source.value,)))
    return cast("OosOrder", shown)


@router.get("/api/v1/oos/history", etag=True)
def list_history(ctx: Ctx, query: HistoryFilter) -> Page[OosOrder]:
    """List resolved orders by the time they were resolved, latest first."""
    place = position_of(place_of(ctx, query))
    wanted = Walked(
        sources=_sources(query.source),
        sort="resolved_at",
        descending=query.order.descending,
        after=(place.value, place.id) if place else None,
        reasons=tuple(reason.value for reason in query.resolved_reason or ()),
        between=_resolved_within(query),
    )
    sku = query.sku.casefold() if query.sku is not None else None
    orders, following = ctx.app.oos.history(wanted, sku, query.size, query.offset)
    total = ctx.app.oos.count_history(wanted, sku) if query.wants_total else None
    page: Page[Any] = make_page(ctx, query, orders, following, total)
    _say_age(ctx, ctx.app.oos.age_s(wanted.sources))
    return page


def asked_of(query: QueueQuery, place: list[Any] | None = None) -> Asked:
    """Translate the query; a cursor holds the place and the snapshots the walk is on."""
    field, descending = query.order
    return replace(
        _including(query.include),
        wanted=Filter(
            reasons=_reasons(query),
            skus=frozenset(sku.casefold() for sku in query.sku or ()),
            facilities=frozenset(query.facility or ()),
            channels=frozenset(query.channel or ()),
            order_types=frozenset(query.order_type or ()),
            min_age_hours=query.min_age_hours,
            search=query.search or "",
            opened=(_instant(query.created_from), _instant(query.created_to)),
        ),
        sources=_sources(query.source),
        state=query.state.value,
        sort=field,
        descending=descending,
        limit=query.size,
        after=(place[0], place[1]) if place else None,
        offset=query.offset,
        pinned=place[2] if place else None,
        total=query.wants_total,
        as_of=query.as_of,
    )


def _instant(moment: datetime | None) -> str | None:
    return instant(moment) if moment is not None else None


def _resolved_within(query: HistoryFilter) -> tuple[str, str]:
    """Return the bounds that all four parameters leave; nothing lies between them where they contradict each other."""
    first = max(query.from_, query.created_from or query.from_)
    return instant(first), instant(min(query.to, query.created_to or query.to))


def _including(include: Sequence[Include] | None) -> Asked:
    from shared.oos.models import Include

    parts = include or ()
    return Asked(
        history=Include.HISTORY in parts,
        raw=Include.RAW in parts,
        coverage=Include.COVERAGE in parts,
        promise=Include.PROMISE in parts,
    )


def _sources(given: Sequence[SourceName] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source.value for source in given)) if given else SOURCES


def _reasons(query: QueueQuery) -> frozenset[str] | None:
    if query.reason is None:
        return FEED_REASONS
    wanted = frozenset(reason.value for reason in query.reason)
    return None if "all" in wanted else wanted


def _say_age(ctx: Ctx, age_s: int | None) -> None:
    """Say how old the oldest snapshot used is."""
    if age_s is not None:
        ctx.respond_header("X-Data-Age", str(age_s))
