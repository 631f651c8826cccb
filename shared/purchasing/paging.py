"""Pages of lists that are ordered in memory, because they are short: the vendors or suppliers of one product."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.core.errors import BadRequest, FieldError
from shared.core.page import PageQuery

__all__ = ["OnePage", "one_page"]


@dataclass(frozen=True, slots=True)
class OnePage:
    """The rows of a page, the place to go on from, and the total when it was asked for."""

    items: list[dict[str, Any]]
    following: list[Any] | None
    total: int | None


def one_page(rows: Sequence[dict[str, Any]], query: PageQuery, place: Sequence[Any] | None) -> OnePage:
    """Return a page of rows; a place is how many rows came before. Raise BadRequest for another kind of place."""
    ordered = list(reversed(rows)) if query.order.descending else list(rows)
    begin = query.offset
    match place:
        case None:
            pass
        case [int() as number] if number >= 0:
            begin = number
        case _:
            detail = "This cursor is not one of this list."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
    end = begin + query.size
    following = [end] if end < len(ordered) else None
    return OnePage(ordered[begin:end], following, len(ordered) if query.wants_total else None)
