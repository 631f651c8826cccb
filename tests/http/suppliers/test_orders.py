"""What suppliers say of many orders at once, and what of it reaches the customers' orders."""

from typing import Any

import pytest

from shared.orders.customers import news
from shared.orders.suppliers import Placed
from tests.http.inventory.builders import ok
from tests.http.suppliers.market import Market
from tests.http.suppliers.test_connections import order_of

MOMENT = "2026-01-01T00:00:00Z"


def ordered(market: Market, kind: str, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a connection and so many customers' orders placed with it, in order of their making."""
    supplier = market.connect(kind)
    market.sync(supplier)
    world = getattr(market, kind).world
    stocked = {offer.sku for offer in world.offers if offer.stock > number}
    product = next(one for one in market.products() if kind != "bigbuy" or one["sku"] in stocked)
    return supplier, [order_of(market, product["id"]) for _ in range(number)]


def now_of(market: Market, order: dict[str, Any]) -> dict[str, Any]:
    """Return an order as it is now."""
    found: dict[str, Any] = ok(market.manager().get(f"/api/v1/orders/{order['id']}"))
    return found


def asked(market: Market) -> list[str]:
    """Return what BigBuy was asked about orders, in order."""
    routes = [entry["route"] for entry in market.bigbuy.journal.entries()]
    return [route for route in routes if route.startswith(("order/7", "order/reference", "tracking/order"))]


def test_the_tracking_of_many_orders_is_one_call_and_only_waiting_ones_are_read_by_themselves(market: Market) -> None:
    supplier, orders = ordered(market, "bigbuy", 3)
    before = len(asked(market))
    for order in orders[:2]:
        market.bigbuy.world.ship(order["supplier_orders"][0]["reference"])

    run = market.sync(supplier, "orders")

    waiting = orders[2]["supplier_orders"][0]["supplier_order_id"]
    assert (run["fetched"], run["updated"], run["unchanged"], run["failed"]) == (3, 3, 0, 0)
    assert asked(market)[before:] == ["tracking/orders", f"order/{waiting}"]
    assert [now_of(market, order)["status"] for order in orders] == ["shipped", "shipped", "fulfilled"]
    assert [now_of(market, order)["supplier_orders"][0]["supplier_status"] for order in orders] == [
        "In transit",
        "In transit",
        "processing",
    ]


def test_what_was_heard_before_changes_nothing(market: Market) -> None:
    supplier, orders = ordered(market, "bigbuy", 1)
    market.sync(supplier, "orders")
    before = now_of(market, orders[0])

    run = market.sync(supplier, "orders")

    assert (run["fetched"], run["updated"], run["unchanged"]) == (1, 0, 1)
    assert now_of(market, orders[0]) == before


def test_more_orders_than_are_asked_for_together_are_read_part_by_part(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.suppliers.tracking._TOGETHER", 2)
    supplier, orders = ordered(market, "bigbuy", 4)
    before = len(asked(market))
    for order in orders:
        market.bigbuy.world.ship(order["supplier_orders"][0]["reference"])

    run = market.sync(supplier, "orders")

    assert (run["status"], run["fetched"], run["updated"]) == ("succeeded", 4, 4)
    assert asked(market)[before:] == ["tracking/orders"] * 2
    assert {now_of(market, order)["status"] for order in orders} == {"shipped"}


def test_aliexpress_says_how_its_orders_stand(market: Market) -> None:
    supplier, orders = ordered(market, "aliexpress", 1)

    market.sync(supplier, "orders")
    waiting = now_of(market, orders[0])
    market.aliexpress.world.ship(orders[0]["supplier_orders"][0]["reference"])
    market.sync(supplier, "orders")

    after = now_of(market, orders[0])
    told = [one["supplier_orders"][0].get("supplier_status") for one in (orders[0], waiting, after)]
    assert told == [None, "WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_ACCEPT_GOODS"]


# Rules


def an_order(**more: Any) -> dict[str, Any]:
    """Return an order of two items, both placed with a supplier as one order."""
    item = {"tracking_number": None, "carrier": None, "shipped_at": None, "fulfillment_status": "ordered"}
    record = {"reference": "ONH-1", "supplier_id": "sup_1", "status": "placed", "item_ids": ["a", "b"], "error": None}
    items = [{"id": one, **item, "fulfillment_error": None} for one in "ab"]
    return {"status": "fulfilled", "items": items, "supplier_orders": [record], **more}


def test_an_item_whose_number_is_known_but_that_was_not_sent_is_shipped_now() -> None:
    order = an_order()
    order["items"][0] |= {"tracking_number": "T1", "carrier": "gls"}

    after = news(order, "ONH-1", Placed("7", None, ("T1",), None), MOMENT)

    assert (after["status"], [item["fulfillment_status"] for item in after["items"]]) == ("shipped", ["shipped"] * 2)
    assert [(item["tracking_number"], item["carrier"]) for item in after["items"]] == [("T1", "gls"), ("T1", None)]
    assert news({**order, **after}, "ONH-1", Placed("7", None, ("T1",), None), MOMENT) == {}


@pytest.mark.parametrize("status", ["cancelled", "delivered"])
def test_an_order_that_has_ended_is_told_of_the_state_only(status: str) -> None:
    after = news(an_order(status=status), "ONH-1", Placed("7", "Lost", ("T1",), "gls"), MOMENT)

    assert [one["supplier_status"] for one in after.pop("supplier_orders")] == ["Lost"]
    assert after == {}


@pytest.mark.parametrize(
    ("reference", "placed"), [("ONH-2", Placed("7", "new", ("T1",))), ("ONH-1", Placed("7", None))]
)
def test_nothing_said_changes_nothing(reference: str, placed: Placed) -> None:
    assert news(an_order(), reference, placed, MOMENT) == {}
