"""A store in trouble says Transient, within its deadline."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock
from shared.core.errors import Transient
from shared.ports.documents import Conflict, Create, Delete, Documents, Key, Put, Query, UndeclaredShape, Write
from tests.google.firestore.engine import Engine, Refused
from tests.google.firestore.server import serving

CALLS: dict[str, Callable[[Documents], object]] = {
    "get": lambda documents: documents.get(Key("things", "a")),
    "get_many": lambda documents: documents.get_many([Key("things", "a"), Key("things", "b")]),
    "query": lambda documents: documents.query(Query("things")),
    "count": lambda documents: documents.count(Query("things")),
    "commit": lambda documents: documents.commit([Create(Key("things", "a"), {})]),
    "ping": lambda documents: documents.ping(),
}


def test_a_store_that_answers_pings(documents: Documents) -> None:
    documents.ping()


@pytest.mark.parametrize("call", CALLS)
def test_a_dead_server_is_transient_and_waits_are_bounded(call: str) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and never listening: connections are refused
        clock = ManualClock()
        documents = FirestoreDocuments(
            "firestore://p/d", Shapes(), clock, emulator=f"127.0.0.1:{unused.getsockname()[1]}"
        )

        with pytest.raises(Transient):
            CALLS[call](documents)
        documents.close()

    assert clock.monotonic() <= 10


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("path", [":memory:", "file"])
def test_a_closed_file_is_transient(call: str, path: str, tmp_path: Path) -> None:
    documents = SqliteDocuments(path if path == ":memory:" else tmp_path / "store.db", Shapes())
    documents.close()

    with pytest.raises(Transient):
        CALLS[call](documents)


def test_a_file_that_is_no_database_is_transient(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database, but long enough to look like one" * 100)

    with pytest.raises(Transient):
        SqliteDocuments(path, Shapes())


def test_a_passing_trouble_is_survived_by_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Engine(Shapes())) as address:
        clock = ManualClock()
        documents = FirestoreDocuments("firestore://p/d", Shapes(), clock, emulator=address)
        documents.commit([Create(Key("things", "a"), {"n": 1})])
        answers = iter([_Answer(503), _Answer(429)])
        pool = documents._rest._pool
        real = pool.urlopen
        monkeypatch.setattr(pool, "urlopen", lambda *args, **more: next(answers, None) or real(*args, **more))

        stored = documents.get(Key("things", "a"))
        documents.close()

    assert stored is not None
    assert stored.data == {"n": 1}
    assert len(clock.slept) == 2


class _Contended(Engine):
    """A database that gives up every commit, as Firestore does where too many go on at once."""

    def commit(self, request: Any) -> Any:
        """Give up."""
        raise Refused("ABORTED", "Too much contention on these documents.")


WITHOUT_CONDITION = [Put(Key("things", "a"), {}), Delete(Key("things", "b"))]


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        (WITHOUT_CONDITION, Transient),
        ([*WITHOUT_CONDITION, Create(Key("things", "c"), {})], Conflict),
        ([*WITHOUT_CONDITION, Put(Key("things", "c"), {}, "2026-01-15T10:30:00Z")], Conflict),
    ],
    ids=["no condition", "a create", "a version"],
)
def test_a_contended_commit_that_sets_no_condition_is_no_conflict(
    writes: list[Write], expected: type[Exception]
) -> None:
    """Who hears of a conflict reads again and decides anew; a write without a condition has nothing to decide."""
    with serving(_Contended(Shapes())) as address:
        documents = FirestoreDocuments("firestore://p/d", Shapes(), ManualClock(), emulator=address)

        with pytest.raises(expected):
            documents.commit(writes)
        documents.close()


BROKEN_OFF = {
    "an error at the end": b'[{"readTime": "2026-01-15T10:30:00Z"}, {"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}]',
    "half an answer": b'[{"readTime": "2026-01',
}


@pytest.mark.parametrize("body", BROKEN_OFF.values(), ids=BROKEN_OFF)
def test_an_answer_that_broke_off_after_it_began_well_is_asked_for_again(
    body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken for whole it would be a list that lacks rows, and nobody would know."""
    with serving(Engine(Shapes())) as address:
        documents = FirestoreDocuments("firestore://p/d", Shapes(), ManualClock(), emulator=address)
        documents.commit([Create(Key("things", "a"), {"n": 1})])
        answers = iter([_Answer(200, body)])
        real = documents._rest._pool.urlopen
        monkeypatch.setattr(
            documents._rest._pool, "urlopen", lambda *args, **more: next(answers, None) or real(*args, **more)
        )

        found = documents.query(Query("things"))
        documents.close()

    assert [stored.key.id for stored in found] == ["a"]


def test_an_answer_that_always_breaks_off_is_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Engine(Shapes())) as address:
        documents = FirestoreDocuments("firestore://p/d", Shapes(), ManualClock(), emulator=address)
        broken = _Answer(200, BROKEN_OFF["an error at the end"])
        monkeypatch.setattr(documents._rest._pool, "urlopen", lambda *_, **__: broken)

        with pytest.raises(Transient, match="503"):
            documents.query(Query("things"))
        documents.close()


def test_a_count_passes_over_reports_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = b'[{"readTime": "2026-01-15T10:30:00Z"}, {"result": {"aggregateFields": {"n": {"integerValue": "7"}}}}]'
    with serving(Engine(Shapes())) as address:
        documents = FirestoreDocuments("firestore://p/d", Shapes(), ManualClock(), emulator=address)
        monkeypatch.setattr(documents._rest._pool, "urlopen", lambda *_, **__: _Answer(200, counted))

        assert documents.count(Query("things")) == 7
        documents.close()


class _Answer:
    def __init__(
        self, status: int, data: bytes = b'{"error": {"code": 503, "message": "try again", "status": "UNAVAILABLE"}}'
    ) -> None:
        self.status, self.data = status, data


def test_in_the_cloud_an_undeclared_shape_is_logged_and_refused_by_firestore(
    caplog: pytest.LogCaptureFixture,
) -> None:
    query = Query("things", equals=(("state", "a"),), order_by="rank")
    with serving(Engine(Shapes())) as address:
        documents = FirestoreDocuments("firestore://p/d", Shapes(), emulator=address, strict=False)

        with pytest.raises(UndeclaredShape, match="requires an index"):
            documents.query(query)
        documents.close()

    assert "things, state =, order by rank" in caplog.text


@pytest.mark.parametrize("url", ["firestore:", "firestore://", "sqlite://x/y", "project/database"])
def test_an_address_that_is_no_firestore_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="firestore://project/database"):
        FirestoreDocuments(url, Shapes(), emulator="127.0.0.1:1")
