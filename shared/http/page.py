"""Pages on the wire: opaque cursors bound to path, filters and sort; the aliases of older backends; the Link to the next.

A cursor carries no authority (access is checked on every request), so it is not a secret: it holds a place, when it was
made, and a digest of the list it belongs to, and is parsed strictly. A list route over documents is three lines:

    return paginate(ctx, query, Query("jobs", equals=...), Job.of)

and one with conditions that no index holds gives `listing` the query and the rest of them.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from math import isfinite
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import parse_qsl, urlencode

from pydantic_core import from_json, to_json

from shared.core.errors import BadRequest, FieldError
from shared.core.once import later
from shared.core.page import Page, PageQuery, Written
from shared.http.context import Context
from shared.http.guard import Served
from shared.ports.documents import Position, Query, Stored

__all__ = [
    "Page",
    "PageQuery",
    "Sought",
    "listed",
    "listing",
    "make_page",
    "paginate",
    "place_of",
    "position_of",
    "sifted",
]

T = TypeVar("T")
ToItem = Callable[[Stored], T] | Written[Stored]

LIFE_S = 24 * 3600
_SKEW_S = 60
_MOST_STEP = 500
_PLAIN = re.compile(rb"(?:[\w.-]+=[\w.%+-]*(?:&(?!$)|$))*", re.ASCII)
_PLACES = (b"cursor=", b"skip=", b"page=")
_ID = later(lambda: re.compile("[^/\x00-\x1f\ud800-\udfff]{1,1500}"))
_RESERVED = later(lambda: re.compile(r"\.{1,2}|__.*__"))
_MOST_INTEGER = 2**63


def place_of(ctx: Context[Served], query: PageQuery) -> list[Any] | None:
    """Return the place the cursor names (what `make_page` was given), None at the start of a list.

    Raise BadRequest `bad_cursor` when it is not ours, older than 24 h, or of another path, filter or sort.
    """
    if query.cursor is None:
        return None
    try:
        text = query.cursor.encode("ascii")
        digest, made_at, place = from_json(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
        age = ctx.app.clock.now().timestamp() - float(made_at)
    except (ValueError, TypeError):
        raise _bad_cursor() from None
    if digest != _digest(ctx, query) or not -_SKEW_S <= age <= LIFE_S or not isinstance(place, list):
        raise _bad_cursor()
    return place


def make_page(
    ctx: Context[Served],
    query: PageQuery,
    items: Sequence[T],
    following: Sequence[Any] | None,
    total: int | None = None,
) -> Page[T]:
    """Return a page with its cursor (`following` is the place to go on from), its alias keys and its Link header."""
    cursor = None
    if following is not None:
        made_at = int(ctx.app.clock.now().timestamp())
        content = to_json([_digest(ctx, query), made_at, list(following)])
        cursor = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
        ctx.respond_header("Link", f'<{_address(ctx, cursor)}>; rel="next"')
    return Page(items, cursor, total, _alias_keys(query, total))


def position_of(place: list[Any] | None) -> Position | None:
    """Return a cursor's place as a place among documents; raise BadRequest when no document can stand there."""
    if place is None:
        return None
    match place:
        case [value, str() as last] if _is_value(value) and _ID.fullmatch(last) and not _RESERVED.fullmatch(last):
            return Position(value, last)
        case _:
            raise _bad_cursor()


def paginate(ctx: Context[Served], query: PageQuery, wanted: Query, to_item: ToItem[T]) -> Page[T]:
    """Return one page of documents in the order asked for; the sort's name is the document's field."""
    order = query.order
    asked = replace(
        wanted,
        order_by=order.field,
        descending=order.descending,
        limit=query.size + 1,
        offset=query.offset,
        after=position_of(place_of(ctx, query)),
    )
    found = ctx.app.store.query(asked)
    shown = found[: query.size]
    more = len(found) > query.size
    following = [shown[-1].data.get(order.field), shown[-1].key.id] if more else None
    total = ctx.app.store.count(asked) if query.wants_total else None
    return make_page(ctx, query, _items(shown, to_item), following, total)


