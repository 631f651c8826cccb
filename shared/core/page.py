"""Pages of lists: what a client may ask for, what it gets. Cursors are made at the edge (`shared.http.page`)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Protocol, Self, TypeVar

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError, to_json

from shared.core.once import Recent
from shared.core.text import Text
from shared.core.values import dataclass, field

__all__ = ["MOST_OFFSET", "Order", "Page", "PageQuery", "Rows", "Written"]

T = TypeVar("T")

MOST_OFFSET = 10_000
MOST_ROWS = 4096


class Order(NamedTuple):
    """The order of a list: one field, ties by id in the same direction."""

    field: str
    descending: bool


class PageQuery(BaseModel, defer_build=True):
    """What every paged list may be asked. A list names its sorts in `SORTS`, the first is the default.

    A list with another default or maximum of `limit` declares the field anew.
    """

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    limit: Annotated[int, Field(ge=1, le=1000)] = 50
    cursor: str | None = None
    skip: Annotated[int, Field(ge=0)] | None = None
    page: Annotated[int, Field(ge=1, le=10_000)] | None = None
    per_page: Annotated[int, Field(ge=1, le=1000)] | None = None
    sort: Annotated[Text, Field(max_length=100)] | None = None
    include_total: bool = False

    @property
    def size(self) -> int:
        """Return how many rows a page holds."""
        return self.limit if self.per_page is None else self.per_page

    @property
    def offset(self) -> int:
        """Return how many rows come before the page, by `skip` or `page`."""
        if self.page is not None:
            return (self.page - 1) * self.size
        return self.skip or 0

    @property
    def wants_total(self) -> bool:
        """Say whether the answer holds the exact number of all rows."""
        return self.include_total or self.page is not None or self.skip is not None

    @property
    def order(self) -> Order:
        """Return the order asked for, or the list's own."""
        name = self.sort or self.SORTS[0]
        return Order(name.removeprefix("-"), name.startswith("-"))

    @cached_property
    def list_name(self) -> bytes:
        """Return which list is asked for, as JSON without brackets: filters and order, not how much of it."""
        filters = self.model_dump(mode="json", exclude={*PageQuery.model_fields})
        return to_json([sorted(filters.items()), self.order])[1:-1]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_sort()
        if sum(place is not None for place in (self.cursor, self.skip, self.page)) > 1:
            raise _refused("cursor", "conflicting_parameters", "Give only one of cursor, skip and page.")
        if self.per_page is not None and "limit" in self.model_fields_set and self.limit != self.per_page:
            raise _refused("per_page", "conflicting_parameters", "limit and per_page are one value; give one of them.")
        if self.offset > MOST_OFFSET:
            name = "skip" if self.page is None else "page"
            raise _refused(name, "offset_too_large", "Offsets end at 10000; go on with next_cursor.")
        return self

    def _check_sort(self) -> None:
        allowed = [name.removeprefix("-") for name in self.SORTS]
        if self.sort is not None and self.sort.removeprefix("-") not in allowed:
            raise _refused("sort", "not_allowed", f"This list is sorted by one of: {', '.join(allowed)}.")


@dataclass(slots=True)
class Page(Generic[T]):
    """One page: items are models or JSON-ready dicts; `extra` are further keys of the answer."""

    items: Sequence[T]
    next_cursor: str | None = None
    total: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Rows(list[bytes]):
    """Rows that are JSON already: a page puts them together as they are."""


class _Key(Protocol):
    @property
    def id(self) -> str: ...


class _Versioned(Protocol):
    @property
    def key(self) -> _Key: ...

    @property
    def version(self) -> str: ...


V = TypeVar("V", bound=_Versioned)


class Written(Generic[V]):
    """How documents of one collection are shown, as JSON: what was made of a document serves as long as its version does.

    A version never comes back, so a row is remembered until others are asked for; `show` must look at the document alone.
    """

    def __init__(self, show: Callable[[V], Any]) -> None:
        """Take what makes a JSON-ready dict of a document."""
        self.show = show
        self._recent: Recent[tuple[str, str], bytes] = Recent(MOST_ROWS)

    def rows(self, found: Iterable[V]) -> Rows:
        """Return the documents as rows."""
        recent, documents = self._recent, list(found)
        names = [(stored.key.id, stored.version) for stored in documents]
        rows = Rows()
        for row, name, stored in zip(recent.each(names), names, documents, strict=True):
            rows.append(row if row is not None else recent.keep(name, to_json(self.show(stored), inf_nan_mode="null")))
        return rows


def _refused(name: str, code: str, message: str) -> PydanticCustomError:
    """Refuse a parameter by name: the edge reads `at` to point at it."""
    return PydanticCustomError(code, message, {"at": name})
