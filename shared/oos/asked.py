"""What a surface asks of the held orders and what it gets back of the older feed: words both sides know.

They stand apart from the service so that a function's routes load neither the reader of snapshots nor gzip before they are
needed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.oos.queue import Filter, Place
from shared.oos.words import SOURCES

__all__ = ["Asked", "Feed"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the queue is wanted. `pinned` (source -> snapshot id) comes from a cursor."""

    wanted: Filter = field(default_factory=Filter)
    sources: Sequence[str] = SOURCES
    state: str = "open"
    sort: str = "opened_at"
    descending: bool = True
    limit: int = 50
    after: Place | None = None
    offset: int = 0
    pinned: Mapping[str, str] | None = None
    total: bool = False
    history: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of the older feed: how to make its plain bytes and, for the default page, gzip; `etag` without quotes."""

    plain: Callable[[], bytes]
    packed: bytes | None
    etag: str
    total: int
    next: tuple[str, int] | None
    age_s: int | None
