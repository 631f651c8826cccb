"""Counting on SQLite: nothing is counted twice between two commits, whoever commits, and late reading shows the same documents."""

from pathlib import Path
from typing import Any

import pytest

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.adapters.sqlite.connections import Connections, Statement
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored

OPEN = Query("things", (("state", "open"),))
PLAIN = Query("plain", (("n", 1),))


def _thing(name: str, state: str = "open") -> Create:
    return Create(Key("things", name), {"state": state, "place": "x", "rank": 1})


class _Stale(Connections):
    """The broken variant: what was counted once is believed for ever."""

    def number(self, probe: Statement | None, statement: Statement) -> int | None:
        """Count once."""
        known: dict[Any, Any] = self.__dict__.setdefault("known", {})
        name = (statement[0], tuple(statement[1]))
        return known[name] if name in known else known.setdefault(name, super().number(probe, statement))


def _numbers(kind: type[Connections], shapes: Shapes, path: Path) -> list[int]:
    """Count before and after each of three commits, two of them by another opening of the file."""
    documents, other = SqliteDocuments(path, shapes), SqliteDocuments(path, shapes)
    documents._connections.close()
    documents._connections = kind(path)
    counted = [documents.count(OPEN)]
    other.commit([_thing("a"), _thing("b"), _thing("c", "done")])
    counted += [documents.count(OPEN), documents.count(OPEN)]
    documents.commit([Put(Key("things", "c"), {"state": "open", "place": "x", "rank": 2})])
    counted.append(documents.count(OPEN))
    other.commit([Delete(Key("things", "a"))])
    counted.append(documents.count(OPEN))
    documents.close()
    other.close()
    return counted


@pytest.mark.parametrize(
    ("kind", "counted"), [(Connections, [0, 2, 2, 3, 2]), (_Stale, [0, 0, 0, 0, 0])], ids=["right", "control"]
)
def test_a_count_is_that_of_the_last_commit_whoever_made_it(
    kind: type[Connections], counted: list[int], shapes: Shapes, tmp_path: Path
) -> None:
    assert _numbers(kind, shapes, tmp_path / "store.db") == counted


def test_nothing_is_counted_twice_between_two_commits(shapes: Shapes, tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", shapes)
    documents.commit([_thing("a"), Create(Key("plain", "p"), {"n": 1})])
    reader = documents._connections._reader()
    documents._connections._idle.append(reader)
    ran: list[str] = []

    def counted() -> list[str]:
        documents.query(OPEN)  # brings up what is behind, which is a commit
        ran.clear()
        reader.set_trace_callback(lambda sql: ran.append(sql) if "count(*)" in sql else None)
        assert (documents.count(OPEN), documents.count(PLAIN)) == (1, 1)
        return [sql.split("FROM")[1].split()[0] for sql in ran]

    assert counted() == ['"d_things"', '"d_plain"']
    assert counted() == []
    documents.commit([_thing("z", "done")])
    assert counted() == ['"d_things"', '"d_plain"']
    documents.close()


def test_a_document_of_a_query_equals_the_same_document_read_by_its_id(shapes: Shapes, tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", shapes)
    data = {"state": "open", "place": "x", "rank": 1, "picture": b"\x00\xff"}
    (version,) = documents.commit([Create(Key("things", "a"), data)])
    (found,) = documents.query(OPEN)

    assert found == documents.get(Key("things", "a")) == Stored(Key("things", "a"), data, version)
    assert (found != Stored(Key("things", "a"), data, "0"), found == object()) == (True, False)
    assert found.data is found.data
    assert not hasattr(found, "nothing")
    documents.close()
