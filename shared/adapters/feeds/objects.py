"""JSON: an array, an object with `products`, `items` or `data`, or one object a line; items one after the other."""

import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from shared.adapters.feeds.pieces import Peeked, RowBytes
from shared.imports.rows import MOST_CELL, MOST_COLUMNS, Raw, unreadable
from shared.imports.shopify import variants_of

__all__ = ["read_lines", "read_objects"]

_LISTS = frozenset({"products", "items", "data"})
_PEEK = 256 * 1024
_BLOCK = 65_536
_STEEP = 1000


def read_objects(pieces: Peeked) -> Iterator[Raw]:
    """Yield the items of a document; raise Terminal `bad_json` when it is not well-formed or has no list."""
    import ijson

    source = RowBytes(_shallow(pieces))
    try:
        for item in ijson.items(source, _prefix(pieces.peek(_PEEK)), use_float=False, buf_size=_BLOCK):
            source.row_ended()
            yield from _raws(item)
    except (ijson.JSONError, UnicodeError):
        raise _bad("The file is not well-formed JSON, or ends early.") from None
    except (ArithmeticError, ValueError, RecursionError):
        raise _bad("The file holds a number or nesting that cannot be read.") from None


def read_lines(pieces: Peeked) -> Iterator[Raw]:
    """Yield one row a line; a line that is no JSON object is a bad row."""
    source = RowBytes(pieces)
    text = io.TextIOWrapper(io.BufferedReader(source, _BLOCK), "utf-8-sig", errors="replace", newline="\n")
    decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
    for line in text:
        source.row_ended()
        if not line.strip():
            continue
        try:
            item = decoder.decode(line)
        except (ValueError, ArithmeticError, RecursionError):
            yield Raw((), "bad_row", "The line is no JSON object.")
            continue
        yield from _raws(item)


def _no_number(_: str) -> Any:
    message = "NaN and Infinity are no JSON"
    raise ValueError(message)


def _raws(item: Any) -> Iterator[Raw]:
    if not isinstance(item, dict):
        yield Raw((), "bad_row", "The item is no object.")
        return
    if len(item) > MOST_COLUMNS:
        raise unreadable("too_many_columns", f"A row has more than {MOST_COLUMNS} columns.")
    if any(isinstance(value, str) and len(value) > MOST_CELL for value in item.values()):
        raise unreadable("cell_too_long", f"A value is longer than {MOST_CELL // 1024} KiB.")
    yield from (Raw(list(each.items())) for each in variants_of(item))


def _prefix(start: bytes) -> str:
    """Return where the items are: at the top, or in the first known list of the top object."""
    import ijson

    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return "item"
    try:
        for prefix, event, _ in ijson.parse(io.BytesIO(text)):
            if event == "start_array" and prefix in _LISTS:
                return f"{prefix}.item"
    except ijson.JSONError:
        pass
    raise _bad("The document has no list called products, items or data.")


def _shallow(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces; refuse one that goes steeply into depth."""
    first = True
    for piece in pieces:
        opened = piece.count(b"[") + piece.count(b"{")
        if opened > _STEEP and opened - piece.count(b"]") - piece.count(b"}") > _STEEP:
            raise _bad("The file is nested too deep.")
        yield piece.removeprefix(b"\xef\xbb\xbf") if first else piece
        first = False


def _bad(sentence: str) -> Exception:
    return unreadable("bad_json", sentence)
