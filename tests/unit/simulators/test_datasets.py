"""Data sets: reproducible, large enough, and holding every special case the design names."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from local.demo.baskets import baskets, catalogue
from local.simulators import Options, ShipBob, Stord, dataset
from local.simulators.datasets import ANCHOR
from local.simulators.shipbob.render import order_json as shipbob_json
from local.simulators.stord.model import order_json as stord_json
from shared.core.clock import ManualClock

SOURCES = pytest.mark.parametrize("source", ["shipbob", "stord"])


def told(source: str, seed: int, size: int = 300) -> list[dict[str, Any]]:
    """Return a data set's orders as JSON values."""
    render: Any = {"shipbob": shipbob_json, "stord": stord_json}[source]
    return [render(order) for order in dataset(seed, size, source).orders]


@SOURCES
def test_a_seed_decides_everything(source: str) -> None:
    assert told(source, 4) == told(source, 4)
    assert told(source, 4) != told(source, 5)


@SOURCES
def test_orders_are_spread_over_sixty_days_in_the_order_of_their_making(source: str) -> None:
    made = [order.created for order in dataset(1, 2_000, source).orders]

    assert made == sorted(made)
    assert timedelta(days=58) < ANCHOR - made[0] < timedelta(days=60)
    assert made[-1] <= ANCHOR
    assert min(Counter((ANCHOR - moment).days for moment in made).values()) > 10


@pytest.mark.parametrize(("kind", "low", "high"), [(ShipBob, 2_500, 3_000), (Stord, 1_500, 2_000)])
def test_the_default_world_holds_thousands(kind: type[ShipBob | Stord], low: int, high: int) -> None:
    with kind(ManualClock(), Options()) as simulator:
        held = {row["order_id"] for row in simulator.truth()}

    assert len(simulator.world.orders) > 10_000
    assert low < len(held) < high


@SOURCES
def test_scenarios_without_shortage_or_orders(source: str) -> None:
    calm, empty = dataset(1, 300, source, scenario="calm"), dataset(1, 300, source, scenario="empty")

    assert (len(calm.orders), len(empty.orders)) == (300, 0)
    with pytest.raises(ValueError, match="default, calm, empty"):
        dataset(1, 300, source, scenario="storm")


def test_baskets_are_skewed_and_mostly_small() -> None:
    goods = catalogue(1)
    made = list(baskets(1, 3_000, goods, ANCHOR))
    sizes = Counter(len(basket.lines) for basket in made)
    sold = Counter(good.sku for basket in made for good, _ in basket.lines)
    ranks = [count for _, count in sold.most_common()]

    assert sizes[1] > 900
    assert 12 < max(sizes) <= 20
    assert sum(ranks[:40]) > 0.4 * sum(ranks)
    assert {"TEE-1", "TEE-10", "CAP-2"} <= {good.sku for good in goods}


@pytest.mark.parametrize("size", [300, 600])
def test_shipbob_holds_every_special_case(size: int) -> None:
    orders = told("shipbob", 7, size)
    shipments = [shipment for order in orders for shipment in order["shipments"]]
    details = [detail for shipment in shipments for detail in shipment["status_details"]]
    held = [s for s in shipments if s["status"] in {"Exception", "OnHold", "On Hold"}]

    assert {order["type"] for order in orders} == {"DTC", "DropShip", "B2B"}
    assert {*range(300, 309), 399, 400, 401, 402} <= {detail["id"] for detail in details}
    assert {"OnHold", "On Hold", "Completed", "Cancelled", "Teleporting"} <= {
        shipment["status"] for shipment in shipments
    }
    assert {"Exception", "PartiallyFulfilled", "Fulfilled", "Cancelled", "Processing", "Reconsidered"} <= {
        order["status"] for order in orders
    }
    assert any(d["inventory_id"] is None and d["id"] == 303 for s in held for d in s["status_details"])
    assert any(d["inventory_id"] == 9_999_999 for d in details)
    assert any(len(s["status_details"]) == 2 * len({d["inventory_id"] for d in s["status_details"]}) for s in held)
    assert any(
        0 < item["quantity_committed"] < item["quantity"]
        for s in held
        for row in s["products"]
        for item in row["inventory_items"]
    )
    assert any(order["shipments"][-1] in held and order["shipments"][0]["status"] == "Processing" for order in orders)
    assert any(len({s["location"] and s["location"]["id"] for s in o["shipments"] if s in held}) == 2 for o in orders)
    assert all(
        any(order[name] is None for order in orders)
        for name in ("recipient", "channel", "purchase_date", "shipping_method")
    )
    assert any(s["location"] is None for s in held)
    assert any(row["sku"] is None for order in orders for row in order["products"])
    assert any(order["recipient"] and len(order["recipient"]["name"]) > 500 for order in orders)
    assert any("美" in (order["recipient"] or {"name": ""})["name"] for order in orders)


def test_a_short_bundle_names_its_part() -> None:
    parts = {
        detail["inventory_id"]
        for order in told("shipbob", 7, 600)
        for shipment in order["shipments"]
        for row in shipment["products"]
        if (row["sku"] or "").startswith("KIT-")
        for detail in shipment["status_details"]
        if detail["id"] == 303 and detail["inventory_id"] in {item["id"] for item in row["inventory_items"]}
    }
    goods = {good.number: good for good in catalogue(7)}

    assert parts
    assert not any(goods[number].parts for number in parts)


def test_times_come_with_and_without_fraction_and_zone() -> None:
    forms = {order["created_date"][19:] for order in told("shipbob", 7, 600)}

    assert forms == {"+00:00", ".000Z", "", ".0000000Z"}


@SOURCES
def test_held_orders_are_of_all_ages(source: str) -> None:
    kind: Any = {"shipbob": ShipBob, "stord": Stord}[source]
    simulator = kind(ManualClock(), Options(seed=1, size=3_000))
    simulator.stop()
    ages = Counter((ANCHOR - simulator.world.order(row["order_id"]).created).days // 10 for row in simulator.truth())

    assert set(ages) == set(range(6))
