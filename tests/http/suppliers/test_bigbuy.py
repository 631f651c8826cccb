"""BigBuy beyond plain products: variations, quotas, carriers, warehouses, and errors that come with status 200."""

from typing import Any

import pytest

from local.simulators.wire import Answer
from shared.adapters.suppliers.bigbuy.answers import failure_of, raise_for, rows_of, tightest
from shared.core.clock import ManualClock
from shared.core.errors import Terminal, Transient
from tests.http.inventory.builders import ok
from tests.http.settling import settle
from tests.http.suppliers.market import Market
from tests.http.suppliers.test_connections import TO, order_of, placement


def varied(market: Market) -> list[Any]:
    """Let BigBuy sell variations; return the products that have some."""
    market.bigbuy.switch(variations="some")
    return [offer for offer in market.bigbuy.world.offers if offer.variants]


def links(market: Market, sku: str) -> dict[str, Any]:
    """Return what is known of a product at its supplier."""
    product = next(one for one in market.products() if one["sku"] == sku)
    found: dict[str, Any] = ok(market.manager().get(f"/api/v1/products/{product['id']}/suppliers"))["items"][0]
    return {**found, "product": product}


# Variations


def test_each_variation_is_a_product_of_its_own_and_its_parent_is_none(market: Market) -> None:
    offers = varied(market)
    supplier = market.connect("bigbuy")

    run = market.sync(supplier)
    again = market.sync(supplier)

    plain = len(market.bigbuy.world.offers) - len(offers)
    offer = offers[0]
    variant = offer.variants[0]
    link = links(market, variant.sku)
    assert (run["status"], run["created"], run["failed"]) == ("succeeded", plain + 3 * len(offers), 0)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, run["created"])
    assert offer.sku not in {one["sku"] for one in market.products()}
    assert link["supplier_product_id"] == f"{offer.id}#{variant.id}"
    assert (link["supplier_stock"], link["cost"]) == (variant.stock, variant.cost_cents / 100)
    assert (link["product"]["name"], link["product"]["barcode"]) == (f"{offer.name} ({variant.sku})", variant.ean)
    assert link["product"]["images"] == [
        f"https://cdn.bigbuy.example/{offer.id}-1.jpg",
        f"https://cdn.bigbuy.example/{offer.id}-0.jpg",
    ]


def test_a_stock_sync_reads_each_variation_and_stock_and_limit_choose_them(market: Market) -> None:
    offers = varied(market)
    supplier = market.connect("bigbuy")
    offers[0].variants[1].stock = 0
    some = market.sync(supplier, limit=7, in_stock_only=True)
    market.sync(supplier)
    offers[0].variants[0].stock = 77

    run = market.sync(supplier, "stock")

    assert (some["created"], some["fetched"]) == (7, 7)
    assert (run["status"], run["updated"]) == ("succeeded", 1)
    assert [links(market, offers[0].variants[at].sku)["supplier_stock"] for at in (0, 1)] == [77, 0]


def test_a_variation_is_ordered_by_its_own_sku(market: Market) -> None:
    offers = varied(market)
    market.sync(market.connect("bigbuy"))
    variant = next(one for one in offers[0].variants if one.stock)

    order = order_of(market, links(market, variant.sku)["product"]["id"])

    assert (order["status"], market.bigbuy.world.orders[0].lines) == (
        "fulfilled",
        [{"reference": variant.sku, "quantity": 1}],
    )


# Quotas


def test_the_status_says_what_is_left_of_the_quota_until_it_begins_anew(market: Market) -> None:
    supplier = market.connect("bigbuy")
    path = f"/api/v1/suppliers/{supplier['id']}/status"
    before = ok(market.manager().get(path))["rate_limit"]
    body = {"supplier_id": supplier["id"], "sync_type": "stock"}
    assert market.manager().post("/api/v1/suppliers/sync", body).status == 202
    settle(market.shop.app)

    told = ok(market.manager().get(path))["rate_limit"]
    market.shop.clock.advance(3601)
    after = ok(market.manager().get(path))["rate_limit"]

    assert (before, after) == (None, None)
    assert told == {
        "endpoint": "/rest/catalog/productsstockbyhandlingdays.json",
        "limit": 10,
        "remaining": 7,
        "resets_at": told["resets_at"],
    }


def test_of_several_quotas_the_tightest_is_told() -> None:
    clock = ManualClock()
    soon, gone = str(int(clock.now().timestamp()) + 60), str(int(clock.now().timestamp()) - 1)
    told = {
        "/a": {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "4", "x-ratelimit-reset": soon},
        "/b": {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "2", "x-ratelimit-reset": soon},
        "/c": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": gone},
        "/d": {"x-ratelimit-remaining": "-1", "x-ratelimit-reset": "soon"},
    }

    found = tightest(told, clock.now())

    assert found is not None
    assert (found["endpoint"], found["remaining"]) == ("/b", 2)
    assert tightest({"/c": told["/c"], "/d": told["/d"]}, clock.now()) is None


