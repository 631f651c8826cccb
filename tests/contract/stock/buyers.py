"""Many callers at one level: threads here, and as a program one of several processes at one store.

`python -m tests.contract.stock.buyers URL EMULATOR N` says "ready", waits for a line, lets N callers take one unit of
`cup` each and prints how they fared.
"""

import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from shared.adapters.firestore import FirestoreDocuments
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import SystemClock
from shared.core.errors import (
    InsufficientStock,
    InvalidState,
    PreconditionFailed,
    Problem,
    QuantityMismatch,
    Unavailable,
)
from shared.inventory.keys import level_key
from shared.ports.documents import Documents, Put
from tests.stores import INDEX_FILE
from tests.unit.inventory.builders import Stock, a_stock

__all__ = ["fared", "opened", "take_naively", "taken"]

_OUTCOMES: dict[type[Problem], str] = {
    InsufficientStock: "short",
    QuantityMismatch: "mismatch",
    PreconditionFailed: "stale",
    InvalidState: "late",
    Unavailable: "failed",
}


def fared(actions: Sequence[Callable[[], object]]) -> Counter[str]:
    """Do everything at once; count what became of each."""
    start = threading.Barrier(len(actions))
    outcomes: list[str] = []

    def one(action: Callable[[], object]) -> None:
        start.wait(60)
        try:
            action()
            outcomes.append("done")
        except Problem as refusal:
            outcomes.append(_OUTCOMES[type(refusal)])

    threads = [threading.Thread(target=one, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return Counter(outcomes)


def taken(stock: Stock, callers: int) -> Counter[str]:
    """Let so many callers take one unit of `cup` each, at once."""
    return fared([lambda: stock.adjust("cup", -1) for _ in range(callers)])


def take_naively(stock: Stock, callers: int) -> Counter[str]:
    """Control: everybody reads before anybody writes, and nobody says which version was read."""
    everybody_has_read = threading.Barrier(callers)
    key = level_key("main", "cup")

    def take() -> None:
        found = stock.store.documents.get_many([key])[key]
        everybody_has_read.wait(60)
        if found.data["on_hand"] < 1:
            raise InsufficientStock("sold out")
        stock.store.documents.commit([Put(key, {**found.data, "on_hand": found.data["on_hand"] - 1})])

    return fared([take] * callers)


def opened(url: str, emulator: str) -> Documents:
    """Open a store as another process would."""
    shapes = Shapes.read(INDEX_FILE)
    return FirestoreDocuments(url, shapes, emulator=emulator) if emulator else SqliteDocuments(url, shapes)


def _main(url: str, emulator: str, number: str) -> None:
    documents = opened(url, emulator)
    stock = a_stock(documents, SystemClock(), seed=False)
    stock.level("cup")
    print("ready", flush=True)
    sys.stdin.readline()
    outcomes = taken(stock, int(number))
    documents.close()
    print(json.dumps(outcomes), flush=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])
