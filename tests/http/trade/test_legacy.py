"""The order paths of the store demo and the sales paths of the shop backend: the same services under older names."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.http.trade.shop import Shop

SHOP = "/ecommerce/v1"
ORDER_KEYS = (
    "id order_id order_number store_id from_store_id to_store_id product_id quantity quantity_cases status order_status"
    " requested_by approved_by created_at order_date approved_at approved_date fulfilled_at fulfilled_date notes version"
    " to_store_name to_store_region from_store_name product_name brand category requester_name approver_name"
)


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def made(shop: Shop, **said: Any) -> dict[str, Any]:
    """Make an order of five cups as the demo's client does; return its data."""
    north = shop.a_store("North", "North")
    cup = shop.a_product("Cup", stock=40)
    body = {"store_id": north, "product_id": cup, "quantity_cases": 5, "from_store_id": shop.main, **said}
    answer = shop.operator.post("/api/orders", body)
    assert answer.status == 201, answer.body
    data: dict[str, Any] = answer.json["data"]
    return data


def test_the_demo_makes_moves_and_reads_orders(shop: Shop) -> None:
    order = made(shop, unknown="ignored")
    path = f"/api/orders/{order['order_id']}"

    approved = shop.manager.patch(f"{path}/approve", {"approved_by": "somebody"})
    fulfilled = shop.operator.patch(f"{path}/fulfill")
    again = shop.operator.patch(f"{path}/fulfill")
    read = shop.viewer.get(path)

    assert list(order) == ORDER_KEYS.split()
    assert (order["quantity"], order["quantity_cases"], order["store_id"]) == (5, 5, order["to_store_id"])
    assert list(approved.json) == ["success", "data", "message", "error"]
    assert (approved.json["data"]["approved_by"], approved.json["data"]["status"]) == ("usr_manager", "approved")
    assert fulfilled.json["data"]["order_status"] == "fulfilled"
    assert again.status == 409
    assert read.json == fulfilled.json["data"]
    assert read.headers["Link"] == f'</api/v1/transfer-orders/{order["id"]}>; rel="successor-version"'
    assert shop.on_hand(order["product_id"], order["store_id"]) == 5


def test_the_demo_lists_by_page(shop: Shop) -> None:
    order = made(shop)

    page = shop.viewer.get("/api/orders", searchTerm="cup", storeId=order["store_id"], expired_sla_only=False).json

    assert list(page) == ["data", "page", "limit", "total_pages", "total"]
    assert (page["page"], page["limit"], page["total_pages"], page["total"]) == (1, 20, 1, 1)
    assert page["data"] == [order]
    assert shop.viewer.get("/api/orders", expiredSlaOnly=True).json["data"] == []
    assert shop.viewer.get("/api/orders", dateFrom="2026-01-16").json["total"] == 0
    assert shop.viewer.get("/api/orders", region="North").json["total"] == 1
    assert shop.viewer.get("/api/orders", limit=0).status == 422
    beyond = [shop.viewer.get("/api/orders", page=number, limit=100) for number in (101, 102)]
    assert [answer.status for answer in beyond] == [200, 422]
    assert beyond[1].codes == [("query:page", "offset_too_large")]


def test_the_demo_changes_cancels_and_sets_states(shop: Shop) -> None:
    order = made(shop)
    path = f"/api/orders/{order['id']}"

    changed = shop.operator.put(path, {**order, "quantity_cases": 6})
    assert changed.json["data"]["quantity"] == 6
    assert shop.operator.put(path, {"quantity": 7, "quantity_cases": 8}).codes == [("/quantity_cases", "conflict")]
    assert shop.manager.put(f"{path}/status?status=approved").json["data"]["status"] == "approved"
    assert shop.manager.put(f"{path}/status", {"status": "cancelled"}).codes == [("/reason", "missing")]
    assert shop.operator.put(f"{path}/cancel", {"reason": "no"}).json["data"]["status"] == "cancelled"
    assert shop.operator.put(f"{path}/status").codes == [("/status", "missing")]


