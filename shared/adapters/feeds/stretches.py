"""XML many rows at a time: stretches between two rows, read by the tree builder in C inside the beginning of their file.

A file begins with what its first row stands in. A stretch that, after that beginning, is well-formed up to the end of a row
and closes nothing of what was open is the same rows in place: what came before it ended between two rows as well. Whatever is not that simple (a document type,
an encoding other than UTF-8, rows in several places) is left to the reader that goes event by event.
"""

import re
from operator import attrgetter
from typing import Any, Final

from shared.adapters.feeds.pieces import Peeked
from shared.core.values import dataclass
from shared.imports.rows import MOST_CELL, MOST_COLUMNS, Batch

__all__ = ["ROWS", "SPACES", "STRETCH", "Beginning", "Shapes", "beginning_of"]

ROWS: Final = frozenset({"product", "item", "entry", "offer"})
"""Local names of rows."""
SPACES: Final = frozenset(
    {"", "http://base.google.com/ns/1.0", "http://base.google.com/cns/1.0", "http://www.w3.org/2005/Atom"}
)
"""Namespaces that cells may be in."""
STRETCH: Final = MOST_CELL
_PEEK = 16_384
_LONGEST = 4096
_FIRST = re.compile(rb"<(?:[\w.-]+:)?(product|item|entry|offer)(?=[\s/>])")
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"=\s*[\"']")
_MOST_ATTRIBUTES = 64
_TRIES = 4
_SHALLOW = 20
_MOST_SHAPES = 1000
_TEXT, _TAG = attrgetter("text"), attrgetter("tag")


@dataclass(frozen=True, slots=True)
class Beginning:
    """What comes before the first row of a file, and what would end it."""

    text: bytes
    closing: bytes
    ends_row: bytes
    before: tuple[int, ...]
    """How many children each open element has, the outermost first."""

    def rows(self, stretch: bytes) -> list[Any] | None:
        """Return the elements of a stretch; None when it is not well-formed in this place, or does not stay in it."""
        path = self.path(stretch)
        if path is None or tuple(map(len, path[:-1])) != self.before[:-1]:
            return None
        return list(path[-1][self.before[-1] :])

    def path(self, stretch: bytes) -> list[Any] | None:
        """Return the elements that are open after a stretch, the outermost first; None when it is not well-formed."""
        from xml.etree.ElementTree import ParseError, XMLParser

        parser = XMLParser()  # noqa: S314 - the beginning has no document type, and none may come later
        try:
            parser.feed(self.text)
            parser.feed(stretch)
            parser.feed(self.closing)
            element: Any = parser.close()
        except (ParseError, ValueError, LookupError):
            return None
        path = [element]
        while len(path) < len(self.before):
            path.append(path[-1][-1])
        return path

    def stretch(self, held: bytes) -> tuple[int, list[Any]]:
        """Return the rows at the start of a text, and where the next begins; none when it has to be read otherwise."""
        most = min(len(held), STRETCH)
        for _ in range(_TRIES):
            cut = held.rfind(self.ends_row, 0, most)
            if cut < 0:
                break
            end = cut + len(self.ends_row)
            rows = self.rows(held[:end])
            if rows:
                return end, rows
            most = cut
        return 0, []


def beginning_of(pieces: Peeked) -> Beginning | None:
    """Return how a file begins; None when it has to be read event by event."""
    start = pieces.peek(_PEEK)
    first = _FIRST.search(start)
    if first is None or first.start() > _LONGEST:
        return None
    text = start[: first.start()]
    if b"<!DOCTYPE" in text or _ENCODING.search(text) or not text.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"<"):
        return None
    opened = _opened(text)
    if not opened or len(opened) > _SHALLOW:
        return None
    closing = b"".join(f"</{name}>".encode() for name in reversed(opened))
    found = Beginning(text, closing, b"</" + first[0][1:] + b">", (0,) * len(opened))
    path = found.path(b"")
    return None if path is None else Beginning(text, closing, found.ends_row, tuple(map(len, path)))


def _opened(text: bytes) -> list[str]:
    """Return the names of the elements that are open at the end of a text; none when a row is among all that began."""
    from xml.parsers import expat

    parser = expat.ParserCreate()
    opened: list[str] = []
    seen: set[str] = set()

    def start(name: str, _: object) -> None:
        opened.append(name)
        seen.add(name)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: opened.pop()
    try:
        parser.Parse(text, False)
    except (expat.ExpatError, UnicodeError, LookupError, ValueError):
        return []
    return [] if any(name.rpartition(":")[2] in ROWS for name in seen) else opened


@dataclass(frozen=True, slots=True)
class _Shape:
    """The columns of rows of one make; which of their children are cells where not all are; where links are."""

    names: tuple[str, ...]
    kept: tuple[int, ...] | None
    links: bool


class Shapes:
    """Reads elements as the reader that goes event by event reads them, where they are simple."""

    def __init__(self) -> None:
        """Know no shape yet."""
        self._known: dict[tuple[str, ...], _Shape | None] = {}

    def batch(self, elements: list[Any], text: bytes) -> Batch | None:
        """Return the rows of elements that `text` holds; None when a closer look is needed."""
        attributes = len(_ATTRIBUTE.findall(text))
        if b"<!--" in text or b"<?" in text or (attributes > _MOST_ATTRIBUTES and _is_overgrown(elements)):
            return None
        batch = Batch([], [])
        for element in elements:
            tags = (element.tag, *map(_TAG, element))
            shape = self._known[tags] if tags in self._known else self._shape(tags)
            if shape is None or any(map(len, element)) or (attributes and _says_more(element, shape)):
                return None
            names, told = shape.names, list(map(_TEXT, element))
            if shape.kept is not None:
                told = [told[at] for at in shape.kept]
            if None in told or any(map(str.isspace, told)):
                pairs = [(name, cell) for name, cell in zip(names, told, strict=True) if cell and not cell.isspace()]
                names, told = tuple(name for name, _ in pairs), [cell for _, cell in pairs]
            batch.names.append(names)
            batch.cells.append(told)
        return batch

    def _shape(self, tags: tuple[str, ...]) -> _Shape | None:
        (space, local), *children = map(_split, tags)
        found = None
        if local in ROWS and len(children) <= MOST_COLUMNS:
            kept = tuple(at for at, child in enumerate(children) if child[0] in SPACES or child[0] == space)
            names = tuple(children[at][1] for at in kept)
            links = any(name == "link" for _, name in children)
            found = _Shape(names, None if len(kept) == len(children) else kept, links)
        if len(self._known) < _MOST_SHAPES:
            self._known[tags] = found
        return found


def _split(tag: str) -> tuple[str, str]:
    space, _, local = tag.removeprefix("{").rpartition("}")
    return space, local


def _says_more(element: Any, shape: _Shape) -> bool:
    """Say whether a row has cells in its attributes or in those of a link."""
    linked = shape.links and any(child.keys() and _split(child.tag)[1] == "link" for child in element)
    return bool(linked or element.keys())


def _is_overgrown(elements: list[Any]) -> bool:
    """Say whether a tag has more attributes than any should have."""
    return any(len(each.keys()) > _MOST_ATTRIBUTES for element in elements for each in element.iter())
