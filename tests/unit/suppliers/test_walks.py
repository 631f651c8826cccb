"""Walks that must not be believed, and what a stock sync may make: against simulated BigBuy and a small file."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from local.simulators import AliExpress, BigBuy, Options, Shop, Simulator
from shared.adapters.fetch.scripted import Answer, ScriptedFetch
from shared.adapters.suppliers.bigbuy import BigBuySource
from shared.adapters.suppliers.feed import FeedSource
from shared.core.clock import ManualClock
from shared.core.errors import Terminal
from shared.ports.fetch import Request
from shared.suppliers.models import ConnectSupplier
from shared.suppliers.port import Opened, Page, Walk
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
    with BigBuy(clock, Options(size=15_300 if fault == "endless_pages" else 60)) as bigbuy:
        bigbuy.switch(quotas="off")
        bigbuy.add_fault(fault)
        fetch = a_shop(tmp_path, None, FETCH_ALLOW_HOSTS=f"127.0.0.1:{bigbuy.port}").app.fetch
        opened = Opened("sup_1", {"api_key": "demo-bigbuy-key"}, {})
        source = BigBuySource(opened, bigbuy.origin, fetch, clock, random.Random(1))

        assert _walked(source, Walk("stock")) == code


class Kept:
    """Notes as a job keeps them: JSON that survives whoever put it down."""

    def __init__(self) -> None:
        """Begin with none."""
        self.texts: dict[str, str] = {}

    def put(self, page: Page) -> None:
        """Put down what a page says, and forget what it drops."""
        self.texts |= {name: json.dumps(told) for name, told in page.keeps.items()}
        for name in page.drops:
            del self.texts[name]

    def read(self, names: Sequence[str]) -> dict[str, Any]:
        """Return notes."""
        return {name: json.loads(self.texts[name]) for name in names}


NONE = Kept()


def _walked(source: BigBuySource, walk: Walk) -> str | None:
    cursor = source.begin(walk, NONE)
    try:
        for _ in range(30):
            following = source.page(cursor, NONE).next
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

        page = source.page(source.begin(Walk(sync_type), NONE), NONE)

        assert (len(page.items), page.creates) == (12, creates)


# A file in pages


class Sold:
    """A file on a web server that is read in pieces; `rows` may change between readings."""

    def __init__(self, rows: int) -> None:
        """Begin with so many rows."""
        self.rows, self.opened = [f"F-{number},Cup {number},{number}.50,3" for number in range(rows)], 0

    def __call__(self, request: Request) -> Answer:
        """Serve the file."""
        self.opened += 1
        lines = ["sku,name,price,stock", *self.rows]
        return Answer(200, "".join(f"{line}\n" for line in lines).encode(), {"content-type": "text/csv"})


def a_feed(sold: Sold) -> FeedSource:
    """Return a connection to the file, as one delivery opens it."""
    return FeedSource(
        Opened("sup_1", {}, {"feed_url": "https://shop.example/feed.csv"}), ScriptedFetch(sold), lambda _: None
    )


def walked(source: FeedSource, cursor: Mapping[str, Any] | None) -> Iterator[tuple[Page, Mapping[str, Any]]]:
    """Return the pages of a walk, each with the cursor it was read at; cursors survive being stored."""
    while cursor is not None:
        page = source.page(json.loads(json.dumps(cursor)), NONE)
        yield page, cursor
        cursor = page.next


def test_a_file_is_read_once_and_in_pages() -> None:
    sold = Sold(1234)
    source = a_feed(sold)

    pages = [page for page, _ in walked(source, source.begin(Walk("products", limit=5000), NONE))]

    assert [len(page.items) for page in pages] == [500, 500, 234]
    assert len({item.sku for page in pages for item in page.items}) == 1234
    assert sold.opened == 1


def test_a_later_delivery_goes_on_where_the_earlier_one_stood() -> None:
    sold = Sold(1234)
    first = a_feed(sold)
    _, (_, second_cursor) = islice(walked(first, first.begin(Walk("products", limit=600), NONE)), 2)

    again = a_feed(sold).page(json.loads(json.dumps(second_cursor)), NONE)

    assert [item.sku for item in again.items] == [f"F-{number}" for number in range(500, 600)]
    assert (again.next, sold.opened) == (None, 2)


def test_a_file_that_changed_in_between_is_read_from_the_top() -> None:
    sold = Sold(700)
    first = a_feed(sold)
    cursor = first.page(first.begin(Walk("products", limit=5000), NONE), NONE).next
    sold.rows.insert(0, "NEW,Jug,1.00,1")

    pages = [page for page, _ in walked(a_feed(sold), cursor)]

    assert [item.sku for page in pages for item in page.items][:2] == ["NEW", "F-0"]
    assert sum(len(page.items) for page in pages) == 701


def test_bad_rows_do_not_pile_up() -> None:
    sold = Sold(0)
    sold.rows = [f"B-{number},Cup,minus,1" for number in range(1100)]
    source = a_feed(sold)

    pages = [page for page, _ in walked(source, source.begin(Walk("products"), NONE))]

    assert [(len(page.items), len(page.rejected)) for page in pages] == [(0, 500), (0, 500), (0, 100)]
