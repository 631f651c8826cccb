"""Whole lists as files: CSV or lines of JSON, streamed row by row with flat memory.

A list that can be exported keeps its filters in a model of their own, used by the page query and the export query alike:

    class ThingExport(ThingFields, ExportQuery): ...

    @router.get("/api/v1/things/export", policy="costly")
    def export_things(ctx: Ctx, query: ThingExport) -> Raw:
        return export(ctx, "things", THING_KEYS, rows, query)

Text cells that a spreadsheet would take for a formula get one more leading apostrophe; an import drops one again. Numbers,
times and lines of JSON are never changed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from pydantic_core import to_json

from shared.core.page import ExportQuery
from shared.http.context import Context
from shared.http.guard import Served
from shared.http.page import Sought
from shared.http.router import Raw
from shared.ports.documents import Stored
from shared.ports.store import Store

__all__ = ["ExportQuery", "cell", "export", "guarded", "walked"]

Row = Mapping[str, Any]

_STEP = 500
_FORMULA = re.compile("'*[=+\\-@\t\r]")
_NEEDS_QUOTES = re.compile('[",\r\n]')
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def export(ctx: Context[Served], name: str, keys: Sequence[str], rows: Iterable[Row], query: ExportQuery) -> Raw:
    """Return the answer that streams rows as a file; the first rows are read before it begins, so that a refusal can be told."""
    day = ctx.app.clock.now().date().isoformat()
    lines = _csv(keys, rows, bom=query.bom) if query.format == "csv" else _jsonl(rows)
    first = next(lines, b"")
    disposition = f'attachment; filename="{name}-{day}.{query.format}"'
    return Raw(chain([first], lines), _TYPES[query.format], headers={"Content-Disposition": disposition})


def walked(store: Store, sought: Sought, query: ExportQuery, to_row: Callable[[Stored], Row]) -> Iterator[Row]:
    """Yield the rows of a list in the order asked for."""
    order = query.order
    asked = replace(sought.query, order_by=order.field, descending=order.descending)
    return (to_row(stored) for stored in store.walk(asked) if sought.keep is None or sought.keep(stored))


def cell(value: Any) -> str:
    """Return a value of a JSON-ready row as a cell: null is empty, arrays and objects are JSON text, texts are guarded."""
    if value is None:
        return ""
    text = guarded(value) if isinstance(value, str) else to_json(value).decode()
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _csv(keys: Sequence[str], rows: Iterable[Row], *, bom: bool) -> Iterator[bytes]:
    begin = (_BOM if bom else "") + ",".join(keys) + "\r\n"
    for chunk in _chunks(rows):
        yield (begin + "".join(",".join(cell(row[key]) for key in keys) + "\r\n" for row in chunk)).encode()
        begin = ""
    if begin:
        yield begin.encode()


def _jsonl(rows: Iterable[Row]) -> Iterator[bytes]:
    for chunk in _chunks(rows):
        yield b"".join(to_json(row) + b"\n" for row in chunk)


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(rows)
    while chunk := list(islice(rest, _STEP)):
        yield chunk
