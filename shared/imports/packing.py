"""How the rows of a part are kept while an import is compared: columns as lines of text, single rows as JSON. Pure.

A payload is a header and one piece for each column or stretch of rows, parted by a sign that none of them can hold. Columns
are what they were tested as: neither are objects made of cells for staging, nor are their names written again in every row.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic_core import from_json, to_json

from shared.imports.numbers import IN_STOCK
from shared.imports.plain import Sheet

__all__ = ["Block", "packed", "pieces", "unpacked"]

_MOST_BYTES = 600_000

_PARTING = b"\x1e"
Block = tuple[int, Sheet] | list[Any]
"""The number of the first row of a sheet and the sheet, or staged rows as they are."""


def packed(blocks: Sequence[Block]) -> bytes:
    """Return the payload of a part."""
    header: list[Any] = []
    pieces: list[bytes] = []
    for block in blocks:
        if isinstance(block, list):
            header.append(None)
            pieces.append(to_json(block))
            continue
        first, (count, columns) = block
        header.append([first, count, [[field, column.kind] for field, column in columns.items()]])
        pieces += (
            column.lines.encode() if column.lines else "\n".join(map(str, column.cells)).encode()
            for column in columns.values()
        )
    return _PARTING.join([to_json(header), *pieces])


def pieces(rows: Iterable[Any], most: int) -> Iterator[tuple[int, bytes]]:
    """Yield the payloads of parts with at most so many rows, and how many each has: a part is one document, of limited size."""
    piece: list[bytes] = []
    weight = 0
    for row in rows:
        kept = to_json(row)
        if len(piece) == most or (piece and weight + len(kept) > _MOST_BYTES):
            yield len(piece), b"[%b]" % b",".join(piece)
            piece, weight = [], 0
        piece.append(kept)
        weight += len(kept)
    if piece:
        yield len(piece), b"[%b]" % b",".join(piece)


def unpacked(payload: bytes) -> list[Any]:
    """Return the rows of a part: `[number, fields, error, code, provenance]` each."""
    if _PARTING not in payload:  # as parts were written before there were columns
        rows: list[Any] = from_json(payload)
        return rows
    header, *pieces = payload.split(_PARTING)
    left = iter(pieces)
    return [row for told in from_json(header) for row in _rows(told, left)]


def _rows(told: list[Any] | None, pieces: Iterator[bytes]) -> list[Any]:
    if told is None:
        rows: list[Any] = from_json(next(pieces))
        return rows
    first, count, columns = told
    fields = [field for field, _ in columns]
    values = [_values(kind, next(pieces).decode().split("\n")) for _, kind in columns]
    cells = zip(*values, strict=True) if values else iter([()] * count)
    return [
        [number, dict(zip(fields, row, strict=True)), None, None, None] for number, row in enumerate(cells, start=first)
    ]


def _values(kind: str, lines: list[str]) -> Sequence[Any]:
    if kind == "units":
        return [line if line == IN_STOCK else int(line) for line in lines]
    return [[line] for line in lines] if kind == "image" else lines
