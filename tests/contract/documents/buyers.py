"""Buyers of the last units: the write path under contention, in threads and in processes of its own.

As a program it is one of several processes at one store: `python -m tests.contract.documents.buyers URL EMULATOR PREFIX N`
says "ready", waits for a line, lets N buyers buy at once and prints how each fared.
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import SystemClock
from shared.core.errors import InsufficientStock, Unavailable
from shared.ports.documents import Create, Documents, Key, Put, Query, Stored, Write
from shared.ports.store import Store

__all__ = ["STOCK", "buy", "buy_within", "check_ledger", "naive_outcomes", "outcomes", "stocked"]

STOCK = Key("stock", "hot")
Buy = Callable[[Store, str], None]


def stocked(documents: Documents, units: int) -> None:
    """Put so many units on the shelf."""
    documents.commit([Create(STOCK, {"quantity": units})])


def buy(store: Store, buyer: str) -> None:
    """Take one unit and write the movement, in one commit; raise InsufficientStock when there is none."""

    def decide(found: Mapping[Key, Stored]) -> tuple[None, Sequence[Write]]:
        stock = found[STOCK]
        left = stock.data["quantity"]
        if left < 1:
            raise InsufficientStock("sold out")
        movement = {"before": left, "after": left - 1}
        return None, [Put(STOCK, {"quantity": left - 1}, stock.version), Create(Key("moves", buyer), movement)]

    store.change([STOCK], decide)


def buy_within(store: Store, buyer: str) -> None:
    """Buy as a request handler does: inside `atomically`, with a record of the answer in the same commit."""
    store.atomically(lambda: buy(store, buyer), finish=lambda _: [Create(Key("replies", buyer), {"status": 201})])


def outcomes(store: Store, buyers: Sequence[str], purchase: Buy = buy) -> Counter[str]:
    """Let all buyers buy at once; count sold, short (409) and failed (503)."""
    start = threading.Barrier(len(buyers))

    def one(buyer: str) -> str:
        start.wait(60)
        try:
            purchase(store, buyer)
        except InsufficientStock:
            return "short"
        except Unavailable:
            return "failed"
        return "sold"

    return _all(one, buyers)


def naive_outcomes(documents: Documents, buyers: Sequence[str]) -> Counter[str]:
    """Control: everybody reads before anybody writes, and nobody says which version was read."""
    everybody_has_read = threading.Barrier(len(buyers))

    def one(buyer: str) -> str:
        stored = documents.get(STOCK)
        everybody_has_read.wait(60)
        left = stored.data["quantity"] if stored else 0
        if left < 1:
            return "short"
        documents.commit([Put(STOCK, {"quantity": left - 1}), Create(Key("moves", buyer), {"after": left - 1})])
        return "sold"

    return _all(one, buyers)


def check_ledger(documents: Documents, units: int) -> None:
    """Assert that each unit left the shelf exactly once, in order, and that nothing else was written."""
    moves = sorted(
        (stored.data["before"], stored.data["after"]) for stored in documents.query(Query("moves", limit=500))
    )
    stock = documents.get(STOCK)
    assert stock is not None
    assert moves == [(left, left - 1) for left in range(stock.data["quantity"] + 1, units + 1)]


def _all(one: Callable[[str], str], buyers: Sequence[str]) -> Counter[str]:
    fared: list[str] = []
    threads = [threading.Thread(target=lambda buyer=buyer: fared.append(one(buyer))) for buyer in buyers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return Counter(fared)


def _main(url: str, emulator: str, prefix: str, number: str) -> None:
    documents = FirestoreDocuments(url, Shapes(), emulator=emulator) if emulator else SqliteDocuments(url, Shapes())
    documents.get(STOCK)
    print("ready", flush=True)
    sys.stdin.readline()
    fared = outcomes(Store(documents, SystemClock()), [f"{prefix}-{each}" for each in range(int(number))], buy_within)
    documents.close()
    print(json.dumps(fared), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
