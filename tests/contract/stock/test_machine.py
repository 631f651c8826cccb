"""S03: the ledger is the truth, whatever happens in whatever order.

A state machine drives the real services and a model of twenty lines side by side. After every step: on hand is the sum of the
movements, reserved that of the live reservations, available is never negative and neither is on hand unless that was allowed,
the sums of a product are those of its levels, each movement continues the one before it, and a refusal changed nothing. The
controls are ledgers with one fault each; the same machine must find every one of them.

Every example runs in memory; how many there are is `STOCK_HISTORIES`, else a small number, and 2,000 with `LONG_TESTS=1`.
"""

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock
from shared.core.errors import InsufficientStock, InvalidState
from shared.inventory import booking, rules
from shared.inventory.change_models import LevelPatch, TransferBody
from shared.inventory.keys import level_id, level_key
from shared.inventory.words import MovementType
from shared.ports.documents import Documents, Query
from tests.faults.jobs.volume import LONG, sized
from tests.stores import INDEX_FILE, Stores
from tests.unit.inventory.builders import MANAGER, OPERATOR, Stock, a_stock

HISTORIES = int(os.environ.get("STOCK_HISTORIES", sized(60, 2000)))
STEPS = 50
SHAPES = Shapes.read(INDEX_FILE)
PRODUCTS = st.sampled_from(["cup", "bowl"])
STORES = st.sampled_from(["main", "other"])
UNITS = st.integers(1, 12)
Pair = tuple[str, str]


