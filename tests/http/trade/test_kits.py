"""Kits over HTTP: made of products on the shelf, sold as one, drawn and put back in one commit."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.http.trade.drop_ship import ADDRESS
from tests.http.trade.shop import Shop


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def bill(*parts: tuple[str, int]) -> dict[str, Any]:
    return {"components": [{"product_id": name, "quantity": units} for name, units in parts]}


def test_a_kit_says_how_often_it_can_be_put_together_in_each_store(shop: Shop) -> None:
    cup, bag = shop.a_product("Cup", stock=7, sku="CUP"), shop.a_product("Tea", stock=9, sku="TEA")
    north = shop.a_store("North")
    shop.put(cup, 4, north)
    shop.put(bag, 2, north)
    gift = shop.a_product("Gift", sku="GIFT")

    made = shop.operator.put(f"/api/v1/products/{gift}/kit", bill((cup, 2), (bag, 1)))

    assert made.status == 200
    assert made.json == {
        "id": gift,
        "sku": "GIFT",
        "name": "Gift",
        "components": [
            {"product_id": cup, "sku": "CUP", "name": "Cup", "quantity": 2, "available": 11},
            {"product_id": bag, "sku": "TEA", "name": "Tea", "quantity": 1, "available": 11},
        ],
        "available": 5,
        "stores": sorted(
            [{"store_id": shop.main, "available": 3}, {"store_id": north, "available": 2}],
            key=lambda one: str(one["store_id"]),
        ),
        "version": 2,
    }
    assert shop.viewer.get(f"/api/v1/products/{gift}/kit").json == made.json
    product = shop.viewer.get(f"/api/v1/products/{gift}?include=kit").json
    assert product["kit"] == made.json
    assert product["current_stock"] == 0
    assert shop.viewer.get(f"/api/v1/products/{cup}?include=kit").json["kit"] is None
    assert "kit" not in shop.viewer.get(f"/api/v1/products/{gift}").json


def test_a_kit_is_sold_at_its_price_and_drawn_from_its_components(shop: Shop) -> None:
    cup, bag = shop.a_product("Cup", stock=7, sku="CUP"), shop.a_product("Tea", stock=9, sku="TEA")
    gift = shop.kit("Gift", {cup: 2, bag: 3}, sale_price="9.99", sku="GIFT")

    sale = shop.buy((gift, 2), (cup, 1)).json

    assert sale["total_amount"] == 22.48
    kit, plain = sale["items"]
    assert (kit["product_id"], kit["quantity"], kit["unit_price"], kit["line_total"]) == (gift, 2, 9.99, 19.98)
    assert kit["components"] == [
        {"product_id": cup, "sku": "CUP", "product_name": "Cup", "quantity": 4},
        {"product_id": bag, "sku": "TEA", "product_name": "Tea", "quantity": 6},
    ]
    assert "components" not in plain
    assert [(one["quantity"], one["reference"]) for one in shop.movements(cup)[1:]] == [(-5, sale["id"])]
    assert [one["quantity"] for one in shop.movements(bag)] == [9, -6]
    assert shop.movements(gift) == []
    assert shop.viewer.get(f"/api/v1/sales/{sale['id']}").json == sale
    shop.drain()
    day = shop.clock.now().date().isoformat()
    report = shop.viewer.get(f"/api/v1/sales/report?start={day}&end={day}").json
    assert report["buckets"][0]["quantity_by_products"] == {f"{gift},Gift": 2, f"{cup},Cup": 1}


def test_a_basket_short_of_a_shared_component_names_it(shop: Shop) -> None:
    cup, pot = shop.a_product("Cup", stock=5, sku="CUP"), shop.a_product("Pot", stock=1)
    gift = shop.kit("Gift", {cup: 2}, sku="GIFT")

    sale = shop.buy((gift, 1), (pot, 1), (cup, 4)).json

    assert [line["product_id"] for line in sale["items"]] == [pot]
    blamed = {"product_id": cup, "sku": "CUP", "available": 5, "requested": 6}
    said = {"reason": "insufficient_stock", "available_elsewhere": None, "component": blamed}
    assert sale["failed_items"] == [
        {"product_id": gift, "sku": "GIFT", "quantity": 1, "available": 2, **said},
        {"product_id": cup, "sku": "CUP", "quantity": 4, "available": 5, **said},
    ]
    assert shop.on_hand(cup) == 5


def test_what_fails_by_itself_takes_nothing_from_the_others(shop: Shop) -> None:
    cup, bag = shop.a_product("Cup", stock=5), shop.a_product("Tea", stock=1, sku="TEA")
    gift = shop.kit("Gift", {cup: 2, bag: 2})

    sale = shop.buy((gift, 1), (cup, 5)).json

    assert [line["product_id"] for line in sale["items"]] == [cup]
    (failed,) = sale["failed_items"]
    assert (failed["available"], failed["component"]) == (
        0,
        {"product_id": bag, "sku": "TEA", "available": 1, "requested": 2},
    )


def test_a_kit_of_a_paused_component_is_not_sold(shop: Shop) -> None:
    cup = shop.a_product("Cup", stock=5, sku="CUP")
    gift = shop.kit("Gift", {cup: 1})
    shop.change(cup, status="paused")

    refused = shop.unchanged(lambda: shop.buy((gift, 1)))

    assert refused.status == 409
    (failed,) = refused.json["failed_items"]
    assert failed["reason"] == "inactive"
    assert failed["component"] == {"product_id": cup, "sku": "CUP", "available": None, "requested": None}


def test_returns_and_voids_put_the_components_back(shop: Shop) -> None:
    cup, bag = shop.a_product("Cup", stock=8), shop.a_product("Tea", stock=8)
    gift = shop.kit("Gift", {cup: 2, bag: 1}, sale_price="9.99")
    sale = shop.buy((gift, 3), (cup, 1)).json
    shop.operator.put(f"/api/v1/products/{gift}/kit", bill((bag, 7)))

    one = shop.operator.post(f"/api/v1/sales/{sale['id']}/returns", {"items": [{"product_id": gift, "quantity": 1}]})

    assert one.status == 201
    assert (one.json["total_amount"], one.json["items"][0]["line_total"]) == (9.99, 9.99)
    assert [each["quantity"] for each in one.json["items"][0]["components"]] == [2, 1]
    assert (shop.on_hand(cup), shop.on_hand(bag)) == (3, 6)
    voided = shop.manager.post(f"/api/v1/sales/{sale['id']}/void", {})
    assert voided.json["total_amount"] == 22.48
    assert (shop.on_hand(cup), shop.on_hand(bag)) == (8, 8)
    told = shop.viewer.get(f"/api/v1/sales/{sale['id']}/returns").json["items"]
    assert told == [one.json, voided.json]


def test_kits_do_not_nest_and_name_each_component_once(shop: Shop) -> None:
    cup, bag, gift = shop.a_product("Cup"), shop.a_product("Tea"), shop.a_product("Gift")
    box = shop.kit("Box", {cup: 1})

    def refused(product_id: str, *parts: tuple[str, int]) -> tuple[int, str]:
        path = f"/api/v1/products/{product_id}/kit"
        answer = shop.unchanged(lambda: shop.operator.put(path, bill(*parts)))
        said = answer.json.get("errors")
        return answer.status, f"{said[0]['pointer']} {said[0]['code']}" if said else answer.json["error"]

    assert refused(gift, (bag, 1), (box, 1)) == (422, "/components/1 nested_kit")
    assert refused(cup, (bag, 1)) == (409, "Invalid state")
    assert refused(gift, (gift, 1)) == (422, "/components/0 own_component")
    assert refused(gift, (cup, 1), (cup, 2)) == (422, "/components/1 duplicate")
    assert refused(gift, ("prd_none", 1)) == (404, "Not found")
    assert refused("prd_none", (cup, 1)) == (404, "Not found")
    assert refused(gift)[0] == 422
    assert refused(gift, (cup, 0))[0] == 422


def test_goods_that_lie_on_a_shelf_or_are_on_order_become_no_kit(shop: Shop) -> None:
    cup, gift = shop.a_product("Cup", stock=1), shop.a_product("Gift", stock=1)
    ordered = shop.a_product("Ordered")
    shop.operator.post("/api/v1/transfer-orders", {"to_store_id": shop.main, "product_id": ordered, "quantity": 1})

    def refused(product_id: str) -> int:
        path = f"/api/v1/products/{product_id}/kit"
        return shop.unchanged(lambda: shop.operator.put(path, bill((cup, 1)))).status

    assert (refused(gift), refused(ordered)) == (409, 409)


def test_orders_name_components_instead_of_kits(shop: Shop) -> None:
    cup = shop.a_product("Cup", stock=1)
    gift = shop.kit("Gift", {cup: 1})
    moved = {"to_store_id": shop.main, "product_id": gift, "quantity": 1}
    wanted = {"shipping_address": ADDRESS, "items": [{"product_id": gift, "quantity": 1}]}

    transfer = shop.unchanged(lambda: shop.operator.post("/api/v1/transfer-orders", moved))
    order = shop.unchanged(lambda: shop.operator.post("/api/v1/orders", wanted))

    assert [(one.status, one.json["errors"][0]["code"]) for one in (transfer, order)] == [(422, "is_kit")] * 2
    assert [one.json["errors"][0]["pointer"] for one in (transfer, order)] == ["/product_id", "/items/0"]


def test_a_kit_is_changed_under_its_tag_and_dissolved(shop: Shop) -> None:
    cup, bag = shop.a_product("Cup", stock=5, sku="CUP"), shop.a_product("Tea", stock=5)
    gift = shop.kit("Gift", {cup: 1})
    path = f"/api/v1/products/{gift}/kit"
    tag = shop.viewer.get(f"/api/v1/products/{gift}").headers["ETag"]

    changed = shop.operator.put(path, {"components": [{"sku": "cup", "quantity": 2}]}, {"If-Match": tag})

    assert (changed.status, changed.json["version"]) == (200, 3)
    assert shop.unchanged(lambda: shop.operator.put(path, bill((bag, 1)), {"If-Match": tag})).status == 412
    assert shop.unchanged(lambda: shop.operator.put(path, {**bill((bag, 1)), "version": 2})).status == 412
    assert shop.unchanged(lambda: shop.operator.put(path, bill((cup, 2)))).json == changed.json
    history = shop.viewer.get(f"/api/v1/products/{gift}/changes").json["items"]
    (told,) = [one["changes"] for one in history if one["version"] == changed.json["version"]]
    before, after = ([{"product_id": cup, "quantity": units}] for units in (1, 2))
    assert told == [{"field": "kit", "before": before, "after": after}]
    assert shop.unchanged(lambda: shop.operator.delete(path, headers={"If-Match": tag})).status == 412
    assert shop.operator.delete(path).status == 204
    assert shop.viewer.get(path).status == 404
    assert shop.operator.delete(path).status == 404
    assert shop.buy((gift, 1)).status == 409
    assert shop.operator.put(f"/api/v1/products/{cup}/kit", bill((bag, 1))).status == 409  # it has stock
    shop.kit("Other", {gift: 1})


def test_a_viewer_makes_no_kit(shop: Shop) -> None:
    cup, gift = shop.a_product("Cup"), shop.a_product("Gift")
    path = f"/api/v1/products/{gift}/kit"

    assert shop.unchanged(lambda: shop.viewer.put(path, bill((cup, 1)))).status == 403
    assert shop.unchanged(lambda: shop.viewer.delete(path)).status == 403


def test_a_basket_takes_a_bounded_number_of_products_from_the_shelf(shop: Shop) -> None:
    goods = [shop.a_product(f"G{number}", stock=1) for number in range(160)]
    kits = [shop.kit(f"Kit {at}", dict.fromkeys(goods[at : at + 20], 1)) for at in range(0, 160, 20)]

    refused = shop.unchanged(lambda: shop.buy(*[(kit, 1) for kit in kits]))

    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "too_many_components")
    assert shop.buy(*[(kit, 1) for kit in kits[:6]]).status == 201


def test_of_two_that_would_nest_kits_at_once_one_is_refused(shop: Shop) -> None:
    for number in range(8):
        outer, inner, part = (shop.a_product(f"{name} {number}") for name in ("Outer", "Inner", "Part"))
        statuses: list[int] = []
        start = threading.Barrier(2)

        def define(kit: str, component: str, start: threading.Barrier = start, told: list[int] = statuses) -> None:
            client = shop.operator
            start.wait(30)
            told.append(client.put(f"/api/v1/products/{kit}/kit", bill((component, 1))).status)

        threads = [threading.Thread(target=define, args=pair) for pair in ((outer, inner), (inner, part))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert sorted(statuses) in ([200, 409], [200, 422])
