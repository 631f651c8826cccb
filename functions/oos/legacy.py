"""The feed of the older OOS backend: a bare array per source, served as bytes made when the snapshot was published."""

from typing import cast

from shared.app import App
from shared.core.errors import BadRequest, FieldError
from shared.http.context import Context
from shared.http.router import Raw, Router
from shared.oos.asked import Feed
from shared.oos.models import Include, LegacyFeedQuery, LegacyOos
from shared.oos.views import legacy_view
from shared.oos.words import SourceName

__all__ = ["router"]

router = Router("oos")
Ctx = Context[App]


@router.get("/api/{source}/oos-orders", successor="/api/v1/oos/orders")
def legacy_feed(ctx: Ctx, source: SourceName, query: LegacyFeedQuery) -> Raw:
    """List the open out-of-stock orders of one source, latest seen first."""
    snapshot_id, offset = _place(query.cursor)
    raw = Include.RAW in (query.include or ())
    feed = ctx.app.oos.legacy_feed(source.value, limit=query.limit, offset=offset, snapshot_id=snapshot_id, raw=raw)
    return Raw(_body(ctx, feed), etag=feed.etag, headers=_headers(ctx, feed, query))


@router.get("/api/{source}/order-details/{order_id}", successor="/api/v1/oos/orders/{source}/{order_id}")
def legacy_details(ctx: Ctx, source: SourceName, order_id: str) -> LegacyOos:
    """Return one order as the older backend showed it, vendor record included."""
    found = ctx.app.oos.order(source.value, order_id)
    age_s = ctx.app.oos.age_s((source.value,))
    if age_s is not None:
        ctx.respond_header("X-Data-Age", str(age_s))
    return cast("LegacyOos", legacy_view(found.row, found.shown, raw=found.raw))


def _body(ctx: Ctx, feed: Feed) -> bytes:
    """Return the bytes the client takes: compressed as published, or plain."""
    if ctx.has_current(feed.etag):
        return b""
    if feed.packed is not None and ctx.request.accept_encodings["gzip"] > 0:
        ctx.respond_header("Content-Encoding", "gzip")
        return feed.packed
    return feed.plain()


def _headers(ctx: Ctx, feed: Feed, query: LegacyFeedQuery) -> dict[str, str]:
    headers = {"X-Total-Count": str(feed.total), "Vary": "Accept-Encoding"}
    if feed.age_s is not None:
        headers["X-Data-Age"] = str(feed.age_s)
    if feed.next is not None:
        snapshot_id, offset = feed.next
        included = "".join(f"&include={part.value}" for part in query.include or ())
        cursor = f"{snapshot_id}.{offset}"
        headers["Link"] = f'<{ctx.path}?limit={query.limit}{included}&cursor={cursor}>; rel="next"'
    return headers


def _place(cursor: str | None) -> tuple[str | None, int]:
    """Read a cursor of this feed: snapshot and offset; raise BadRequest `bad_cursor`."""
    if cursor is None:
        return None, 0
    snapshot_id, _, offset = cursor.rpartition(".")
    if not snapshot_id or not offset.isascii() or not offset.isdigit() or len(offset) > 9:  # noqa: PLR2004 - digits
        detail = "This cursor is not one of this feed."
        raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
    return snapshot_id, int(offset)
