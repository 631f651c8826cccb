"""The columns beside the JSON: files of an earlier release, rows whose columns are behind, and copying the log back."""

import shutil
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.adapters.sqlite.connections import Connections, Row
from shared.adapters.sqlite.layout import bring
from shared.adapters.sqlite.tables import Table
from shared.core.errors import Transient
from shared.ports.documents import Conflict, Create, Delete, Key, Put, Query, Write
from tests.contract.documents.conftest import DECLARED

EARLIER = Path(__file__).with_name("before_columns.sql")
QUERIES = [
    Query("things"),
    Query("things", (("state", "open"),)),
    Query("things", (("state", "open"),), order_by="rank"),
    Query("things", (("state", "open"),), order_by="rank", descending=True),
    Query("things", (("state", True),)),
    Query("things", (("state", 1),)),
    Query("things", order_by="rank"),
    Query("things", order_by="rank", descending=True, at_most=3),
    Query("things", order_by="rank", at_least=0.1, below=2**53 + 1),
    Query("things", (("rank", None),)),
    Query("things", contains=("tags", "red"), order_by="rank"),
    Query("plain", (("n", 1),)),
]


def _key(document_id: str) -> Key:
    return Key("things", document_id)


def _earlier_file(folder: Path) -> Path:
    """Lay down a file as the release before the columns wrote it."""
    path = folder / "store.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(EARLIER.read_text("utf-8"))
    connection.close()
    return path


def _answers(documents: SqliteDocuments) -> list[list[tuple[str, dict[str, Any]]]]:
    return [[(stored.key.id, stored.data) for stored in documents.query(query)] for query in QUERIES]


def test_a_file_of_an_earlier_release_is_brought_up_at_its_first_opening(shapes: Shapes, tmp_path: Path) -> None:
    documents = SqliteDocuments(_earlier_file(tmp_path), shapes)
    held = {stored.key.id: stored for stored in documents.query(Query("things"))}
    new = SqliteDocuments.in_memory(shapes)
    new.commit([Create(stored.key, stored.data) for stored in held.values()])
    new.commit([Create(Key("plain", "a"), {"n": 1})])

    assert _answers(documents) == _answers(new)
    assert list(held) == ["a", "b", "c", "d", "e", "f"]
    assert (held["a"].version, held["b"].version) == ("1099511627777", "1099511627776")
    assert held["f"].data["picture"] == b"\x00\xffbytes"
    documents.commit([Put(_key("a"), {"state": "done", "rank": 1}, held["a"].version)])
    assert [stored.key.id for stored in documents.query(QUERIES[2])] == ["b"]
    documents.close()
    new.close()


def test_the_second_opening_finds_nothing_to_do(shapes: Shapes, tmp_path: Path) -> None:
    path = _earlier_file(tmp_path)
    SqliteDocuments(path, shapes).close()
    before = _layout(path)

    SqliteDocuments(path, shapes).close()

    assert _layout(path) == before
    assert not any("earlier" in sql or "json_extract" in sql for sql in before.values())


def test_an_opening_of_a_file_as_declared_reads_two_numbers(shapes: Shapes) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables = [Table("things", shapes.indexes())]
    bring(connection, tables)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)

    bring(connection, tables)
    assert asked == ["PRAGMA user_version", "PRAGMA schema_version"]

    bring(connection, [*tables, Table("plain")])
    assert any("d_plain" in sql for sql in asked)
    connection.close()


