"""Answers about connections and schedules sent back edited, and the history filtered by several values."""

from typing import Any

from tests.http.inventory.builders import ok
from tests.http.suppliers.market import Market


def test_answers_about_connections_and_schedules_can_be_edited_and_sent_back(market: Market) -> None:
    supplier, manager = market.connect("bigbuy"), market.manager()
    path = f"/api/v1/suppliers/{supplier['id']}"
    made = {"sync_type": "stock", "supplier_id": supplier["id"], "frequency": "daily", "options": {"limit": 9}}
    schedule = ok(manager.post("/api/v1/sync/schedule", made), 201)
    there = f"/api/v1/sync/schedule/{schedule['id']}"

    named = ok(manager.patch(path, {**supplier, "name": "Big", "products_count": 99}))
    assert (named["name"], named["version"], named["products_count"]) == ("Big", 2, 0)
    assert manager.patch(path, {"products_count": 99}).codes == [("/products_count", "unknown_field")]
    assert manager.patch(path, {**named, "supplier_type": "feed"}).codes == [("/supplier_type", "unknown_field")]
    assert manager.patch(path, {"status": "error"}).codes == [("/status", "not_allowed")]
    assert manager.patch(path, {"auto_sync_stock": None}).codes == [("/auto_sync_stock", "required")]
    assert ok(manager.get(path)) == named

    rarer = ok(manager.patch(there, {**schedule, "frequency": "weekly", "last_run_status": "failed"}))
    assert (rarer["frequency"], rarer["version"], rarer["last_run_status"]) == ("weekly", 2, None)
    assert manager.patch(there, {**rarer, "sync_type": "full"}).codes == [("/sync_type", "unknown_field")]
    assert ok(manager.patch(there, {"options": {"in_stock_only": True}}))["options"] == {
        "limit": 9,
        "category_filter": None,
        "in_stock_only": True,
    }


def test_the_history_is_filtered_by_several_types_and_connections(market: Market) -> None:
    supplier = market.connect("bigbuy")
    market.sync(supplier)
    market.sync(supplier, "stock")
    manager = market.manager()

    def types(**query: Any) -> list[str]:
        return [run["sync_type"] for run in ok(manager.get("/api/v1/sync/history", **query))["items"]]

    assert types(sync_type="products,stock", supplier_id=f"{supplier['id']},sup_none") == ["stock", "products"]
    assert types(sync_type="stock") == ["stock"]
    assert types(supplier_id="sup_none,sup_other") == []
