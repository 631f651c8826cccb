"""Real invoices become orders, with every trap of the file met on purpose."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.demo.baskets import Basket
from local.demo.retail import RetailReport, read_retail
from local.simulators import ShipBob, Stord, dataset_from_retail
from local.simulators.datasets import ANCHOR
from shared.core.clock import ManualClock
from tests.unit.simulators.client import shipbob_orders
from tests.unit.simulators.retail import written


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The small file."""
    return written(tmp_path / "retail.csv.gz")


def test_every_invoice_is_one_basket_in_the_order_of_time(path: Path) -> None:
    baskets, _, _ = read_retail(path)

    assert [basket.label for basket in baskets] == [
        "536365", "536366", "C536379", "536414", "536589", "536600", "536700", "536800", "A563185",
    ]  # fmt: skip
    assert [basket.number for basket in baskets] == list(range(9))


def test_what_was_met_is_counted(path: Path) -> None:
    _, _, report = read_retail(path)

    assert report == RetailReport(
        rows=17,
        invoices=9,
        cancelled=2,
        write_offs=1,
        without_goods=2,
        fee_lines=4,
        repeated_lines=1,
        blank_descriptions=3,
        total=report.total,
    )
    assert str(report.total) == "66.950"


def test_lines_keep_code_quantity_and_price_and_leave_fees_out(path: Path) -> None:
    first = read_retail(path)[0][0]

    assert _lines(first) == [("21730", 6, 425), ("21730", 2, 425), ("85123a", 1, 255)]
    assert first.at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_cancellations_and_write_offs_are_called_off_without_signs(path: Path) -> None:
    baskets = {basket.label: basket for basket in read_retail(path)[0]}

    assert [label for label, basket in baskets.items() if basket.cancelled] == ["C536379", "536589", "A563185"]
    assert _lines(baskets["C536379"]) == [("21730", 2, 425)]
    assert baskets["536700"].lines == ()


def test_a_blank_description_takes_the_name_known_before(path: Path) -> None:
    names = {basket.label: basket.lines[0][0].name for basket in read_retail(path)[0] if basket.lines}

    assert (names["536600"], names["536414"]) == ("GLASS STAR", None)


def test_a_code_at_two_prices_is_one_item(path: Path) -> None:
    baskets = {basket.label: basket for basket in read_retail(path)[0]}
    dear, cheap = baskets["536365"].lines[0][0], baskets["536600"].lines[0][0]

    assert (dear.number, dear.cents, cheap.cents) == (cheap.number, 425, 399)


@pytest.mark.parametrize("source", ["shipbob", "stord"])
def test_orders_of_the_invoices_are_the_same_for_the_same_seed(path: Path, source: str) -> None:
    one, _ = dataset_from_retail(path, source, 3, held=0.5)
    other, _ = dataset_from_retail(path, source, 3, held=0.5)

    assert _told(source, one) == _told(source, other)
    assert len(one.orders) == 9
    assert all((ANCHOR - order.created).days < 60 for order in one.orders)


def test_invoices_are_served_and_some_wait(path: Path) -> None:
    data, _ = dataset_from_retail(path, "shipbob", 3, held=0.5)
    with ShipBob(ManualClock(ANCHOR), data=data) as simulator:
        served = shipbob_orders(simulator)

    assert [order["order_number"] for order in served][:2] == ["536365", "536366"]
    assert {order["status"] for order in served if order["order_number"].startswith("C")} == {"Cancelled"}
    assert simulator.truth() != []


def _lines(basket: Basket) -> list[tuple[str, int, int]]:
    return [(good.sku, quantity, good.cents) for good, quantity in basket.lines]


def _told(source: str, data: Any) -> Any:
    kind: Any = {"shipbob": ShipBob, "stord": Stord}[source]
    simulator = kind(ManualClock(ANCHOR), data=data)
    simulator.stop()
    return simulator.truth()
