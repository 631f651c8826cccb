"""Pages on SQLite: what was answered at a version is answered again without reading it, and nothing that changed is missed."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments, statements
from shared.adapters.sqlite.documents import Kept
from shared.ports.documents import Create, Delete, Key, Put, Query, Write
from tests.contract.documents.conftest import DECLARED

PAGE = Query("things", (("state", "open"),), order_by="rank", limit=20)
PLAIN = Query("plain", limit=20)


def _key(name: str, collection: str = "things") -> Key:
    return Key(collection, name)


def _thing(rank: int, note: str = "as made") -> dict[str, Any]:
    return {"state": "open", "place": "x", "rank": rank, "note": note}


def _traced(documents: SqliteDocuments) -> list[str]:
    """Return the list of columns that each statement from now on reads."""
    reader = documents._connections._reader()
    documents._connections._idle.append(reader)
    ran: list[str] = []
    reader.set_trace_callback(lambda sql: ran.append("documents" if "body" in sql else "names"))
    return ran


@pytest.mark.parametrize("query", [PAGE, PLAIN], ids=["with indexes", "without"])
def test_a_page_read_again_reads_ids_and_versions_alone(query: Query, shapes: Shapes, tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", shapes)
    documents.commit([Create(_key(f"t{at}", query.collection), _thing(at)) for at in range(25)])
    ran = _traced(documents)

    first, second = documents.query(query), documents.query(query)

    assert ran == ["names", "documents", "names"]
    assert second == first
    assert [stored.data for stored in second] == [stored.data for stored in first]
    documents.close()


def test_what_a_caller_does_to_an_answer_is_not_answered_to_the_next(shapes: Shapes, tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", shapes)
    documents.commit([Create(_key("a"), {**_thing(1), "tags": ["red"]})])

    for _ in range(3):
        (stored,) = documents.query(PAGE)
        assert stored.data == {**_thing(1), "tags": ["red"]}
        stored.data["tags"].append("blue")
        stored.data["rank"] = 9

    documents.close()


def test_ids_with_the_character_between_them_and_bytes_are_answered_again_as_they_are(
    shapes: Shapes, tmp_path: Path
) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", shapes)
    documents.commit([Create(_key("a\x1fb"), _thing(1)), Create(_key("c"), {**_thing(2), "picture": b"\x1f\x00"})])

    for _ in range(3):
        assert [(stored.key.id, stored.data.get("picture")) for stored in documents.query(PAGE)] == [
            ("a\x1fb", None),
            ("c", b"\x1f\x00"),
        ]
    documents.close()


class _Believing(SqliteDocuments):
    """The broken variant: what was answered once is answered for ever."""

    def _remembered(self, collection: str, row: Any) -> list[Kept] | None:
        names = statements.unpacked_names(row)
        found = self._recent.each((collection, name) for name in names[0]) if names else [None]
        return None if None in found else [kept for kept in found if kept is not None]


NAMES = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "page"]), st.booleans(), NAMES, st.integers(1, 3)),
    min_size=1,
    max_size=12,
)


def _differences(kind: type[SqliteDocuments], steps: list[tuple[str, bool, str, int]]) -> list[Any]:
    """Return where pages differ from the documents looked up one by one, after every step."""
    documents = kind.in_memory(Shapes.of(DECLARED))
    held: dict[str, dict[str, Any]] = {}
    wrong = []
    for number, (what, is_closed, name, rank) in enumerate(steps):
        write: Write | None = Delete(_key(name)) if what == "delete" else None
        if what == "put":
            held[name] = {**_thing(rank, f"step {number}"), "state": "closed" if is_closed else "open"}
            write = Put(_key(name), held[name])
        if write is not None:
            documents.commit([write])
        if what == "delete":
            held.pop(name, None)
        shown = sorted((each["rank"], name) for name, each in held.items() if each["state"] == "open")
        expected = [(name, held[name]) for _, name in shown]
        answered = [(stored.key.id, stored.data) for stored in documents.query(PAGE)]
        wrong += [] if answered == expected else [(answered, expected)]
    documents.close()
    return wrong


@given(STEPS)
@settings(max_examples=60)
def test_pages_are_the_documents_as_last_written(steps: list[tuple[str, bool, str, int]]) -> None:
    assert _differences(SqliteDocuments, steps) == []


def test_control_documents_believed_for_ever_are_noticed() -> None:
    steps = [("put", False, "a", 1), ("put", False, "a", 2), ("page", False, "a", 1)]

    assert _differences(SqliteDocuments, steps) == []
    assert _differences(_Believing, steps) != []


@pytest.mark.parametrize(
    ("kind", "notes"), [(SqliteDocuments, ["changed"]), (_Believing, ["as made"])], ids=["right", "control"]
)
def test_a_change_by_another_process_is_shown_at_once(
    kind: type[SqliteDocuments], notes: list[str], shapes: Shapes, tmp_path: Path
) -> None:
    documents, other = kind(tmp_path / "store.db", shapes), SqliteDocuments(tmp_path / "store.db", shapes)
    documents.commit([Create(_key("a"), _thing(1))])
    documents.query(PAGE)

    other.commit([Put(_key("a"), _thing(1, "changed"))])

    assert [stored.data["note"] for stored in documents.query(PAGE)] == notes
    documents.close()
    other.close()
