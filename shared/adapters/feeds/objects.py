"""JSON: an array, an object with `products`, `items` or `data`, or one object a line; items one after the other."""

import io
import json
import re
from collections.abc import Generator, Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

from pydantic_core import from_json

from shared.adapters.feeds.pieces import Peeked, RowBytes
from shared.imports.rows import MOST_CELL, MOST_COLUMNS, Batch, Raw, unreadable
from shared.imports.shopify import variants_of

__all__ = ["read_lines", "read_objects"]

_LISTS = frozenset({"products", "items", "data"})
_PEEK = 256 * 1024
_BLOCK = 65_536
_STRETCH = MOST_CELL
_STEEP = 1000
_TRIES = 4
_OPENING = re.compile(rb'\s*(?:\[|\{\s*"(?:products|items|data)"\s*:\s*\[)\s*(?=\{)')
_PLAIN = frozenset({str, bool, type(None)})
_BOM = b"\xef\xbb\xbf"
_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_DIGITS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
_LONG_NUMBER = b"0" * 1000


def read_objects(pieces: Peeked) -> Iterator[Raw | Batch]:
    """Yield the items of a document; raise Terminal `bad_json` when it is not well-formed or has no list.

    As long as the text falls into lists of whole items they are parsed many at a time; what does not, and the end, is
    read event by event. A stretch between two items that parses as a list by itself parses as the same items in place.
    """
    start = pieces.peek(_PEEK).removeprefix(_BOM)
    opening = _OPENING.match(start)
    if opening is None:
        yield from _item_by_item(pieces)
    else:
        rest = yield from _many_at_once(pieces, opening.end())
        yield from _item_by_item(Peeked(chain([opening[0] + rest], pieces)))


def _many_at_once(pieces: Peeked, begin: int) -> Generator[Batch | Raw, None, bytes]:
    """Yield items from where the list begins; return the text from the first that is left to the other reader."""
    held = next(pieces).removeprefix(_BOM)[begin:]
    while True:
        while len(held) < _STRETCH and (more := next(pieces, None)) is not None:
            held += more
        end, items = _stretch(held)
        if items is None:
            return held
        done, held = held[:end], held[end:]
        yield from _together(items, printable=_printable(done))


def _printable(text: bytes) -> bool:
    """Say whether the texts of a stretch, which holds no control character outside of blanks, are printable ASCII."""
    return text.isascii() and b"\\" not in text and b"\x7f" not in text


def _stretch(held: bytes) -> tuple[int, list[Any] | None]:
    """Return the whole items at the start of a text, and where the next one begins."""
    most = min(len(held), _STRETCH)
    for _ in range(_TRIES):
        cut = held.rfind(b"},", 0, most)
        if cut < 0:
            break
        items = _list_of(held[: cut + 1])
        if items is not None:
            return cut + 2, items
        most = cut + 1
    return 0, None


def _list_of(text: bytes) -> list[Any] | None:
    """Return the items of a text that is a list without its brackets; None when it is not, or needs closer reading."""
    listed = b"[" + text + b"]"
    try:
        found: list[Any] = from_json(listed, allow_inf_nan=False, cache_strings="keys")
        if set(map(type, found)) != {dict}:
            return None
        if set(map(type, chain.from_iterable(map(dict.values, found)))) <= _PLAIN:
            return found
        if _LONG_NUMBER in text.translate(_DIGITS):
            return None
        exact: list[Any] = _EXACT.decode(listed.decode())
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return exact


def _together(items: list[Any], *, printable: bool) -> Iterator[Batch | Raw]:
    """Yield items at once unless one stands for several rows; a stretch is shorter than the longest cell."""
    shapes = list(map(tuple, items))
    if shapes.count(shapes[0]) == len(shapes):
        shapes = [shapes[0]] * len(shapes)
    if any("variants" in shape for shape in dict.fromkeys(shapes)):
        for item in items:
            yield from _raws(item)
        return
    if max(map(len, items)) > MOST_COLUMNS:
        raise unreadable("too_many_columns", f"A row has more than {MOST_COLUMNS} columns.")
    yield Batch(shapes, list(map(tuple, map(dict.values, items))), printable)


