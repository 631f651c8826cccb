"""Chains: any version reads back as it was written, whatever came after, and costs what changed."""

import random
from typing import Any

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.oos.chain import Change, Part, change_between, extend, log_key, read
from shared.ports.documents import Documents, Put
from tests.faults.refresh.harness import shapes

NOW = "2026-01-15T10:30:00.000000Z"


def documents() -> Documents:
    """Open an empty store."""
    return SqliteDocuments.in_memory(shapes())


def publish(store: Documents, base: Part | None, before: Any, after: Any, number: int) -> Part:
    """Write one version as a publication does."""
    change = change_between(before, after)
    version = extend(store, base, change, lambda: after, (f"chn-{number}", "stord", NOW))
    for write in version.early:
        store.commit([write])
    store.commit(list(version.late)) if version.late else None
    return version.part


def a_mapping(rng: random.Random, size: int) -> dict[str, Any]:
    """Make a mapping of so many rows."""
    return {f"k{number:04d}": [rng.randrange(10**9), "x" * rng.randrange(60)] for number in range(size)}


def changed(rng: random.Random, before: dict[str, Any], share: float) -> dict[str, Any]:
    """Change, drop and add a share of the rows."""
    after = dict(before)
    for name in rng.sample(sorted(after), max(1, int(len(after) * share))):
        after[name] = [rng.randrange(10**9), "y"]
    after.pop(rng.choice(sorted(after)))
    after[f"n{rng.randrange(10**9)}"] = [1, "new"]
    return after


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_every_version_reads_back_as_it_was_written(share: float) -> None:
    rng = random.Random(int(share * 100))
    store, part = documents(), None
    versions: list[tuple[Part, dict[str, Any]]] = []
    before: dict[str, Any] = {}
    value = a_mapping(rng, 200)
    for number in range(60):
        part = publish(store, part, before, value, number)
        versions.append((part, value))
        before, value = value, changed(rng, value, share)

    assert [read(store, part) for part, _ in versions] == [value for _, value in versions]


def test_a_version_costs_its_change_and_not_its_size() -> None:
    """2 % changes: the log grows by a small part of the frame each time, and nothing else is written."""
    rng = random.Random(1)
    store = documents()
    value = a_mapping(rng, 2_000)
    first = publish(store, None, {}, value, 0)
    after = changed(rng, value, 0.02)

    second = publish(store, first, value, after, 1)

    assert second.chain == first.chain
    assert 0 < second.end < first.frame_bytes * 0.05


def test_what_lies_behind_a_published_length_never_changes() -> None:
    """Two publications from one base: the one that comes second does not disturb who read the first."""
    rng = random.Random(2)
    store = documents()
    value = a_mapping(rng, 500)
    base = publish(store, None, {}, value, 0)
    one = changed(rng, value, 0.02)
    first = publish(store, base, value, one, 1)
    two = changed(rng, one, 0.02)
    publish(store, first, one, two, 2)

    assert read(store, first) == one
    assert read(store, base) == value


def test_the_check_finds_a_log_that_is_rewritten() -> None:
    """Control: entries written over a published length are noticed by its reader."""
    rng = random.Random(3)
    store = documents()
    value = a_mapping(rng, 500)
    base = publish(store, None, {}, value, 0)
    one = changed(rng, value, 0.02)
    first = publish(store, base, value, one, 1)
    publish(store, base, value, changed(rng, value, 0.02), 2)

    with pytest.raises(Exception, match=r"differs|could not be read"):
        _same(read(store, first), one)


def _same(found: Any, expected: Any) -> None:
    if found != expected:
        message = "the version differs"
        raise AssertionError(message)


def test_an_unchanged_version_adds_nothing() -> None:
    store = documents()
    value = a_mapping(random.Random(4), 100)
    base = publish(store, None, {}, value, 0)

    assert publish(store, base, value, value, 1) == base


def test_a_version_whose_frame_is_gone_is_none() -> None:
    store = documents()
    value = a_mapping(random.Random(5), 100)
    base = publish(store, None, {}, value, 0)
    after = changed(random.Random(6), value, 0.02)
    second = publish(store, base, value, after, 1)
    store.commit([Put(log_key("other"), {"data": b"", "source": "stord", "pieces": 0, "used_at": NOW})])

    assert read(store, Part("missing", 1, 10)) is None
    assert read(store, second) == after


def test_a_lost_log_begins_a_new_chain() -> None:
    """A base whose log is shorter than it says is never extended."""
    store = documents()
    value = a_mapping(random.Random(7), 100)
    base = publish(store, None, {}, value, 0)
    broken = Part(base.chain, base.pieces, base.frame_bytes, 10_000)

    version = extend(store, broken, Change({"k": 1}, ()), lambda: {"k": 1}, ("chn-new", "stord", NOW))

    assert version.part.chain == "chn-new"
