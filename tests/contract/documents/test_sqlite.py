"""What only the SQLite adapter promises: its indexes are the declared ones and in use, and its file outlives it."""

import sqlite3
from pathlib import Path

import pytest

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments, statements
from shared.adapters.sqlite.tables import Table
from shared.ports.documents import Create, Delete, Key, Position, Put, Query

OPEN = (("state", "open"),)


@pytest.mark.parametrize(
    "query",
    [
        Query("things", OPEN, order_by="rank"),
        Query("things", OPEN, order_by="rank", descending=True),
        Query("things", OPEN, order_by="rank", after=Position(3, "a")),
        Query("things", OPEN, order_by="rank", descending=True, after=Position(3.5, "a")),
        Query("things", OPEN, order_by="rank", at_least=1, below=5),
        Query("things", (*OPEN, ("place", "x")), order_by="rank"),
        Query("things", order_by="rank", after=Position(3, "a")),
        Query("things", order_by="rank", descending=True),
        Query("things", (("rank", 3),)),
        Query("things", (("state", ("open", "done")),), order_by="rank"),
    ],
    ids=str,
)
def test_a_declared_shape_seeks_in_its_index_before_any_analyze(query: Query, shapes: Shapes, tmp_path: Path) -> None:
    SqliteDocuments(tmp_path / "store.db", shapes).close()
    sql, parameters = statements.select(query, Table("things", shapes.indexes()))

    with sqlite3.connect(tmp_path / "store.db") as connection:
        plan = " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
    connection.close()

    assert "USING INDEX x_things__" in plan
    assert ("TEMP B-TREE" in plan) == isinstance(dict(query.equals).get("state"), tuple)


def test_control_without_the_declaration_the_whole_collection_is_read(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", Shapes())
    documents.commit([Put(Key("things", "a"), {})])
    documents.close()
    sql, parameters = statements.select(Query("things", OPEN, order_by="rank"), Table("things"))

    with sqlite3.connect(tmp_path / "store.db") as connection:
        plan = " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
    connection.close()

    assert "SCAN d_things" in plan


def test_a_file_gets_the_declared_indexes_and_loses_the_others(shapes: Shapes, tmp_path: Path) -> None:
    SqliteDocuments(tmp_path / "store.db", shapes).close()
    before = _indexes(tmp_path / "store.db")

    SqliteDocuments(tmp_path / "store.db", Shapes()).close()

    assert before == {"x_things__expires_at", "x_things__rank", "x_things__state__place__rank", "x_things__state__rank"}
    assert _indexes(tmp_path / "store.db") == set()


def test_documents_and_versions_outlive_the_object(tmp_path: Path) -> None:
    key, seen = Key("things", "a"), []
    for _ in range(3):
        documents = SqliteDocuments(tmp_path / "store.db", Shapes())
        seen += documents.commit([Create(key, {"n": 1})])
        documents.close()
        documents = SqliteDocuments(tmp_path / "store.db", Shapes())
        stored = documents.get(key)
        assert stored is not None
        assert stored.version == seen[-1]
        documents.commit([Delete(key, stored.version)])
        documents.close()

    assert len(set(seen)) == 3


def test_two_objects_on_one_file_see_each_others_collections(tmp_path: Path) -> None:
    first, second = (SqliteDocuments(tmp_path / "store.db", Shapes()) for _ in range(2))
    assert second.get(Key("things", "a")) is None

    first.commit([Create(Key("things", "a"), {"n": 1})])

    stored = second.get(Key("things", "a"))
    assert stored is not None
    assert second.query(Query("things")) == [stored]
    first.close()
    second.close()


def _indexes(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 'x_*'")}
    connection.close()
    return names
