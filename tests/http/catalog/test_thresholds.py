"""Thresholds of a category over HTTP, and that lists, figures, alerts and explanations go by the same one."""

from typing import Any

import pytest

from tests.client import Client
from tests.http.catalog.builders import a_category, a_product, shown, state
from tests.http.inventory.builders import Shop, ok
from tests.http.settling import settle

OF_PRODUCT = {"effective_reorder_threshold", "threshold_rule", "follows_category_threshold"}


def _path(category: dict[str, Any]) -> str:
    return f"/api/v1/categories/{category['id']}/thresholds"


def _level(shop: Shop, product: dict[str, Any], store_id: str | None = None) -> dict[str, Any]:
    return shop.level(product["id"], store_id or shop.app.stores.ensure_default())


def _told(level: dict[str, Any]) -> tuple[int, str | None, str]:
    return level["effective_reorder_level"], level.get("threshold_rule"), level["stock_status"]


@pytest.fixture
def category(shop: Shop) -> dict[str, Any]:
    """Give a category without thresholds."""
    return a_category(shop, "Tools")


def test_each_step_of_the_resolution_is_named_by_every_answer(shop: Shop, category: dict[str, Any]) -> None:
    north = shop.store()
    product = a_product(shop, category_id=category["id"], current_stock=20)
    shop.stock(product["id"], 20, north)
    pair = {"product_id": product["id"], "store_id": north}
    level_path = f"/api/v1/inventory/{shop.level(product['id'], north)['id']}"
    product_path = f"/api/v1/products/{product['id']}"
    steps = [
        (shop.manager, _path(category), {"threshold": 30}, (30, "category")),
        (shop.manager, _path(category), {"stores": {north: 25}}, (25, "category_location")),
        (shop.operator, product_path, {"reorder_threshold": 22}, (22, "product")),
        (shop.operator, level_path, {"reorder_level": 21}, (21, "level")),
    ]

    for client, path, body, (threshold, rule) in steps:
        ok(client.put(path, body))
        level = shop.level(product["id"], north)
        low = ok(shop.viewer.get("/api/v1/inventory/low-stock", store_id=north))["items"]
        ok(shop.operator.post("/api/v1/alerts/check", {}))
        why = ok(shop.viewer.get("/api/v1/alerts/explain", **pair))["low_stock"]
        (alert,) = ok(shop.viewer.get("/api/v1/alerts", **pair))["items"]

        assert _told(level) == (threshold, rule, "low")
        assert low == [level]
        assert (why["fires"], why["threshold"], why["rule"]) == (True, threshold, rule)
        assert (alert["status"], alert["threshold"], alert["rule"]) == ("active", threshold, rule)
        assert ok(shop.viewer.get("/api/v1/inventory/kpi", store_id=north))["low_stock_alerts"] == 1


def test_a_threshold_that_no_step_gives_is_the_default(shop: Shop, category: dict[str, Any]) -> None:
    north = shop.store()
    product = a_product(shop, category_id=category["id"], current_stock=10)

    ok(shop.manager.put(_path(category), {"stores": {north: 3}}))

    assert _told(_level(shop, product)) == (10, "default", "low")


def test_without_thresholds_of_the_category_nothing_is_said_of_them(shop: Shop, category: dict[str, Any]) -> None:
    product = a_product(shop, category_id=category["id"], current_stock=10)
    level = _level(shop, product)

    assert OF_PRODUCT.isdisjoint(product)
    assert "threshold_rule" not in level
    ok(shop.manager.put(_path(category), {"threshold": 4}))
    assert shown(shop, product["id"]).keys() >= OF_PRODUCT
    assert shop.manager.delete(_path(category)).status == 204

    assert shown(shop, product["id"]) == product
    assert _level(shop, product) == level


def test_products_and_levels_that_come_later_go_by_the_thresholds_too(shop: Shop, category: dict[str, Any]) -> None:
    north, other = shop.store(), a_category(shop, "Toys")
    ok(shop.manager.put(_path(category), {"threshold": 30, "stores": {north: 40}}))
    made = a_product(shop, category_id=category["id"], current_stock=35)
    moved = a_product(shop, category_id=other["id"], current_stock=35)

    shop.stock(made["id"], 35, north)
    ok(shop.operator.patch(f"/api/v1/products/{moved['id']}", {"category_id": category["id"]}))

    assert _told(shop.level(made["id"], north)) == (40, "category_location", "low")
    assert _told(_level(shop, made)) == _told(_level(shop, moved)) == (30, "category", "sufficient")
    ok(shop.operator.patch(f"/api/v1/products/{moved['id']}", {"category_id": other["id"]}))
    assert _told(_level(shop, moved)) == (10, None, "sufficient")