def test_an_index_that_someone_else_removed_comes_back(shapes: Shapes, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    SqliteDocuments(path, shapes).close()
    before = _layout(path)
    with sqlite3.connect(path) as connection:
        connection.execute('DROP INDEX "x_things__state__rank"')
    connection.close()

    SqliteDocuments(path, shapes).close()

    assert _layout(path) == before


def test_rows_with_bytes_and_with_odd_ids_are_answered_like_others(shapes: Shapes, tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", shapes)
    odd: dict[str, dict[str, Any]] = {
        "a": {"rank": 1, "text": "one\x1ftwo"},
        "b\x1fc": {"rank": 2},
        "d": {"rank": 3, "picture": b"\x1f"},
    }
    for most in range(1, 4):
        made = dict(list(odd.items())[:most])
        documents.commit([Put(_key(name), data) for name, data in made.items()])

        found = documents.query(Query("things", order_by="rank"))
        assert {stored.key.id: stored.data for stored in found} == made
        assert [stored.version for stored in found] == [documents.get(stored.key).version for stored in found]  # type: ignore[union-attr]
    documents.close()


def test_control_the_earlier_layout_would_be_noticed(tmp_path: Path) -> None:
    assert any("json_extract" in sql for sql in _layout(_earlier_file(tmp_path)).values())


def test_other_declarations_rebuild_the_columns_with_the_same_answers(shapes: Shapes, tmp_path: Path) -> None:
    path = _earlier_file(tmp_path)
    documents = SqliteDocuments(path, shapes)
    before = _answers(documents)
    documents.close()

    SqliteDocuments(path, Shapes()).close()
    documents = SqliteDocuments(path, shapes)

    assert _answers(documents) == before
    documents.close()


def test_a_process_that_was_told_of_other_fields_fails_instead_of_leaving_columns_as_they_were(
    shapes: Shapes, tmp_path: Path
) -> None:
    other = SqliteDocuments(tmp_path / "store.db", Shapes())
    other.commit([Create(_key("a"), {"state": "open", "rank": 1})])
    documents = SqliteDocuments(tmp_path / "store.db", shapes)

    with pytest.raises(Transient):
        other.commit([Put(_key("a"), {"state": "done", "rank": 1})])

    assert [stored.key.id for stored in documents.query(QUERIES[1])] == ["a"]
    other.close()
    documents.close()


def test_a_row_left_behind_by_one_process_is_found_by_the_next(shapes: Shapes, tmp_path: Path) -> None:
    first, second = (SqliteDocuments(tmp_path / "store.db", shapes) for _ in range(2))
    first.commit([Create(_key("a"), {"state": "open", "place": "x", "rank": 1})])
    assert [stored.data["rank"] for stored in second.query(QUERIES[2])] == [1]

    first.commit([Put(_key("a"), {"state": "done", "place": "x", "rank": 2})])

    assert _behind(tmp_path / "store.db") == [("a", "open")]
    assert second.count(QUERIES[1]) == 0
    assert second.count(Query("things", (("state", "done"),))) == 1
    assert _behind(tmp_path / "store.db") == []
    first.close()
    second.close()


def test_control_without_bringing_rows_up_a_query_would_answer_what_was(shapes: Shapes, tmp_path: Path) -> None:
    class Hasty(Table):
        def settle(self, connection: sqlite3.Connection) -> None:
            connection.execute('UPDATE "d_things" SET behind = NULL')

    documents = SqliteDocuments(tmp_path / "store.db", shapes)
    documents.commit([Create(_key("a"), {"state": "done", "place": "x", "rank": 1})])
    documents.commit([Put(_key("a"), {"state": "open", "place": "x", "rank": 2})])
    documents._tables["things"] = Hasty("things", shapes.indexes())

    assert documents.query(QUERIES[1]) == []
    documents.close()


def test_many_writes_do_not_leave_many_rows_behind(shapes: Shapes, tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", shapes)

    for number in range(15):
        keys = [_key(f"{number}-{each}") for each in range(10)]
        documents.commit([Create(key, {"state": "done", "rank": 1}) for key in keys])
        documents.commit([Put(key, {"state": "open", "rank": 2}) for key in keys])

    assert len(_behind(tmp_path / "store.db")) == 150 - 2 * 64
    documents.commit([Create(_key(f"new-{each}"), {"state": "open", "rank": each}) for each in range(50)])
    assert len(_behind(tmp_path / "store.db")) == 150 - 2 * 64
    assert documents.count(QUERIES[1]) == 200
    documents.close()


def test_where_indexes_are_many_new_and_changed_rows_are_behind_until_a_query_looks(tmp_path: Path) -> None:
    more = [["state", f"more_{number}"] for number in range(9)]
    declared = [
        {
            "collectionGroup": "things",
            "queryScope": "COLLECTION",
            "fields": [{"fieldPath": each, "order": "ASCENDING"} for each in pair],
        }
        for pair in [["state", "rank"], *more]
    ]
    documents = SqliteDocuments(tmp_path / "store.db", Shapes.of({"indexes": declared}))
    first, second = documents.commit([Create(_key(name), {"state": "open", "rank": 1}) for name in "ab"])
    assert len(_behind(tmp_path / "store.db")) == 2

    assert [stored.key.id for stored in documents.query(QUERIES[2])] == ["a", "b"]
    documents.commit(
        [Put(_key("a"), {"state": "done", "rank": 1}, first), Put(_key("c"), {"state": "open", "rank": 0})]
    )
    with pytest.raises(Conflict):
        documents.commit([Put(_key("b"), {"state": "done", "rank": 1}, "0")])
    with pytest.raises(Conflict):
        documents.commit([Put(_key("d"), {"state": "done", "rank": 1}, second)])
    assert [name for name, _ in _behind(tmp_path / "store.db")] == ["a", "c"]

    assert [stored.key.id for stored in documents.query(QUERIES[2])] == ["c", "b"]
    assert _behind(tmp_path / "store.db") == []
    documents.close()


def test_a_query_among_writers_answers_only_what_matches_at_one_moment(shapes: Shapes, tmp_path: Path) -> None:
    documents, other = (SqliteDocuments(tmp_path / "store.db", shapes) for _ in range(2))
    documents.commit([Create(_key(str(number)), {"state": "open", "place": "x", "rank": 0}) for number in range(8)])
    turns, wrong = 60, []

    def write(number: int) -> None:
        for turn in range(turns):
            pair = [(number, "open" if turn % 2 else "done"), (number + 4, "done" if turn % 2 else "open")]
            documents.commit([Put(_key(str(n)), {"state": state, "place": "x", "rank": turn}) for n, state in pair])

    def read(store: SqliteDocuments) -> None:
        for _ in range(turns):
            found = store.query(QUERIES[2])
            if len(found) not in range(4, 9) or any(stored.data["state"] != "open" for stored in found):
                wrong.append([stored.data for stored in found])

    with ThreadPoolExecutor(6) as pool:
        done = [
            *(pool.submit(write, number) for number in range(4)),
            pool.submit(read, documents),
            pool.submit(read, other),
        ]
    assert [each.result() for each in done] == [None] * 6

    assert wrong == []
    assert documents.count(QUERIES[1]) == 4
    documents.close()
    other.close()


class _TwoMoments(Connections):
    """The broken variant: the rows are read later than it was seen that none is behind."""

    def rows(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        """Look twice."""
        behind = super().rows('SELECT 1 FROM "d_things" WHERE behind', ())
        ((*row, _),) = super().rows(sql, parameters)
        return [(*row, len(behind))]


@pytest.mark.parametrize(("kind", "answered"), [(Connections, []), (_TwoMoments, ["done"])], ids=["right", "control"])
def test_a_query_sees_rows_as_of_the_moment_at_which_none_was_behind(
    kind: type[Connections], answered: list[str], shapes: Shapes, tmp_path: Path
) -> None:
    documents, other = (SqliteDocuments(tmp_path / "store.db", shapes) for _ in range(2))
    documents.commit([Create(_key("a"), {"state": "open", "place": "x", "rank": 1})])
    documents.count(QUERIES[1])
    documents._connections.close()
    connections = documents._connections = kind(tmp_path / "store.db")
    reader = connections._reader()
    late = [Put(_key("a"), {"state": "done", "place": "x", "rank": 2})]

    def between(sql: str) -> None:
        if "count(blobs)" in sql and late:
            other.commit([late.pop()])

    reader.set_trace_callback(between)
    connections._idle.append(reader)

    assert [stored.data["state"] for stored in documents.query(QUERIES[2])] == answered
    assert late == []
    documents.close()
    other.close()


VALUES = st.sampled_from(["open", "done", True, False, 0, 1, 1.0, 2.5, None])
DATA = st.fixed_dictionaries(
    {}, optional={"state": VALUES, "place": VALUES, "rank": st.sampled_from([1, 2, 3.5, None])}
)
STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), DATA), st.booleans()), max_size=12)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_queries_answer_what_the_documents_say_after_any_writes(steps: list[tuple[str, Any, bool]]) -> None:
    documents = SqliteDocuments.in_memory(Shapes.of(DECLARED))
    model: dict[str, dict[str, Any]] = {}
    for document_id, data, is_looked_at in steps:
        write: Write = Delete(_key(document_id)) if data is None else Put(_key(document_id), data)
        documents.commit([write])
        model.pop(document_id, None) if data is None else model.update({document_id: data})
        if is_looked_at:
            documents.query(QUERIES[6])

    for state in ("open", True, 1, None):
        expected = {name for name, data in model.items() if "state" in data and _same(data["state"], state)}
        assert {stored.key.id for stored in documents.query(Query("things", (("state", state),)))} == expected
    ranked = sorted((data["rank"] or 0, name) for name, data in model.items() if "rank" in data)
    assert [stored.key.id for stored in documents.query(QUERIES[6])] == [name for _, name in ranked]
    documents.close()


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


@pytest.mark.parametrize(("commits", "copied"), [(7, False), (8, True)])
def test_the_log_is_copied_back_after_so_many_changes(commits: int, copied: bool, tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", Shapes())

    for number in range(commits):
        documents.commit([Create(Key("plain", f"{number}-{each}"), {"n": each}) for each in range(500)])

    shutil.copy(tmp_path / "store.db", tmp_path / "without-log.db")
    assert ("d_plain" in _layout(tmp_path / "without-log.db")) is copied
    documents.close()


def _layout(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    connection.close()
    return found


def _behind(path: Path) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute('SELECT id, f_state FROM "d_things" WHERE behind').fetchall()
    connection.close()
    return found
