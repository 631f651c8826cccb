"""CSV and TSV: separator and encoding told by the content, rows one after the other."""

import codecs
import io
import re
from collections.abc import Iterator

from shared.adapters.feeds.pieces import Peeked, RowBytes
from shared.imports.rows import MOST_CELL, MOST_COLUMNS, Raw, unreadable

__all__ = ["read_table", "separator_of"]

_SEPARATORS = ",;\t|"
_PEEK = 65_536
_WIDE = 10_000
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_FALLBACK = "onhand_cp1252"
_QUOTED = re.compile(r'"(?:[^"]|"")*+"')
_APOSTROPHES = re.compile("'+[=+\\-@\t\r]")


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as cp1252, byte by byte; what that leaves open as Latin-1."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_byte(each) for each in wrong), error.end


def _byte(value: int) -> str:
    try:
        return bytes([value]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(value)


codecs.register_error(_FALLBACK, _as_cp1252)


def separator_of(start: str) -> str:
    """Return the separator of the header: the one seen most often outside quotes; a comma when there is none."""
    header = next((line for line in _QUOTED.sub("", start).splitlines() if line.strip()), "")
    return max(_SEPARATORS, key=header.count)


def read_table(pieces: Peeked) -> Iterator[Raw]:
    """Yield the rows below the header; raise Terminal when the file as a whole cannot be read."""
    import csv

    start = pieces.peek(_PEEK)[:_PEEK]
    encoding = next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")
    separator = separator_of(start.decode(encoding, _FALLBACK if encoding == "utf-8" else "replace"))
    source = RowBytes(pieces)
    text = io.TextIOWrapper(io.BufferedReader(source, _PEEK), encoding, errors=_FALLBACK, newline="")
    csv.field_size_limit(MOST_CELL)
    lines = _narrow(text, source, separator)
    reader = csv.reader(lines, delimiter=separator, strict=False)
    try:
        header = _header(reader)
        yield from _rows(reader, header)
    except csv.Error as error:
        raise _unreadable(error) from None
    except UnicodeError:
        raise unreadable("bad_encoding", "The file is neither UTF-8 nor cp1252 text.") from None


def _narrow(text: io.TextIOWrapper, source: RowBytes, separator: str) -> Iterator[str]:
    """Yield lines; refuse one with more separators than any table has columns before it is taken apart."""
    for line in text:
        source.row_ended()
        if len(line) > _WIDE and line.count(separator) > _WIDE:
            raise unreadable("too_many_columns", f"The file has more than {MOST_COLUMNS} columns.")
        yield line


def _header(reader: "Iterator[list[str]]") -> list[str]:
    header = next((row for row in reader if any(cell.strip() for cell in row)), [])
    if len(header) > MOST_COLUMNS:
        raise unreadable("too_many_columns", f"The file has more than {MOST_COLUMNS} columns.")
    return [cell.strip() for cell in header]


def _rows(reader: "Iterator[list[str]]", header: list[str]) -> Iterator[Raw]:
    width = len(header)
    ragged = Raw((), "bad_row", f"The row does not have the {width} cells of the header.")
    for row in reader:
        if len(row) != width:
            if row:
                yield ragged
            continue
        for number, cell in enumerate(row):
            if cell[:1] == "'" and _APOSTROPHES.match(cell):
                row[number] = cell[1:]
        yield Raw(zip(header, row))  # noqa: B905 - equal lengths were just checked, for every row


def _unreadable(error: Exception) -> Exception:
    if "field larger" in str(error):
        return unreadable("cell_too_long", f"A cell is longer than {MOST_CELL // 1024} KiB.")
    return unreadable("bad_csv", "The file cannot be read as a table.")
