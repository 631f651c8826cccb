"""Commits are all or nothing and guarded by preconditions, on every store."""

import threading
from collections.abc import Callable

import pytest

from shared.ports.documents import Conflict, Create, Delete, Documents, Key, Put, Write

KEY, OTHER = Key("things", "one"), Key("others", "two")


def test_what_is_absent_is_none(documents: Documents) -> None:
    assert documents.get(KEY) is None
    assert documents.get_many([KEY, OTHER]) == {}
    assert documents.get_many([]) == {}


def test_versions_of_a_commit_are_those_read_back(documents: Documents) -> None:
    versions = documents.commit([Create(KEY, {"n": 1}), Put(OTHER, {"n": 2}), Delete(Key("things", "absent"))])

    found = documents.get_many([OTHER, KEY, KEY])
    assert {key: stored.version for key, stored in found.items()} == {KEY: versions[0], OTHER: versions[1]}
    assert versions[2] == ""
    assert documents.get(KEY) == found[KEY]


def test_a_version_never_returns(documents: Documents) -> None:
    seen = documents.commit([Create(KEY, {"n": 1})])
    for _ in range(3):
        seen += documents.commit([Put(KEY, {"n": 1}, seen[-1])])
    documents.commit([Delete(KEY, seen[-1])])
    seen += documents.commit([Create(KEY, {"n": 1})])

    assert len(set(seen)) == 5


@pytest.mark.parametrize(
    "refused",
    [
        lambda _: Create(KEY, {"n": 9}),
        lambda _: Put(KEY, {"n": 9}, "stale"),
        lambda _: Put(KEY, {"n": 9}, ""),
        lambda version: Put(OTHER, {"n": 9}, version),
        lambda _: Delete(KEY, "stale"),
        lambda version: Delete(OTHER, version),
    ],
    ids=["create-present", "put-stale", "put-empty", "put-absent", "delete-stale", "delete-absent"],
)
def test_a_failed_precondition_changes_nothing_at_all(documents: Documents, refused: Callable[[str], Write]) -> None:
    (version,) = documents.commit([Create(KEY, {"n": 1})])
    before = documents.get(KEY)

    with pytest.raises(Conflict) as conflict:
        documents.commit([Put(Key("things", "before"), {}), refused(version), Put(Key("things", "after"), {})])

    assert refused(version).key in conflict.value.keys
    assert documents.get(KEY) == before
    assert documents.get_many([OTHER, Key("things", "before"), Key("things", "after")]) == {}


def test_an_older_version_is_stale(documents: Documents) -> None:
    (first,) = documents.commit([Create(KEY, {"n": 1})])
    documents.commit([Put(KEY, {"n": 2}, first)])

    with pytest.raises(Conflict):
        documents.commit([Put(KEY, {"n": 3}, first)])
    with pytest.raises(Conflict):
        documents.commit([Delete(KEY, first)])


def test_equal_content_under_one_version_is_still_won_once(documents: Documents) -> None:
    """Firestore keeps the update time of a write that changes nothing: two lease takers would both win."""
    (version,) = documents.commit([Create(KEY, {"holder": "a"})])
    documents.commit([Put(KEY, {"holder": "a"}, version)])

    with pytest.raises(Conflict):
        documents.commit([Put(KEY, {"holder": "a"}, version)])


def test_a_right_precondition_lets_delete_and_create_pass(documents: Documents) -> None:
    (version,) = documents.commit([Create(KEY, {"n": 1})])

    documents.commit([Delete(KEY, version)])
    documents.commit([Delete(KEY)])
    documents.commit([Create(KEY, {"n": 2})])

    stored = documents.get(KEY)
    assert stored is not None
    assert stored.data == {"n": 2}


def test_a_commit_takes_500_writes_and_no_more(documents: Documents) -> None:
    keys = [Key("things", f"{number:03}") for number in range(501)]

    with pytest.raises(ValueError, match="500"):
        documents.commit([Create(key, {}) for key in keys])
    assert len(documents.commit([Create(key, {}) for key in keys[:500]])) == 500

    assert len(documents.get_many(keys)) == 500
    assert documents.commit([]) == []


