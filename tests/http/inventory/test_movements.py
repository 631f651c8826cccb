"""Adjusting, moving and the ledger over HTTP."""

from typing import Any

import pytest

from shared.inventory.models import Movement
from shared.ports.documents import Query
from tests.http.inventory.builders import Shop, ok

ADJUST, BULK = "/api/v1/inventory/adjust", "/api/v1/inventory/adjust/bulk"
TRANSFER, MOVEMENTS = "/api/v1/inventory/transfer", "/api/v1/inventory/movements"


def test_an_adjustment_answers_its_movement(shop: Shop) -> None:
    product = shop.product("CUP")
    shop.stock(product, 20)

    movement = ok(
        shop.operator.post(ADJUST, {"sku": "cup", "quantity": -5, "reason": "broken", "reference": "claim-1"})
    )

    assert movement == {
        "id": movement["id"],
        "product_id": product,
        "product_sku": "CUP",
        "product_name": "Product CUP",
        "store_id": shop.app.stores.ensure_default(),
        "transaction_type": "removal",
        "quantity": -5,
        "previous_stock": 20,
        "new_stock": 15,
        "reason": "broken",
        "reference": "claim-1",
        "user_id": "usr_operator",
        "created_at": movement["created_at"],
    }
    assert list(movement) == [name for name in Movement.model_fields if name != "lots"]
    assert ok(shop.viewer.get(MOVEMENTS))["items"][0] == movement


@pytest.mark.parametrize(
    ("body", "status", "extra"),
    [
        ({"quantity": -21}, 409, {"available": 20, "requested": 21}),
        ({"quantity": 1, "expected_quantity": 19}, 409, {"current_quantity": 20}),
        ({"quantity": 1_000_000_000}, 409, {"current": 20}),
        ({"quantity": 0}, 422, {}),
        ({"quantity": 1.5}, 422, {}),
        ({"quantity": True}, 422, {}),
        ({"quantity": 1, "id": "mov_1"}, 422, {}),
        ({"quantity": 1, "reason": "x" * 256}, 422, {}),
        ({"quantity": 1, "product_id": "prd_none"}, 404, {"resource": "product"}),
        ({"quantity": 1, "store_id": "sto_none"}, 404, {"resource": "store"}),
        ({"quantity": 1, "sku": "OTHER"}, 422, {}),
    ],
)
def test_a_refused_adjustment_changes_nothing(shop: Shop, body: dict[str, Any], status: int, extra: Any) -> None:
    product = shop.product("CUP")
    level = shop.stock(product, 20)

    answer = shop.operator.post(ADJUST, {"product_id": product, **body})

    assert answer.status == status
    assert {name: answer.json[name] for name in extra} == extra
    assert shop.level(product, level["store_id"]) == level
    assert shop.app.store.count(Query("movements")) == 1


def test_a_removal_without_a_level_finds_nothing_available(shop: Shop) -> None:
    answer = shop.operator.post(ADJUST, {"product_id": shop.product(), "quantity": -1})

    assert (answer.status, answer.json["available"], answer.json["requested"]) == (409, 0, 1)
    assert shop.operator.post(ADJUST, {"quantity": 1}).codes == [("/product_id", "missing")]
    assert shop.operator.post(ADJUST, {"sku": "NONE", "quantity": 1}).json["resource"] == "product"


def test_callers_bound_to_a_store_change_that_store_only(shop: Shop) -> None:
    own, other = shop.store("Own"), shop.store("Other")
    product = shop.product()
    bound = shop.bound(own)

    assert ok(bound.post(ADJUST, {"product_id": product, "quantity": 3}))["store_id"] == own
    body = {"product_id": product, "quantity": 1, "store_id": other}
    assert bound.post(ADJUST, body).problem == "Forbidden"
    assert bound.post(ADJUST, {**body, "product_id": "prd_none"}).problem == "NotFound"
    move = {"product_id": product, "from_store_id": own, "to_store_id": other, "quantity": 1}
    assert [each["store_id"] for each in ok(bound.post(TRANSFER, move))["movements"]] == [own, other]
    third = {**move, "from_store_id": other, "to_store_id": shop.app.stores.ensure_default()}
    assert bound.post(TRANSFER, third).problem == "Forbidden"


def test_bulk_is_all_or_nothing_and_names_every_failure(shop: Shop) -> None:
    product = shop.product("CUP")
    shop.stock(product, 5)
    items = [
        {"product_id": product, "quantity": 2},
        {"product_id": product, "quantity": -9},
        {"sku": "NONE", "quantity": 1},
        {"product_id": product, "quantity": -7, "expected_quantity": 7},
    ]

    answer = shop.operator.post(BULK, {"items": items})

    assert (answer.status, answer.problem) == (409, "InsufficientStock")
    assert [(item["index"], item["reason"]) for item in answer.json["failed_items"]] == [
        (1, "insufficient_stock"),
        (2, "not_found"),
    ]
    assert shop.app.store.count(Query("movements")) == 1


def test_partial_bulk_makes_what_can_be_made_in_order(shop: Shop) -> None:
    product = shop.product("CUP")
    level = shop.stock(product, 5)
    items = [{"product_id": product, "quantity": quantity} for quantity in (-5, -1, 3, -2)]

    answer = ok(shop.operator.post(BULK, {"items": items, "mode": "partial"}))

    assert [(each["previous_stock"], each["new_stock"]) for each in answer["movements"]] == [(5, 0), (0, 3), (3, 1)]
    (failed,) = answer["failed_items"]
    assert (failed["index"], failed["reason"], failed["available"], failed["requested"]) == (
        1,
        "insufficient_stock",
        0,
        1,
    )
    assert shop.level(product, level["store_id"])["on_hand"] == 1


