"""AliExpress beyond feeds: searches, the service that brings an order, tracking told elsewhere, feeds that hold nothing."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from shared.adapters.fetch.scripted import Answer, ScriptedFetch
from shared.adapters.suppliers.aliexpress import AliExpressSource
from shared.core.clock import ManualClock
from shared.core.errors import Terminal
from shared.ports.documents import Query, Stored
from shared.ports.fetch import Request
from shared.suppliers.port import Opened
from tests.http.suppliers.market import Market
from tests.http.suppliers.test_connections import TO, order_of, placement

KEYS = {"api_key": "t", "app_key": "a", "app_secret": "s"}
FIRST = 1_005_000_000_000


class Placing:
    """AliExpress by a script: one product with one SKU, whatever services a test names; keeps what is asked."""

    def __init__(self, options: Any, wrapping: str = "delivery_option_d_t_o") -> None:
        self.services: Any = {"delivery_options": {wrapping: options} if wrapping else options}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, request: Request) -> Answer:
        told = {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}
        method = told["method"]
        self.asked.append((method, told))
        results: dict[str, Any] = {
            "aliexpress.ds.product.get": {"ae_item_sku_info_dtos": [{"sku_id": "7", "sku_attr": "14:1"}]},
            "aliexpress.ds.freight.query": self.services,
            "aliexpress.ds.order.create": {"is_success": True, "order_list": {"number": [81]}},
        }
        body = {f"{method.replace('.', '_')}_response": {"rsp_code": 200, "result": results[method]}}
        return Answer(200, json.dumps(body).encode())

    def placed(self, shipping_method: str | None = None) -> str:
        """Order one; return the service it was ordered by."""
        clock = ManualClock()
        source = AliExpressSource(
            Opened("sup_1", KEYS, {"currency": "GBP"}), "https://ae.test", ScriptedFetch(self), clock, orders=Kept()
        )
        order = placement("so-1", "55")
        source.place(replace(order, shipping_method=shipping_method))
        sent = json.loads(self.asked[-1][1]["param_place_order_request4_open_api_d_t_o"])
        assert sent["product_items"][0]["sku_attr"] == "14:1"
        return str(sent["product_items"][0]["logistics_service_name"])


class Kept:
    """Keeps no order."""

    def begun(self, reference: str) -> str | None:
        return None

    def number(self, reference: str) -> str | None:
        return None

    def keep(self, reference: str, number: str) -> None:
        """Forget it."""


def option(code: str, fee: Any, days: int | None = 10, **more: Any) -> dict[str, Any]:
    return {"code": code, "company": code.title(), "shipping_fee_cent": fee, "max_delivery_days": days, **more}


# Searching


def test_a_category_that_is_no_feed_is_searched_for(market: Market) -> None:
    words = market.aliexpress.world.offers[0].name.split()[0]
    named = [offer for offer in market.aliexpress.world.offers if words.casefold() in offer.name.casefold()]
    supplier = market.connect("aliexpress")

    run = market.sync(supplier, category_filter=words.upper())
    links = market.products()

    split = sum(offer.id % 7 == 0 for offer in named)
    assert (run["status"], run["created"], run["failed"]) == ("succeeded", len(named) + split, 0)
    assert {one["name"].partition(" (")[0] for one in links} == {offer.name for offer in named}


def test_a_search_is_read_page_by_page_to_its_end_or_its_limit(market: Market) -> None:
    market.aliexpress.rebuild(replace(market.aliexpress.options, size=140))
    digit = "1"  # in the last word of many names
    named = [offer for offer in market.aliexpress.world.offers if digit in offer.name]
    supplier = market.connect("aliexpress")

    limited = market.sync(supplier, category_filter=digit, limit=51)
    whole = market.sync(supplier, category_filter=digit)

    split = [offer.id % 7 == 0 for offer in named]
    assert 51 < len(named) < 100
    assert any(split[:51])  # one of the products read has two SKUs, and the limit counts SKUs
    assert (limited["status"], limited["fetched"]) == ("succeeded", 51)
    assert (whole["status"], whole["fetched"]) == ("succeeded", len(named) + sum(split))


@pytest.mark.parametrize("wrapping", ["named", "bare"])
@pytest.mark.parametrize("name", ["GARDEN", "2403"])
def test_a_category_of_aliexpress_is_searched_as_one(market: Market, wrapping: str, name: str) -> None:
    market.aliexpress.switch(wrapping=wrapping)
    for offer in market.aliexpress.world.offers:
        offer.name = f"{offer.name} 2403"  # a search for the number alone would find every one

    run = market.sync(market.connect("aliexpress"), category_filter=name)

    of_it = [offer for offer in market.aliexpress.world.offers if offer.category == 2403]
    linked = {link.data["supplier_product_id"].partition("#")[0] for link in links(market)}
    assert (run["status"], linked) == ("succeeded", {str(1_005_000_000_000 + offer.id) for offer in of_it})
    assert 0 < len(of_it) < len(market.aliexpress.world.offers)


def test_an_application_that_may_not_read_categories_searches_for_the_words(market: Market) -> None:
    market.aliexpress.switch(categories="refused")
    offer = market.aliexpress.world.offers[0]
    offer.name = "Garden dwarf"

    run = market.sync(market.connect("aliexpress"), category_filter="garden")

    assert (run["status"], [link.data["supplier_product_id"].partition("#")[0] for link in links(market)]) == (
        "succeeded",
        [str(1_005_000_000_000 + offer.id)] * run["created"],
    )


def links(market: Market) -> list[Stored]:
    """Return the links of every product."""
    return list(market.shop.app.store.walk(Query("supplier_links")))


def test_a_search_that_finds_nothing_fails_and_says_so(market: Market) -> None:
    run = market.sync(market.connect("aliexpress"), category_filter="no such goods")
    failed = market.manager().get(f"/api/v1/jobs/{run['job_id']}").json

    assert (run["status"], run["fetched"], failed["error"]["code"]) == ("failed", 0, "unknown_category")


def test_feeds_that_hold_nothing_are_not_believed(market: Market) -> None:
    supplier = market.connect("aliexpress")
    market.aliexpress.add_fault("empty_list")

    run = market.sync(supplier)
    failed = market.manager().get(f"/api/v1/jobs/{run['job_id']}").json

    assert (run["status"], failed["error"]["code"], market.products()) == ("failed", "empty_list", [])


# Services


@pytest.mark.parametrize("wrapping", ["delivery_option_d_t_o", ""])
def test_the_service_that_costs_least_brings_an_order_and_of_equal_ones_the_fastest(wrapping: str) -> None:
    options = [option("DEAR", "7.35", 5), option("SLOW", 1.99, 40), option("FAST", "1.99", 14), option("ODD", "?")]

    asked = Placing(options, wrapping)

    assert asked.placed() == "FAST"
    question = json.loads(asked.asked[1][1]["queryDeliveryReq"])
    assert (question["productId"], question["quantity"], question["selectedSkuId"]) == ("55", "1", "7")
    assert (question["shipToCountry"], question["currency"]) == (TO["country_code"], "GBP")


def test_a_service_without_a_fee_costs_nothing_and_one_without_days_is_the_slowest() -> None:
    assert Placing([option("PAID", "0.01"), option("FREE", "9", free_shipping=True)]).placed() == "FREE"
    assert Placing([option("UNKNOWN", "2", None), option("KNOWN", "2.00", 60)]).placed() == "KNOWN"


@pytest.mark.parametrize("named", ["dear", "DEAR", "Dear"])
def test_the_service_an_order_names_is_taken_by_code_or_company(named: str) -> None:
    assert Placing([option("CHEAP", "1"), option("DEAR", "2")]).placed(named) == "DEAR"


@pytest.mark.parametrize(("options", "named"), [([], None), ([option("A", "1")], "rocket")])
def test_nothing_is_ordered_where_no_service_goes(options: list[Any], named: str | None) -> None:
    asked = Placing(options)

    with pytest.raises(Terminal) as refused:
        asked.placed(named)

    assert refused.value.code == "DELIVERY_METHOD_NOT_EXIST"
    assert [method for method, _ in asked.asked] == ["aliexpress.ds.product.get", "aliexpress.ds.freight.query"]


def test_an_order_without_a_service_fails_with_the_reason_and_is_placed_when_there_is_one(market: Market) -> None:
    market.sync(market.connect("aliexpress"))
    offer = next(one for one in market.aliexpress.world.offers if one.stock > 5 and one.id % 7)
    product = next(one for one in market.products() if one["name"] == offer.name)
    market.aliexpress.switch(freight="none")

    refused = order_of(market, product["id"])
    market.aliexpress.switch(freight="all")
    placed = order_of(market, product["id"])

    assert (refused["status"], refused["supplier_orders"][0]["supplier_order_id"]) == ("fulfillment_failed", None)
    assert "offered are: nothing" in refused["items"][0]["fulfillment_error"]
    assert placed["status"] == "fulfilled"
    assert [order.lines[0]["logistics_service_name"] for order in market.aliexpress.world.orders] == [
        "CAINIAO_STANDARD"
    ]


# Tracking


@pytest.mark.parametrize("method", ["aliexpress.ds.order.tracking.get", "aliexpress.logistics.ds.trackinginfo.query"])
def test_tracking_that_the_order_does_not_tell_is_asked_for(market: Market, method: str) -> None:
    keys = {"app_key": "demo-aliexpress-app", "app_secret": "demo-aliexpress-secret", "tracking_method": method}
    supplier = market.connect("aliexpress", additional_config=keys)
    market.sync(supplier)
    market.aliexpress.switch(tracking="apart")
    offer = next(one for one in market.aliexpress.world.offers if one.stock > 5 and one.id % 7)
    order = order_of(market, next(one for one in market.products() if one["name"] == offer.name)["id"])

    market.sync(supplier, "orders")
    waiting = market.manager().get(f"/api/v1/orders/{order['id']}").json["items"][0]
    market.aliexpress.world.ship(order["supplier_orders"][0]["reference"])
    market.sync(supplier, "orders")
    shipped = market.manager().get(f"/api/v1/orders/{order['id']}").json["items"][0]

    asked = [entry for entry in market.aliexpress.journal.entries() if method in str(entry)]
    assert (waiting["tracking_number"], len(asked)) == (None, 1)
    assert (shipped["tracking_number"], shipped["carrier"]) == (market.aliexpress.world.orders[0].tracking, "CAINIAO")


def test_products_with_nothing_in_stock_leave_the_limit_to_others(market: Market) -> None:
    supplier = market.connect("aliexpress")
    for offer in market.aliexpress.world.offers[:4]:
        offer.stock = 0

    run = market.sync(supplier, limit=3, in_stock_only=True)

    assert (run["status"], run["fetched"]) == ("succeeded", 3)