def test_a_product_says_which_threshold_it_goes_by_and_may_be_sent_back(shop: Shop, category: dict[str, Any]) -> None:
    product = a_product(shop, category_id=category["id"], current_stock=15)
    path = f"/api/v1/products/{product['id']}"
    ok(shop.manager.put(_path(category), {"threshold": 20}))
    following = shown(shop, product["id"])

    assert [following[name] for name in ("reorder_threshold", "stock_status", "version")] == [10, "low", 1]
    assert {following[name] for name in OF_PRODUCT} == {20, "category", True}
    assert ok(shop.operator.put(path, following)) == following
    low = ok(shop.viewer.get("/api/v1/products", stock_status="low"))["items"]
    assert low == [following]
    assert ok(shop.viewer.get("/api/v1/products/stats"))["low_stock"] == 1

    ok(shop.manager.put(_path(category), {"threshold": 25}))
    assert ok(shop.operator.put(path, following))["effective_reorder_threshold"] == 25
    own = ok(shop.operator.patch(path, {"follows_category_threshold": False}))
    assert [own[name] for name in ("effective_reorder_threshold", "threshold_rule", "version")] == [10, "product", 2]
    assert own["stock_status"] == "sufficient"
    back = ok(shop.operator.patch(path, {"follows_category_threshold": True}))
    assert [back[name] for name in ("effective_reorder_threshold", "threshold_rule")] == [25, "category"]
    assert shop.operator.patch(path, {"follows_category_threshold": None}).status == 422


def test_a_product_made_with_ten_said_keeps_ten(shop: Shop, category: dict[str, Any]) -> None:
    ok(shop.manager.put(_path(category), {"threshold": 20}))

    said = a_product(shop, category_id=category["id"], reorder_threshold=10, current_stock=15)

    assert (said["effective_reorder_threshold"], said["threshold_rule"]) == (10, "product")
    assert _told(_level(shop, said)) == (10, "product", "sufficient")


def test_thresholds_are_one_versioned_resource(shop: Shop, category: dict[str, Any]) -> None:
    north, path = shop.store(), _path(category)
    first = shop.viewer.get(path)
    empty = {"id": category["id"], "threshold": None, "stores": {}, "version": 1}
    assert first.json == empty

    changed = shop.manager.put(
        path, {"threshold": 5, "stores": {north: 0}}, headers={"If-Match": first.headers["ETag"]}
    )
    stale = shop.manager.put(path, {"threshold": 6}, headers={"If-Match": first.headers["ETag"]})

    assert ok(changed) == {**empty, "threshold": 5, "stores": {north: 0}, "version": 2}
    assert (stale.status, stale.problem) == (412, "PreconditionFailed")
    assert ok(shop.manager.put(path, changed.json)) == changed.json
    assert ok(shop.manager.patch(path, {"threshold": None}))["stores"] == {north: 0}
    assert ok(shop.manager.patch(path, {"stores": None})) == {**empty, "version": 4}
    assert [shop.manager.delete(path).status for _ in range(2)] == [204, 204]
    assert ok(shop.viewer.get(path))["version"] == 4
    assert ok(shop.viewer.get(f"/api/v1/categories/{category['id']}")).keys() == category.keys()


def test_a_change_with_a_key_is_made_once(shop: Shop, category: dict[str, Any]) -> None:
    key = {"Idempotency-Key": "k-1"}

    first = shop.manager.put(_path(category), {"threshold": 5}, headers=key)
    ok(shop.manager.put(_path(category), {"threshold": 6}))
    again = shop.manager.put(_path(category), {"threshold": 5}, headers=key)

    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert ok(shop.viewer.get(_path(category)))["threshold"] == 6


def test_what_is_refused_changes_nothing(shop: Shop, category: dict[str, Any]) -> None:
    path, many = _path(category), {f"str_{number}": 1 for number in range(101)}
    a_product(shop, category_id=category["id"], current_stock=5)
    before = state(shop)

    def problem(client: Client, body: dict[str, Any], where: str = path) -> tuple[int, str]:
        answer = client.put(where, body)
        return answer.status, str(answer.problem)

    unknown = shop.manager.put(path, {"threshold": 7, "stores": {"str_x": 1, "a/b~c": 2}})
    assert (unknown.status, unknown.json["resource"]) == (404, "store")
    assert [error["pointer"] for error in unknown.json["errors"]] == ["/stores/a~1b~0c", "/stores/str_x"]
    assert problem(shop.operator, {"threshold": 7}) == (403, "Forbidden")
    assert problem(shop.manager, {"threshold": 7}, "/api/v1/categories/no/thresholds") == (404, "NotFound")
    for body in ({}, {"threshold": -1}, {"threshold": "7"}, {"stores": many}, {"id": "x"}, {"version": 0, "id": "x"}):
        assert problem(shop.manager, body)[0] in {412, 422}, body
    assert state(shop) == before


