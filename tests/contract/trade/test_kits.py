"""S01, S02 and S03 on kits that share components: no unit is sold twice, whatever is in the basket, on every store."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock, SystemClock
from shared.core.errors import InsufficientStock
from shared.inventory.keys import product_key
from shared.ports.documents import Create, Documents, Query
from shared.sales import rules
from shared.sales.rules import Asked, Decision
from tests.contract.stock.buyers import fared
from tests.contract.trade.market import Market, a_market
from tests.contract.trade.test_selling import SHAPES
from tests.faults.jobs.volume import LONG, sized
from tests.stores import Stores, on_stores

Bills = Mapping[str, Mapping[str, int]]
BILLS: Bills = {"breakfast": {"cup": 1, "bowl": 2}, "dinner": {"cup": 2, "plate": 3}, "tea": {"cup": 3}}
GOODS = ("bowl", "cup", "plate")
LINES = st.lists(st.tuples(st.sampled_from(sorted({*GOODS, *BILLS})), st.integers(1, 4)), min_size=1, max_size=6)
CARTS = st.lists(st.tuples(LINES, st.sampled_from(["partial", "all_or_nothing"])), min_size=1, max_size=6)
SHELVES = st.fixed_dictionaries({name: st.integers(0, 20) for name in GOODS})
BUYERS = 48


def a_shop(documents: Documents, clock: Any, shelves: Mapping[str, int]) -> Market:
    """Return a market with kits on sale and so many units on its shelves."""
    market = a_market(documents, clock)
    cup = market.stock.store.get(product_key("cup"))
    assert cup is not None
    for name, bill in BILLS.items():
        kit = [{"product_id": part, "quantity": units} for part, units in bill.items()]
        data = {**cup.data, "sku": name.upper(), "name": name, "sale_price": "9.99", "kit": kit}
        documents.commit([Create(product_key(name), data)])
    for name, units in shelves.items():
        if units:
            market.stock.adjust(name, units)
    return market


def needs(name: str, units: int) -> Counter[str]:
    """Return what so many units of a product take from the shelf."""
    return Counter({part: each * units for part, each in BILLS.get(name, {name: 1}).items()})


def expected(lines: Sequence[tuple[str, int]], left: Mapping[str, int]) -> tuple[dict[str, int], set[str]]:
    """Say by brute force what of a basket is bought, and which products are not."""
    asked: dict[str, int] = defaultdict(int)
    for name, units in lines:
        asked[name] += units
    alone = {
        name: units for name, units in asked.items() if all(left[part] >= n for part, n in needs(name, units).items())
    }
    together = sum((needs(name, units) for name, units in alone.items()), Counter[str]())
    scarce = {part for part, units in together.items() if units > left[part]}
    bought = {name: units for name, units in alone.items() if not scarce & set(needs(name, units))}
    return bought, set(asked) - set(bought)


def on_shelf(market: Market) -> dict[str, int]:
    """Return the units the ledger says are there; a level without movements has none."""
    return {name: sum(one["quantity"] for one in market.stock.movements(name)) for name in GOODS}


def run(
    carts: Sequence[tuple[list[tuple[str, int]], str]], shelves: Mapping[str, int], documents: Documents | None = None
) -> None:
    """Buy carts one after the other and compare what is bought, what failed and what is left with brute force."""
    market = a_shop(documents or SqliteDocuments(":memory:", SHAPES), ManualClock(), shelves)
    left = dict(shelves)
    for lines, mode in carts:
        wanted, failing = expected(lines, left)
        if mode == "all_or_nothing" and failing:
            wanted = {}
        done, told = bought(market, lines, mode)
        assert done == wanted
        assert {one["product_id"] for one in told} == failing
        check_blame(told, left)
        for name, units in wanted.items():
            for part, taken in needs(name, units).items():
                left[part] -= taken
        assert on_shelf(market) == left
    assert min(left.values()) >= 0


def bought(market: Market, lines: Sequence[tuple[str, int]], mode: str) -> tuple[dict[str, int], list[Any]]:
    """Buy a basket; return what was bought and the failed items."""
    try:
        sale = market.buy(*lines, mode=mode).data
    except InsufficientStock as refused:
        told: Any = refused.extra["failed_items"]
        return {}, told
    return {line["product_id"]: line["quantity"] for line in sale["items"]}, sale["failed_items"]


def check_blame(failed: Sequence[Any], left: Mapping[str, int]) -> None:
    """Show that a kit that failed names one of its components that is short indeed."""
    for one in failed:
        if one["product_id"] in BILLS:
            blamed = one["component"]
            assert blamed["product_id"] in BILLS[one["product_id"]]
            assert left[blamed["product_id"]] == blamed["available"] < blamed["requested"]


@settings(max_examples=sized(40, 500), deadline=None)
@given(CARTS, SHELVES)
def test_random_baskets_of_kits_sell_what_brute_force_says(
    carts: list[tuple[list[tuple[str, int]], str]], shelves: dict[str, int]
) -> None:
    run(carts, shelves)


@pytest.mark.skipif(not LONG, reason="kits on the emulator: with LONG_TESTS=1 only")
def test_random_baskets_of_kits_sell_what_brute_force_says_on_the_emulator(stores: Stores, tmp_path: Path) -> None:
    @settings(max_examples=300, deadline=None, database=None)
    @given(CARTS, SHELVES)
    def sold_on_the_emulator(carts: list[tuple[list[tuple[str, int]], str]], shelves: dict[str, int]) -> None:
        with closing(stores.open("firestore-emulator", SHAPES, tmp_path)) as documents:
            run(carts, shelves, documents)

    sold_on_the_emulator()


def test_control_a_shop_that_checks_each_line_by_itself_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsummed(_: Sequence[Asked], made: Decision, __: rules.Short) -> Decision:
        return made

    monkeypatch.setattr(rules, "_together", unsummed)

    with pytest.raises((AssertionError, KeyError)):
        run([([("tea", 1), ("cup", 2)], "partial")], {"cup": 4, "bowl": 0, "plate": 0})


@on_stores("sqlite-memory", "sqlite-file", "firestore-server")
def test_48_buyers_of_kits_and_parts_never_sell_a_unit_twice(documents: Documents) -> None:
    shelves = {"cup": 20, "bowl": 60, "plate": 60}
    market = a_shop(documents, SystemClock(), shelves)
    baskets = ([("breakfast", 1)], [("dinner", 1), ("cup", 1)], [("cup", 1), ("bowl", 1)])

    outcomes = fared(
        [lambda basket=basket: market.buy(*basket, mode="all_or_nothing") for basket in baskets] * (BUYERS // 3)
    )

    assert set(outcomes) <= {"done", "short"}
    assert outcomes["done"] + outcomes["short"] == BUYERS
    taken: Counter[str] = Counter()
    for sale in market.stock.store.walk(Query("sales")):
        for line in sale.data["items"]:
            taken += needs(line["product_id"], line["quantity"])
    left = on_shelf(market)
    assert left == {name: shelves[name] - taken[name] for name in GOODS}
    assert left == {name: market.stock.level(name)["on_hand"] for name in GOODS}
    assert left["cup"] == 0
    assert min(left.values()) >= 0
