"""XML: an own streaming reader over expat. Any doctype is refused, depth, attributes and text are bounded.

A row is the outermost `product`, `item`, `entry` or `offer`, by local name, anywhere. Its cells are its children in no
namespace, its own namespace, Google's or Atom's, under their local names; a child's child is `parent/child`.
"""

from collections.abc import Iterator
from typing import Any

from shared.adapters.feeds.pieces import Peeked
from shared.imports.rows import MOST_CELL, MOST_COLUMNS, Raw, unreadable

__all__ = ["read_markup"]

_ROWS = frozenset({"product", "item", "entry", "offer"})
_SPACES = frozenset(
    {"", "http://base.google.com/ns/1.0", "http://base.google.com/cns/1.0", "http://www.w3.org/2005/Atom"}
)
_MOST_DEPTH = 64
_MOST_ATTRIBUTES = 64
_MOST_TOKEN = 2**20
_MOST_CELLS = 1000
_FOREIGN = "\0"


def read_markup(pieces: Peeked) -> Iterator[Raw]:
    """Yield the rows; raise Terminal `bad_xml` when the file is not well-formed or breaks a bound."""
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
            yield from reader.taken()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise _bad(f"The file is not well-formed, line {error.lineno}.") from None
    except (UnicodeError, LookupError, ValueError):
        raise _bad("The file is in an encoding that is not read.") from None
    yield from reader.taken()


class _Reader:
    """What expat tells, collected into rows."""

    def __init__(self) -> None:
        self._depth = 0
        self._row_depth = 0
        self._row_space = ""
        self._path: list[str] = []
        self._pairs: list[tuple[str, object]] = []
        self._text: list[str] = []
        self._size = 0
        self._done: list[Raw] = []
        self._names: dict[str, tuple[str, str]] = {}

    def taken(self) -> list[Raw]:
        """Return the rows completed since the last call."""
        done, self._done = self._done, []
        return done

    def doctype(self, *_: Any) -> None:
        """Refuse what could define entities."""
        raise _bad("A document type is not allowed.")

    def start(self, name: str, attributes: list[str]) -> None:
        """Go one level down."""
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise _bad(f"The file is nested deeper than {_MOST_DEPTH} levels.")
        if len(attributes) > 2 * _MOST_ATTRIBUTES:
            raise _bad(f"A tag has more than {_MOST_ATTRIBUTES} attributes.")
        space, local = self._split(name)
        if self._row_depth:
            self._path.append(local if space in _SPACES or space == self._row_space else _FOREIGN)
            self._text, self._size = [], 0
            if attributes and local == "link" and len(self._path) == 1:
                self._link(attributes)
        elif local in _ROWS:
            self._row_depth, self._row_space = self._depth, space
            for at in range(0, len(attributes), 2):
                self._pairs.append((attributes[at], attributes[at + 1]))

    def end(self, _: str) -> None:
        """Come back one level: a cell, or a row, is complete."""
        if self._row_depth:
            if self._depth == self._row_depth:
                self._done.append(Raw(self._pairs))
                self._pairs, self._row_depth = [], 0
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
        if _FOREIGN not in self._path and text and not text.isspace():
            self._pairs.append(("/".join(self._path), text))
            self._check_width()
        self._path.pop()
        self._text, self._size = [], 0

    def _check_width(self) -> None:
        if len(self._pairs) > MOST_COLUMNS and (
            len(self._pairs) > _MOST_CELLS or len({name for name, _ in self._pairs}) > MOST_COLUMNS
        ):
            raise unreadable("too_many_columns", f"A row has more than {MOST_COLUMNS} columns.")

    def _link(self, attributes: list[str]) -> None:
        told = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if told.get("href") and told.get("rel", "alternate") == "alternate":
            self._pairs.append(("link", told["href"]))

    def _split(self, name: str) -> tuple[str, str]:
        known = self._names.get(name)
        if known is None:
            space, _, local = name.rpartition(" ")
            known = (space, local)
            if len(self._names) < _MOST_CELLS:
                self._names[name] = known
        return known


def _bad(sentence: str) -> Exception:
    return unreadable("bad_xml", sentence)
