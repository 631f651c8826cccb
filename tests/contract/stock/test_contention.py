"""S01, S04, S05 and S06 on the real ledger: no oversell, no lost update, everybody served, on every store."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from shared.core.clock import ManualClock, SystemClock
from shared.core.conditions import Precondition, version_part
from shared.core.errors import InsufficientStock, InvalidState
from shared.inventory import rules
from shared.inventory.booking import Booking
from shared.inventory.change_models import LevelPatch
from shared.inventory.keys import level_id
from shared.ports.documents import Documents, Stored
from tests.contract.stock.buyers import fared, opened, take_naively, taken
from tests.faults.jobs.volume import LONG, sized
from tests.stores import Stores, on_stores
from tests.unit.inventory.builders import OPERATOR, Stock, a_stock

ROOT = Path(__file__).parents[3]
CALLERS = 64
LONG_STORES = ("firestore-emulator",) if LONG else ()
every_file = pytest.mark.parametrize("store", ["sqlite-file", "firestore-server", "firestore-emulator"])


@pytest.mark.parametrize("number", range(sized(1, 20)))
def test_64_callers_at_10_units_take_exactly_10(documents: Documents, number: int) -> None:
    del number
    stock = a_stock(documents, SystemClock())
    stock.adjust("cup", 10)
    began = time.monotonic()

    outcomes = taken(stock, CALLERS)

    assert outcomes == {"done": 10, "short": 54}
    assert time.monotonic() - began < 10
    _ledger_is_right(stock, units=10, left=0)


@pytest.mark.parametrize("number", range(sized(1, 10)))
def test_64_callers_at_64_units_are_all_served(documents: Documents, number: int) -> None:
    del number
    stock = a_stock(documents, SystemClock())
    stock.adjust("cup", CALLERS)
    began = time.monotonic()

    outcomes = taken(stock, CALLERS)

    assert outcomes == {"done": CALLERS}
    assert time.monotonic() - began < 10
    _ledger_is_right(stock, units=CALLERS, left=0)


@on_stores("sqlite-memory")
def test_control_naive_callers_take_what_is_not_there(documents: Documents) -> None:
    stock = a_stock(documents, SystemClock())
    stock.adjust("cup", 10)

    outcomes = take_naively(stock, CALLERS)

    assert outcomes == {"done": CALLERS}
    with pytest.raises(AssertionError):
        _ledger_is_right(stock, units=10, left=0)


@every_file
def test_callers_in_four_processes_take_exactly_10(store: str, stores: Stores, tmp_path: Path) -> None:
    url, emulator = stores.url(store, tmp_path)
    documents = opened(url, emulator or "")
    stock = a_stock(documents, SystemClock())
    stock.adjust("cup", 10)

    outcomes = _in_processes(url, emulator or "")

    assert outcomes == {"done": 10, "short": 54}
    _ledger_is_right(stock, units=10, left=0)
    documents.close()


@pytest.mark.parametrize("condition", ["expected", "version", "tag"])
def test_of_two_writers_who_saw_the_same_level_one_wins(documents: Documents, condition: str) -> None:
    stock = a_stock(documents, SystemClock())
    stock.adjust("cup", 5)
    name = level_id("main", "cup")

    for _ in range(sized(3, 200)):
        seen = stock.level("cup")

        outcomes = fared([_writer(stock, name, seen, condition, seen["on_hand"] + more) for more in (1, 2)])

        assert outcomes["done"] == 1
        assert outcomes["mismatch" if condition == "expected" else "stale"] == 1
        assert stock.level("cup")["version"] == seen["version"] + 1


@on_stores("sqlite-memory", "firestore-server")
def test_control_without_a_condition_both_writers_win(documents: Documents) -> None:
    stock = a_stock(documents, SystemClock())
    stock.adjust("cup", 5)
    name, seen = level_id("main", "cup"), stock.level("cup")

    assert fared([_writer(stock, name, seen, "none", wanted) for wanted in (3, 9)]) == {"done": 2}


@on_stores("sqlite-memory", "sqlite-file", "firestore-server", *LONG_STORES)
def test_no_unit_is_both_released_and_taken_at_the_end_of_a_reservation(documents: Documents) -> None:
    _reservations_end(documents, sized(25, 500))


def _forever(_: Booking, stored: Stored) -> bool:
    return bool(stored.data["status"] == "active")


def _counted_until_cleanup(level: dict[str, Any], _: datetime) -> int:
    return sum(units for units, _ in level["held"].values())


@on_stores("sqlite-memory")
@pytest.mark.parametrize(
    ("part", "name", "broken"), [(Booking, "is_active", _forever), (rules, "live", _counted_until_cleanup)]
)
def test_control_a_reservation_whose_end_is_not_looked_at_is_seen(
    documents: Documents, part: Any, name: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, name, broken)

    with pytest.raises((AssertionError, pytest.fail.Exception, InsufficientStock)):
        _reservations_end(documents, 25)


def _reservations_end(documents: Documents, number: int) -> None:
    """Let reservations end, each before or after somebody asks for their unit; show that it goes once."""
    clock, rng = ManualClock(), random.Random(7)
    stock = a_stock(documents, clock)
    stock.adjust("cup", 1)
    for _ in range(number):
        held = stock.reserve("cup", 1, ttl=10)["id"]
        early = rng.choice([True, False])
        clock.advance(9.999999 if early else 10)
        with pytest.raises((InsufficientStock, InvalidState)):
            stock.adjust("cup", -1) if early else stock.commit(held)

        stock.commit(held) if early else stock.adjust("cup", -1)

        assert [stock.level("cup")[name] for name in ("on_hand", "reserved", "available")] == [0, 0, 0]
        stock.adjust("cup", 1)


def test_a_reservation_is_committed_released_or_over_but_once(documents: Documents) -> None:
    stock = a_stock(documents, SystemClock())
    stock.adjust("cup", 3)
    held = stock.reserve("cup", 2)["id"]

    outcomes: Counter[str] = Counter()
    for action in (stock.commit, stock.release, stock.commit):
        try:
            outcomes[action(held)["status"]] += 1
        except InvalidState as refusal:
            outcomes[f"refused as {refusal.extra['current']}"] += 1

    assert outcomes == {"committed": 1, "refused as committed": 2}
    assert stock.level("cup")["on_hand"] == 1


def _writer(stock: Stock, name: str, seen: dict[str, Any], condition: str, wanted: int) -> Callable[[], object]:
    conditions: dict[str, dict[str, Any]] = {
        "expected": {"expected_quantity": seen["on_hand"]},
        "version": {"version": seen["version"]},
    }
    patch = LevelPatch(on_hand=wanted, **conditions.get(condition, {}))
    tagged = Precondition(parts=[version_part(name, seen["version"])]) if condition == "tag" else Precondition()
    return lambda: stock.store.atomically(lambda: stock.levels.change(OPERATOR, name, patch, tagged))


def _in_processes(url: str, emulator: str) -> Counter[str]:
    program = [sys.executable, "-m", "tests.contract.stock.buyers", url, emulator, "16"]
    shops = [
        subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for each in shops:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in shops:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    outcomes: Counter[str] = Counter()
    for each in shops:
        out, _ = each.communicate(timeout=60)
        outcomes.update(json.loads(out))
    return outcomes


def _ledger_is_right(stock: Stock, *, units: int, left: int) -> None:
    """Assert that each unit left once, in order, and that level, sums, ledger and outbox agree."""
    movements = stock.movements("cup")
    assert [each["quantity"] for each in movements] == [units, *[-1] * (units - left)]
    assert [each["new_stock"] for each in movements[1:]] == list(range(units - 1, left - 1, -1))
    assert stock.level("cup")["on_hand"] == left
    assert stock.sums.of(["cup"])["cup"]["current_stock"] == left
    assert stock.sizes() == {
        "levels": 1,
        "movements": len(movements),
        "product_stock": 1,
        "reservations": 0,
        "warehouse_outbox": len(movements),
    }