def test_the_demo_decides_in_bulk_and_reads_figures(shop: Shop) -> None:
    order = made(shop)

    approved = shop.manager.patch("/api/orders/bulk-approve", {"order_ids": [order["id"], "none"]}).json
    fulfilled = shop.operator.patch("/api/orders/bulk-fulfill", {"order_ids": [order["id"]]}).json
    summary = shop.viewer.get("/api/orders/status/summary", dateFrom="2026-01-15").json

    assert (approved["data"]["succeeded"], approved["data"]["failed"][0]["status"]) == ([order["id"]], 404)
    assert fulfilled["data"] == {"succeeded": [order["id"]], "failed": []}
    assert (summary["total_cases"], summary["total_units"], summary["summary_period"]) == (5, 5, "From 2026-01-15")
    for name in ("fulfillment-timeline", "regional-performance", "status-distribution"):
        new = shop.viewer.get(f"/api/v1/transfer-orders/analytics/{name}").json
        assert shop.viewer.get(f"/api/orders/analytics/{name}").json == new
    (day,) = shop.viewer.get("/api/orders/analytics/demand-forecast").json
    assert (day["total_cases"], day["order_count"]) == (5, 1)


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"store_id": None}, "/to_store_id"),
        ({"quantity_cases": None}, "/quantity"),
        ({"quantity": 4}, "/quantity_cases"),
        ({"to_store_id": "other"}, "/store_id"),
        ({"quantity_cases": -1}, "/quantity_cases"),
    ],
)
def test_an_order_of_the_demo_that_cannot_be_is_422(shop: Shop, said: dict[str, Any], pointer: str) -> None:
    body = {"store_id": shop.main, "product_id": "x", "quantity_cases": 5, **said}

    answer = shop.operator.post("/api/orders", body)

    assert (answer.status, answer.codes[0][0]) == (422, pointer)


def test_the_shop_buys_from_the_default_store(shop: Shop) -> None:
    cup = shop.a_product("Cup", stock=5)
    items = [{"product_id": cup, "quantity": 2}, {"product_id": "nothing", "quantity": 1}]

    answer = shop.operator.post(f"{SHOP}/purchase_products", {"items": items, "extra": 1})

    assert answer.status == 200
    assert {name: value for name, value in answer.json.items() if name != "data"} == {
        "status_code": 200,
        "success": True,
        "message": "Products purchased successfully",
    }
    data = answer.json["data"]
    assert data["total_amount"] == "5.00"
    assert data["purchased_items"] == [
        {
            "id": f"{data['id']}_1",
            "sale_id": data["id"],
            "product_id": cup,
            "quantity": 2,
            "price_per_unit": "2.50",
        }
    ]
    assert data["failed_items"] == [{"product_id": "nothing", "quantity": 1, "reason": "not_found"}]
    assert list(data) == ["id", "user_id", "total_amount", "created_at", "purchased_items", "failed_items"]
    assert shop.on_hand(cup) == 3


def test_the_shop_answers_200_when_nothing_was_bought_and_sells_nothing(shop: Shop) -> None:
    cup = shop.a_product("Cup", stock=1)

    answer = shop.unchanged(
        lambda: shop.operator.post(f"{SHOP}/purchase_products", {"items": [{"product_id": cup, "quantity": 2}]})
    )

    assert answer.status == 200
    data = answer.json["data"]
    assert (data["id"], data["total_amount"], data["purchased_items"]) == (None, "0.00", [])
    assert data["failed_items"] == [{"product_id": cup, "quantity": 2, "reason": "insufficient_stock", "available": 1}]


