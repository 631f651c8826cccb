"""M04: what an export writes, an import reads back; and no cell of it is a formula."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.feeds import FeedReader
from shared.core.text import clean
from shared.http.export import guarded
from shared.imports.clean import Cleaner
from shared.imports.columns import Columns
from shared.imports.rows import MOST_UPLOADED

PLAIN = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Co", "Cn")), min_size=1, max_size=30)
FORMULAS = st.builds(lambda sign, rest: sign + rest, st.sampled_from(["=", "+", "-", "@", "'=", "''+"]), PLAIN)
NAMES = st.one_of(PLAIN, FORMULAS).map(clean).filter(lambda text: 0 < len(text) <= 255)
TABLES = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=10)


def imported(data: bytes) -> list[dict[str, Any]]:
    cleaner = Cleaner(Columns())
    return [cleaner.row(raw).fields for raw in FeedReader().open(iter([data]), "csv", MOST_UPLOADED).rows]


def exported(rows: list[tuple[str, str]], *, guard: Any = guarded) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["sku", "name", "brand"])
    writer.writerows([f"S-{number}", guard(name), guard(brand)] for number, (name, brand) in enumerate(rows))
    return text.getvalue().encode()


@settings(max_examples=300)
@given(TABLES)
def test_an_import_reads_what_an_export_wrote(rows: list[tuple[str, str]]) -> None:
    rows = [(name, brand[:100].strip() or "b") for name, brand in rows]

    found = imported(exported(rows))

    assert [(row["name"], row["brand"]) for row in found] == rows


@given(FORMULAS)
def test_no_exported_cell_is_a_formula(text: str) -> None:
    assert guarded(text)[0] not in "=+-@\t\r"


def test_without_the_guard_a_quoted_formula_loses_its_apostrophe() -> None:
    """Control: the two halves belong together."""
    assert imported(exported([("'=1+1", "b")], guard=lambda text: text))[0]["name"] == "=1+1"


@pytest.mark.parametrize("text", ["<b>bold</b>", "a & b", "a < b", "<p>x &amp; y</p>", "1 <2"])
def test_harmless_markup_is_read_back_as_it_was(text: str) -> None:
    rows = io.StringIO(newline="")
    csv.writer(rows).writerows([["sku", "description"], ["A", text]])

    assert imported(rows.getvalue().encode())[0]["description"] == text
