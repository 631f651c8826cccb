"""BigBuy as sources.md 3 describes it: every list, single products, quotas, orders and what is refused how."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.simulators import BigBuy, Options
from shared.core.clock import ManualClock
from tests.unit.simulators.client import Got, call

KEY = "demo-bigbuy-key"
OF_TAXONOMY = {"parentTaxonomy": 2399, "isoCode": "en", "page": 0, "pageSize": 1000}
PRICES = {"wholesalePrice", "retailPrice", "inShopsPrice"}
LISTS = {
    "products": {"id", "sku", "ean13", "active", "taxonomy", "manufacturer", "weight", "taxRate", "logisticClass"},
    "new-products": {"id", "sku", "priceLargeQuantities"},
    "productprices": {"id", "sku", *PRICES},
    "productvariationprices": {"id", "sku", *PRICES},
    "productsinformation": {"id", "sku", "name", "description", "url", "isoCode"},
    "productsimages": {"id", "images"},
    "productsstockbyhandlingdays": {"id", "sku", "stocks"},
    "productsvariations": {"id", "sku", "ean13", "product", "extraWeight", *PRICES},
    "productsvariationsstockbyhandlingdays": {"id", "sku", "stocks"},
}
FIXED = ("taxonomies", "languages", "manufacturers", "attributes", "variations", "tags")
REMOVED = (
    *("productsstock", "productstock", "productsstockbyreference", "productsstockavailable"),
    *("productsvariationsstock", "modules"),
)


@pytest.fixture
def bigbuy(clock: ManualClock) -> Iterator[BigBuy]:
    """A BigBuy that serves."""
    with BigBuy(clock, Options(size=60)) as simulator:
        yield simulator


def get(bigbuy: BigBuy, path: str, **params: Any) -> Got:
    return call(bigbuy, f"/rest/{path}.json", params, token=KEY)


def post(bigbuy: BigBuy, path: str, body: Any) -> Got:
    return call(bigbuy, f"/rest/{path}.json", method="POST", token=KEY, body=body)


def an_order(bigbuy: BigBuy, reference: str = "onh-1", units: int = 1) -> dict[str, Any]:
    sku = next(offer.sku for offer in bigbuy.world.offers if offer.stock > 1 and not offer.variants)
    return {"order": {"internalReference": reference, "products": [{"reference": sku, "quantity": units}]}}


@pytest.mark.parametrize(("name", "keys"), LISTS.items())
def test_a_list_is_read_by_taxonomy_and_told_with_its_quota(bigbuy: BigBuy, name: str, keys: set[str]) -> None:
    assert get(bigbuy, f"catalog/{name}").status == 400
    got = get(bigbuy, f"catalog/{name}", **OF_TAXONOMY)

    assert got.status == 200
    assert got.json
    assert all(keys <= set(row) for row in got.json)
    limit = {"new-products": "2", "productsinformation": "24"}.get(name, "10")
    assert got.headers["x-ratelimit-limit"] == limit


@pytest.mark.parametrize("name", FIXED)
def test_other_lists_need_no_taxonomy(bigbuy: BigBuy, name: str) -> None:
    rows = get(bigbuy, f"catalog/{name}").json
    assert rows
    assert all("id" in row for row in rows)


def test_categories_are_empty_and_removed_lists_are_gone(bigbuy: BigBuy) -> None:
    assert get(bigbuy, "catalog/categories").json == []
    assert {get(bigbuy, f"catalog/{name}", **OF_TAXONOMY).status for name in REMOVED} == {404}


def test_one_product_is_told_with_its_price_as_text_once_in_five_seconds(bigbuy: BigBuy, clock: ManualClock) -> None:
    offer = bigbuy.world.offers[0]

    one = get(bigbuy, f"catalog/product/{offer.id}")
    assert one.json["wholesalePrice"] == f"{offer.cost:.2f}"
    refused = get(bigbuy, f"catalog/productinformationbysku/{offer.sku}")
    assert (refused.status, refused.headers["content-type"]) == (429, "text/plain")
    clock.advance(5)
    assert get(bigbuy, f"catalog/productinformationbysku/{offer.sku}").json[0]["name"] == offer.name
    clock.advance(5)
    unknown = get(bigbuy, "catalog/productstockbyhandlingdays/1")
    assert (unknown.status, unknown.body) == (200, b"")


def test_an_order_is_checked_placed_once_and_read_back(bigbuy: BigBuy) -> None:
    asked = an_order(bigbuy)

    checked = post(bigbuy, "order/check", asked).json
    assert set(checked) == {"totalWithoutTaxesAndWithoutShippingCost", "totalWithoutTaxes", "total"}
    made = post(bigbuy, "order/create", asked)
    number = made.headers["location"].removeprefix("/rest/order/")
    assert (made.status, made.body) == (201, b"")
    again = post(bigbuy, "order/create", asked).json
    assert (again["code"], again["orderId"]) == ("ER008", int(number))
    for path in (f"order/{number}", "order/reference/onh-1", f"order/delivery-notes/{number}"):
        read = get(bigbuy, path).json
        assert (read["internalReference"], read["products"]) == ("onh-1", asked["order"]["products"])
    assert get(bigbuy, "order/1").body == b""


def test_tracking_is_told_of_one_order_and_of_several(bigbuy: BigBuy) -> None:
    number = post(bigbuy, "order/create", an_order(bigbuy)).headers["location"].rpartition("/")[2]
    asked = {"track": {"orders": [{"id": number}, {"id": "1"}]}}

    assert get(bigbuy, f"tracking/order/{number}").body == b""
    assert post(bigbuy, "tracking/orders", asked).body == b""
    bigbuy.world.ship("onh-1")
    assert get(bigbuy, f"tracking/order/{number}").json == post(bigbuy, "tracking/orders", asked).json
    (row,) = post(bigbuy, "tracking/orders", asked).json
    assert (row["reference"], row["trackings"][0]["trackingNumber"]) == ("onh-1", f"TRK{number}")


def test_what_is_missing_in_a_body_is_refused_field_by_field(bigbuy: BigBuy) -> None:
    bodies: list[dict[str, Any]] = [{}, {"order": {}}, {"order": []}, {"track": {}}]
    for body in bodies:
        for path in ("order/create", "order/check", "shipping/orders", "tracking/orders"):
            got = post(bigbuy, path, body)
            assert (got.status, got.json["message"]) == (400, "Validation Failed")
            assert list(got.json["errors"]) == ["children"]


def test_carriers_states_and_the_cheapest_way_are_told(bigbuy: BigBuy) -> None:
    assert get(bigbuy, "shipping/carriers").json == get(bigbuy, "tracking/carriers").json
    assert [row["id"] for row in get(bigbuy, "order/orderstatuses").json] == [1, 2, 3, 4]
    costs = get(bigbuy, "shipping/lowest-shipping-costs-by-country/es").json
    assert {row["cost"] for row in costs} == {None, "4.20"}
    assert len(costs) == len(bigbuy.world.offers)
