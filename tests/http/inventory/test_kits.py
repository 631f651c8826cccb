"""Kits have no stock of their own: whatever brings units to one, or holds some, is refused and changes nothing."""

from typing import Any

from tests.http.inventory.builders import Shop, ok

LEVELS = "/api/v1/inventory"


def a_product(shop: Shop, name: str) -> str:
    return str(ok(shop.manager.post("/api/v1/products", {"name": name, "sale_price": 2.5}), 201)["id"])


def test_no_units_are_booked_on_a_kit_or_held_of_it(shop: Shop) -> None:
    cup, gift, box = (a_product(shop, name) for name in ("Cup", "Gift", "Box"))
    store = shop.store("North Hub")
    level = shop.stock(gift, 3, store)
    ok(shop.operator.post(f"{LEVELS}/adjust", {"product_id": gift, "store_id": store, "quantity": -3}))
    for name in (gift, box):
        bill = {"components": [{"product_id": cup, "quantity": 1}]}
        ok(shop.operator.put(f"/api/v1/products/{name}/kit", bill))

    def seen() -> list[Any]:
        return [
            ok(shop.viewer.get(path))["items"] for path in (LEVELS, f"{LEVELS}/movements", f"{LEVELS}/reservations")
        ]

    before, of_gift, of_box = seen(), {"product_id": gift, "store_id": store}, {"product_id": box, "store_id": store}
    refused = [
        shop.operator.post(f"{LEVELS}/adjust", {**of_gift, "quantity": 1}),
        shop.operator.post(f"{LEVELS}/adjust", {**of_box, "quantity": 1}),
        shop.operator.post(f"{LEVELS}/adjust/bulk", {"items": [{**of_gift, "quantity": 1}]}),
        shop.operator.post(LEVELS, {**of_box, "on_hand": 0}),
        shop.operator.patch(f"{LEVELS}/{level['id']}", {"on_hand": 2}),
        shop.operator.post(f"{LEVELS}/{level['id']}/lots/count", {"items": [{"lot": "A", "quantity": 2}]}),
        shop.operator.post(f"{LEVELS}/reservations", {**of_gift, "quantity": 1}),
    ]

    assert [(answer.status, answer.codes[0][1]) for answer in refused] == [(422, "is_kit")] * 7
    assert seen() == before
    assert shop.operator.delete(f"/api/v1/products/{gift}/kit").status == 204
    assert shop.stock(gift, 1, store)["on_hand"] == 1  # the control: a product that is none takes units


def test_units_that_come_back_to_what_became_a_kit_can_be_taken_out(shop: Shop) -> None:
    cup, gift, store = a_product(shop, "Cup"), a_product(shop, "Gift"), shop.store("North Hub")
    shop.stock(gift, 2, store)
    sale = ok(
        shop.operator.post("/api/v1/sales", {"store_id": store, "items": [{"product_id": gift, "quantity": 2}]}), 201
    )
    ok(shop.operator.put(f"/api/v1/products/{gift}/kit", {"components": [{"product_id": cup, "quantity": 1}]}))
    ok(shop.manager.post(f"/api/v1/sales/{sale['id']}/void", {"reason": "changed mind"}), 201)

    assert shop.level(gift, store)["on_hand"] == 2
    ok(shop.operator.post(f"{LEVELS}/adjust", {"product_id": gift, "store_id": store, "quantity": -2}))
    assert shop.level(gift, store)["on_hand"] == 0