# Errors


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        ({"code": 404, "message": "Not Found"}, Terminal, "http_404"),
        ({"code": 400, "message": "Bad"}, Terminal, "http_400"),
        ({"code": 401, "message": "Invalid Token"}, Terminal, "credentials_rejected"),
        ({"code": "ER003", "message": "Product without stock"}, Terminal, "er003"),
        ({"code": "ER009", "message": "Temporary"}, Transient, "er009"),
        ({"code": 429}, Transient, "rate_limited"),
        ({"code": 503}, Transient, "http_503"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", Terminal, "http_404"),
        ("HTTP/1.0 502 Bad Gateway", Transient, "http_502"),
        ({"items": []}, Transient, "wrong_shape"),
        ("a text", Transient, "wrong_shape"),
    ],
)
def test_an_error_with_status_200_is_what_it_says(body: Any, kind: type[Exception], code: str) -> None:
    with pytest.raises(kind) as raised:
        rows_of(body, "list")

    assert raised.value.code == code  # type: ignore[attr-defined]
    raise_for({"id": 1, "code": "S1"}, "row")  # a code of something else is no error


def test_a_refusal_is_told_in_the_words_of_bigbuy() -> None:
    nested = {"children": {"delivery": {"children": {"postcode": {"errors": ["Too short."]}}}}}

    told = [
        failure_of(400, {"message": "Validation Failed", "errors": nested}, "order 1"),
        failure_of(409, {"code": "ER005", "message": '{"info": "Purse too low", "data": {}}'}, "order 1"),
    ]

    assert [one.detail for one in told if isinstance(one, Terminal)] == [
        "BigBuy, order 1: delivery.postcode: Too short.",
        "BigBuy, order 1: Purse too low",
    ]


def test_a_sync_that_meets_an_error_with_status_200_fails_at_once(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplier = market.connect("bigbuy")
    body = b'{"code": 400, "message": "parentTaxonomy is required"}'
    monkeypatch.setattr(market.bigbuy, "_list", lambda *_: Answer(200, body, {"Content-Type": "application/json"}))

    run = market.sync(supplier, rounds=1)
    job = ok(market.manager().get(f"/api/v1/jobs/{run['job_id']}"))

    assert (run["status"], job["attempts"], job["error"]["code"]) == ("failed", 1, "http_400")


# Orders


def stocked(market: Market) -> Any:
    """Return an offer of which there is enough."""
    return next(one for one in market.bigbuy.world.offers if one.stock > 5)


def placed(market: Market, reference: str, method: str | None = None) -> Any:
    """Place an order of one unit."""
    supplier = market.connect("bigbuy")
    order = placement(reference, str(stocked(market).id))
    line = order.lines[0].__class__("prd_1", stocked(market).sku, None, None, 1)
    return market.shop.app.supplier_gateway(supplier["id"]).place(order.__class__(reference, [line], TO, method))


@pytest.mark.parametrize(("method", "carrier", "quotes"), [(None, "gls", 1), ("ups", "ups", 0)])
def test_without_a_carrier_the_cheapest_that_is_quoted_is_taken(
    market: Market, monkeypatch: pytest.MonkeyPatch, method: str | None, carrier: str, quotes: int
) -> None:
    asked: list[Any] = []
    order = market.bigbuy._order

    def noted(body: Any) -> Answer:
        asked.append(body)
        return order(body)

    monkeypatch.setattr(market.bigbuy, "_order", noted)

    placed(market, "onh-1", method)

    assert [one["carriers"] for one in asked] == [[{"name": carrier}]]
    assert sum("shipping/orders" in str(entry) for entry in market.bigbuy.journal.entries()) == quotes


def test_an_order_is_checked_before_it_is_placed(market: Market) -> None:
    placed(market, "onh-1")
    market.bigbuy.switch(order="no_stock")
    with pytest.raises(Terminal):
        placed(market, "onh-2")

    asked = [entry["route"] for entry in market.bigbuy.journal.entries() if entry["route"].startswith("order/c")]
    assert asked == ["order/check", "order/create", "order/check"]


def test_products_in_several_warehouses_are_ordered_as_bigbuy_splits_them(market: Market) -> None:
    market.bigbuy.switch(order="warehouses")

    order = placed(market, "onh-1")

    assert order.supplier_order_id == ",".join(str(one.number) for one in market.bigbuy.world.orders)
    assert len(market.bigbuy.world.orders) == 2


@pytest.mark.parametrize(
    ("switch", "kind", "code"),
    [
        ("apart", Terminal, "several_warehouses"),
        ("not_found_200", Terminal, "http_404"),
        ("error_200", Transient, "er009"),
        ("no_stock", Terminal, "er003"),
    ],
)
def test_a_refused_order_is_not_placed(market: Market, switch: str, kind: type[Exception], code: str) -> None:
    market.bigbuy.switch(order=switch)

    with pytest.raises(kind) as raised:
        placed(market, "onh-1")

    assert (raised.value.code, market.bigbuy.world.orders) == (code, [])  # type: ignore[attr-defined]


def test_a_carrier_is_told_by_its_id_and_shown_by_its_name(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    product = next(one for one in market.products() if one["sku"] == stocked(market).sku)
    order = order_of(market, product["id"])
    market.bigbuy.world.ship(order["supplier_orders"][0]["reference"])

    run = market.sync(supplier, "orders")

    item = ok(market.manager().get(f"/api/v1/orders/{order['id']}"))["items"][0]
    assert (run["updated"], item["carrier"], item["tracking_number"]) == (
        1,
        "gls",
        market.bigbuy.world.orders[0].tracking,
    )


def test_trouble_with_tracking_fails_a_sync_of_orders(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    product = next(one for one in market.products() if one["sku"] == stocked(market).sku)
    order_of(market, product["id"])
    market.bigbuy.add_fault("http_500", None, 0, "/rest/tracking/")

    assert market.sync(supplier, "orders", rounds=10)["status"] == "failed"
