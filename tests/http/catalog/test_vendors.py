"""Vendors, what they ask, who is recommended and why, and links to connected suppliers over HTTP."""

from typing import Any

import pytest

from shared.ports.documents import Create, Key
from shared.purchasing import prices
from tests.http.catalog.builders import PRODUCTS, a_product, a_vendor, state
from tests.http.inventory.builders import Shop, ok

VENDORS = "/api/v1/vendors"


def asks(shop: Shop, vendor: dict[str, Any], product: dict[str, Any], price: float, **terms: Any) -> dict[str, Any]:
    """Let a vendor ask a price for a product; return the row."""
    body = {"product_id": product["id"], "unit_price": price, **terms}
    answer = shop.operator.post(f"{VENDORS}/{vendor['id']}/prices", body)
    assert answer.status in {200, 201}, answer.body
    return dict(answer.json)


def test_a_vendor_is_made_changed_found_and_removed_with_its_prices(shop: Shop) -> None:
    made = shop.operator.post(VENDORS, {"name": "Acme Östra", "contact_email": "a@b.example"})
    vendor = ok(made, 201)
    path = f"{VENDORS}/{vendor['id']}"
    product = a_product(shop)
    asks(shop, vendor, product, 3)

    assert made.headers["Location"] == path
    assert list(vendor) == [
        "id",
        "name",
        "contact_email",
        "contact_phone",
        "address",
        "product_count",
        "created_at",
        "updated_at",
        "version",
    ]
    shown = ok(shop.viewer.get(path))
    assert shown["product_count"] == 1
    changed = ok(shop.operator.put(path, {**vendor, "contact_phone": "+46 8"}))
    assert (changed["contact_phone"], changed["version"]) == ("+46 8", 2)
    assert shop.operator.patch(path, {"name": "B", "version": 1}).status == 412
    assert shop.operator.patch(path, {"name": None}).codes == [("/name", "required")]
    assert shop.operator.patch(path, {"created_at": "2020-01-01T00:00:00Z"}).codes == [("/created_at", "unknown_field")]
    assert [row["id"] for row in ok(shop.viewer.get(VENDORS, search="ostr"))["items"]] == [vendor["id"]]
    assert ok(shop.viewer.get(VENDORS, search="xyz"))["items"] == []
    assert shop.operator.delete(path).status == 403
    assert shop.manager.delete(path).status == 204
    assert [shop.viewer.get(path).status, shop.manager.delete(path).status] == [404, 404]
    assert ok(shop.viewer.get(f"{PRODUCTS}/{product['id']}/vendors"))["items"] == []


def test_a_price_is_new_then_replaced_and_its_history_kept(shop: Shop) -> None:
    vendor, product = a_vendor(shop), a_product(shop)
    path = f"{VENDORS}/{vendor['id']}/prices"
    body = {"product_id": product["id"], "unit_price": 3}

    first = shop.operator.post(path, body)
    shop.clock.advance(1)
    second = shop.operator.post(path, {**body, "unit_price": "2.50", "minimum_order_quantity": 5})
    same = shop.operator.post(path, {**body, "unit_price": "2.50", "minimum_order_quantity": 5})
    shop.clock.advance(1)
    third = ok(shop.operator.patch(f"{path}/{product['id']}", {"lead_time_days": 2}))

    assert [first.status, second.status, same.status] == [201, 200, 200]
    assert first.headers["Location"] == f"{path}/{product['id']}"
    assert (first.json["lead_time_days"], first.json["minimum_order_quantity"], first.json["currency"]) == (7, 1, "EUR")
    assert [one["version"] for one in (first.json, second.json, same.json, third)] == [1, 2, 2, 3]
    history = ok(shop.viewer.get(f"{path}/{product['id']}/history"))["items"]
    told = [(row["old"] and row["old"]["unit_price"], row["new"]["unit_price"]) for row in history]
    assert told == [(2.5, 2.5), (3, 2.5), (None, 3)]
    shop.clock.advance(1)
    assert shop.operator.delete(f"{path}/{product['id']}").status == 204
    missing = [
        shop.operator.patch(f"{path}/{product['id']}", {"lead_time_days": 2}),
        shop.operator.delete(f"{path}/{product['id']}"),
        shop.operator.post(f"{VENDORS}/no/prices", body),
        shop.operator.post(path, {**body, "product_id": "no"}),
        shop.viewer.get(f"{VENDORS}/no/prices"),
    ]
    assert [answer.status for answer in missing] == [404] * 5
    assert [row["new"] for row in ok(shop.viewer.get(f"{path}/{product['id']}/history", limit=1))["items"]] == [None]


def test_bad_terms_are_refused_and_change_nothing(shop: Shop) -> None:
    vendor, product = a_vendor(shop), a_product(shop)
    before = state(shop)

    refusals = [
        shop.operator.post(f"{VENDORS}/{vendor['id']}/prices", {"product_id": product["id"], "unit_price": 1, **terms})
        for terms in (
            {"unit_price": 0},
            {"unit_price": 1.001},
            {"lead_time_days": 366},
            {"minimum_order_quantity": 0},
            {"is_recommended": True},
        )
    ]

    assert [(refused.status, refused.codes) for refused in refusals] == [
        (422, [("/unit_price", "out_of_range")]),
        (422, [("/unit_price", "too_many_decimals")]),
        (422, [("/lead_time_days", "out_of_range")]),
        (422, [("/minimum_order_quantity", "out_of_range")]),
        (422, [("/is_recommended", "unknown_field")]),
    ]
    assert state(shop) == before


