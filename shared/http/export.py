"""Exports: every row of a list as CSV or JSON lines, streamed, with memory that does not grow with the list.

    class MovementExport(ExportQuery, MovementFilter):          # beside the list's filter; ExportQuery first
        \"\"\"Which movements are to be exported.\"\"\"

    @router.get("/api/v1/inventory/movements/export", policy="costly")
    def export_movements(ctx: Ctx, query: MovementExport) -> Raw:
        \"\"\"Export movements.\"\"\"
        asked = ctx.app.stock_lists.movements(query)
        rows = (view(stored) for stored in walked(ctx, query, asked))
        return export(ctx, query, Sheet("movements", MOVEMENT_KEYS), rows)

`rows` is any iterator of JSON-ready dicts in the order asked for; `walked` gives the documents of a list's query in pieces and
keeps the promise of a cursor (no row twice, none left out that was there throughout). The first piece is made before the answer
begins, so that a failure there is an honest 5xx; a later one breaks the connection and the file never looks complete.

Formulas: a text cell that a spreadsheet would compute (it begins, perhaps behind apostrophes, with = + - @, tab or carriage
return) gets one more apostrophe; imports take one off again. Numbers and times stay as they are, JSON lines are never changed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from shared.core.clock import instant
from shared.core.once import later
from shared.core.values import dataclass
from shared.http.context import Context
from shared.http.guard import Served
from shared.http.page import Sought
from shared.http.router import Raw
from shared.ports.documents import Stored

if TYPE_CHECKING:
    from shared.core.exports import ExportQuery

__all__ = ["Sheet", "csv_cell", "export", "guarded", "walked"]

_FORMULA = later(lambda: re.compile("'*[=+\\-@\t\r]"))
_QUOTED = later(lambda: re.compile('[",\r\n]'))
_BOM = "\ufeff"
_PIECE = 200
_CSV = "text/csv; charset=utf-8"
_JSONL = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an export is called, and its columns in order: the keys of the list's items."""

    name: str
    columns: Sequence[str]


def export(ctx: Context[Served], query: "ExportQuery", sheet: Sheet, rows: Iterable[Mapping[str, Any]]) -> Raw:
    """Return the answer that streams these rows in the format asked for."""
    day = ctx.app.clock.now().date().isoformat()
    headers = {"Content-Disposition": f'attachment; filename="{sheet.name}-{day}.{query.format}"'}
    if query.format == "jsonl":
        return Raw(_begun(_pieces(map(json_line, rows))), _JSONL, headers=headers)
    head = (_BOM if query.bom else "") + _line(sheet.columns)
    lines = chain([head], (_line(csv_cell(row.get(name)) for name in sheet.columns) for row in rows))
    return Raw(_begun(_pieces(lines)), _CSV, headers=headers)


def walked(ctx: Context[Served], query: "ExportQuery", sought: Sought) -> Iterator[Stored]:
    """Yield every document of a list in the order asked for."""
    order, keep = query.order, sought.keep
    wanted = replace(sought.query, order_by=order.field, descending=order.descending)
    found = ctx.app.store.walk(wanted)
    return found if keep is None else filter(keep, found)


def csv_cell(value: object) -> str:
    """Return a value as the text of a cell, quoted where RFC 4180 asks for it."""
    text = _text(value)
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if _QUOTED.search(text) else text


def guarded(text: str) -> str:
    """Return a text that no spreadsheet computes; `shared.imports` takes the apostrophe off again."""
    return f"'{text}" if _FORMULA.match(text) else text


def json_line(row: Mapping[str, Any]) -> str:
    """Return a row as one line of JSON."""
    return to_json(row, inf_nan_mode="null").decode() + "\n"


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return guarded(str(value))
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return to_json(value, inf_nan_mode="null").decode()


def _line(cells: Iterable[str]) -> str:
    return ",".join(cells) + "\r\n"


def _pieces(lines: Iterator[str]) -> Iterator[bytes]:
    while piece := "".join(islice(lines, _PIECE)):
        yield piece.encode()


def _begun(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Return the same pieces, the first one made already."""
    return chain([next(pieces, b"")], pieces)
