"""Goal 10: what the documents port costs over raw sqlite3, on the same file with the same decoder."""

import sqlite3
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

from pydantic_core import from_json, to_json

from bench.harness import Outcome, interleaved, ratio
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.ports.documents import Create, Key, Put

__all__ = ["measure"]

DOCUMENTS, ROUNDS, GETS, TRANSACTIONS = 20_000, 25, 3_000, 800
GET_GOAL, TRANSACTION_GOAL = 0.5, 0.6
_CHUNK = 500


def measure() -> Outcome:
    """Interleave port and raw statements; compare calls per second."""
    with TemporaryDirectory() as folder:
        path = f"{folder}/store.db"
        documents = SqliteDocuments(path, Shapes())
        for start in range(0, DOCUMENTS, _CHUNK):
            numbers = range(start, start + _CHUNK)
            documents.commit([Create(Key("levels", _name(number)), _level(number)) for number in numbers])
        raw = _Raw(path)
        variants = {
            "port get": _rate(GETS, lambda number: documents.get(Key("levels", _name(number * 7919 % DOCUMENTS)))),
            "raw get": _rate(GETS, lambda number: raw.get(_name(number * 7919 % DOCUMENTS))),
            "port transaction": _rate(TRANSACTIONS, _PortSale(documents)),
            "raw transaction": _rate(TRANSACTIONS, raw.sale),
        }
        rounds = interleaved(ROUNDS, variants)
        raw.close()
        documents.close()
    get = ratio(rounds, "port get", "raw get")
    transaction = ratio(rounds, "port transaction", "raw transaction")
    return Outcome(
        value=f"get {get:.2f}x, transaction {transaction:.2f}x of raw sqlite3",
        goal=f">= {GET_GOAL}x, >= {TRANSACTION_GOAL}x",
        passed=get >= GET_GOAL and transaction >= TRANSACTION_GOAL,
        rounds=[", ".join(f"{name} {value:,.0f}/s" for name, value in each.items()) for each in rounds],
    )


class _PortSale:
    """Read a level, take one unit conditionally, write the movement: one commit of the port."""

    def __init__(self, documents: SqliteDocuments) -> None:
        self._documents, self._sold = documents, 0

    def __call__(self, number: int) -> None:
        self._sold += 1
        key = Key("levels", _name(number * 7919 % DOCUMENTS))
        stored = self._documents.get(key)
        assert stored is not None
        stored.data["quantity"] -= 1
        move = Create(Key("moves", f"port-{self._sold:08}"), {"level": key.id, "delta": -1})
        self._documents.commit([Put(key, stored.data, stored.version), move])


class _Raw:
    """The same work with nothing but sqlite3 and the JSON parser."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._sold = 0

    def get(self, name: str) -> object:
        row = self._connection.execute("SELECT version, body FROM d_levels WHERE id = ?", (name,)).fetchone()
        return from_json(row[1])

    def sale(self, number: int) -> None:
        self._sold += 1
        name, run = _name(number * 7919 % DOCUMENTS), self._connection.execute
        run("BEGIN IMMEDIATE")
        version, body = run("SELECT version, body FROM d_levels WHERE id = ?", (name,)).fetchone()
        level = from_json(body)
        level["quantity"] -= 1
        text = to_json(level).decode()
        run("UPDATE d_levels SET version = ?, body = ? WHERE id = ?", (version + 1, text, name))
        move = to_json({"level": name, "delta": -1}).decode()
        run("INSERT INTO d_moves (id, version, body) VALUES (?, ?, ?)", (f"raw-{self._sold:08}", 1, move))
        run("COMMIT")

    def close(self) -> None:
        self._connection.close()


def _rate(times: int, call: Callable[[int], object]) -> Callable[[], float]:
    """Return a variant that gives the calls per second of wall time."""

    def run() -> float:
        began = time.perf_counter()
        for number in range(times):
            call(number)
        return times / (time.perf_counter() - began)

    return run


def _name(number: int) -> str:
    return f"lvl_{number:08}"


def _level(number: int) -> dict[str, object]:
    """Make a document of about 350 bytes."""
    return {
        "product_id": f"prd_{number:026}",
        "store_id": f"sto_{number % 2:026}",
        "sku": f"SKU-{number:06}",
        "name": f"Ceramic thing {number} blue",
        "quantity": 1_000_000,
        "reserved": 0,
        "reorder_level": 10,
        "allow_backorder": False,
        "tags": ["kitchen", "ceramic"],
        "updated_at": "2026-01-15T10:30:00.000000Z",
        "created_at": "2026-01-15T10:30:00.000000Z",
        "version": 1,
    }