def _item_by_item(pieces: Peeked) -> Iterator[Raw]:
    import ijson

    start = next(_Guarded(iter([pieces.peek(_PEEK)])))
    guarded = _Guarded(pieces)
    source = RowBytes(guarded)
    try:
        for item in ijson.items(source, _prefix(start), use_float=False, buf_size=_BLOCK):
            source.row_ended()
            guarded.row_ended()
            yield from _raws(item)
    except (ijson.JSONError, UnicodeError):
        raise _bad("The file is not well-formed JSON, or ends early.") from None
    except (ArithmeticError, ValueError, RecursionError):
        raise _bad("The file holds a number or nesting that cannot be read.") from None


def read_lines(pieces: Peeked) -> Iterator[Raw]:
    """Yield one row a line; a line that is no JSON object is a bad row."""
    source = RowBytes(pieces)
    text = io.TextIOWrapper(io.BufferedReader(source, _BLOCK), "utf-8-sig", errors="replace", newline="\n")
    for line in text:
        source.row_ended()
        if not line.strip():
            continue
        try:
            item = _EXACT.decode(line)
        except (ValueError, ArithmeticError, RecursionError):
            yield Raw((), "bad_row", "The line is no JSON object.")
            continue
        yield from _raws(item)


def _no_number(_: str) -> Any:
    message = "NaN and Infinity are no JSON"
    raise ValueError(message)


_EXACT = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)


def _raws(item: Any) -> Iterator[Raw]:
    if not isinstance(item, dict):
        yield Raw((), "bad_row", "The item is no object.")
        return
    if len(item) > MOST_COLUMNS:
        raise unreadable("too_many_columns", f"A row has more than {MOST_COLUMNS} columns.")
    for value in item.values():
        if type(value) is str and len(value) > MOST_CELL:
            raise unreadable("cell_too_long", f"A value is longer than {MOST_CELL // 1024} KiB.")
    if "variants" in item:
        yield from (Raw(each.items()) for each in variants_of(item))
    else:
        yield Raw(item.items())


def _prefix(start: bytes) -> str:
    """Return where the items are: at the top, or in the first known list of the top object."""
    import ijson

    text = start.removeprefix(_BOM).lstrip()
    if text.startswith(b"["):
        return "item"
    depth, key = 0, ""
    try:
        for event, value in ijson.basic_parse(io.BytesIO(text)):
            if event == "map_key" and depth == 1:
                key = value
            elif event == "start_array" and depth == 1 and key in _LISTS:
                return f"{key}.item"
            depth += _STEPS.get(event, 0)
    except ijson.JSONError:
        pass
    raise _bad("The document has no list called products, items or data.")


class _Guarded:
    """Pieces of a document on their way into the parser, which must not meet what makes it slow or breaks it.

    It takes time by the square of the depth, and dies of whole numbers longer than Python turns into integers. Depth is
    counted from the end of the last item, brackets in texts included: no product has a thousand more opened than closed.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        """Take the pieces."""
        self._pieces = pieces
        self._open, self._tail, self._first = 0, b"", True

    def row_ended(self) -> None:
        """Begin counting anew."""
        self._open = 0

    def __iter__(self) -> Iterator[bytes]:
        """Return the pieces."""
        return self

    def __next__(self) -> bytes:
        """Return the next piece, looked through; raise Terminal `bad_json`."""
        piece = next(self._pieces)
        if self._first:
            piece, self._first = piece.removeprefix(_BOM), False
        self._open += piece.count(b"[") + piece.count(b"{") - piece.count(b"]") - piece.count(b"}")
        if self._open > _STEEP:
            raise _bad("The file is nested too deep.")
        marked = self._tail + piece.translate(_DIGITS)
        if _LONG_NUMBER in marked:
            raise _bad("The file holds a number of too many digits.")
        self._tail = marked[-len(_LONG_NUMBER) :]
        return piece


def _bad(sentence: str) -> Exception:
    return unreadable("bad_json", sentence)