def test_a_category_with_many_products_is_brought_up_to_date_by_its_job(shop: Shop, category: dict[str, Any]) -> None:
    for number in range(60):
        a_product(shop, sku=f"S-{number:03}", category_id=category["id"], current_stock=20)

    ok(shop.manager.put(_path(category), {"threshold": 30}))
    low = "/api/v1/inventory/low-stock?include_total=true"
    assert ok(shop.viewer.get(low))["total"] == 20
    settle(shop.app)

    assert ok(shop.viewer.get(low))["total"] == 60
    opened = ok(shop.viewer.get("/api/v1/alerts?include_total=true"))
    assert (opened["total"], {alert["rule"] for alert in opened["items"]}) == (60, {"category"})


def test_a_store_that_is_gone_does_not_keep_the_rest_from_changing(shop: Shop, category: dict[str, Any]) -> None:
    north, path = shop.store(), _path(category)
    present = ok(shop.manager.put(path, {"threshold": 5, "stores": {north: 3}}))
    assert shop.manager.delete(f"/api/v1/stores/{north}").status == 204

    changed = ok(shop.manager.put(path, {**present, "threshold": 6}))

    assert (changed["threshold"], changed["stores"]) == (6, {north: 3})


def test_a_bulk_edit_moves_products_to_thresholds_and_gives_them_their_own(
    shop: Shop, category: dict[str, Any]
) -> None:
    ok(shop.manager.put(_path(category), {"threshold": 30}))
    products = [a_product(shop, sku=f"S-{number}", current_stock=20) for number in range(3)]
    ids = [product["id"] for product in products]

    moved = ok(_edit(shop, ids, {"category_id": category["id"]}))
    told = [_told(_level(shop, product)) for product in products]
    given = ok(_edit(shop, ids[:1], {"reorder_threshold": 19}))

    assert [change["field"] for change in moved["items"][0]["changes"]] == ["category_id", "category"]
    assert told == [(30, "category", "low")] * 3
    assert [change["field"] for change in given["items"][0]["changes"]] == ["reorder_threshold"]
    assert [_told(_level(shop, product)) for product in products[:2]] == [(19, "product", "sufficient"), told[1]]


def test_a_bulk_edit_says_outright_who_follows_and_the_file_of_products_tells(
    shop: Shop, category: dict[str, Any]
) -> None:
    plain = shop.viewer.get("/api/v1/products/export").body.decode().split("\r\n")[0]
    ok(shop.manager.put(_path(category), {"threshold": 30}))
    products = [
        a_product(shop, sku=f"S-{number}", current_stock=20, reorder_threshold=5, category_id=category["id"])
        for number in range(2)
    ]
    ids = [product["id"] for product in products]

    moved = ok(_edit(shop, ids[:1], {"follows_category_threshold": True}))
    again = ok(_edit(shop, ids[:1], {"follows_category_threshold": True}))
    refused = _edit(shop, ids, {"follows_category_threshold": None})

    (change,) = moved["items"][0]["changes"]
    assert (change["field"], change["after"], again["unchanged_count"]) == ("follows_category_threshold", True, 1)
    assert (refused.status, refused.codes) == (422, [("/changes/follows_category_threshold", "required")])
    assert [_told(_level(shop, product)) for product in products] == [
        (30, "category", "low"),
        (5, "product", "sufficient"),
    ]
    head, *lines = shop.viewer.get("/api/v1/products/export?sort=sku").body.decode().split("\r\n")
    assert head == f"{plain},effective_reorder_threshold,threshold_rule,follows_category_threshold"
    assert [line.rsplit(",", 3)[1:] for line in lines[:2]] == [["30", "category", "true"], ["5", "product", "false"]]


def _edit(shop: Shop, product_ids: list[str], changes: dict[str, Any]) -> Any:
    return shop.manager.post("/api/v1/products/bulk-edit", {"product_ids": product_ids, "changes": changes})
