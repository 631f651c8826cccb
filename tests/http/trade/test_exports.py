"""Exports of sales and transfer orders: every row of the list, as CSV and JSON lines."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.http.trade.shop import Shop


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    cup = shop.a_product("=Cup", stock=50)
    for _ in range(3):
        shop.clock.advance(60)
        shop.buy((cup, 2))
        body = {"to_store_id": shop.main, "product_id": cup, "quantity": 1, "notes": "-1"}
        shop.operator.post("/api/v1/transfer-orders", body)
    return shop


@pytest.mark.parametrize("path", ["/api/v1/sales", "/api/v1/transfer-orders"])
def test_lines_of_json_are_the_items_of_the_list(shop: Shop, path: str) -> None:
    listed = shop.viewer.get(path).json["items"]

    answer = shop.viewer.get(f"{path}/export", format="jsonl")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-ndjson")
    assert [json.loads(line) for line in answer.body.splitlines()] == listed


def test_csv_has_the_keys_of_the_list_and_computes_nothing(shop: Shop) -> None:
    answer = shop.viewer.get("/api/v1/transfer-orders/export", sort="order_number")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    listed = shop.viewer.get("/api/v1/transfer-orders", sort="order_number").json["items"]

    assert answer.headers["Content-Disposition"] == 'attachment; filename="transfer-orders-2026-01-15.csv"'
    assert list(rows[0]) == list(listed[0])
    assert [row["order_number"] for row in rows] == ["ORD000001", "ORD000002", "ORD000003"]
    assert (rows[0]["product_name"], rows[0]["notes"], rows[0]["from_store_id"]) == ("'=Cup", "'-1", "")


def test_filters_hold_and_paging_is_refused(shop: Shop) -> None:
    assert shop.viewer.get("/api/v1/sales/export", user_id="nobody").body.count(b"\r\n") == 1
    assert shop.viewer.get("/api/v1/sales/export", limit=5).status == 422
    assert shop.viewer.get("/api/v1/transfer-orders/export", status="approved", format="jsonl").body == b""
