"""A file's bytes on their way to a parser: counted, bounded, peeked at, and offered as the file object parsers want."""

import io
from collections.abc import Iterator
from typing import Any

from shared.imports.rows import unreadable

__all__ = ["Peeked", "RowBytes", "capped"]

_MOST_ROW = 8 * 2**20
"""Bytes between the ends of two rows: more can be no row of at most 200 cells that anybody wrote."""


def capped(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Yield the pieces; raise Terminal `too_large` beyond so many bytes."""
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > most:
            raise unreadable("too_large", f"The file is larger than {most // 2**20} MiB.")
        yield piece


class Peeked:
    """Pieces whose beginning can be looked at before they are read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Take the pieces."""
        self._pieces = pieces
        self._ahead: list[bytes] = []

    def peek(self, size: int) -> bytes:
        """Return the first bytes, at least `size` where there are so many."""
        held = sum(len(piece) for piece in self._ahead)
        while held < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._ahead.append(piece)
            held += len(piece)
        joined = b"".join(self._ahead)
        self._ahead = [joined] if joined else []
        return joined

    def __iter__(self) -> Iterator[bytes]:
        """Return the pieces from the start."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece."""
        return self._ahead.pop(0) if self._ahead else next(self._pieces)


class RowBytes(io.RawIOBase):
    """A file object over pieces that refuses a row without an end: the parser says when one has ended."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Take the pieces."""
        super().__init__()
        self._pieces, self._held = pieces, b""
        self._since = 0

    def row_ended(self) -> None:
        """Begin counting the next row."""
        self._since = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what comes next; 0 at the end."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""
        if not self._held:
            self._held = next((piece for piece in self._pieces if piece), b"")
        most = len(self._held) if size < 0 else size
        found, self._held = self._held[:most], self._held[most:]
        self._since += len(found)
        if self._since > _MOST_ROW:
            raise unreadable("row_too_long", f"A row is longer than {_MOST_ROW // 2**20} MiB.")
        return found