class Sought(Protocol):
    """What a list asks of the store: a query, and what of its conditions no index holds (None: nothing)."""

    @property
    def query(self) -> Query:
        """Return the query."""
        ...

    @property
    def keep(self) -> Callable[[Stored], bool] | None:
        """Return the test that rows must pass besides."""
        ...


def listing(ctx: Context[Served], query: PageQuery, sought: Sought, to_item: ToItem[T]) -> Page[T]:
    """Return one page of documents in the order asked for, looking at rows one by one only where the index does not do."""
    if sought.keep is None:
        return paginate(ctx, query, sought.query, to_item)
    return sifted(ctx, query, sought.query, sought.keep, to_item)


def sifted(
    ctx: Context[Served],
    query: PageQuery,
    wanted: Query,
    keep: Callable[[Stored], bool],
    to_item: ToItem[T],
) -> Page[T]:
    """Return one page of the documents that `keep` lets through; the sort's name is the document's field.

    A page costs as many reads as documents are passed over, so leave to `keep` only what lets many through.
    """
    order, most = query.order, query.offset + query.size + 1
    asked = replace(wanted, order_by=order.field, descending=order.descending)
    begin = replace(asked, after=position_of(place_of(ctx, query)))
    kept = list(islice(filter(keep, ctx.app.store.walk(begin, step=min(_MOST_STEP, 2 * most))), most))
    shown = kept[query.offset : query.offset + query.size]
    following = [shown[-1].data.get(order.field), shown[-1].key.id] if len(kept) == most else None
    total = sum(map(keep, ctx.app.store.walk(asked))) if query.wants_total else None
    return make_page(ctx, query, _items(shown, to_item), following, total)


def listed(ctx: Context[Served], query: PageQuery, rows: Sequence[T]) -> Page[T]:
    """Return one page of a short list that is in hand, whole and in its order; `-` before the sort turns it round."""
    ordered = list(reversed(rows)) if query.order.descending else list(rows)
    match place_of(ctx, query):
        case None:
            begin = query.offset
        case [int() as number] if number >= 0:
            begin = number
        case _:
            raise _bad_cursor()
    end = begin + query.size
    following = [end] if end < len(ordered) else None
    return make_page(ctx, query, ordered[begin:end], following, len(ordered) if query.wants_total else None)


def _items(shown: Sequence[Stored], to_item: ToItem[T]) -> Sequence[T]:
    if isinstance(to_item, Written):
        return cast("Sequence[T]", to_item.rows(shown))
    return [to_item(stored) for stored in shown]


def _is_value(value: object) -> bool:
    """Say whether an ordered field can hold it: JSON has no NaN, and stores no whole number beyond 64 bits."""
    if isinstance(value, int):
        return abs(value) < _MOST_INTEGER
    return value is None or isinstance(value, str) or (isinstance(value, float) and isfinite(value))


def _digest(ctx: Context[Served], query: PageQuery) -> str:
    """Name the list: path, filters and sort, not how much of it is asked."""
    content = b"".join([b"[", to_json(ctx.path), b",", query.list_name, b"]"])
    return hashlib.blake2b(content, digest_size=9).hexdigest()


def _alias_keys(query: PageQuery, total: int | None) -> dict[str, Any]:
    if query.page is not None:
        pages = -(-(total or 0) // query.size)
        return {"page": query.page, "limit": query.size, "total_pages": pages}
    return {} if query.skip is None else {"skip": query.skip, "limit": query.size}


def _address(ctx: Context[Served], cursor: str) -> str:
    """Return the present address with the cursor in place of any other place."""
    text = ctx.request.query_string
    if _PLAIN.fullmatch(text):
        said = b"&".join([part for part in text.split(b"&") if not part.startswith(_PLACES)])
        return f"{ctx.path}?{said.decode()}{'&' if said else ''}cursor={cursor}"
    given = parse_qsl(text.decode("ascii"), keep_blank_values=True)
    kept = [(name, value) for name, value in given if name not in {"cursor", "skip", "page"}]
    return f"{ctx.path}?{urlencode([*kept, ('cursor', cursor)])}"


def _bad_cursor() -> BadRequest:
    detail = "This cursor is not one of this list, or older than a day; start again without it."
    return BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
