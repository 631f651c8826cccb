"""The stock and store paths of the store operations demo and of the shop backend: the same stock under other names."""

from pathlib import Path
from typing import Any

import pytest

from shared.catalog.categories import Categories
from shared.catalog.change_models import NewProduct
from shared.catalog.products import Products
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.unit.inventory.builders import OPERATOR

LEVELS = "/api/inventory"


def test_the_tag_of_an_older_path_serves_a_change_until_the_store_changes(shop: Shop) -> None:
    made = shop.manager.post("/api/stores", {"store_name": "Pier", "region": "West", "store_type": "Tourist"})
    path = f"/api/stores/{made.json['data']['store_id']}"
    read = shop.viewer.get(path).headers["ETag"]
    canonical = shop.viewer.get(f"/api/v1{path[4:]}").headers["ETag"]

    changed = shop.manager.put(path, {"name": "Quay"}, headers={"If-Match": read})
    stale = shop.manager.put(path, {"name": "Dock"}, headers={"If-Match": read})

    assert read.partition(".")[0] == canonical.partition(".")[0]
    assert (changed.status, stale.status) == (200, 412)
    assert ok(shop.viewer.get(path))["name"] == "Quay"


def test_stores_are_made_changed_and_listed(shop: Shop) -> None:
    body = {"store_name": "Harbour", "region": "West", "store_type": "Tourist", "store_code": "HB", "owner": "ignored"}
    made = shop.manager.post("/api/stores", body)
    store_id = made.json["data"]["store_id"]

    assert made.status == 201
    assert {name: made.json[name] for name in ("success", "error")} == {"success": True, "error": None}
    assert made.headers["Link"] == '</api/v1/stores>; rel="successor-version"'
    shown = ok(shop.viewer.get(f"/api/stores/{store_id}"))
    assert list(shown) == [
        *("id", "store_id", "name", "store_name", "store_code", "region", "store_type", "address", "city", "state"),
        *("zip_code", "manager_id", "created_at"),
    ]
    assert (shown["name"], shown["store_code"], shown["region"]) == ("Harbour", "HB", "West")
    changed = ok(shop.manager.put(f"/api/stores/{store_id}", {**shown, "store_name": "Quay"}))["data"]
    assert (changed["name"], changed["store_name"]) == ("Quay", "Quay")
    assert shop.manager.put(f"/api/stores/{store_id}", {"name": "A", "store_name": "B"}).codes == [
        ("/store_name", "conflict")
    ]
    shop.app.stores.ensure_default()
    assert [store["name"] for store in ok(shop.viewer.get("/api/stores"))] == ["Main", "Quay"]
    assert [store["name"] for store in ok(shop.viewer.get("/api/stores", storeType="Tourist", searchTerm="qu"))] == [
        "Quay"
    ]
    assert shop.manager.post("/api/stores", {"store_name": "X"}).codes == [("/region", "missing")]


def test_options_have_camel_case_copies(shop: Shop) -> None:
    store_id = shop.store("North Hub", code="NH")

    (option,) = ok(shop.viewer.get("/api/stores/options", region="North"))

    assert (option["storeId"], option["storeName"], option["storeCode"]) == (store_id, "North Hub", "NH")
    assert ok(shop.viewer.get("/api/stores/regions/options"))[0]["label"] == "All Regions (2 stores)"
    assert [row["region"] for row in ok(shop.viewer.get("/api/stores/regions/summary"))] == ["Main", "North"]