def test_vendors_come_cheapest_first_and_one_is_recommended(shop: Shop) -> None:
    product = a_product(shop, currency="EUR")
    for name, price, terms in (
        ("Bulk", 2, {"minimum_order_quantity": 100}),
        ("Slow", 3, {"lead_time_days": 9}),
        ("Zed", 3, {"lead_time_days": 2}),
        ("Ann", 3, {"lead_time_days": 2}),
        ("Foreign", 1, {"currency": "USD"}),
    ):
        asks(shop, a_vendor(shop, name, contact_phone="1"), product, price, **terms)
    path = f"{PRODUCTS}/{product['id']}/vendors"

    def told(**query: Any) -> list[tuple[str, bool]]:
        return [(row["vendor_name"], row["is_recommended"]) for row in ok(shop.viewer.get(path, **query))["items"]]

    names = ["Foreign", "Bulk", "Ann", "Zed", "Slow"]
    assert told() == [(name, name == "Bulk") for name in names]
    assert told(quantity=99) == [(name, name == "Ann") for name in names]
    assert told(quantity=100) == [(name, name == "Bulk") for name in names]
    first = ok(shop.viewer.get(path, limit=2))
    rest = ok(shop.viewer.get(path, limit=9, cursor=first["next_cursor"]))
    assert [row["vendor_name"] for row in [*first["items"], *rest["items"]]] == names
    assert first["items"][0]["vendor_phone"] == "1"
    assert shop.viewer.get(path, quantity=0).status == 422
    assert shop.viewer.get(f"{PRODUCTS}/no/vendors").status == 404


def test_the_comparison_counts_the_whole_order_and_says_why(shop: Shop) -> None:
    product = a_product(shop)
    cheap = a_vendor(shop, "Cheap")
    near = a_vendor(shop, "Near")
    asks(shop, cheap, product, 2, minimum_order_quantity=10, pack_size=12, delivery_cost=6)
    asks(shop, near, product, 3, lead_time_days=1)

    small = ok(shop.viewer.get(f"{PRODUCTS}/{product['id']}/vendors/comparison", quantity=5))
    large = ok(shop.viewer.get(f"{PRODUCTS}/{product['id']}/vendors/comparison", quantity=24))

    assert (small["recommended_vendor_id"], large["recommended_vendor_id"]) == (near["id"], cheap["id"])
    assert [
        (row["vendor_name"], row["order_quantity"], row["total_cost"], row["landed_unit_cost"]) for row in small["rows"]
    ] == [
        ("Near", 5, 15.0, 3.0),
        ("Cheap", 12, 30.0, 6.0),
    ]
    assert small["reason"] == (
        "Near: 3.00 EUR for each of 5 units, delivery, minimum and packs included; 15.00 EUR less in all than Cheap."
    )
    assert [(row["order_quantity"], row["surplus"], row["total_cost"]) for row in large["rows"]] == [
        (24, 0, 54.0),
        (24, 0, 72.0),
    ]


def test_supplier_links_are_put_listed_and_removed(shop: Shop) -> None:
    product = a_product(shop)
    shop.app.documents.commit([Create(Key("suppliers", "sup_1"), {"name": "S"})])
    path = f"{PRODUCTS}/{product['id']}/suppliers"

    link = ok(shop.operator.put(f"{path}/sup_1", {"supplier_product_id": "77", "cost": "3.20", "supplier_stock": 5}))
    kept = ok(shop.operator.put(f"{path}/sup_1", {"supplier_product_id": "78", "cost": None}))

    assert link == {
        "product_id": product["id"],
        "supplier_id": "sup_1",
        "supplier_product_id": "77",
        "supplier_sku": None,
        "cost": 3.2,
        "currency": "EUR",
        "supplier_stock": 5,
        "delivery_days": None,
        "is_active": True,
        "last_seen_at": None,
    }
    assert (kept["supplier_product_id"], kept["cost"], kept["supplier_stock"]) == ("78", None, 5)
    assert ok(shop.viewer.get(path))["items"] == [kept]
    before = state(shop)
    refusals = [
        shop.operator.put(f"{path}/sup_2", {"supplier_product_id": "1"}),
        shop.operator.put(f"{PRODUCTS}/no/suppliers/sup_1", {"supplier_product_id": "1"}),
        shop.operator.put(f"{path}/sup_1", {}),
        shop.operator.put(f"{path}/sup_1", {"supplier_product_id": "1", "product_id": "other"}),
        shop.operator.put(f"{path}/sup_1", {"supplier_product_id": "1", "last_seen_at": "2020-01-01T00:00:00Z"}),
        shop.viewer.put(f"{path}/sup_1", {"supplier_product_id": "1"}),
    ]
    assert [refused.status for refused in refusals] == [404, 404, 422, 422, 422, 403]
    assert state(shop) == before
    assert [shop.operator.delete(f"{path}/sup_1").status for _ in range(2)] == [204, 404]


def test_more_prices_than_are_read_at_a_time_are_all_compared(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "_MOST", 2)
    product = a_product(shop)
    for price in (9, 8, 7, 6, 5):
        asks(shop, a_vendor(shop, f"Vendor {price}"), product, price)

    rows = ok(shop.viewer.get(f"{PRODUCTS}/{product['id']}/vendors"))["items"]

    assert [(row["unit_price"], row["is_recommended"]) for row in rows] == [
        (5, True),
        *((n, False) for n in (6, 7, 8, 9)),
    ]
