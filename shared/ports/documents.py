"""Documents: the operational truth, as versioned JSON documents in collections.

Adapters: `shared.adapters.sqlite` (file or memory) and `shared.adapters.firestore`. Policy (read-decide-commit,
pages, locks) stands once above them, in `shared.ports.store`.

Values are JSON: None, bool, int (64 bit), finite float, str, list, dict with text keys; a top-level field may also be
`bytes` (at most 900 kB). Times are texts written by `shared.core.clock.instant`, which sort as times. A document is at
most 1 MiB and nested at most 20 deep; the order of its keys is not kept. Field and collection names match
`[a-z][a-z0-9_]*`; ids are 1..1,500 bytes without `/`, not `.`, `..` or `__x__`. A field that is filtered or ordered by
holds values of one type, or null. What breaks these rules is refused with ValueError.
"""

from collections.abc import Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol

from shared.core.values import dataclass, field

__all__ = [
    "Conflict",
    "Counts",
    "Create",
    "Delete",
    "Documents",
    "Key",
    "Position",
    "Put",
    "Query",
    "Stored",
    "UndeclaredShape",
    "Write",
]

Data = dict[str, Any]


class Key(NamedTuple):
    """Where a document lives."""

    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as read: `version` is opaque text, different after every write of the document."""

    key: Key
    data: Data
    version: str


@dataclass(frozen=True, slots=True)
class Create:
    """Write a document that must not exist yet."""

    key: Key
    data: Data


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole document; with `if_version` only when the present version is that one."""

    key: Key
    data: Data
    if_version: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document; without `if_version` removing an absent one is fine."""

    key: Key
    if_version: str | None = None


Write = Create | Put | Delete


class Position(NamedTuple):
    """A place in an ordered result: the ordered field's value and the document id of the row last seen."""

    value: Any
    id: str


@dataclass(frozen=True, slots=True)
class Query:
    """Equality filters, at most one ordered field (with an optional range on it), a limit and a place to go on from.

    `equals` are ANDed `(field, value)` pairs; a tuple as value means "any of these" (at most 10), `contains` is one
    `(field, element)` pair on a list field. Results come ordered by `order_by` (or, without it, by id alone), ties by
    id in the same direction. Documents lacking the ordered field do not appear. `at_least`/`at_most` are inclusive
    bounds, `below` an exclusive upper one, on the ordered field; null lies outside every range and before every value.
    A descending order needs `order_by`, which must not also be filtered by equality.
    """

    collection: str
    equals: tuple[tuple[str, Any], ...] = ()
    contains: tuple[str, Any] | None = None
    order_by: str | None = None
    descending: bool = False
    at_least: Any = None
    at_most: Any = None
    below: Any = None
    limit: int = 50
    after: Position | None = None
    offset: int = 0


class Conflict(Exception):
    """A precondition of a commit failed; nothing was written. `keys` names the documents where known."""

    def __init__(self, keys: Sequence[Key] = ()) -> None:
        """Take the keys that conflicted."""
        super().__init__("a document changed meanwhile")
        self.keys = tuple(keys)


class UndeclaredShape(Exception):
    """A query's shape is not in `infra/firestore.indexes.json`; production would refuse it."""


@dataclass(slots=True)
class Counts:
    """Billable document operations of one adapter since it was made (or since `reset`)."""

    reads: int = 0
    writes: int = 0
    deletes: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    def add(self, *, reads: int = 0, writes: int = 0, deletes: int = 0) -> None:
        """Count operations; safe from any thread."""
        with self._lock:
            self.reads += reads
            self.writes += writes
            self.deletes += deletes

    def reset(self) -> None:
        """Start counting at zero again."""
        self.reads = self.writes = self.deletes = 0


class Documents(Protocol):
    """A document database. Every method raises `shared.core.errors.Transient` when the database is in trouble."""

    counts: Counts
    most_writes: int
    """How many writes `commit_many` takes: 500, or more where the store is not bound to that."""

    def get(self, key: Key) -> Stored | None:
        """Return one document as last committed, or None."""
        ...

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Return those of the documents that exist, as of one moment (one round trip; any number of keys)."""
        ...

    def query(self, query: Query) -> list[Stored]:
        """Return the matching documents in order; raise UndeclaredShape for a shape without its index."""
        ...

    def count(self, query: Query) -> int:
        """Return how many documents match, ignoring order, limit, place and offset."""
        ...

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Apply up to 500 writes (one per key) all or nothing; return the new versions in order ("" for a Delete).

        Raise Conflict when a precondition fails; nothing is written then. A write is visible to every later read. After
        Transient it is unknown whether the commit was applied: only preconditions make it safe to send again.
        """
        ...

    def commit_many(self, writes: Sequence[Write]) -> list[str]:
        """Do what `commit` does with up to `most_writes` writes; whoever calls it has asked how many those are."""
        ...

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when the database does not answer."""
        ...

    def close(self) -> None:
        """Give all connections back; nothing is called afterwards."""
        ...
