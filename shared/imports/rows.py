"""A row as a reader delivers it, and the limits of every file (api.md 1.12)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from shared.core.errors import Terminal

__all__ = [
    "MOST_CELL",
    "MOST_COLUMNS",
    "MOST_FETCHED",
    "MOST_ROWS",
    "MOST_UPLOADED",
    "Batch",
    "Pairs",
    "Raw",
    "unreadable",
]

MOST_ROWS = 1_000_000
MOST_COLUMNS = 200
MOST_CELL = 128 * 1024
MOST_UPLOADED = 200 * 2**20
"""Bytes of an upload once unpacked."""
MOST_FETCHED = 2**30
"""Bytes of a file read from an address, on the wire and unpacked."""

Pairs = Iterable[tuple[str, object]]
"""Column names with what stands in them; a name may repeat. JSON brings numbers and lists, everything else texts."""


class Raw(NamedTuple):
    """One row: its cells, or the code and sentence of why it cannot be read."""

    pairs: Pairs
    code: str | None = None
    message: str | None = None


class Batch(NamedTuple):
    """Some rows that can all be read, together: the names of their columns, and what stands in them."""

    names: list[tuple[str, ...]]
    cells: list[Sequence[object]]
    printable: bool = False
    """Whether the reader knows that all texts consist of printable ASCII."""

    def raws(self) -> "Iterable[Raw]":
        """Return the rows one by one."""
        return (Raw(tuple(zip(names, cells, strict=True))) for names, cells in zip(self.names, self.cells, strict=True))


def unreadable(code: str, sentence: str) -> Terminal:
    """Return the failure of a whole file; nothing of it is applied."""
    return Terminal(code, sentence)
