"""Pages of documents where a condition is left that no index holds: walked in order, sifted here, with the cursors of any list.

The index does what it can (equalities, one word's beginning, the order); the rest is looked at document by document. A page
costs as many reads as documents are passed over, so leave to `keep` only what lets many through.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from shared.core.errors import BadRequest, FieldError
from shared.http.context import Context
from shared.http.guard import Served
from shared.http.page import Page, PageQuery, make_page, place_of
from shared.ports.documents import Position, Query, Stored
from shared.ports.store import Store

__all__ = ["sifted", "walk"]

T = TypeVar("T")

_STEP = 500


def walk(store: Store, wanted: Query) -> Iterator[Stored]:
    """Yield every document of a query in order, whatever its limit says; one that existed throughout comes once."""
    after = wanted.after
    while True:
        found = store.query(replace(wanted, limit=_STEP, after=after, offset=0))
        yield from found
        if len(found) < _STEP:
            return
        last = found[-1]
        after = Position(last.data.get(wanted.order_by) if wanted.order_by else None, last.key.id)


def sifted(
    ctx: Context[Served],
    query: PageQuery,
    wanted: Query,
    keep: Callable[[Stored], bool],
    to_item: Callable[[Stored], T],
) -> Page[T]:
    """Return one page of the documents that `keep` lets through; the sort's name is the document's field."""
    order = query.order
    asked = replace(wanted, order_by=order.field, descending=order.descending)
    kept: list[Stored] = []
    wanted_rows = query.offset + query.size + 1
    for stored in walk(ctx.app.store, replace(asked, after=_position(place_of(ctx, query)))):
        if keep(stored):
            kept.append(stored)
            if len(kept) == wanted_rows:
                break
    shown = kept[query.offset : query.offset + query.size]
    more = len(kept) == wanted_rows
    following = [shown[-1].data.get(order.field), shown[-1].key.id] if more else None
    total = sum(map(keep, walk(ctx.app.store, asked))) if query.wants_total else None
    return make_page(ctx, query, [to_item(stored) for stored in shown], following, total)


def _position(place: list[Any] | None) -> Position | None:
    match place:
        case None:
            return None
        case [value, str() as last] if value is None or isinstance(value, str | int | float):
            return Position(value, last)
        case _:
            detail = "This cursor is not one of this list; start again without it."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
