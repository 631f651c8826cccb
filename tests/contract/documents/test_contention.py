"""S01, S06 and lost updates: nothing is sold twice and nothing written is lost, with threads and with processes."""

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import SystemClock
from shared.ports.documents import Create, Documents, Key, Put, Stored, Write
from shared.ports.store import Store
from tests.contract.documents.buyers import (
    STOCK,
    Buy,
    buy,
    buy_within,
    check_ledger,
    naive_outcomes,
    outcomes,
    stocked,
)
from tests.faults.jobs.volume import LONG
from tests.stores import STORES, Stores

ROOT = Path(__file__).parents[3]
BUYERS = [f"buyer-{number:02}" for number in range(64)]
ROUNDS = dict.fromkeys(STORES, 20) if LONG else dict(zip(STORES, (5, 5, 2, 2), strict=True))


@pytest.fixture(
    params=[(name, number) for name in STORES for number in range(ROUNDS[name])], ids=lambda p: f"{p[0]}-{p[1]}"
)
def shop(request: pytest.FixtureRequest, stores: Stores, tmp_path: Path) -> Iterator[Documents]:
    """Give an empty store, in several rounds."""
    documents = stores.open(request.param[0], Shapes(), tmp_path)
    yield documents
    documents.close()


@pytest.mark.parametrize("purchase", [buy, buy_within])
def test_64_buyers_of_10_units_buy_exactly_10(shop: Documents, purchase: Buy) -> None:
    stocked(shop, 10)
    began = time.monotonic()

    fared = outcomes(Store(shop, SystemClock()), BUYERS, purchase)

    assert fared == {"sold": 10, "short": 54}
    assert time.monotonic() - began < 10  # 5 s for the slowest, on a machine with other work
    check_ledger(shop, 10)
    stock = shop.get(STOCK)
    assert stock is not None
    assert stock.data == {"quantity": 0}


def test_64_buyers_of_64_units_all_buy_within_10_s(documents: Documents) -> None:
    stocked(documents, 64)
    began = time.monotonic()

    fared = outcomes(Store(documents, SystemClock()), BUYERS, buy_within)

    assert fared == {"sold": 64}
    assert time.monotonic() - began < 10
    check_ledger(documents, 64)


def test_control_naive_buyers_oversell(documents: Documents) -> None:
    stocked(documents, 10)

    fared = naive_outcomes(documents, BUYERS)

    assert fared == {"sold": 64}
    with pytest.raises((AssertionError, KeyError)):
        check_ledger(documents, 10)


@pytest.mark.parametrize("store", ["sqlite-file", "firestore-server", "firestore-emulator"])
def test_buyers_in_four_processes_buy_exactly_10(store: str, stores: Stores, tmp_path: Path) -> None:
    url, emulator = stores.url(store, tmp_path)
    documents = FirestoreDocuments(url, Shapes(), emulator=emulator) if emulator else SqliteDocuments(url, Shapes())
    stocked(documents, 10)

    fared = _in_processes(url, emulator or "")

    assert fared == {"sold": 10, "short": 54}
    check_ledger(documents, 10)
    documents.close()


def _in_processes(url: str, emulator: str) -> Counter[str]:
    program = [sys.executable, "-m", "tests.contract.documents.buyers", url, emulator]
    shops = [
        subprocess.Popen([*program, f"p{n}", "16"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    for each in shops:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    fared: Counter[str] = Counter()
    for each in shops:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in shops:
        out, _ = each.communicate(timeout=60)
        fared.update(json.loads(out))
    return fared


def test_no_update_is_lost(documents: Documents) -> None:
    store = Store(documents, SystemClock())
    counter = Key("things", "counter")
    documents.commit([Create(counter, {"n": 0})])

    def add(found: Mapping[Key, Stored]) -> tuple[None, Sequence[Write]]:
        return None, [Put(counter, {"n": found[counter].data["n"] + 1}, found[counter].version)]

    def run() -> None:
        for _ in range(10):
            store.change([counter], add)

    threads = [threading.Thread(target=run) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    stored = documents.get(counter)
    assert stored is not None
    assert stored.data == {"n": 160}


def test_changes_of_several_keys_in_any_order_neither_lock_up_nor_lose_a_unit(documents: Documents) -> None:
    store = Store(documents, SystemClock())
    keys = [Key("things", name) for name in "abcdef"]
    documents.commit([Create(key, {"n": 100}) for key in keys])

    def move(source: Key, target: Key) -> None:
        def decide(found: Mapping[Key, Stored]) -> tuple[None, Sequence[Write]]:
            taken, given = found[source], found[target]
            return None, [
                Put(source, {"n": taken.data["n"] - 1}, taken.version),
                Put(target, {"n": given.data["n"] + 1}, given.version),
            ]

        store.change([source, target], decide)

    def run(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(5):
            move(*rng.sample(keys, 2))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    found = documents.get_many(keys)
    assert sum(stored.data["n"] for stored in found.values()) == 600
