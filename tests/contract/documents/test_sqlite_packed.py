"""Rows that travel as one text: look-ups by id, and what is behind. Nothing a document holds is taken for what parts them."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments, statements
from shared.adapters.sqlite.tables import NULL, Table, indexed
from shared.ports.documents import Create, Key, Put

FIELDS = ["state", "rank", "name", "place"]
DECLARED = {
    "indexes": [
        {
            "collectionGroup": "things",
            "queryScope": "COLLECTION",
            "fields": [{"fieldPath": first, "order": "ASCENDING"}, {"fieldPath": second, "order": "ASCENDING"}],
        }
        for first in FIELDS
        for second in FIELDS
        if first != second
    ]
}
FORGED = "b\x1f1\x1f{}\x1ethings\x1fc"
"""An id that reads like two rows."""
TEXTS = st.text(st.sampled_from("a'\x00\x1e\x1f\n") | st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = TEXTS | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
DATA = st.dictionaries(st.sampled_from(FIELDS), VALUES | st.none() | st.lists(TEXTS, max_size=2))


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[SqliteDocuments]:
    """Return a store in a file."""
    made = SqliteDocuments(tmp_path / "store.db", Shapes.of(DECLARED))
    yield made
    made.close()


@pytest.mark.parametrize("odd", ["a", "b\x1fc", "d\x1ee", FORGED])
def test_documents_with_odd_ids_and_with_bytes_are_looked_up_like_others(documents: SqliteDocuments, odd: str) -> None:
    held: dict[Key, dict[str, Any]] = {
        Key("things", odd): {"text": "one\x1ftwo\x1e"},
        Key("others", odd): {"n": 1, "picture": b"\x1f\x00"},
        Key("others", "z"): {},
    }
    absent = [Key("things", "c"), Key("nowhere", odd)]

    for most in range(1, 4):
        made = dict(list(held.items())[:most])
        (version, *_) = documents.commit([Put(key, data) for key, data in made.items()])

        found = documents.get_many([*held, *absent])
        assert {key: stored.data for key, stored in found.items()} == made
        assert {stored.version for stored in found.values()} == {version}


def test_control_only_the_number_of_rows_tells_a_forged_id() -> None:
    text = f"things\x1f{FORGED}\x1f7\x1f{{}}"

    assert statements.unpacked_groups([(text, 1, 0)]) is None
    assert len(statements.unpacked_groups([(text, 2, 0)]) or []) == 2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(DATA, DATA), min_size=1, max_size=4))
@example([({"rank": 1, "name": True, "state": None}, {"rank": "1", "name": "\x01"})])
def test_bringing_up_leaves_in_the_columns_what_the_documents_say(changes: list[tuple[Any, Any]]) -> None:
    documents = SqliteDocuments.in_memory(Shapes.of(DECLARED))
    table = documents._tables["things"]
    writer = documents._connections._writer
    keys = [Key("things", str(number)) for number in range(len(changes))]
    for at in range(2):
        documents.commit([Put(key, change[at]) for key, change in zip(keys, changes, strict=True)])
        with documents._connections.writing() as connection:
            table.settle(connection)

    for key, (_, last) in zip(keys, changes, strict=True):
        assert _columns(writer, table, key.id) == [_typed(each) for each in indexed(last, table.fields)]
    documents.close()


@pytest.mark.parametrize("value", ["it's", "", "\x1f", 0, -(2**63), 0.1, 1.5e300, True, False, None, ["a"]])
def test_bringing_up_sets_no_column_that_is_right(value: object) -> None:
    documents = SqliteDocuments.in_memory(Shapes.of(DECLARED))
    key, writer, told = Key("things", "a"), documents._connections._writer, list[str]()
    data = {"name": value, "state": value}
    documents.commit([Create(key, data)])
    for changed in (data, {**data, "more": 1}, {**data, "rank": 1}):
        documents.commit([Put(key, changed)])
        writer.set_trace_callback(told.append)
        with documents._connections.writing() as connection:
            documents._tables["things"].settle(connection)
        writer.set_trace_callback(None)

    assert [sql.partition(" SET ")[2].partition(" WHERE")[0] for sql in told if sql.startswith("UPDATE")][1:] == [
        "behind = NULL",
        "behind = NULL, f_rank = 1",
    ]
    documents.close()


def _columns(connection: sqlite3.Connection, table: Table, document_id: str) -> list[tuple[type, object]]:
    listed = ", ".join(f"f_{name}" for name in table.fields)
    found = connection.execute(f"SELECT {listed} FROM {table.name} WHERE id = ? AND behind IS NULL", (document_id,))  # noqa: S608 - our own names
    return [_typed(each) for each in found.fetchone()]


def _typed(value: Any) -> tuple[type, object]:
    assert value != NULL or isinstance(value, float)
    return type(value), value
