"""C03: one seeded script of 300 steps gives the same answers and the same end state on every store."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.shapes import Shapes
from shared.ports.documents import Conflict, Create, Delete, Documents, Key, Position, Put, Query, Stored, Write
from tests.stores import STORES, Stores

SEEDS = (1, 2026)
STEPS = 300


@pytest.mark.parametrize("store", STORES[1:])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_script_gives_the_same_story(
    store: str, seed: int, stores: Stores, shapes: Shapes, tmp_path: Path
) -> None:
    expected = _story(stores.open(STORES[0], shapes, tmp_path), seed)

    told = _story(stores.open(store, shapes, tmp_path), seed)

    print(f"seed {seed}: {len(told)} answers, {sum(each == 'conflict' for each in told)} conflicts")
    assert told == expected
    assert 20 <= sum(each == "conflict" for each in told) <= STEPS / 2


def test_control_another_seed_is_another_story(stores: Stores, shapes: Shapes, tmp_path: Path) -> None:
    first, second = (_story(stores.open(STORES[0], shapes, tmp_path), seed) for seed in SEEDS)

    assert first != second


def _story(documents: Documents, seed: int) -> list[object]:
    """Run the script; return every answer, then every document."""
    rng = random.Random(seed)
    versions: dict[Key, list[str]] = {}
    answers: list[object] = [_step(documents, rng, versions) for _ in range(STEPS)]
    answers += list(_all(documents))
    documents.close()
    return answers


def _step(documents: Documents, rng: random.Random, versions: dict[Key, list[str]]) -> object:
    if rng.random() < 0.6:
        writes = [_write(rng, key, versions) for key in {_key(rng): None for _ in range(rng.randint(1, 4))}]
        try:
            given = documents.commit(writes)
        except Conflict:
            return "conflict"
        for write, version in zip(writes, given, strict=True):
            versions.setdefault(write.key, []).append(version)
        return [version == "" for version in given]
    if rng.random() < 0.3:
        found = documents.get_many([_key(rng) for _ in range(5)])
        return sorted((key, _plain(stored, versions)) for key, stored in found.items())
    query = _query(rng)
    return [documents.count(query), [(stored.key, _plain(stored, versions)) for stored in documents.query(query)]]


def _plain(stored: Stored, versions: dict[Key, list[str]]) -> tuple[str, bool]:
    return repr(sorted(stored.data.items())), stored.version == versions[stored.key][-1]


def _key(rng: random.Random) -> Key:
    return Key("things", f"{rng.choice('abcdefghijklmnopqrst')}{rng.choice('é🧵')}")


def _write(rng: random.Random, key: Key, versions: dict[Key, list[str]]) -> Write:
    known = versions.get(key, [""])
    version = rng.choice([None, known[-1] or None, known[-1] or None, known[0] or None])
    kind = rng.random()
    if kind < 0.25:
        return Create(key, _data(rng))
    return Delete(key, version) if kind < 0.35 else Put(key, _data(rng), version)


def _data(rng: random.Random) -> dict[str, Any]:
    data: dict[str, Any] = {
        "state": rng.choice(["open", "done", None]),
        "place": rng.choice("xy"),
        "tags": [],
        "blob": b"",
    }
    data["tags"] = rng.sample(["red", "blue", 1, True, 2.5], rng.randint(0, 3))
    data["blob"] = rng.randbytes(rng.randint(0, 40))
    if rng.random() < 0.8:
        data["rank"] = rng.choice([None, rng.randint(-5, 5), rng.randint(-5, 5) / 7, rng.random()])
    return data


def _query(rng: random.Random) -> Query:
    form = rng.choice(["state", "both", "tags", "none", "id"])
    equals = {"state": (("state", "open"),), "both": (("state", ("open", "done")), ("place", "x"))}.get(form, ())
    contains = ("tags", rng.choice(["red", 1, True])) if form == "tags" else None
    if form == "id":
        return Query("things", limit=rng.randint(1, 30), after=rng.choice([None, Position(None, "h")]))
    low = rng.choice([None, rng.randint(-5, 2)])
    after = rng.choice([None, None, Position(rng.choice([None, 0, 1.5] if low is None else [0, 1.5]), "h")])
    return Query(
        "things",
        equals,
        contains,
        order_by="rank",
        descending=rng.random() < 0.5,
        at_least=low,
        below=rng.choice([None, 4]) if after is None or after.value is not None else None,
        limit=rng.randint(1, 30),
        after=after,
        offset=rng.choice([0, 0, 3]),
    )


def _all(documents: Documents) -> Iterator[tuple[Key, str]]:
    for stored in documents.query(Query("things", limit=500)):
        yield stored.key, repr(sorted(stored.data.items()))
