"""XML: an own streaming reader over expat. Any doctype is refused, depth, attributes and text are bounded.

A row is the outermost `product`, `item`, `entry` or `offer`, by local name, anywhere. Its cells are its children in no
namespace, its own namespace, Google's or Atom's, under their local names; a child's child is `parent/child`.
"""

from collections.abc import Generator, Iterator
from itertools import chain
from typing import Any

from shared.adapters.feeds.pieces import Peeked
from shared.adapters.feeds.stretches import ROWS, SPACES, STRETCH, Beginning, Shapes, beginning_of
from shared.imports.rows import MOST_CELL, MOST_COLUMNS, Batch, unreadable

__all__ = ["read_markup"]

_MOST_DEPTH = 64
_MOST_ATTRIBUTES = 64
_MOST_TOKEN = 2**20
_MOST_CELLS = 1000
_FOREIGN = "\0"
_TIRED = 3


def read_markup(pieces: Peeked) -> Iterator[Batch]:
    """Yield the rows; raise Terminal `bad_xml` when the file is not well-formed or breaks a bound.

    As long as the text falls into stretches of whole rows they are read many at a time; what does not, and the end, is read
    event by event.
    """
    beginning = beginning_of(pieces)
    if beginning is None:
        yield from _by_event(pieces)
    else:
        rest, lines = yield from _many_at_once(pieces, beginning)
        yield from _by_event(chain([beginning.text + rest], pieces), lines)


def _many_at_once(pieces: Peeked, beginning: Beginning) -> Generator[Batch, None, tuple[bytes, int]]:
    """Yield rows; return the text from the first that is left to the other reader, and the lines before it.

    Rows that are not simple go through the other reader a stretch at a time; a file of nothing else is left to it.
    """
    held, lines, tired = next(pieces)[len(beginning.text) :], 0, 0
    shapes = Shapes()
    while tired < _TIRED:
        while len(held) < STRETCH and (more := next(pieces, None)) is not None:
            held += more
        end, elements = beginning.stretch(held)
        if not elements:
            break
        text, held = held[:end], held[end:]
        batch = shapes.batch(elements, text)
        if batch is None:
            yield from _by_event(iter([beginning.text, text, beginning.closing]))
        else:
            yield batch
        tired = tired + 1 if batch is None else 0
        lines += text.count(b"\n")
    return held, lines


def _by_event(pieces: Iterator[bytes], lines: int = 0) -> Iterator[Batch]:
    """Yield the rows of a document of which so many lines have been left out before the first row."""
    from xml.parsers import expat

    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.buffer_size = 65_536
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.ordered_attributes = True
    fed = 0
    try:
        for piece in pieces:
            parser.Parse(piece, False)
            fed += len(piece)
            if fed - max(0, parser.CurrentByteIndex) > _MOST_TOKEN:
                raise _bad("A tag is too long.")
            if reader.rows:
                yield reader.taken()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _bad(f"The file is not well-formed, line {error.lineno + lines}.") from None
    except (UnicodeError, LookupError, ValueError):
        raise _bad("The file is in an encoding that is not read.") from None
    if reader.rows:
        yield reader.taken()


class _Reader:
    """What expat tells, collected into rows."""

    def __init__(self) -> None:
        self._depth = 0
        self._row_depth = 0
        self._row_space = ""
        self._path: list[str] = []
        self._columns: list[str] = []
        self._cells: list[object] = []
        self._text: list[str] = []
        self._size = 0
        self._done = Batch([], [])
        self._names: dict[str, tuple[str, str]] = {}

    @property
    def rows(self) -> int:
        """Return how many rows have been completed since they were taken."""
        return len(self._done.names)

    def taken(self) -> Batch:
        """Return the rows completed since the last call."""
        done, self._done = self._done, Batch([], [])
        return done

    def doctype(self, *_: Any) -> None:
        """Refuse what could define entities."""
        raise _bad("A document type is not allowed.")

    def start(self, name: str, attributes: list[str]) -> None:
        """Go one level down."""
        self._depth = depth = self._depth + 1
        if depth > _MOST_DEPTH:
            raise _bad(f"The file is nested deeper than {_MOST_DEPTH} levels.")
        if attributes and len(attributes) > 2 * _MOST_ATTRIBUTES:
            raise _bad(f"A tag has more than {_MOST_ATTRIBUTES} attributes.")
        space, local = self._names.get(name) or self._split(name)
        if self._row_depth:
            self._path.append(local if space in SPACES or space == self._row_space else _FOREIGN)
            self._text, self._size = [], 0
            if attributes and local == "link" and len(self._path) == 1:
                self._link(attributes)
        elif local in ROWS:
            self._row_depth, self._row_space = self._depth, space
            for at in range(0, len(attributes), 2):
                self._keep(attributes[at], attributes[at + 1])

    def end(self, _: str) -> None:
        """Come back one level: a cell, or a row, is complete."""
        if self._row_depth:
            if self._depth == self._row_depth:
                self._done.names.append(tuple(self._columns))
                self._done.cells.append(self._cells)
                self._columns, self._cells, self._row_depth = [], [], 0
            else:
                self._cell()
        self._depth -= 1

    def text(self, text: str) -> None:
        """Take text of the present element."""
        if not self._path:
            return
        self._size += len(text)
        if self._size > MOST_CELL:
            raise unreadable("cell_too_long", f"An element's text is longer than {MOST_CELL // 1024} KiB.")
        self._text.append(text)

    def _cell(self) -> None:
        text = "".join(self._text)
        path = self._path
        if text and not text.isspace() and _FOREIGN not in path:
            self._keep(path[0] if len(path) == 1 else "/".join(path), text)
            if len(self._cells) > MOST_COLUMNS:
                self._check_width()
        path.pop()
        self._text, self._size = [], 0

    def _keep(self, column: str, cell: object) -> None:
        self._columns.append(column)
        self._cells.append(cell)

    def _check_width(self) -> None:
        if len(self._cells) > _MOST_CELLS or len(set(self._columns)) > MOST_COLUMNS:
            raise unreadable("too_many_columns", f"A row has more than {MOST_COLUMNS} columns.")

    def _link(self, attributes: list[str]) -> None:
        told = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if told.get("href") and told.get("rel", "alternate") == "alternate":
            self._keep("link", told["href"])

    def _split(self, name: str) -> tuple[str, str]:
        space, _, local = name.rpartition(" ")
        if len(self._names) < _MOST_CELLS:
            self._names[name] = (space, local)
        return space, local


def _bad(sentence: str) -> Exception:
    return unreadable("bad_xml", sentence)
