"""Commits that wait at once share one transaction of SQLite, and each keeps its own outcome."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments, connections
from shared.core.errors import Transient
from shared.ports.documents import Conflict, Create, Key, Put, Query, Write

ROOT = Path(__file__).parents[3]
WAIT_S = 20


def _key(name: str) -> Key:
    return Key("things", name)


class Queue:
    """Documents whose writer is taken, so that commits queue up, and what their file sees."""

    def __init__(self, path: Path) -> None:
        self.documents = SqliteDocuments(path, Shapes())
        self.versions = self.documents.commit([Create(_key(name), {"n": 0}) for name in ("a", "b")])
        self.statements: list[str] = []
        self._pool = ThreadPoolExecutor(16)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the writer; what is sent meanwhile waits, the first of it in front of the others."""
        opened = self.documents._connections
        with opened._lock:
            yield
            opened._writer.set_trace_callback(self.statements.append)

    def send(self, *writes: Write) -> "Future[list[str]]":
        """Commit in a thread of its own, in the order of calls."""
        opened = self.documents._connections
        waiting = len(opened._queue) + (not opened._is_led)
        sent = self._pool.submit(self.documents.commit, writes)
        while len(opened._queue) + (not opened._is_led) == waiting and not sent.done():
            threading.Event().wait(0.001)
        return sent

    def close(self) -> int:
        """Return how many transactions were committed since the writer was free."""
        self._pool.shutdown()
        self.documents.close()
        return self.statements.count("COMMIT")


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    """Give documents whose writer can be held."""
    return Queue(tmp_path / "store.db")


def _outcomes(sent: "list[Future[list[str]]]") -> list[type | None]:
    failures = [each.exception(WAIT_S) for each in sent]
    return [None if failure is None else type(failure) for failure in failures]


def test_commits_that_wait_share_a_transaction(queue: Queue) -> None:
    with queue.held():
        sent = [queue.send(Create(_key(f"n{number}"), {"n": number})) for number in range(9)]

    assert _outcomes(sent) == [None] * 9
    assert len({each.result()[0] for each in sent}) == 9
    assert queue.documents.count(Query("things")) == 11
    assert queue.close() <= 2  # the one that had begun to wait for the writer, and all that came meanwhile


@pytest.mark.parametrize("late", [False, True], ids=["before it changed anything", "after it changed something"])
def test_one_that_loses_its_race_takes_no_other_with_it(queue: Queue, *, late: bool) -> None:
    lost: list[Write] = [Put(_key("b"), {"n": 9}, "0")]
    if late:
        lost = [Put(_key("a"), {"n": 9}), Create(_key("b"), {})]
    with queue.held():
        sent = [
            queue.send(Create(_key("first"), {})),
            queue.send(Create(_key("x"), {})),
            queue.send(*lost),
            queue.send(Put(_key("b"), {"n": 1}, queue.versions[1])),
            queue.send(Create(_key("y"), {})),
        ]

    assert _outcomes(sent) == [None, None, Conflict, None, None]
    held = {stored.key.id: stored for stored in queue.documents.query(Query("things"))}
    assert {name: stored.data for name, stored in held.items()} == {
        **{name: {} for name in ("first", "x", "y")},
        "a": {"n": 0},
        "b": {"n": 1},
    }
    assert held["b"].version == sent[3].result()[0]
    queue.close()