class StockMachine(RuleBasedStateMachine):
    """Random histories over two products in two stores."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.documents = self.opened()
        self.stock: Stock = a_stock(self.documents, self.clock)
        self.on_hand: dict[Pair, int] = defaultdict(int)
        self.held: dict[str, tuple[Pair, int, float | None]] = {}
        self.negative: set[Pair] = set()
        self.now = 0.0

    def opened(self) -> Documents:
        """Return an empty store."""
        return SqliteDocuments(":memory:", SHAPES)

    def teardown(self) -> None:
        """Close the store."""
        self.documents.close()

    def available(self, pair: Pair) -> int:
        return max(0, self.on_hand[pair] - self.reserved(pair))

    def reserved(self, pair: Pair) -> int:
        return sum(units for of, units, until in self.held.values() if of == pair and not self.over(until))

    def over(self, until: float | None) -> bool:
        return until is not None and until <= self.now

    def attempt(self, allowed: bool, action: Callable[[], Any]) -> Any:
        """Do something the model allows or refuses; a refusal leaves no trace."""
        if allowed:
            return action()
        before = self.stock.sizes()
        with pytest.raises((InsufficientStock, InvalidState)):
            action()
        assert self.stock.sizes() == before
        return None

    @initialize(units=st.integers(0, 20))
    def open_the_shop(self, units: int) -> None:
        for product in ("cup", "bowl"):
            if units:
                self.add(product, "main", units)

    @rule(product=PRODUCTS, store=STORES, units=UNITS)
    def add(self, product: str, store: str, units: int) -> None:
        self.stock.adjust(product, units, store)
        self.on_hand[product, store] += units

    @rule(product=PRODUCTS, store=STORES, units=UNITS)
    def remove(self, product: str, store: str, units: int) -> None:
        pair = (product, store)
        allowed = units <= self.available(pair) or pair in self.negative
        if self.attempt(allowed, lambda: self.stock.adjust(product, -units, store)):
            self.on_hand[pair] -= units

    @rule(units=UNITS, more=UNITS, store=STORES)
    def buy_a_basket(self, units: int, more: int, store: str) -> None:
        wanted = {("cup", store): units, ("bowl", store): more}
        allowed = all(n <= self.available(pair) or pair in self.negative for pair, n in wanted.items())
        changes = [(*pair, -n, MovementType.SALE) for pair, n in wanted.items()]
        if self.attempt(allowed, lambda: self.stock.book(*changes)):
            for pair, n in wanted.items():
                self.on_hand[pair] -= n

    @rule(product=PRODUCTS, units=UNITS)
    def transfer(self, product: str, units: int) -> None:
        out, into = (product, "main"), (product, "other")
        body = TransferBody(product_id=product, from_store_id="main", to_store_id="other", quantity=units)
        allowed = units <= self.available(out) or out in self.negative
        act = lambda: self.stock.store.atomically(lambda: self.stock.adjustments.transfer(OPERATOR, body))  # noqa: E731
        if self.attempt(allowed, act):
            self.on_hand[out] -= units
            self.on_hand[into] += units

    @precondition(lambda self: self.stock.sizes()["levels"])
    @rule(product=PRODUCTS, store=STORES, counted=st.integers(-2, 20))
    def count(self, product: str, store: str, counted: int) -> None:
        pair = (product, store)
        if self.stock.store.get(level_key(store, product)) is None:
            return
        act = lambda: self.patch(pair, LevelPatch(on_hand=counted))  # noqa: E731
        if self.attempt(counted >= 0 or pair in self.negative or counted >= self.on_hand[pair], act):
            self.on_hand[pair] = counted

    @rule(product=PRODUCTS, store=STORES)
    def allow_negative(self, product: str, store: str) -> None:
        if self.stock.store.get(level_key(store, product)) is not None:
            self.patch((product, store), LevelPatch(allow_negative=True))
            self.negative.add((product, store))

    @rule(product=PRODUCTS, store=STORES, units=UNITS, ttl=st.sampled_from([10, 60, None]))
    def reserve(self, product: str, store: str, units: int, ttl: int | None) -> None:
        pair = (product, store)
        made = self.attempt(units <= self.available(pair), lambda: self.stock.reserve(product, units, ttl, store))
        if made:
            self.held[made["id"]] = (pair, units, None if ttl is None else self.now + ttl)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.held)))
        pair, units, until = self.held[name]
        allowed = not self.over(until) and (self.on_hand[pair] >= units or pair in self.negative)
        if self.attempt(allowed, lambda: self.stock.commit(name)):
            self.on_hand[pair] -= units
            del self.held[name]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.held)))
        if self.attempt(not self.over(self.held[name][2]), lambda: self.stock.release(name)):
            del self.held[name]

    @rule(seconds=st.sampled_from([1, 9, 10, 50, 60]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        self.now += seconds

    @rule()
    def ended_reservations_are_taken_out(self) -> None:
        self.stock.sums.settle_due()

    def patch(self, pair: Pair, patch: LevelPatch) -> dict[str, Any]:
        product, store = pair
        name = level_id(store, product)
        return self.stock.store.atomically(lambda: self.stock.levels.change(MANAGER, name, patch))

    @invariant()
    def the_ledger_explains_every_unit(self) -> None:
        for stored in self.stock.store.query(Query("levels", limit=10)):
            pair = (stored.data["product_id"], stored.data["store_id"])
            level, movements = self.stock.level(*pair), self.stock.movements(*pair)
            assert level["on_hand"] == self.on_hand[pair] == sum(each["quantity"] for each in movements)
            assert level["reserved"] == self.reserved(pair)
            assert level["available"] == max(0, level["on_hand"] - level["reserved"])
            assert level["on_hand"] >= 0 or pair in self.negative
            running = 0
            for movement in movements:
                assert movement["previous_stock"] == running
                running += movement["quantity"]
                assert movement["new_stock"] == running

    @invariant()
    def the_sums_are_those_of_the_levels(self) -> None:
        sums = self.stock.sums.of(["cup", "bowl"])
        for product, told in sums.items():
            pairs = [(product, store) for store in ("main", "other")]
            assert told["current_stock"] == sum(self.on_hand[pair] for pair in pairs)
            assert told["reserved_stock"] == sum(self.reserved(pair) for pair in pairs)
            assert told["available_stock"] == sum(self.available(pair) for pair in pairs)

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        assert self.stock.audit.check().differences == []


def run_machine(machine: type[RuleBasedStateMachine], histories: int = HISTORIES) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    chosen = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=checks,
        database=None,
        derandomize=histories != HISTORIES,
        phases=[Phase.generate] if histories != HISTORIES else list(Phase),
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_the_ledger_is_the_truth_in_random_histories() -> None:
    print(f"{HISTORIES} histories of {STEPS} steps")

    run_machine(StockMachine)


@pytest.mark.skipif(not LONG, reason="histories on the emulator: with LONG_TESTS=1 only")
def test_the_ledger_is_the_truth_in_random_histories_on_the_emulator(stores: Stores, tmp_path: Path) -> None:
    class OnTheEmulator(StockMachine):
        def opened(self) -> Documents:
            return stores.open("firestore-emulator", SHAPES, tmp_path)

    run_machine(OnTheEmulator, 40)


def _skipped_movement(monkeypatch: pytest.MonkeyPatch) -> None:
    moved = booking.Booking._moved

    def silent(self: booking.Booking, change: booking.Change, level: dict[str, Any]) -> dict[str, Any]:
        movement = moved(self, change, level)
        if change.kind is MovementType.TRANSFER_IN:
            self._made.movements.pop()
        return movement

    monkeypatch.setattr(booking.Booking, "_moved", silent)


def _reserved_by_count(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = lambda level, now: sum(units for units, _ in level["held"].values())  # noqa: ARG005, E731
    monkeypatch.setattr(rules, "live", everything)


def _unchecked_sales(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "check_change", lambda *_, **__: None)


def _sums_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.inventory import working

    summed = rules.summed

    def without_reservations(stock: Any, name: str, before: Any, after: Any) -> Any:
        reserved = before is not None and before["reserved"] != after["reserved"]
        return stock if reserved else summed(stock, name, before, after)

    monkeypatch.setattr(working, "summed", without_reservations)


@pytest.mark.parametrize("fault", [_skipped_movement, _reserved_by_count, _unchecked_sales, _sums_forgotten])
def test_control_the_machine_finds_a_faulty_ledger(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    with pytest.raises((AssertionError, pytest.fail.Exception, ExceptionGroup)):
        run_machine(StockMachine, 400)
