"""Walks that must not be believed, and what a stock sync may make: against simulated BigBuy and a small file."""

import random
from pathlib import Path

import pytest

from local.simulators import AliExpress, BigBuy, Options, Shop, Simulator
from shared.adapters.suppliers.bigbuy import BigBuySource
from shared.adapters.suppliers.feed import FeedSource
from shared.core.clock import ManualClock
from shared.core.errors import Terminal
from shared.suppliers.models import ConnectSupplier
from shared.suppliers.port import Opened, Walk
from tests.http.inventory.builders import a_shop


@pytest.mark.parametrize("kind", [BigBuy, AliExpress])
def test_a_living_supplier_answers(kind: type[Simulator], tmp_path: Path) -> None:
    with kind(ManualClock(), Options(size=3, living=True)) as simulator:
        shop = a_shop(tmp_path, None, FETCH_ALLOW_HOSTS=f"127.0.0.1:{simulator.port}", **simulator.settings())
        connected = shop.app.suppliers
        kinds = {"bigbuy": "demo-bigbuy-key", "aliexpress": "demo-aliexpress-key"}
        asked = ConnectSupplier.model_validate({"supplier_type": simulator.name, "api_key": kinds[simulator.name]})
        assert connected.connect(asked).data["status"] == "connected"
        shop.app.close()


@pytest.mark.parametrize(
    ("fault", "code"), [("none", None), ("empty_list", "empty_list"), ("endless_pages", "endless_pages")]
)
def test_a_list_without_end_or_without_anything_is_not_believed(fault: str, code: str | None, tmp_path: Path) -> None:
    clock = ManualClock()
    with BigBuy(clock, Options(size=15_300)) as bigbuy:
        bigbuy.switch(quotas="off")
        bigbuy.add_fault(fault)
        fetch = a_shop(tmp_path, None, FETCH_ALLOW_HOSTS=f"127.0.0.1:{bigbuy.port}").app.fetch
        opened = Opened("sup_1", {"api_key": "demo-bigbuy-key"}, {})
        source = BigBuySource(opened, bigbuy.origin, fetch, clock, random.Random(1))

        assert _walked(source, Walk("stock")) == code


def _walked(source: BigBuySource, walk: Walk) -> str | None:
    cursor = source.begin(walk)
    try:
        for _ in range(30):
            following = source.page(cursor).next
            if following is None:
                return None
            cursor = dict(following)
    except Terminal as refused:
        return refused.code
    return "walked on"


@pytest.mark.parametrize(("sync_type", "creates"), [("products", True), ("stock", False)])
def test_a_stock_sync_of_a_file_makes_no_products(sync_type: str, creates: bool, tmp_path: Path) -> None:
    with Shop(ManualClock(), Options()) as web:
        fetch = a_shop(tmp_path, None, FETCH_ALLOW_HOSTS=f"127.0.0.1:{web.port}").app.fetch
        source = FeedSource(Opened("sup_1", {}, {"feed_url": f"{web.origin}/feeds/google.xml"}), fetch, lambda _: None)

        page = source.page(source.begin(Walk(sync_type)))

        assert (len(page.items), page.creates) == (12, creates)
