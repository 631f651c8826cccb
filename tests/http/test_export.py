"""Exports: what a cell says, that a table read back is the table written (M04), and that nothing is ever half a file."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.exports import ExportQuery
from shared.core.page import PageQuery
from shared.http.context import Context
from shared.http.export import Sheet, csv_cell, export, guarded
from shared.http.router import Raw, Router
from tests.http.builders import FakeApp, a_kernel

_APOSTROPHES = re.compile("'+[=+\\-@\t\r]")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
risky = st.builds(
    lambda lead, text: lead + text, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'=", "''@", "'", ""]), texts
)
decimals = st.decimals(min_value=-1000, max_value=1000, places=2).map(float)
tables = st.lists(st.tuples(risky, decimals, texts), max_size=8)


def freed(cell: str) -> str:
    """Take one apostrophe off as imports do (2.11 of the contract)."""
    return cell[1:] if _APOSTROPHES.match(cell) else cell


def is_computed(cell: str) -> bool:
    """Say whether a spreadsheet would take a cell for a formula."""
    return cell.startswith(("=", "+", "-", "@", "\t", "\r"))


def written(table: list[tuple[str, float, str]], *, bare: bool = False) -> str:
    """Return a table as CSV; bare without the guard, for the control."""
    cell = (lambda value: f'"{value}"' if isinstance(value, str) else str(value)) if bare else csv_cell
    return "".join(",".join(cell(value) for value in row) + "\r\n" for row in table)


@given(tables)
def test_a_table_read_back_is_the_table_written_and_holds_no_formula(table: list[tuple[str, float, str]]) -> None:
    rows = list(csv.reader(io.StringIO(written(table), newline="")))

    assert [(freed(a), float(b), freed(c)) for a, b, c in rows] == table
    assert not any(is_computed(cell) for a, _, c in rows for cell in (a, c))


def test_control_a_writer_without_the_guard_leaves_formulas() -> None:
    rows = list(csv.reader(io.StringIO(written([("=1+1", 1.0, "x")], bare=True), newline="")))

    assert is_computed(rows[0][0])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-5, "-5"),
        (9.5, "9.5"),
        ("-5", "'-5"),
        ("'=1", "''=1"),
        ("'a", "'a"),
        ("a,b", '"a,b"'),
        ('say "x"', '"say ""x"""'),
        ("two\nlines", '"two\nlines"'),
        ("\rx", '"\'\rx"'),
        (["a", "b"], '"[""a"",""b""]"'),
        ({}, "{}"),
    ],
)
def test_a_cell_says_its_value(value: object, cell: str) -> None:
    assert csv_cell(value) == cell


def test_only_texts_that_would_be_computed_get_an_apostrophe() -> None:
    assert [guarded(text) for text in ("=1", "a=1", " =1", "", "'", "@x")] == ["'=1", "a=1", " =1", "", "'", "'@x"]


class Things(ExportQuery, PageQuery):
    """Which things are exported."""


def a_sheet(rows: Iterator[dict[str, Any]]) -> Router:
    """Return a route that exports rows."""
    router = Router("sheet")

    @router.get("/api/v1/sheet/export", access="public")
    def export_sheet(ctx: Context[FakeApp], query: Things) -> Raw:
        """Export."""
        return export(ctx, query, Sheet("things", ("name", "count")), rows)

    return router


def some(count: int, fails_at: int = -1) -> Iterator[dict[str, Any]]:
    """Yield rows, and fail at one of them."""
    for number in range(count):
        if number == fails_at:
            raise RuntimeError("the store went away")
        yield {"name": f"=é{number}", "count": number}


def test_an_export_has_its_name_its_header_row_and_every_row() -> None:
    client = a_kernel([a_sheet(some(2))]).client

    answer = client.get("/api/v1/sheet/export?bom=true")

    assert answer.body.decode() == "\ufeffname,count\r\n'=é0,0\r\n'=é1,1\r\n"
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="things-2026-01-15.csv"'


def test_json_lines_are_never_changed() -> None:
    answer = a_kernel([a_sheet(some(2))]).client.get("/api/v1/sheet/export?format=jsonl")

    assert [json.loads(line) for line in answer.body.decode().splitlines()] == list(some(2))
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="things-2026-01-15.jsonl"'


def test_an_empty_export_has_its_header_row_alone() -> None:
    assert a_kernel([a_sheet(some(0))]).client.get("/api/v1/sheet/export").body == b"name,count\r\n"


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("limit=5", [("query:limit", "unknown_parameter")]),
        ("cursor=x", [("query:cursor", "unknown_parameter")]),
        ("page=1", [("query:page", "unknown_parameter")]),
        ("include_total=true", [("query:include_total", "unknown_parameter")]),
        ("include=raw", [("query:include", "unknown_parameter")]),
        ("format=xml", [("query:format", "not_allowed")]),
        ("format=jsonl&bom=true", [("query:bom", "not_allowed")]),
    ],
)
def test_what_an_export_does_not_know_is_refused(query: str, codes: list[tuple[str, str]]) -> None:
    answer = a_kernel([a_sheet(some(1))]).client.get(f"/api/v1/sheet/export?{query}")

    assert (answer.status, answer.codes) == (422, codes)


def test_a_failure_at_the_start_is_a_failure_and_a_later_one_breaks_the_file() -> None:
    at_once = a_kernel([a_sheet(some(9, fails_at=0))]).client
    later = a_kernel([a_sheet(some(900, fails_at=500))]).client

    assert at_once.get("/api/v1/sheet/export").status == 500
    with pytest.raises(RuntimeError, match="went away"):
        later.get("/api/v1/sheet/export")


def test_an_export_is_made_in_pieces_of_a_few_hundred_rows() -> None:
    made: list[int] = []

    def counted() -> Iterator[dict[str, Any]]:
        for row in some(10_000):
            made.append(row["count"])
            yield row

    kernel = a_kernel([a_sheet(counted())])
    from flask import Request

    response = kernel.handle(Request(kernel.client._environ("GET", "/api/v1/sheet/export", "", b"")))

    assert response.is_streamed
    assert len(made) < 400
