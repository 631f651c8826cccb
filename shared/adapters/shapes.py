"""Query shapes: which queries production can answer, read from the one file that also creates its indexes.

`infra/firestore.indexes.json` (Firebase's layout, which allows no comments, hence this page) drives Terraform, the SQLite
indexes and this check. What to add when a query raises UndeclaredShape:

* **Nothing** for equality filters alone (any number, also "any of"), for `contains` alone, or for one ordered field
  without filters: Firestore indexes every field by itself. Say so all the same for a field that many documents are
  searched by, so that SQLite has an index too, in `fieldOverrides`:
  `{"collectionGroup": "jobs", "fieldPath": "state", "indexes": [{"queryScope": "COLLECTION", "order": "ASCENDING"}]}`
* **One entry of `indexes`** for filters together with an ordered (or ranged) field: the filtered fields in any order, a
  `contains` field with `"arrayConfig": "CONTAINS"`, and last the ordered one. One direction serves both:
  `{"collectionGroup": "jobs", "queryScope": "COLLECTION", "fields": [{"fieldPath": "state", "order": "ASCENDING"},
  {"fieldPath": "created_at", "order": "DESCENDING"}]}`
* **A time to live**: `{"collectionGroup": "replies", "fieldPath": "expires_at", "ttl": true, "indexes": []}`. The value
  is a text written by `shared.core.clock.instant`; Firestore gets and deletes by a timestamp, SQLite only keeps the text.
  `"indexes": []` keeps the field out of the automatic indexes; list one there if it is queried.

Never order by a field that is filtered by equality: leave the order out, or order by another field.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_core import from_json

from shared.adapters.encoding import is_field, possible
from shared.core.values import dataclass, field
from shared.ports.documents import Key, Query, UndeclaredShape

__all__ = ["Index", "Shape", "Shapes"]


class Shape(NamedTuple):
    """What of a query decides which index it needs: E (equal fields), C (contains field) and L (ordered field)."""

    collection: str
    equal: frozenset[str]
    contains: str | None
    order_by: str | None

    @classmethod
    def of(cls, query: Query) -> "Shape":
        """Return the shape of a query."""
        contains = query.contains[0] if query.contains else None
        return cls(query.collection, frozenset(name for name, _ in query.equals), contains, query.order_by)

    def __str__(self) -> str:
        """Say it in one line, as a developer would read it in an error."""
        parts = [self.collection, *(f"{name} =" for name in sorted(self.equal))]
        parts += [f"{self.contains} contains"] if self.contains else []
        parts += [f"order by {self.order_by}"] if self.order_by else []
        return ", ".join(parts)


class Index(NamedTuple):
    """One declared index: its plain fields in order, and its array-contains field if any."""

    collection: str
    fields: tuple[str, ...]
    contains: str | None = None


@dataclass(frozen=True)
class Shapes:
    """The declared indexes; `seen` collects every shape that was checked, for the tests that compare both."""

    composite: frozenset[Index] = frozenset()
    single: Mapping[tuple[str, str], frozenset[Index]] = field(default_factory=dict)
    expiring: frozenset[tuple[str, str]] = frozenset()
    seen: dict[Shape, bool] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Shapes":
        """Read Firebase's index file; raise ValueError for scopes other than COLLECTION."""
        return cls.of(from_json(path.read_bytes()))

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> "Shapes":
        """Take the parsed index file."""
        overrides = declared.get("fieldOverrides", [])
        composite = (_index(entry["collectionGroup"], entry["fields"], entry) for entry in declared.get("indexes", []))
        single = {
            (entry["collectionGroup"], entry["fieldPath"]): frozenset(_singles(entry))
            for entry in overrides
            if "indexes" in entry
        }
        ttl = ((entry["collectionGroup"], entry["fieldPath"]) for entry in overrides if entry.get("ttl"))
        return cls(frozenset(composite), single, frozenset(ttl))

    def check(self, query: Query) -> None:
        """Raise UndeclaredShape when production would refuse the query, ValueError when the port does."""
        shape = Shape.of(query)
        if self.seen.get(shape) and _is_plain(query):
            return
        _check_form(query)
        if not self._remembered(shape):
            raise UndeclaredShape(
                f"no index in infra/firestore.indexes.json serves ({shape}); see shared/adapters/shapes.py"
            )

    def covers(self, shape: Shape) -> bool:
        """Apply the rule of Firestore's planner: automatic indexes first, then declared ones, also several together."""
        ordered = shape.order_by
        if ordered is None:
            filters = [(name, False) for name in shape.equal] + ([(shape.contains, True)] if shape.contains else [])
            return all(self._automatic(shape.collection, name, contains=c) for name, c in filters) or self._merged(
                shape
            )
        if not shape.equal and shape.contains is None:
            return self._automatic(shape.collection, ordered, contains=False)
        return self._merged(shape)

    def indexes(self) -> Iterable[Index]:
        """Yield every declared index once, for the adapter that builds them."""
        yield from sorted(self.composite | frozenset().union(*self.single.values()), key=str)

    def _remembered(self, shape: Shape) -> bool:
        known = self.seen.get(shape)
        if known is None:
            known = self.seen[shape] = self.covers(shape)
        return known

    def _automatic(self, collection: str, name: str, *, contains: bool) -> bool:
        """Say whether Firestore's own index of the field exists: always, unless an override leaves it out."""
        kept = self.single.get((collection, name))
        return kept is None or any((index.contains is not None) == contains for index in kept)

    def _merged(self, shape: Shape) -> bool:
        """Say whether composites, each some filters then exactly the order, together hold every filter."""
        wanted = shape.equal | ({shape.contains} if shape.contains else set())
        last = (shape.order_by,) if shape.order_by else ()
        held: set[str] = set()
        for index in self.composite:
            if index.collection != shape.collection or index.contains not in (None, shape.contains):
                continue
            if shape.contains and index.contains is None:
                continue  # merging around array-contains is not certain: only a full index counts
            head = index.fields[: len(index.fields) - len(last)]
            names = set(head) | ({index.contains} if index.contains else set())
            if index.fields[len(head) :] == last and names <= wanted and (not shape.contains or names == wanted):
                held |= names
        return held == wanted