def test_the_shop_takes_its_items_from_the_query_too_and_the_body_wins(shop: Shop) -> None:
    cup = shop.a_product("Cup", stock=9)
    whole = quote(f'[{{"product_id": "{cup}", "quantity": 2}}, {{"product_id": "{cup}", "quantity": 1}}]')
    single = quote(f'{{"product_id": "{cup}", "quantity": 1}}')

    by_query = shop.operator.post(f"{SHOP}/purchase_products?items={whole}")
    repeated = shop.operator.post(f"{SHOP}/purchase_products?items={single}&items={single}")
    both = shop.operator.post(
        f"{SHOP}/purchase_products?items={whole}", {"items": [{"product_id": cup, "quantity": 1}]}
    )

    assert by_query.json["data"]["total_amount"] == "7.50"
    assert repeated.json["data"]["total_amount"] == "5.00"
    assert both.json["data"]["total_amount"] == "2.50"
    assert shop.operator.post(f"{SHOP}/purchase_products?items=nonsense").status == 422
    assert shop.operator.post(f"{SHOP}/purchase_products").json["success"] is False


def test_the_shop_reads_sales_data_with_amounts_as_text(shop: Shop) -> None:
    cup, pen = shop.a_product("Cup", stock=9), shop.a_product("Pen", stock=9, sale_price="1.10")
    shop.buy((cup, 2), (pen, 3))
    shop.drain()

    def read(**query: Any) -> Any:
        answer = shop.viewer.get(f"{SHOP}/get_sales_data", start_date="2026-01-01", end_date="2026-01-31", **query)
        assert answer.status == 200, answer.body
        return answer.json["data"]

    alone = read()
    (month,) = read(buckets="monthly").values()
    listed = read(shape="list", buckets="weekly", include_sales_items=False)
    only = read(product_ids=f'["{cup}"]', timezone="Asia/Tokyo")
    both = read(product_ids=f"{cup},{pen}")

    assert (alone["total_revenue"], len(alone["sales"])) == ("8.30", 2)
    assert alone["sales"][0]["price_per_unit"] in {"2.50", "1.10"}
    assert sorted(month["revenue_by_products"].values()) == ["3.30", "5.00"]
    assert (listed["total_revenue"], len(listed["bucketed_sales"]), listed["sales"]) == ("8.30", 5, [])
    assert listed["bucketed_sales"][0]["revenue"] == "0.00"
    assert (only["total_revenue"], both["total_revenue"]) == ("5.00", "8.30")


def test_the_shop_refuses_in_its_envelope(shop: Shop) -> None:
    missing = shop.viewer.get(f"{SHOP}/get_sales_data", start_date="2026-01-01")
    backwards = shop.viewer.get(f"{SHOP}/get_sales_data", start_date="2026-01-02", end_date="2026-01-01")
    nobody = Shop.as_(shop, "viewer").as_("").get(f"{SHOP}/get_sales_data")

    for answer in (missing, backwards):
        assert answer.status == answer.json["status_code"] == 422
        assert (answer.json["success"], answer.json["data"]) == (False, {})
        assert answer.json["message"] == answer.json["detail"]
    assert nobody.status == 401


def test_the_shop_takes_report_parameters_from_a_body_on_get(shop: Shop) -> None:
    answer = shop.viewer.send(
        "GET",
        f"{SHOP}/get_sales_data",
        {"start_date": "2026-01-01", "end_date": "2026-01-02", "shape": "list", "product_ids": [1, "2"]},
        query={"shape": "map"},
    )

    assert answer.status == 200
    assert answer.json["data"]["bucketed_sales"][0]["period"] == "all"


def test_a_key_of_an_older_path_is_not_another_key_on_the_canonical_one(shop: Shop) -> None:
    cup, store = shop.a_product(stock=5), shop.a_store("West")
    basket = {"items": [{"product_id": cup, "quantity": 1}]}
    order = {"to_store_id": store, "product_id": cup, "quantity": 1}
    key = {"Idempotency-Key": "once"}
    for older, canonical, body in (
        ("/ecommerce/v1/purchase_products", "/api/v1/sales", basket),
        ("/api/orders", "/api/v1/transfer-orders", order),
    ):
        first = shop.operator.post(older, body, headers=key)
        second = shop.operator.post(canonical, body, headers=key)

        assert first.status in {200, 201}
        assert (second.status, second.problem) == (422, "IdempotencyKeyReused")
    assert (shop.on_hand(cup), shop.count("sales"), shop.count("transfer_orders")) == (4, 1, 1)
