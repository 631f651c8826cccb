"""Lots in random histories: their sum is on hand, what leaves leaves first expiring first, and expired units are not for sale.

A model of a few lines draws from lots by hand, day by day, beside the real services. The controls are ledgers with one fault
each; the same machine must find every one of them. How many histories are run is `STOCK_HISTORIES`.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock, instant
from shared.core.errors import InsufficientStock
from shared.inventory import booking, lots, rules
from shared.inventory.change_models import LevelPatch, LotCount, TransferBody
from shared.inventory.keys import level_id, level_key
from shared.inventory.ledger import Change
from shared.inventory.words import MovementType
from shared.ports.documents import Documents, Key, Query, Stored
from tests.contract.stock.test_machine import SHAPES, run_machine
from tests.http.inventory.builders import a_shop, ok
from tests.stores import on_stores
from tests.unit.inventory.builders import MANAGER, OPERATOR, Stock, a_stock

STORES = st.sampled_from(["main", "other"])
UNITS = st.integers(1, 9)
CODES = st.sampled_from(["A", "B", "C", None])
LAST_DAYS = {"A": 1, "B": 3}
"""Days after the first on which the units of a lot may leave for the last time; C has no end."""


class LotMachine(RuleBasedStateMachine):
    """Random histories of one product with lots in two stores."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.first = self.clock.now().date()
        self.stock: Stock = a_stock(SqliteDocuments(":memory:", SHAPES), self.clock)
        self.lots: dict[str, dict[str | None, int]] = defaultdict(lambda: defaultdict(int))
        self.held: dict[str, tuple[str, int]] = {}
        self.sales: dict[str, tuple[str, list[str | None], Stored, int]] = {}

    def over(self, code: str | None) -> bool:
        last = LAST_DAYS.get(code or "")
        return last is not None and self.clock.now().date() > self.first + timedelta(days=last)

    def on_hand(self, store: str) -> int:
        return sum(self.lots[store].values())

    def available(self, store: str) -> int:
        reserved = sum(units for of, units in self.held.values() if of == store)
        return max(0, self.for_sale(store) - reserved)

    def for_sale(self, store: str) -> int:
        return sum(units for code, units in self.lots[store].items() if not self.over(code))

    def draw(self, store: str, units: int, *, selling: bool) -> list[str | None]:
        """Take units one by one, first expiring first, those without a lot last; return the lot of each."""
        drawn: list[str | None] = []
        for code in ("A", "B", "C", None):
            while len(drawn) < units and self.lots[store][code] and not (selling and self.over(code)):
                self.lots[store][code] -= 1
                drawn.append(code)
        return drawn

    def attempt(self, allowed: bool, action: Callable[[], Any]) -> Any:
        if allowed:
            return action()
        before = self.stock.sizes()
        with pytest.raises(InsufficientStock):
            action()
        assert self.stock.sizes() == before
        return None

    @rule(store=STORES, units=UNITS, code=CODES)
    def receive(self, store: str, units: int, code: str | None) -> None:
        last = LAST_DAYS.get(code or "")
        expiry = None if last is None else self.first + timedelta(days=last)
        self.stock.adjust("cup", units, store, lot=code, expiry=expiry)
        self.lots[store][code] += units

    @rule(store=STORES, units=UNITS)
    def remove(self, store: str, units: int) -> None:
        if self.attempt(units <= self.available(store), lambda: self.stock.adjust("cup", -units, store)):
            self.draw(store, units, selling=True)

    @rule(store=STORES, units=UNITS, code=st.sampled_from(["A", "B", "C"]))
    def take_from_a_lot(self, store: str, units: int, code: str) -> None:
        free = self.lots[store][code] if self.over(code) else min(self.lots[store][code], self.available(store))
        if self.attempt(units <= free, lambda: self.stock.adjust("cup", -units, store, lot=code)):
            self.lots[store][code] -= units

    @rule(store=STORES, units=UNITS)
    def sell(self, store: str, units: int) -> None:
        name = f"sal_{len(self.sales)}"
        sale = Stored(Key("sales", name), {"created_at": instant(self.clock.now())}, "")
        change = Change("cup", store, -units, MovementType.SALE, reference=name)
        if self.attempt(units <= self.available(store), lambda: self.stock.ledger.book([change])):
            self.sales[name] = (store, self.draw(store, units, selling=True), sale, 0)

    @precondition(lambda self: self.sales)
    @rule(data=st.data(), units=UNITS)
    def come_back(self, data: st.DataObject, units: int) -> None:
        name = data.draw(st.sampled_from(list(self.sales)))
        store, codes, sale, before = self.sales[name]
        units = min(units, len(codes) - before)
        if not units:
            return
        self.stock.store.atomically(
            lambda: self._put_back(Change("cup", store, units, MovementType.ADDITION), sale, before)
        )
        for code in codes[before : before + units]:
            self.lots[store][code] += 1
        self.sales[name] = (store, codes, sale, before + units)

    @rule(units=UNITS)
    def transfer(self, units: int) -> None:
        body = TransferBody(product_id="cup", from_store_id="main", to_store_id="other", quantity=units)
        act = lambda: self.stock.store.atomically(lambda: self.stock.adjustments.transfer(OPERATOR, body))  # noqa: E731
        if self.attempt(units <= self.available("main"), act):
            for code in self.draw("main", units, selling=True):
                self.lots["other"][code] += 1

    @rule(store=STORES, counted=st.integers(0, 20))
    def count(self, store: str, counted: int) -> None:
        if self.stock.store.get(level_key(store, "cup")) is None:
            return
        self._act(lambda: self.stock.levels.change(MANAGER, level_id(store, "cup"), LevelPatch(on_hand=counted)))
        more = counted - self.on_hand(store)
        self.lots[store][None] += max(0, more)
        self.draw(store, max(0, -more), selling=False)

    @rule(store=STORES, counted=st.integers(0, 20), code=CODES)
    def count_a_lot(self, store: str, counted: int, code: str | None) -> None:
        if self.stock.store.get(level_key(store, "cup")) is None:
            return
        last = LAST_DAYS.get(code or "")
        expiry = None if last is None else self.first + timedelta(days=last)
        body = LotCount.model_validate({"items": [{"lot": code, "expiry": expiry, "quantity": counted}]})
        self._act(lambda: self.stock.levels.count_lots(MANAGER, level_id(store, "cup"), body))
        self.lots[store][code] = counted

    @rule(store=STORES, units=UNITS)
    def reserve(self, store: str, units: int) -> None:
        if made := self.attempt(units <= self.available(store), lambda: self.stock.reserve("cup", units, None, store)):
            self.held[made["id"]] = (store, units)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(list(self.held)))
        store, units = self.held[name]
        if self.attempt(units <= self.for_sale(store), lambda: self.stock.commit(name)):
            self.draw(store, units, selling=True)
            del self.held[name]

    @rule(hours=st.sampled_from([1, 23, 24, 25]))
    def time_passes(self, hours: int) -> None:
        self.clock.advance(hours * 3600)

    @rule()
    def what_has_ended_is_counted(self) -> None:
        self.stock.sums.settle_due()

        for stored in self.stock.store.query(Query("levels", limit=10)):
            assert stored.data["available"] == self.available(stored.data["store_id"])

    def _act(self, action: Callable[[], Any]) -> None:
        self.stock.store.atomically(action)

    def _put_back(self, change: Change, sale: Stored, before: int) -> None:
        opened = self.stock.ledger.open([change.pair])
        opened.put_back(change, sale, before=before)
        opened.write()

    @invariant()
    def lots_are_those_of_the_model(self) -> None:
        for stored in self.stock.store.query(Query("levels", limit=10)):
            store = stored.data["store_id"]
            level = self.stock.level("cup", store)
            wanted = {code: units for code, units in self.lots[store].items() if units}
            assert level["on_hand"] == sum(wanted.values())
            assert level["available"] == self.available(store)
            if "lots" in level:
                assert {lot["lot"]: lot["quantity"] for lot in level["lots"]} == wanted
                assert level["expired"] == sum(units for code, units in wanted.items() if self.over(code))
            else:
                assert set(wanted) <= {None}
            for movement in self.stock.movements("cup", store):
                assert sum(part["quantity"] for part in movement.get("lots", ())) in (movement["quantity"], 0)

    @invariant()
    def the_sums_count_expired_units_out(self) -> None:
        told = self.stock.sums.of(["cup"])["cup"]
        assert told["available_stock"] == sum(self.available(store) for store in ("main", "other"))

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        assert self.stock.audit.check().differences == []