def test_control_without_undoing_a_lost_race_leaves_half_of_it(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant: what failed late is passed over like what failed at once."""
    monkeypatch.setattr(connections, "_all_done", _careless)
    with queue.held():
        sent = [queue.send(Create(_key("first"), {})), queue.send(Put(_key("a"), {"n": 9}), Create(_key("b"), {}))]

    assert _outcomes(sent) == [None, Conflict]
    found = queue.documents.get(_key("a"))
    assert found is not None
    assert found.data == {"n": 9}
    queue.close()


def _careless(connection: sqlite3.Connection, batch: "list[connections._Waiting]") -> bool:
    for one in batch:
        try:
            one.work(connection)
        except Conflict as failure:
            one.failure = failure
    return True


def test_of_two_that_wait_with_one_version_the_first_has_it(queue: Queue) -> None:
    with queue.held():
        sent = [queue.send(Create(_key("first"), {}))]
        sent += [queue.send(Put(_key("a"), {"n": number}, queue.versions[0])) for number in range(1, 5)]

    assert _outcomes(sent) == [None, None, Conflict, Conflict, Conflict]
    found = queue.documents.get(_key("a"))
    assert found is not None
    assert found.data == {"n": 1}
    queue.close()


@pytest.mark.parametrize("at", ["COMMIT", "BEGIN IMMEDIATE"])
def test_trouble_with_the_file_is_everybodys_and_nothing_is_half_written(
    queue: Queue, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = queue.documents._connections
    real = opened._writer
    with queue.held():
        sent = [queue.send(Create(_key(f"n{number}"), {})) for number in range(5)]
        opened._writer = _Failing(real, at)  # type: ignore[assignment]

    assert _outcomes(sent) == [Transient] * 5
    opened._writer = real
    assert queue.documents.count(Query("things")) == 2
    queue.documents.commit([Create(_key("n0"), {})])
    queue.close()


class _Failing:
    """A writer that cannot do one statement."""

    def __init__(self, real: sqlite3.Connection, at: str) -> None:
        self._real, self._at = real, at

    def execute(self, sql: str, *given: object) -> object:
        """Fail at that statement."""
        if sql == self._at:
            raise sqlite3.OperationalError("disk I/O error")
        return self._real.execute(sql, *given)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)


def test_many_threads_count_up_without_losing_a_step(tmp_path: Path) -> None:
    documents = SqliteDocuments(tmp_path / "store.db", Shapes())
    documents.commit([Create(_key(str(each)), {"n": 0}) for each in range(3)])

    def count(thread: int) -> None:
        for step in range(25):
            _until_it_holds(documents, _key(str((thread + step) % 3)), Create(Key("steps", f"{thread}-{step}"), {}))

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(count, range(12)))

    assert sum(stored.data["n"] for stored in documents.query(Query("things"))) == 300
    assert documents.count(Query("steps")) == 300
    documents.close()


def _until_it_holds(documents: SqliteDocuments, key: Key, step: Create) -> None:
    while True:
        stored = documents.get(key)
        assert stored is not None
        try:
            documents.commit([step, Put(key, {"n": stored.data["n"] + 1}, stored.version)])
        except Conflict:
            continue
        return


KILLS = 4
THREADS = 8


def work(path: str, *, early: bool) -> None:
    """Count up in many threads, for ever, and report each step when it is committed; the control reports it before, and dies."""
    documents = SqliteDocuments(path, Shapes())

    def count(thread: int) -> None:
        key = Key("stock", str(thread))
        while True:
            stored = documents.get(key)
            number = stored.data["n"] + 1 if stored else 1
            put = Put(key, {"n": number}, stored.version if stored else None)
            if early:
                os.write(1, f"{thread} {number}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)
            documents.commit([put, Create(Key("moves", f"{thread}-{number:09}"), {"filler": "x" * 2000})])
            os.write(1, f"{thread} {number}\n".encode())

    for thread in range(THREADS):
        threading.Thread(target=count, args=(thread,)).start()


def reported(path: Path, steps: int, *, early: bool = False) -> dict[str, int]:
    """Kill a process that counts after so many steps; return how far each of its threads said it had come."""
    program = f"from tests.contract.documents.test_together import *; work({str(path)!r}, early={early})"
    last: dict[str, int] = {}
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for at, line in enumerate(process.stdout, 1):
            thread, number = line.split()
            last[thread] = int(number)
            if at == steps:
                process.kill()
    return last


def kept(path: Path) -> dict[str, int]:
    """Return how far each thread came, after showing that its steps are all there and no half of one."""
    documents = SqliteDocuments(path, Shapes())
    found = {stored.key.id: stored.data["n"] for stored in documents.query(Query("stock"))}
    moves = [stored.key.id for stored in documents.query(Query("moves", limit=100_000))]
    documents.close()
    assert sorted(moves) == sorted(f"{name}-{step:09}" for name, n in found.items() for step in range(1, n + 1))
    return found


def test_what_was_reported_is_kept_when_a_process_is_killed_among_commits(tmp_path: Path) -> None:
    rng = random.Random(20261128)
    for _ in range(KILLS):
        told = reported(tmp_path / "store.db", rng.randint(20, 400))

        assert len(told) > 1
        assert all(kept(tmp_path / "store.db")[thread] >= number for thread, number in told.items())


def test_control_a_step_that_is_reported_before_its_commit_is_lost(tmp_path: Path) -> None:
    told = reported(tmp_path / "store.db", 1, early=True)

    assert told
    assert kept(tmp_path / "store.db") == {}
