"""Figures of stock over HTTP: key figures, days, categories, audit and files."""

import json
from typing import Any

import pytest

from shared.core.clock import instant
from shared.inventory.keys import level_key
from shared.inventory.views import LEVEL_KEYS
from shared.ports.documents import Put, Query
from tests.http.inventory.builders import Shop, ok

BASE = "/api/v1/inventory"
DAY = 86_400


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give cups in a kitchen, bowls without category in dollars, and a paused pot; sold over three days."""
    north, south = shop.store("North", region="North"), shop.store("South", region="South", store_type="Warehouse")
    shop.stock(shop.product("CUP", category="Kitchen"), 100, north)
    shop.stock(shop.product("BOWL", currency="USD", sale_price="10.00"), 3, south)
    shop.stock(shop.product("POT", status="paused", sale_price=None, unit_cost=None), 1, south)
    shop.later(DAY)
    remove(shop, "prd_cup", 10, north)
    shop.later(DAY)
    remove(shop, "prd_cup", 30, north)
    shop.app.flusher.run()
    return shop


def remove(shop: Shop, product: str, units: int, store: str) -> None:
    """Take units out."""
    ok(shop.operator.post(f"{BASE}/adjust", {"product_id": product, "quantity": -units, "store_id": store}))


def test_key_figures_are_those_of_the_levels(stocked: Shop) -> None:
    store = ok(stocked.viewer.get("/api/v1/stores", search="north"))["items"][0]["id"]
    held = {"product_id": "prd_cup", "store_id": store, "quantity": 60, "ttl_seconds": None}
    ok(stocked.operator.post(f"{BASE}/reservations", held), 201)

    answer = stocked.viewer.get(f"{BASE}/kpi")
    kpi = ok(answer)

    days = [104, 94, 64]
    assert kpi == {
        "total_inventory_value": 150.0,
        "currency": "EUR",
        "other_currencies": [{"currency": "USD", "value": 30.0}],
        "total_products": 3,
        "low_stock_alerts": 2,
        "out_of_stock": 1,
        "average_turnover": round(40 * 365 / sum(days), 2),
        "total_quantity": 64,
        "total_reserved": 60,
        "as_of": kpi["as_of"],
    }
    assert answer.headers["X-Data-As-Of"] == kpi["as_of"]
    assert ok(stocked.viewer.get(f"{BASE}/kpi", region="South"))["average_turnover"] == 0.0
    assert ok(stocked.viewer.get(f"{BASE}/kpi", category="Kitchen"))["total_products"] == 1
    nothing = ok(stocked.viewer.get(f"{BASE}/kpi", region="Nowhere"))
    assert (nothing["average_turnover"], nothing["as_of"], nothing["total_inventory_value"]) == (None, None, 0.0)


def test_trends_have_a_row_for_each_day_at_present_prices(stocked: Shop) -> None:
    answer = stocked.viewer.get(f"{BASE}/trends", days=4)
    rows = ok(answer)

    assert [(row["total_quantity"], row["total_value"]) for row in rows] == [
        (0, 0.0),
        (104, 250.0),
        (94, 225.0),
        (64, 150.0),
    ]
    assert rows[-1]["date"] == stocked.clock.now().date().isoformat()
    assert rows[0]["date"] < rows[1]["date"]
    newest = ok(stocked.viewer.get(f"{BASE}/movements"))["items"][0]["created_at"]
    assert answer.headers["X-Data-As-Of"] == newest
    assert [row["total_quantity"] for row in ok(stocked.viewer.get(f"{BASE}/trends", days=2, region="South"))] == [4, 4]
    assert [row["total_quantity"] for row in ok(stocked.viewer.get(f"{BASE}/trends", days=1, category="Kitchen"))] == [
        60
    ]
    assert len(ok(stocked.viewer.get(f"{BASE}/trends"))) == 30
    assert stocked.viewer.get(f"{BASE}/trends", days=366).status == 422
    assert "X-Data-As-Of" not in stocked.viewer.get(f"{BASE}/trends", region="Nowhere").headers


def test_categories_share_the_value(stocked: Shop) -> None:
    assert ok(stocked.viewer.get(f"{BASE}/categories")) == [
        {"category": "Kitchen", "value": 150.0, "quantity": 60, "percentage": 100.0},
        {"category": "Uncategorized", "value": 0.0, "quantity": 4, "percentage": 0.0},
    ]
    (south,) = ok(stocked.viewer.get(f"{BASE}/categories", region="South"))
    assert (south["quantity"], south["percentage"]) == (4, 0.0)


def test_the_audit_finds_what_the_ledger_does_not_explain_and_repairs_it(stocked: Shop) -> None:
    store = ok(stocked.viewer.get("/api/v1/stores", search="north"))["items"][0]["id"]
    held = {"product_id": "prd_cup", "store_id": store, "quantity": 5, "ttl_seconds": None}
    ok(stocked.operator.post(f"{BASE}/reservations", held), 201)
    assert ok(stocked.manager.get(f"{BASE}/audit")) == {"checked": 3, "differences": []}
    key = level_key(store, "prd_cup")
    broken = stocked.app.documents.get(key)
    assert broken is not None
    stocked.app.documents.commit([Put(key, {**broken.data, "on_hand": 57, "held": {}})])

    found = ok(stocked.manager.get(f"{BASE}/audit"))["differences"]
    assert found == [
        {"inventory_id": key.id, "field": "on_hand", "stored": 57, "computed": 60},
        {"inventory_id": key.id, "field": "reserved", "stored": 0, "computed": 5},
    ]
    assert stocked.manager.post(f"{BASE}/audit/repair", {"inventory_ids": [key.id]}).status == 403
    (movement,) = ok(stocked.admin.post(f"{BASE}/audit/repair", {"inventory_ids": [key.id]}))["movements"]

    assert (movement["transaction_type"], movement["quantity"]) == ("repair", -3)
    assert (movement["previous_stock"], movement["new_stock"]) == (60, 57)
    level = stocked.level("prd_cup", store)
    assert (level["on_hand"], level["reserved"], level["available"]) == (57, 5, 52)
    assert ok(stocked.manager.get(f"{BASE}/audit"))["differences"] == []
    assert stocked.admin.post(f"{BASE}/audit/repair", {"inventory_ids": ["lvl_none"]}).problem == "NotFound"


def test_files_hold_every_row_in_the_order_asked_for(stocked: Shop) -> None:
    stocked.product("EVIL", name='=cmd|"x"', brand="@home")
    stocked.stock("prd_evil", 2)
    levels = ok(stocked.viewer.get(BASE, sort="sku"))["items"]

    csv = stocked.viewer.get(f"{BASE}/export", sort="sku")
    lines = csv.body.decode().split("\r\n")
    jsonl = stocked.viewer.get(f"{BASE}/export", format="jsonl", sort="sku")
    day = stocked.clock.now().date().isoformat()

    assert csv.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert csv.headers["Content-Disposition"] == f'attachment; filename="inventory-{day}.csv"'
    assert lines[0] == ",".join(LEVEL_KEYS)
    assert [line.split(",")[0] for line in lines[1:-1]] == [level["id"] for level in levels]
    assert '"\'=cmd|""x"""' in lines[3]
    assert ",'@home," in lines[3]
    assert [json.loads(line) for line in jsonl.body.splitlines()] == levels
    assert stocked.viewer.get(f"{BASE}/export", bom=True).body[:3] == b"\xef\xbb\xbf"
    assert stocked.viewer.get(f"{BASE}/export", search="nothing").body == lines[0].encode() + b"\r\n"
    movements = stocked.viewer.get(f"{BASE}/movements/export", transaction_type="removal", format="jsonl")
    assert [json.loads(line)["quantity"] for line in movements.body.splitlines()] == [-30, -10]


@pytest.mark.parametrize(
    "query", [{"limit": 5}, {"page": 1}, {"cursor": "x"}, {"format": "xml"}, {"format": "jsonl", "bom": True}]
)
def test_files_are_not_paged(stocked: Shop, query: dict[str, Any]) -> None:
    assert stocked.viewer.get(f"{BASE}/export", **query).status == 422


def test_the_flush_takes_each_movement_once_and_forgets_it(stocked: Shop) -> None:
    assert stocked.app.store.count(Query("warehouse_outbox")) == 0
    before = ok(stocked.viewer.get(f"{BASE}/trends", days=1))

    stocked.app.schedule_runner.fire("flush-outbox", instant(stocked.clock.now()))

    assert ok(stocked.viewer.get(f"{BASE}/trends", days=1)) == before
