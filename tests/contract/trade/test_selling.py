"""S01, S02, S03, S06 and S07 on whole baskets: no oversell, demand summed first, honest partial success, on every store."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.core.clock import ManualClock, SystemClock
from shared.core.errors import InsufficientStock
from shared.ports.documents import Documents
from shared.sales import service
from shared.sales.rules import Asked
from tests.contract.stock.buyers import fared
from tests.contract.trade.market import PRICES, Market, a_market
from tests.faults.jobs.volume import LONG, sized
from tests.stores import INDEX_FILE, Stores, on_stores

SHAPES = Shapes.read(INDEX_FILE)
BUYERS = 64
LONG_STORES = ("firestore-emulator",) if LONG else ()
LINES = st.lists(st.tuples(st.sampled_from(sorted(PRICES)), st.integers(1, 6)), min_size=1, max_size=8)
CARTS = st.lists(st.tuples(LINES, st.sampled_from(["partial", "all_or_nothing"])), min_size=1, max_size=6)


def bought(market: Market, buyers: int) -> Counter[str]:
    """Let so many buyers take one cup each, at once."""
    return fared([lambda: market.buy(("cup", 1))] * buyers)


@pytest.mark.parametrize("number", range(sized(1, 20)))
@on_stores("sqlite-memory", "sqlite-file", "firestore-server", *LONG_STORES)
def test_64_buyers_of_10_units_buy_exactly_10(documents: Documents, number: int) -> None:
    del number
    market = a_market(documents, SystemClock())
    market.stock.adjust("cup", 10)

    outcomes = bought(market, BUYERS)

    assert outcomes == {"done": 10, "short": 54}
    assert market.sold("cup") == 10
    market.check("cup", 10)


@on_stores("firestore-emulator")
def test_16_buyers_of_5_units_buy_exactly_5_on_the_official_emulator(documents: Documents) -> None:
    market = a_market(documents, SystemClock())
    market.stock.adjust("cup", 5)

    assert bought(market, 16) == {"done": 5, "short": 11}
    market.check("cup", 5)


@pytest.mark.parametrize("number", range(sized(1, 10)))
@on_stores("sqlite-memory", "sqlite-file", *LONG_STORES)
def test_64_buyers_of_64_units_are_all_served(documents: Documents, number: int) -> None:
    del number
    market = a_market(documents, SystemClock())
    market.stock.adjust("cup", BUYERS)

    assert bought(market, BUYERS) == {"done": BUYERS}
    market.check("cup", BUYERS)


@on_stores("sqlite-memory")
def test_baskets_that_meet_in_other_orders_do_not_wait_for_each_other(documents: Documents) -> None:
    market = a_market(documents, SystemClock())
    for product in PRICES:
        market.stock.adjust(product, 20)
    forth, back = [("cup", 1), ("bowl", 1), ("plate", 1)], [("plate", 1), ("bowl", 1), ("cup", 1)]

    outcomes = fared([lambda: market.buy(*forth), lambda: market.buy(*back)] * 10)

    assert outcomes == {"done": 20}
    for product in PRICES:
        market.check(product, 20)


def run(carts: Sequence[tuple[list[tuple[str, int]], str]], documents: Documents | None = None) -> None:
    """Buy carts one after the other and compare everything with a model of a few lines."""
    market = a_market(documents or SqliteDocuments(":memory:", SHAPES), ManualClock())
    left = dict.fromkeys(PRICES, 9)
    for product in PRICES:
        market.stock.adjust(product, 9)
    for lines, mode in carts:
        asked: dict[str, int] = defaultdict(int)
        for product, units in lines:
            asked[product] += units
        fits = {product: units for product, units in asked.items() if units <= left[product]}
        expected = {} if mode == "all_or_nothing" and fits != asked else fits
        try:
            sale = market.buy(*lines, mode=mode).data
        except InsufficientStock as refused:
            assert expected == {}
            failed = {one["product_id"]: one["quantity"] for one in refused.extra["failed_items"]}  # type: ignore[attr-defined]
            assert failed == {product: units for product, units in asked.items() if product not in fits}
            continue
        done = {line["product_id"]: line["quantity"] for line in sale["items"]}
        failed = {one["product_id"]: one["quantity"] for one in sale["failed_items"]}
        assert done == expected
        assert done | failed == dict(asked)
        assert Decimal(sale["total_amount"]) == sum(Decimal(PRICES[product]) * units for product, units in done.items())
        for product, units in done.items():
            left[product] -= units
    for product in PRICES:
        market.check(product, 9)
        assert market.stock.level(product)["on_hand"] == left[product]


@settings(max_examples=sized(40, 500), deadline=None)
@given(CARTS)
def test_what_is_bought_and_what_failed_is_what_was_asked(carts: list[tuple[list[tuple[str, int]], str]]) -> None:
    run(carts)


@pytest.mark.skipif(not LONG, reason="baskets on the emulator: with LONG_TESTS=1 only")
def test_what_is_bought_and_what_failed_is_what_was_asked_on_the_emulator(stores: Stores, tmp_path: Path) -> None:
    @settings(max_examples=300, deadline=None, database=None)
    @given(CARTS)
    def bought_on_the_emulator(carts: list[tuple[list[tuple[str, int]], str]]) -> None:
        with closing(stores.open("firestore-emulator", SHAPES, tmp_path)) as documents:
            run(carts, documents)

    bought_on_the_emulator()


def test_control_a_shop_that_checks_line_by_line_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def unsummed(items: Sequence[Asked]) -> list[Asked]:
        return [replace(item) for item in items]

    monkeypatch.setattr(service, "summed", unsummed)

    with pytest.raises(AssertionError):
        run([([("cup", 4), ("cup", 4)], "partial")])
