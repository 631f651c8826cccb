"""The view of warehouses: products with their stock over all stores of that type."""

import pytest

from tests.http.inventory.builders import Shop, ok

PATH = "/api/v1/inventory/warehouse"


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give two warehouses and a shop front; two products share a name."""
    first = shop.store("W1", store_type="Warehouse")
    second = shop.store("W2", store_type="Warehouse", region="South")
    front = shop.store("Front")
    cup = shop.product("CUP", name="Cup", category="Kitchen", package_size="6")
    twin = shop.product("CUP2", name="Cup")
    for store, units in ((first, 5), (second, 7), (front, 100)):
        shop.stock(cup, units, store)
        shop.stock(twin, 1, store)
    shop.stock(shop.product("BOWL", name="Bowl", sale_price=None), 3, second)
    held = {"product_id": cup, "store_id": second, "quantity": 6, "ttl_seconds": None}
    ok(shop.operator.post("/api/v1/inventory/reservations", held), 201)
    return shop


def test_warehouses_are_summed_and_nothing_else(stocked: Shop) -> None:
    rows = ok(stocked.viewer.get(PATH))["items"]

    assert [row["sku"] for row in rows] == ["BOWL", "CUP", "CUP2"]
    assert rows[0]["unit_price"] is None
    assert rows[1] == {
        "product_id": "prd_cup",
        "product_name": "Cup",
        "sku": "CUP",
        "brand": None,
        "category": "Kitchen",
        "unit_price": 2.5,
        "package_size": "6",
        "total_quantity": 12,
        "total_reserved": 6,
        "available": 6,
    }


def test_pages_never_split_a_product(stocked: Shop) -> None:
    rows = ok(stocked.viewer.get(PATH))["items"]

    one = ok(stocked.viewer.get(PATH, limit=1))
    rest = ok(stocked.viewer.get(PATH, limit=5, cursor=one["next_cursor"]))
    backwards = ok(stocked.viewer.get(PATH, sort="-product_name", limit=2))
    last = ok(stocked.viewer.get(PATH, sort="-product_name", cursor=backwards["next_cursor"]))

    assert [*one["items"], *rest["items"]] == rows
    assert [*backwards["items"], *last["items"]] == rows[::-1]


def test_it_is_filtered_counted_and_refuses_foreign_cursors(stocked: Shop) -> None:
    assert ok(stocked.viewer.get(PATH, category="Kitchen", page=1))["total"] == 1
    assert [row["sku"] for row in ok(stocked.viewer.get(PATH, search="bow"))["items"]] == ["BOWL"]
    assert stocked.viewer.get(PATH, cursor="nonsense").problem == "BadRequest"