def test_lots_add_up_and_leave_first_expiring_first_in_random_histories() -> None:
    run_machine(LotMachine)


def _last_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lots, "_turn", lambda lot: (lot["lot"] is None, lot["expiry"] is not None, lot["lot"] or ""))


def _sold_when_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "over_units", lambda *_: 0)


def _not_counted_on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "_turned", lambda *_: False)
    monkeypatch.setattr(rules, "turning", lambda *_: [])


def _back_to_no_lot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(booking, "between", lambda *_: [])


@pytest.mark.parametrize("fault", [_last_out, _sold_when_over, _not_counted_on_the_day, _back_to_no_lot])
def test_control_the_machine_finds_a_fault_of_lots(
    fault: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    with pytest.raises((AssertionError, pytest.fail.Exception, ExceptionGroup, InsufficientStock)):
        run_machine(LotMachine, 400)


@on_stores("sqlite-file", "firestore-server", "firestore-emulator")
def test_lots_are_kept_drawn_and_found_alike_on_every_store(documents: Documents, tmp_path: Path) -> None:
    shop = a_shop(tmp_path, documents)
    shop.product("CUP")
    path = "/api/v1/inventory/adjust"
    for units, said in (
        (2, {}),
        (3, {"lot": "a.b/`c", "expiry": "2026-02-28"}),
        (5, {"lot": "S", "expiry": "2026-01-16"}),
    ):
        ok(shop.operator.post(path, {"product_id": "prd_cup", "quantity": units, **said}))
    sale = ok(shop.operator.post("/api/v1/sales", {"items": [{"product_id": "prd_cup", "quantity": 7}]}), 201)
    back = {"items": [{"product_id": "prd_cup", "quantity": 1}]}
    ok(shop.operator.post(f"/api/v1/sales/{sale['id']}/returns", back), 201)

    found = ok(shop.viewer.get("/api/v1/inventory/lots", product_id="prd_cup", expiring_within=1))["items"]
    shop.later(2 * 86_400)
    later = ok(shop.viewer.get("/api/v1/inventory/low-stock"))["items"]

    assert [(lot["lot"], lot["quantity"]) for lot in found[0]["lots"]] == [("S", 1), ("a.b/`c", 1), (None, 2)]
    assert [(level["on_hand"], level["available"], level["expired"]) for level in later] == [(4, 3, 1)]
    assert ok(shop.manager.get("/api/v1/inventory/audit"))["differences"] == []
    shop.app.close()