def test_levels_are_listed_in_numbered_pages(shop: Shop) -> None:
    level = shop.stock(shop.product("CUP", category="Kitchen"), 12)
    shop.clock.advance(1)
    shop.stock(shop.product("BOWL"), 2)

    page = ok(shop.viewer.get(LEVELS, limit=1, surprise="ignored"))

    assert {name: value for name, value in page.items() if name != "data"} == {
        "page": 1,
        "limit": 1,
        "total_pages": 2,
        "total": 2,
    }
    (found,) = ok(shop.viewer.get(LEVELS, productId=level["product_id"], region=["Main", "West"]))["data"]
    assert list(found) == [
        *("id", "inventory_id", "product_id", "store_id", "current_stock", "quantity_cases", "reserved_cases"),
        *("available_cases", "reorder_level", "max_stock", "last_updated", "version", "store_name", "product_name"),
        *("brand", "category", "stock_status"),
    ]
    assert (found["current_stock"], found["quantity_cases"], found["available_cases"]) == (12, 12, 12)
    assert [row["product_name"] for row in ok(shop.viewer.get(LEVELS, lowStockOnly="true"))["data"]] == ["Product BOWL"]
    assert len(ok(shop.viewer.get(LEVELS, low_stock="false"))["data"]) == 2
    assert ok(shop.viewer.get(f"{LEVELS}/product/{level['product_id']}"))[0]["id"] == level["id"]
    assert len(ok(shop.viewer.get(f"{LEVELS}/store/{level['store_id']}"))) == 2
    assert [row["product_name"] for row in ok(shop.viewer.get(f"{LEVELS}/alerts/low-stock"))] == ["Product BOWL"]
    (row, _) = ok(shop.viewer.get(f"{LEVELS}/warehouse"))
    assert (row["total_quantity"], row["total_quantity_cases"], row["available_cases"]) == (2, 2, 2)


def test_every_bare_array_says_how_many_rows_there_are_whatever_its_limit(shop: Shop) -> None:
    first = shop.stock(shop.product("CUP"), 2)
    shop.stock(shop.product("BOWL"), 1)

    def count(path: str, **query: Any) -> tuple[int, str]:
        answer = shop.viewer.get(path, **query)
        return len(ok(answer)), answer.headers["X-Total-Count"]

    assert count(f"{LEVELS}/alerts/low-stock") == (2, "2")
    assert count(f"{LEVELS}/alerts/low-stock", limit=1) == (1, "2")
    assert count(f"{LEVELS}/warehouse", limit=1) == (1, "2")
    assert count(f"{LEVELS}/product/{first['product_id']}") == (1, "1")
    assert count(f"{LEVELS}/store/{first['store_id']}") == (2, "2")
    assert count(f"{LEVELS}/product/unknown") == (0, "0")
    assert count("/api/stores/options") == (1, "1")
    assert count(f"{LEVELS}/trends", days=5) == (5, "5")
    assert "X-Total-Count" not in shop.viewer.get("/api/v1/stores/options").headers


def test_an_edited_row_can_be_sent_back(shop: Shop) -> None:
    level = shop.stock(shop.product(), 12)
    (row,) = ok(shop.viewer.get(LEVELS))["data"]

    changed = ok(shop.operator.put(f"{LEVELS}/{level['id']}", {**row, "quantity_cases": 7}))["data"]

    assert (changed["current_stock"], changed["version"]) == (7, row["version"] + 1)
    assert ok(shop.viewer.get(f"/api/v1/inventory/{level['id']}"))["reorder_level"] is None
    assert ok(shop.operator.patch(f"{LEVELS}/{level['id']}/stock", {"quantity_cases": 9}))["data"]["current_stock"] == 9
    assert shop.operator.patch(f"{LEVELS}/{level['id']}/stock", {}).codes == [("/quantity_cases", "missing")]


@pytest.mark.parametrize(
    ("body", "status", "codes"),
    [
        ({"current_stock": 1, "quantity_cases": 2}, 422, [("/quantity_cases", "conflict")]),
        ({"reserved_cases": 3}, 422, [("/reserved_cases", "read_only")]),
        ({"quantity_cases": -1}, 422, [("/quantity_cases", "out_of_range")]),
        ({"current_stock": -1}, 422, [("/current_stock", "out_of_range")]),
        ({"quantity_cases": 1, "expected_quantity": 99}, 409, []),
    ],
)
def test_a_refused_row_changes_nothing(shop: Shop, body: dict[str, Any], status: int, codes: list[Any]) -> None:
    level = shop.stock(shop.product(), 12)

    answer = shop.operator.put(f"{LEVELS}/{level['id']}", body)

    assert (answer.status, answer.codes) == (status, codes)
    assert ok(shop.viewer.get(f"/api/v1/inventory/{level['id']}")) == level


