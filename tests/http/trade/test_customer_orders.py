"""Customers' orders over HTTP: kept, moved by hand, tracked."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.http.trade.drop_ship import ADDRESS, DropShip


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> DropShip:
    return DropShip(tmp_path)


def test_an_order_is_kept_with_prices_of_its_products(shop: DropShip) -> None:
    order = shop.order({"product_id": shop.cup, "quantity": 2}, {"sku": "pen-1", "quantity": 3, "unit_price": "1.00"})

    keys = (
        "id order_number platform status customer_email shipping_address shipping_method notes items auto_fulfill"
        " total_amount currency supplier_orders fulfillment_job_id created_at updated_at version"
    )
    assert list(order) == keys.split()
    assert shop.read(order) == order
    assert (order["order_number"], order["platform"], order["status"]) == ("CO000001", "manual", "pending")
    assert (order["total_amount"], order["currency"], order["version"]) == (8.0, "EUR", 1)
    assert order["shipping_address"]["country_code"] == "DE"
    assert [(one["sku"], one["quantity"], one["unit_price"], one["fulfillment_status"]) for one in order["items"]] == [
        ("CUP-1", 2, 2.5, "pending"),
        ("PEN-1", 3, 1.0, "pending"),
    ]
    assert shop.order()["order_number"] == "CO000002"


def test_a_number_belongs_to_one_order(shop: DropShip) -> None:
    shop.order(order_number="CO000001")
    body = {"order_number": "CO000001", "shipping_address": ADDRESS, "items": [{"product_id": shop.cup, "quantity": 1}]}

    taken = shop.unchanged(lambda: shop.operator.post("/api/v1/orders", body))

    assert (taken.status, taken.json["field"]) == (409, "order_number")
    assert shop.order()["order_number"] == "CO000002"


@pytest.mark.parametrize(
    ("said", "status", "pointer"),
    [
        ({"items": []}, 422, "/items"),
        ({"items": [{"product_id": "nothing", "quantity": 1}]}, 404, "product"),
        ({"items": [{"sku": "nothing", "quantity": 1}]}, 404, "product"),
        ({"items": [{"quantity": 1}]}, 422, "/items/0/product_id"),
        ({"shipping_address": {**ADDRESS, "country_code": "DEU"}}, 422, "/shipping_address/country_code"),
        ({"shipping_address": {**ADDRESS, "country_code": "ZZ"}}, 422, "/shipping_address/country_code"),
        ({"shipping_address": {**ADDRESS, "city": ""}}, 422, "/shipping_address/city"),
        ({"shipping_address": {}}, 422, "/shipping_address/address1"),
        ({"customer_email": "nobody"}, 422, "/customer_email"),
        ({"status": "shipped"}, 422, "/status"),
    ],
)
def test_an_order_that_cannot_be_is_refused(shop: DropShip, said: dict[str, Any], status: int, pointer: str) -> None:
    body = {"shipping_address": ADDRESS, "items": [{"product_id": shop.cup, "quantity": 1}], **said}

    answer = shop.unchanged(lambda: shop.operator.post("/api/v1/orders", body))

    assert answer.status == status
    assert answer.json.get("resource", answer.codes[0][0] if answer.codes else "") == pointer


def test_lists_filter_by_state_platform_and_words(shop: DropShip) -> None:
    first = shop.order(platform="shopify", customer_email="ada@example.com")
    shop.clock.advance(1)
    second = shop.order(order_number="WEB-77", platform="web")

    def listed(**query: Any) -> list[str]:
        return [one["id"] for one in shop.viewer.get("/api/v1/orders", **query).json["items"]]

    assert listed() == [second["id"], first["id"]]
    assert listed(platform="web") == listed(search="web 77") == [second["id"]]
    assert listed(search="ada", status="pending") == [first["id"]]
    assert listed(status="shipped") == []
    assert shop.viewer.get("/api/v1/orders", page=1).json["total_pages"] == 1
    assert shop.viewer.get("/api/v1/orders", status="lost").status == 422


def test_a_person_moves_an_order_along_its_way_only(shop: DropShip) -> None:
    order = shop.order()
    path = f"/api/v1/orders/{order['id']}/status"

    refused = shop.unchanged(lambda: shop.operator.patch(path, {"status": "delivered"}))
    assert (refused.status, refused.json["current"], refused.json["allowed"]) == (
        409,
        "pending",
        ["processing", "cancelled"],
    )
    assert shop.operator.patch(f"{path}?status=processing").json["status"] == "processing"
    assert shop.operator.patch(path, {"status": "shipped"}).json["status"] == "shipped"
    assert shop.operator.patch(path, {"status": "delivered"}).json["version"] == 4
    assert shop.operator.patch(path).codes == [("/status", "missing")]
    assert shop.operator.patch(path, {"status": "fulfilled"}).status == 409
    assert shop.operator.patch("/api/v1/orders/cor_none/status", {"status": "shipped"}).status == 404


def test_tracking_an_item_ships_it_and_the_last_one_ships_the_order(shop: DropShip) -> None:
    order = shop.order()
    first, last = (f"/api/v1/orders/{order['id']}/items/{item['id']}" for item in order["items"])

    one = shop.operator.patch(first, {"tracking_number": "T1", "carrier": "DHL"}).json
    both = shop.operator.patch(last, {"shipped_at": "2026-01-14T08:00:00Z"}).json

    assert (one["status"], one["items"][0]["tracking_number"], one["items"][0]["fulfillment_status"]) == (
        "pending",
        "T1",
        "shipped",
    )
    assert one["items"][0]["shipped_at"] == "2026-01-15T10:30:00.000000Z"
    assert (both["status"], both["items"][1]["shipped_at"]) == ("shipped", "2026-01-14T08:00:00.000000Z")
    assert shop.operator.patch(f"/api/v1/orders/{order['id']}/items/none", {}).json["resource"] == "item"
    assert shop.operator.patch(first, {}, headers={"If-Match": '"old"'}).status == 412


def test_a_change_by_patch_may_name_its_version(shop: DropShip) -> None:
    order = shop.order()
    path, item = f"/api/v1/orders/{order['id']}", order["items"][0]["id"]

    for at, body in ((f"{path}/status", {"status": "processing"}), (f"{path}/items/{item}", {"carrier": "DHL"})):
        stale = shop.unchanged(partial(shop.operator.patch, at, {**body, "version": 7}))
        assert (stale.problem, stale.codes) == ("PreconditionFailed", [("/version", "stale")]), at
    assert shop.operator.patch(f"{path}/status", {"status": "processing", "version": 1}).json["version"] == 2
    assert shop.operator.patch(f"{path}/items/{item}", {"carrier": "DHL", "version": 2}).json["version"] == 3


def test_an_item_of_an_unknown_supplier_is_refused(tmp_path: Path) -> None:
    shop = DropShip(tmp_path)
    items = [
        {"product_id": shop.pen, "quantity": 1, "supplier_id": "sup_a"},
        {"product_id": shop.cup, "quantity": 1, "supplier_id": "sup_none"},
    ]
    body = {"shipping_address": ADDRESS, "items": items}

    refused = shop.unchanged(lambda: shop.operator.post("/api/v1/orders", body))

    assert (refused.status, refused.codes) == (422, [("/items/1/supplier_id", "unknown_supplier")])