def _index(collection: str, fields: Iterable[Mapping[str, Any]], entry: Mapping[str, Any]) -> Index:
    if entry.get("queryScope", "COLLECTION") != "COLLECTION":
        raise ValueError(f"{collection}: only queryScope COLLECTION is in use here")
    listed = [each for each in fields if each["fieldPath"] != "__name__"]
    plain = tuple(each["fieldPath"] for each in listed if "order" in each)
    contains = next((each["fieldPath"] for each in listed if "arrayConfig" in each), None)
    return Index(collection, plain, contains)


def _singles(entry: Mapping[str, Any]) -> Iterable[Index]:
    for index in entry["indexes"]:
        yield _index(entry["collectionGroup"], [{"fieldPath": entry["fieldPath"], **index}], index)


_SCALARS = frozenset({str, int, float, bool, type(None)})
_SCALAR = (str, int, float, bool, type(None))
_LISTED = (str, int, float)
_MOST_ALTERNATIVES = 10


def _is_plain(query: Query) -> bool:
    """Say whether a query of a shape that was right before is right too; no says nothing, and the whole check decides."""
    return (
        query.limit >= 1
        and query.offset >= 0
        and query.order_by is not None
        and query.contains is None
        and (query.after is None or possible(Key(query.collection, query.after.id)))
        and all(type(value) in _SCALARS for value in _values(query) if value != ())
    )


def _check_form(query: Query) -> None:
    """Refuse what the port does not offer, alike on every adapter."""
    equal = [name for name, _ in query.equals]
    if query.order_by in equal:
        raise UndeclaredShape(f"{query.collection}: ordered by {query.order_by}, which is filtered by equality")
    if query.descending and query.order_by is None:
        raise UndeclaredShape(f"{query.collection}: Firestore has no index of ids backwards; descending needs order_by")
    ranged = (query.at_least, query.at_most, query.below) != (None, None, None)
    wrong = {
        "a field filtered twice": len(set(equal)) < len(equal),
        "a range without order_by": ranged and query.order_by is None,
        "limit < 1 or offset < 0": query.limit < 1 or query.offset < 0,
        "a place that no document can have": not possible(
            Key(query.collection, query.after.id if query.after else "x")
        ),
        "a bad name of a field": not all(map(is_field, _named(query, equal))),
        "a comparison with what is no text, number, bool or null": not all(map(_comparable, _values(query))),
    }
    reasons = [reason for reason, is_wrong in wrong.items() if is_wrong]
    if reasons:
        raise ValueError(f"{query.collection}: {', '.join(reasons)}")


def _named(query: Query, equal: list[str]) -> Iterable[str]:
    yield from equal
    if query.order_by is not None:
        yield query.order_by
    if query.contains is not None:
        yield query.contains[0]


def _values(query: Query) -> Iterable[object]:
    yield from (value for _, value in query.equals)
    yield from (query.at_least, query.at_most, query.below, query.after.value if query.after else None)
    if query.contains is not None:  # null and alternatives cannot be looked for in a list
        yield () if query.contains[1] is None or isinstance(query.contains[1], tuple) else query.contains[1]


def _comparable(value: object) -> bool:
    if isinstance(value, tuple):
        return 1 <= len(value) <= _MOST_ALTERNATIVES and all(type(each) in _LISTED for each in value)
    return isinstance(value, _SCALAR)