def test_units_held_by_hand_are_freed_oldest_first(shop: Shop) -> None:
    level = shop.stock(shop.product(), 12)
    path = f"{LEVELS}/{level['id']}"
    for units in (5, 4):
        shop.clock.advance(1)
        ok(shop.operator.patch(f"{path}/reserve", {"quantity": units}))

    freed = ok(shop.operator.patch(f"{path}/release", {"quantity_cases": 6}))["data"]
    held = ok(shop.viewer.get("/api/v1/inventory/reservations", status="active"))["items"]

    assert (freed["reserved_cases"], freed["available_cases"]) == (3, 9)
    assert [(each["quantity"], each["reference"], each["expires_at"]) for each in held] == [(3, "manual", None)]
    assert shop.operator.patch(f"{path}/release", {"quantity": 4}).problem == "InvalidState"
    assert shop.operator.patch(f"{path}/reserve", {"quantity": 10}).problem == "InsufficientStock"
    assert shop.operator.patch(f"{path}/release", {"quantity": 0}).status == 422
    assert ok(shop.operator.patch(f"{path}/release", {"quantity": 3}))["data"]["reserved_cases"] == 0


def test_the_shop_backend_adds_stock_by_body_or_query(shop: Shop) -> None:
    product = shop.product()
    path = "/ecommerce/v1/add_inventory"

    answer = ok(shop.operator.put(path, {"product_id": product, "quantity": 5}, quantity=9, product_id="ignored"))
    by_query = ok(shop.operator.put(path, product_id=product, quantity=2))

    assert (answer["status_code"], answer["success"]) == (200, True)
    assert list(answer["data"]) == ["id", "product_id", "quantity", "new_stock", "created_at", "updated_at"]
    assert (answer["data"]["quantity"], by_query["data"]["new_stock"]) == (5, 7)
    unknown = shop.operator.put(path, {"product_id": "none", "quantity": 1})
    assert (unknown.status, unknown.json["status_code"], unknown.json["success"], unknown.json["data"]) == (
        422,
        422,
        False,
        {},
    )
    assert shop.operator.put(path, {"product_id": product, "quantity": 0}).status == 422
    assert shop.operator.put(path, {"product_id": product}).codes == [("/quantity", "missing")]
    assert shop.viewer.put(path, {"product_id": product, "quantity": 1}).status == 403


def test_the_shop_backend_lists_products_that_run_low_over_all_stores(shop: Shop) -> None:
    app = shop.app
    categories = Categories(app.store, app.clock, app.ids)
    products = Products(app.store, app.clock, app.ids, app.ledger, app.sums, app.stores, categories)

    def product(name: str, **said: Any) -> str:
        wanted = NewProduct.model_validate({"name": name, "sale_price": 2, **said})
        return products.create(OPERATOR, wanted).key.id

    cup, bowl, pot = product("Cup"), product("Bowl"), product("Pot", status="paused")
    other = shop.store()
    for store in (None, other):
        shop.stock(cup, 3, store)
        shop.stock(bowl, 8, store)

    found = ok(shop.viewer.get("/ecommerce/v1/get_low_stock_products"))["data"]["products"]
    more = ok(shop.viewer.get("/ecommerce/v1/get_low_stock_products", quantity_threshold=20))

    assert [(each["id"], each["quantity"], each["price"]) for each in found] == [(cup, 6, "2.00")]
    assert pot not in {each["id"] for each in found}
    assert [each["id"] for each in more["data"]["products"]] == [cup, bowl]
    assert more["status_code"] == 200


def test_where_keys_are_demanded_the_older_paths_of_stock_demand_them_too(tmp_path: Path) -> None:
    shop = a_shop(tmp_path, REQUIRE_IDEMPOTENCY_KEY="true")
    product = shop.product()
    added = {"product_id": product, "quantity": 5}

    refused = shop.operator.put("/ecommerce/v1/add_inventory", added)
    ok(shop.operator.put("/ecommerce/v1/add_inventory", added, headers={"Idempotency-Key": "once"}))
    (level,) = ok(shop.viewer.get("/api/v1/inventory"))["items"]
    held = shop.operator.patch(f"{LEVELS}/{level['id']}/reserve", {"quantity": 1})

    assert [(answer.status, answer.codes) for answer in (refused, held)] == [
        (400, [("header:Idempotency-Key", "missing")])
    ] * 2
    assert (level["on_hand"], shop.level(product, level["store_id"])["reserved"]) == (5, 0)