def test_an_item_that_is_refused_in_a_partial_bulk_makes_no_level_and_stops_no_other(shop: Shop) -> None:
    cup, bowl = shop.product("CUP"), shop.product("BOWL")
    shop.stock(cup, 5)
    items = [
        {"product_id": bowl, "quantity": 2, "expected_quantity": 9},
        {"product_id": cup, "quantity": 1_000_000_000},
        {"product_id": cup, "quantity": 1},
    ]

    answer = ok(shop.operator.post(BULK, {"items": items, "mode": "partial"}))

    assert [(each["product_id"], each["new_stock"]) for each in answer["movements"]] == [(cup, 6)]
    failed = [(each["index"], each["reason"]) for each in answer["failed_items"]]
    assert failed == [(0, "quantity_mismatch"), (1, "invalid_state")]
    assert ok(shop.viewer.get("/api/v1/inventory", product_id=bowl))["items"] == []


def test_a_bulk_has_1_to_100_items(shop: Shop) -> None:
    items = [{"product_id": shop.product("CUP"), "quantity": 1}]

    assert shop.operator.post(BULK, {"items": []}).status == 422
    assert shop.operator.post(BULK, {"items": items * 101}).status == 422


def test_a_transfer_is_two_movements_in_one_commit(shop: Shop) -> None:
    product, here, there = shop.product(), shop.store("Here"), shop.store("There")
    shop.stock(product, 5, here)
    body = {"product_id": product, "from_store_id": here, "to_store_id": there, "quantity": 3, "reason": "season"}

    out, into = ok(shop.operator.post(TRANSFER, body))["movements"]

    assert (out["transaction_type"], out["quantity"], out["new_stock"]) == ("transfer_out", -3, 2)
    assert (into["transaction_type"], into["quantity"], into["new_stock"]) == ("transfer_in", 3, 3)
    assert shop.operator.post(TRANSFER, body).json["available"] == 2
    assert shop.operator.post(TRANSFER, {**body, "to_store_id": here}).status == 422
    assert shop.operator.post(TRANSFER, {**body, "quantity": 0}).status == 422
    assert shop.operator.post(TRANSFER, {**body, "to_store_id": "sto_none"}).json["resource"] == "store"
    assert [shop.level(product, store)["on_hand"] for store in (here, there)] == [2, 3]


def test_movements_are_filtered_and_paged_newest_first(shop: Shop) -> None:
    cup, bowl, other = shop.product("CUP"), shop.product("BOWL"), shop.store("Other")
    for product, units, store in ((cup, 5, None), (bowl, 7, other), (cup, 2, other)):
        shop.stock(product, units, store)
        shop.clock.advance(60)
    ok(shop.operator.post(ADJUST, {"product_id": cup, "quantity": -1}))

    def moved(path: str = MOVEMENTS, **query: Any) -> list[int]:
        return [each["quantity"] for each in ok(shop.viewer.get(path, **query))["items"]]

    assert moved() == [-1, 2, 7, 5]
    assert moved(product_id=cup) == [-1, 2, 5]
    assert moved(product_id=cup, store_id=other) == [2]
    assert moved(transaction_type="removal") == [-1]
    assert moved(transaction_type=["addition", "removal"], product_id=[cup, bowl]) == [-1, 2, 7, 5]
    assert moved(product_id="prd_none") == []
    assert moved(sort="created_at", limit=2) == [5, 7]
    second = ok(shop.viewer.get(MOVEMENTS, sort="created_at"))["items"][1]["created_at"]
    assert moved(created_from=second, created_to=second) == [7]
    assert moved(f"/api/v1/inventory/products/{cup}/history", store_id=other) == [2]
    assert shop.viewer.get("/api/v1/inventory/products/prd_none/history").problem == "NotFound"
    assert shop.viewer.get(MOVEMENTS, transaction_type="gift").status == 422


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (ADJUST, {"product_id": "prd_cup", "quantity": -2}),
        (BULK, {"items": [{"product_id": "prd_cup", "quantity": -2}]}),
        (TRANSFER, {"product_id": "prd_cup", "quantity": 2}),
        ("/api/v1/inventory/reservations", {"product_id": "prd_cup", "quantity": 2}),
    ],
)
def test_a_repeated_request_has_one_effect_and_the_same_answer(shop: Shop, path: str, body: dict[str, Any]) -> None:
    store, other = shop.store("Here"), shop.store("There")
    shop.stock(shop.product("CUP"), 5, store)
    shop.stock("prd_cup", 5)
    if path == TRANSFER:
        body = {**body, "from_store_id": store, "to_store_id": other}
    before = shop.app.store.count(Query("movements"))
    key = {"Idempotency-Key": "once"}

    first, again = (shop.operator.post(path, body, headers=key) for _ in range(2))
    changed = shop.operator.post(path, {**body, "reference": "x"}, headers=key) if path == ADJUST else None

    assert (first.status, first.body) == (again.status, again.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    made = shop.app.store.count(Query("movements")) - before + shop.app.store.count(Query("reservations"))
    assert made == (2 if path == TRANSFER else 1)
    assert changed is None or changed.problem == "IdempotencyKeyReused"