def test_many_writes_are_one_commit_up_to_what_the_store_says(documents: Documents) -> None:
    most = documents.most_writes
    keys = [Key("things", f"{number:05}") for number in range(most + 1)]

    with pytest.raises(ValueError, match=str(most)):
        documents.commit_many([Create(key, {}) for key in keys])
    assert documents.get_many(keys) == {}
    versions = documents.commit_many([Create(key, {}) for key in keys[:most]])

    assert most >= 500
    assert {key: stored.version for key, stored in documents.get_many(keys).items()} == dict(
        zip(keys[:most], versions, strict=True)
    )


@pytest.mark.parametrize("taken", [0, 41, 119])
def test_of_many_writes_none_is_done_when_one_may_not_be(documents: Documents, taken: int) -> None:
    keys = [Key("things", f"{number:03}") for number in range(120)]
    (version,) = documents.commit([Create(keys[taken], {"n": "first"})])

    with pytest.raises(Conflict) as refused:
        documents.commit_many([*(Create(key, {"n": "second"}) for key in keys), Put(OTHER, {"n": 1})])

    assert keys[taken] in refused.value.keys or not refused.value.keys
    found = documents.get_many([*keys, OTHER])
    assert {key: (stored.data, stored.version) for key, stored in found.items()} == {
        keys[taken]: ({"n": "first"}, version)
    }


def test_many_unconditional_writes_make_what_is_new_and_replace_what_is_there(documents: Documents) -> None:
    keys = [Key("things", f"{number:03}") for number in range(60)]
    documents.commit([Create(key, {"n": "old"}) for key in keys[::2]])

    documents.commit_many([*(Put(key, {"n": "new"}) for key in keys), Create(OTHER, {}), Delete(Key("gone", "x"))])

    assert {key: stored.data for key, stored in documents.get_many(keys).items()} == {key: {"n": "new"} for key in keys}


def test_two_writes_of_one_key_are_refused(documents: Documents) -> None:
    with pytest.raises(ValueError, match="one document"):
        documents.commit([Create(KEY, {}), Delete(KEY)])


def test_operations_are_counted_as_they_are_billed(documents: Documents) -> None:
    documents.commit([Create(KEY, {}), Put(OTHER, {}), Delete(Key("things", "absent"))])
    with pytest.raises(Conflict):
        documents.commit([Create(KEY, {})])
    assert (documents.counts.reads, documents.counts.writes, documents.counts.deletes) == (0, 2, 1)

    documents.get(KEY)
    documents.get_many([KEY, OTHER, Key("things", "absent")])
    assert documents.counts.reads == 4

    documents.counts.reset()
    assert (documents.counts.reads, documents.counts.writes, documents.counts.deletes) == (0, 0, 0)


def test_of_simultaneous_creates_exactly_one_wins(documents: Documents) -> None:
    won, lost = race(documents, lambda number: [Create(KEY, {"by": number})])

    assert (len(won), len(lost)) == (1, 15)
    stored = documents.get(KEY)
    assert stored is not None
    assert stored.data == {"by": won[0]}


def test_of_simultaneous_puts_of_one_version_exactly_one_wins(documents: Documents) -> None:
    (version,) = documents.commit([Create(KEY, {"by": None})])

    won, lost = race(documents, lambda number: [Put(KEY, {"by": number}, version), Put(Key("things", f"{number}"), {})])

    assert (len(won), len(lost)) == (1, 15)
    found = documents.get_many([Key("things", f"{number}") for number in range(16)])
    assert [key.id for key in found] == [f"{won[0]}"]


def test_control_without_preconditions_all_of_them_win(documents: Documents) -> None:
    won, _ = race(documents, lambda number: [Put(KEY, {"by": number})])

    assert len(won) == 16


def race(documents: Documents, writes: Callable[[int], list[Write]]) -> tuple[list[int], list[int]]:
    """Let 16 threads commit at once; return the numbers of those that won and of those that met a Conflict."""
    start = threading.Barrier(16)
    won: list[int] = []
    lost: list[int] = []

    def run(number: int) -> None:
        start.wait(30)
        try:
            documents.commit(writes(number))
            won.append(number)
        except Conflict:
            lost.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return won, lost
