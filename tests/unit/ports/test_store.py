"""The write path: one commit per piece of work, rerun on a lost race, nothing half done."""

import random
import threading
from collections.abc import Callable, Mapping, Sequence

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock
from shared.core.errors import NotFound, Transient, Unavailable
from shared.ports.documents import Conflict, Create, Delete, Key, Put, Query, Stored, Write
from shared.ports.store import Store

A, B, C = Key("things", "a"), Key("things", "b"), Key("things", "c")
Decision = tuple[None, Sequence[Write]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def documents() -> SqliteDocuments:
    return SqliteDocuments.in_memory()


@pytest.fixture
def store(documents: SqliteDocuments, clock: ManualClock) -> Store:
    return Store(documents, clock, random.Random(7))


def add_one(key: Key) -> Callable[[Mapping[Key, Stored]], tuple[int, Sequence[Write]]]:
    """Decide: one more than there is, from nothing to one."""

    def decide(found: Mapping[Key, Stored]) -> tuple[int, Sequence[Write]]:
        if key not in found:
            return 1, [Create(key, {"n": 1})]
        number = found[key].data["n"] + 1
        return number, [Put(key, {"n": number}, found[key].version)]

    return decide


def remove(key: Key) -> Callable[[Mapping[Key, Stored]], Decision]:
    return lambda found: (None, [Delete(key, found[key].version)] if key in found else [])


def content(documents: SqliteDocuments) -> dict[str, object]:
    return {stored.key.id: stored.data["n"] for stored in documents.query(Query("things"))}


def test_a_change_reads_decides_and_commits(store: Store, documents: SqliteDocuments) -> None:
    assert [store.change([A], add_one(A)) for _ in range(3)] == [1, 2, 3]

    assert content(documents) == {"a": 3}


def test_what_decide_raises_passes_through_and_nothing_is_written(store: Store, documents: SqliteDocuments) -> None:
    def refuse(found: Mapping[Key, Stored]) -> Decision:
        raise NotFound("no such thing")

    with pytest.raises(NotFound):
        store.change([A], refuse)

    assert (content(documents), documents.counts.writes) == ({}, 0)


def test_a_lost_race_runs_the_decision_again_on_fresh_data(
    store: Store, documents: SqliteDocuments, clock: ManualClock
) -> None:
    store.change([A], add_one(A))
    rivals = iter([10, 20])

    def decide(found: Mapping[Key, Stored]) -> tuple[int, Sequence[Write]]:
        for rival in rivals:
            documents.commit([Put(A, {"n": rival})])
            break
        return add_one(A)(found)

    assert store.change([A], decide) == 21
    assert content(documents) == {"a": 21}
    assert len(clock.slept) == 2


def test_endless_contention_ends_as_unavailable_within_five_seconds(
    store: Store, documents: SqliteDocuments, clock: ManualClock
) -> None:
    store.change([A], add_one(A))

    def always_beaten(found: Mapping[Key, Stored]) -> tuple[int, Sequence[Write]]:
        documents.commit([Put(A, {"n": 0})])
        return add_one(A)(found)

    with pytest.raises(Unavailable) as refusal:
        store.change([A], always_beaten)

    assert 3 < clock.monotonic() <= 5
    assert refusal.value.headers == {"Retry-After": "1"}
    assert content(documents) == {"a": 0}


def test_a_lock_that_is_never_given_back_ends_as_unavailable(documents: SqliteDocuments, clock: ManualClock) -> None:
    from dataclasses import replace

    from shared.ports.store import BACKOFF

    store = Store(documents, clock, backoff=replace(BACKOFF, deadline_s=0.05))
    inside, done = threading.Event(), threading.Event()

    def slow(found: Mapping[Key, Stored]) -> Decision:
        inside.set()
        done.wait(30)
        return None, []

    holder = threading.Thread(target=store.change, args=([A], slow))
    holder.start()
    inside.wait(30)
    with pytest.raises(Unavailable):
        store.change([A], add_one(A))
    done.set()
    holder.join()

    assert store.change([A], add_one(A)) == 1


def test_everything_inside_atomically_is_one_commit(store: Store, documents: SqliteDocuments) -> None:
    def work() -> str:
        store.change([A], add_one(A))
        store.change([B], add_one(B))
        store.write([Create(C, {"n": 9})])
        assert content(documents) == {}
        return "done"

    assert store.atomically(work, finish=lambda result: [Create(Key("replies", "r"), {"n": result})]) == "done"

    versions = {stored.version for stored in documents.get_many([A, B, C, Key("replies", "r")]).values()}
    assert len(versions) == 1
    assert content(documents) == {"a": 1, "b": 1, "c": 9}


def test_what_work_raises_drops_everything(store: Store, documents: SqliteDocuments) -> None:
    def work() -> None:
        store.change([A], add_one(A))
        store.after_commit(lambda: pytest.fail("no commit, no action"))
        raise NotFound("gone")

    with pytest.raises(NotFound):
        store.atomically(work)

    assert content(documents) == {}


def test_work_sees_its_own_writes(store: Store) -> None:
    store.change([A], add_one(A))
    store.change([B], add_one(B))

    def work() -> None:
        assert store.change([A], add_one(A)) == 2
        assert store.change([A], add_one(A)) == 3
        store.change([B], remove(B))
        store.write([Create(C, {"n": 5})])
        seen = store.get_many([A, B, C])
        assert {key.id: stored.data["n"] for key, stored in seen.items()} == {"a": 3, "c": 5}
        assert store.get(B) is None
        assert [stored.key for stored in store.query(Query("things"))] == [A, B]  # queries are as committed
        assert store.count(Query("things")) == 2

    store.atomically(work)

    assert [key.id for key in store.get_many([A, B, C])] == ["a", "c"]


@pytest.mark.parametrize(
    ("present", "steps", "expected"),
    [
        (False, [add_one(A), add_one(A)], {"a": 2}),
        (False, [add_one(A), remove(A)], {}),
        (False, [add_one(A), remove(A), add_one(A)], {"a": 1}),
        (True, [remove(A), add_one(A)], {"a": 1}),
        (True, [remove(A), add_one(A), add_one(A)], {"a": 2}),
        (True, [add_one(A), remove(A)], {}),
        (True, [remove(A), add_one(A), remove(A)], {}),
        (True, [remove(A), remove(A)], {}),
    ],
)
@pytest.mark.parametrize("beaten", [False, True])
def test_writes_of_one_key_merge_under_the_first_precondition(
    store: Store,
    documents: SqliteDocuments,
    present: bool,
    steps: list[Callable[..., Decision]],
    expected: object,
    beaten: bool,
) -> None:
    if present:
        documents.commit([Create(A, {"n": 7})])
    rivals = iter([True] if beaten and present else [])

    def work() -> None:
        for step in steps:
            store.change([A], step)
        if next(rivals, False):
            documents.commit([Put(A, {"n": 7})])

    store.atomically(work)

    assert content(documents) == expected


def test_creating_twice_in_one_piece_of_work_conflicts_at_once(store: Store, documents: SqliteDocuments) -> None:
    def work() -> None:
        store.write([Create(A, {"n": 1})])
        with pytest.raises(Conflict):
            store.write([Create(B, {"n": 1}), Create(A, {"n": 2})])

    store.atomically(work)

    assert content(documents) == {"a": 1}


def test_outside_a_blind_write_passes_its_conflict_on(store: Store) -> None:
    store.write([Create(A, {"n": 1})])

    with pytest.raises(Conflict):
        store.write([Create(A, {"n": 2})])


def test_actions_run_once_in_order_after_the_commit_that_succeeded(store: Store, documents: SqliteDocuments) -> None:
    rivals = iter([5])
    ran: list[tuple[int, object]] = []

    def work() -> None:
        store.after_commit(lambda: ran.append((1, content(documents))))
        store.change([A], add_one(A))
        store.after_commit(lambda: ran.append((2, content(documents))))
        for rival in rivals:
            documents.commit([Put(A, {"n": rival})])

    store.atomically(work)

    assert ran == [(1, {"a": 6}), (2, {"a": 6})]
    store.after_commit(lambda: ran.append((3, None)))
    assert ran[-1] == (3, None)


def test_a_failing_action_neither_undoes_the_commit_nor_stops_the_next(
    store: Store, documents: SqliteDocuments
) -> None:
    ran: list[str] = []

    def fail() -> None:
        raise Transient("queue_unavailable", "the queue is down")

    def work() -> None:
        store.change([A], add_one(A))
        store.after_commit(fail)
        store.after_commit(lambda: ran.append("next"))

    store.atomically(work)

    assert (content(documents), ran) == ({"a": 1}, ["next"])


def test_nested_work_joins_and_its_failure_is_forgotten_alone(store: Store, documents: SqliteDocuments) -> None:
    ran: list[str] = []

    def inner(key: Key, *, fails: bool) -> None:
        store.change([key], add_one(key))
        store.after_commit(lambda: ran.append(key.id))
        if fails:
            raise NotFound("one bad row")

    def work() -> None:
        for key, fails in ((A, False), (B, True), (C, False)):
            try:
                store.atomically(lambda key=key, fails=fails: inner(key, fails=fails))  # type: ignore[misc]
            except NotFound:
                continue
        assert content(documents) == {}

    store.atomically(work)

    assert (content(documents), ran) == ({"a": 1, "c": 1}, ["a", "c"])


def test_failed_nested_work_leaves_what_was_decided_before_as_it_was(store: Store, documents: SqliteDocuments) -> None:
    def inner() -> None:
        store.write([Put(A, {"n": 9}), Delete(B), Create(C, {"n": 9}), Put(C, {"n": 10})])
        raise NotFound("one bad row")

    def work() -> None:
        store.write([Create(A, {"n": 1}), Create(B, {"n": 2})])
        with pytest.raises(NotFound):
            store.atomically(inner)
        assert {key: stored.data for key, stored in store.get_many([A, B, C]).items()} == {A: {"n": 1}, B: {"n": 2}}

    store.atomically(work)

    assert content(documents) == {"a": 1, "b": 2}


def test_a_rerun_holds_the_locks_of_the_keys_it_lost(store: Store, documents: SqliteDocuments) -> None:
    store.change([A], add_one(A))
    held: list[bool] = []
    rivals = iter([5])

    def work() -> None:
        held.append(any(lock.locked() for lock in store._locks))
        store.change([A], add_one(A))
        for rival in rivals:
            documents.commit([Put(A, {"n": rival})])

    store.atomically(work)

    assert held == [False, True]
    assert not any(lock.locked() for lock in store._locks)


def test_work_that_changes_nothing_commits_nothing(store: Store, documents: SqliteDocuments) -> None:
    assert store.atomically(lambda: store.change([A], lambda _: ("read", []))) == "read"

    assert documents.counts.writes == 0


def test_trouble_of_the_store_passes_through(store: Store, documents: SqliteDocuments) -> None:
    documents.close()

    with pytest.raises(Transient):
        store.change([A], add_one(A))


def test_what_was_foreseen_is_read_once_and_still_guarded(store: Store, documents: SqliteDocuments) -> None:
    documents.commit([Create(A, {"n": 1})])
    raced: list[bool] = []

    def work() -> int:
        store.foresee([A, B])
        before = documents.counts.reads
        if not raced:
            raced.append(True)
            documents.commit([Put(A, {"n": 10}, None), Create(B, {"n": 20})])
        total = store.change([A], add_one(A)) + store.change([B], add_one(B))
        assert documents.counts.reads == before
        return total

    assert store.atomically(work) == 11 + 21
    assert content(documents) == {"a": 11, "b": 21}


def test_nothing_is_remembered_beyond_the_work_that_foresaw_it(store: Store, documents: SqliteDocuments) -> None:
    store.foresee([A])
    store.atomically(lambda: store.foresee([A]))
    documents.commit([Create(A, {"n": 1})])

    assert store.change([A], add_one(A)) == 2
    assert store.atomically(lambda: store.get(A)) is not None


def test_own_writes_are_seen_over_what_was_foreseen(store: Store, documents: SqliteDocuments) -> None:
    documents.commit([Create(A, {"n": 1})])

    def work() -> list[int]:
        store.foresee([A])
        return [store.change([A], add_one(A)) for _ in range(2)]

    assert store.atomically(work) == [2, 3]
