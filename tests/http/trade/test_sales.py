"""Buying baskets over HTTP: one commit, summed lines, honest failures, exact money."""

from pathlib import Path
from typing import Any

import pytest

from tests.http.trade.shop import Shop


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_basket_is_bought_with_names_and_prices_frozen(shop: Shop) -> None:
    cup = shop.a_product("Cup", stock=5, category="Kitchen", sku="CUP-1")

    bought = shop.buy((cup, 2))
    shop.change(cup, name="Mug", sale_price="9.00")
    read = shop.viewer.get(f"/api/v1/sales/{bought.json['id']}").json

    assert bought.status == 201
    assert bought.headers["Location"] == f"/api/v1/sales/{read['id']}"
    assert read == bought.json
    keys = "id store_id user_id currency total_amount items failed_items customer_reference created_at"
    assert list(read) == keys.split()
    assert (read["store_id"], read["user_id"], read["currency"], read["total_amount"]) == (
        shop.main,
        "usr_operator",
        "EUR",
        5.0,
    )
    (line,) = read["items"]
    assert line == {
        "id": f"{read['id']}_1",
        "sale_id": read["id"],
        "product_id": cup,
        "sku": "CUP-1",
        "product_name": "Cup",
        "category_id": line["category_id"],
        "category": "Kitchen",
        "quantity": 2,
        "unit_price": 2.5,
        "line_total": 5.0,
    }
    assert shop.on_hand(cup) == 3


def test_one_commit_writes_stock_movement_sale_and_rows(shop: Shop) -> None:
    cup = shop.a_product(stock=5)
    before = shop.count("warehouse_outbox")

    sale = shop.buy((cup, 2)).json

    moved = shop.movements(cup)[-1]
    assert (moved["transaction_type"], moved["quantity"], moved["reference"]) == ("sale", -2, sale["id"])
    assert (moved["user_id"], moved["new_stock"]) == ("usr_operator", 3)
    assert shop.count("sales") == 1
    assert shop.count("warehouse_outbox") == before + 1


def test_lines_of_one_product_are_summed_before_anything_is_checked(shop: Shop) -> None:
    cup = shop.a_product(stock=5, sku="CUP-1")
    items = [{"product_id": cup, "quantity": 2}, {"sku": "cup-1", "quantity": 1}, {"product_id": cup, "quantity": 1}]

    sale = shop.operator.post("/api/v1/sales", {"items": items}).json

    assert [(line["product_id"], line["quantity"]) for line in sale["items"]] == [(cup, 4)]
    assert [one["quantity"] for one in shop.movements(cup)] == [5, -4]


def test_summed_lines_that_are_short_are_one_failure(shop: Shop) -> None:
    cup, pot = shop.a_product(stock=5, sku="CUP-1"), shop.a_product("Pot", stock=1)
    other = shop.a_store("North")
    shop.put(cup, 7, other)

    sale = shop.buy((cup, 3), (pot, 1), (cup, 3)).json

    assert [line["product_id"] for line in sale["items"]] == [pot]
    assert sale["failed_items"] == [
        {
            "product_id": cup,
            "sku": "CUP-1",
            "quantity": 6,
            "reason": "insufficient_stock",
            "available": 5,
            "available_elsewhere": 7,
        }
    ]
    assert (shop.on_hand(cup), shop.on_hand(pot)) == (5, 0)


def test_each_reason_is_told_and_nothing_bought_is_409_and_changes_nothing(shop: Shop) -> None:
    paused = shop.a_product("Paused", stock=1, status="paused")
    free = shop.a_product("Free", stock=1, sale_price=None)
    short = shop.a_product("Short", stock=1)

    answer = shop.unchanged(lambda: shop.buy((paused, 1), (free, 1), ("nothing", 1), (short, 2)))

    assert (answer.status, answer.problem) == (409, "InsufficientStock")
    assert [one["reason"] for one in answer.json["failed_items"]] == [
        "inactive",
        "no_price",
        "not_found",
        "insufficient_stock",
    ]


def test_another_currency_than_the_first_bought_is_not_mixed_in(shop: Shop) -> None:
    euro, dollar = shop.a_product("A", stock=1), shop.a_product("B", stock=1, currency="USD")
    short = shop.a_product("C", stock=0, currency="USD")

    sale = shop.buy((short, 1), (euro, 1), (dollar, 1)).json

    assert sale["currency"] == "EUR"
    assert [(one["product_id"], one["reason"]) for one in sale["failed_items"]] == [
        (short, "insufficient_stock"),
        (dollar, "currency_mismatch"),
    ]


def test_all_or_nothing_refuses_the_basket_and_names_every_failing_product(shop: Shop) -> None:
    cup, pot = shop.a_product(stock=5), shop.a_product("Pot", stock=1)

    answer = shop.unchanged(lambda: shop.buy((cup, 1), (pot, 2), ("nothing", 1), mode="all_or_nothing"))

    assert answer.status == 409
    assert [one["reason"] for one in answer.json["failed_items"]] == ["insufficient_stock", "not_found"]


def test_money_is_exact_where_floats_are_not(shop: Shop) -> None:
    dime = shop.a_product(stock=1000, sale_price="0.10")
    cent = shop.a_product("Cent", stock=1000, sale_price="0.07")

    sale = shop.buy((dime, 3), (cent, 3)).json

    assert (sale["total_amount"], [line["line_total"] for line in sale["items"]]) == (0.51, [0.3, 0.21])
    assert (0.1 * 3, 0.07 * 3) != (0.3, 0.21), "control: floats drift here"


def test_reserved_units_are_not_sold_and_a_level_that_may_go_below_zero_sells_on(shop: Shop) -> None:
    cup = shop.a_product(stock=2)
    booking = shop.app.ledger.open([(cup, shop.main)])
    booking.set_fields(cup, shop.main, {"allow_negative": True})
    booking.write()

    assert shop.buy((cup, 5)).status == 201
    assert shop.on_hand(cup) == -3


def test_an_operator_of_one_store_sells_there_by_default_and_nowhere_else(shop: Shop) -> None:
    north = shop.a_store("North")
    cup = shop.a_product(stock=5)
    shop.put(cup, 5, north)
    clerk = shop.as_("operator", "usr_clerk", store_id=north)

    assert shop.buy((cup, 1), client=clerk).json["store_id"] == north
    assert shop.buy((cup, 1), client=clerk, store_id=shop.main).problem == "Forbidden"
    assert shop.buy((cup, 1), client=clerk, store_id="nowhere").status == 404
    assert shop.buy((cup, 1), client=shop.viewer).status == 403


@pytest.mark.parametrize(
    ("items", "pointer", "code"),
    [
        ([], "/items", "too_short"),
        ([{"product_id": "x", "quantity": 0}], "/items/0/quantity", "out_of_range"),
        ([{"quantity": 1}], "/items/0/product_id", "missing"),
        ([{"product_id": "x", "quantity": 1.5}], "/items/0/quantity", "wrong_type"),
        ([{"product_id": "x", "quantity": 1, "price": 1}], "/items/0/price", "unknown_field"),
    ],
)
def test_a_basket_that_says_nothing_is_422(shop: Shop, items: list[object], pointer: str, code: str) -> None:
    answer = shop.unchanged(lambda: shop.operator.post("/api/v1/sales", {"items": items}))

    assert answer.status == 422
    assert answer.codes[0][0] == pointer, (answer.codes, code)


def test_a_repeat_with_the_same_key_is_one_sale(shop: Shop) -> None:
    cup = shop.a_product(stock=5)
    body = {"items": [{"product_id": cup, "quantity": 2}]}
    key = {"Idempotency-Key": "k-1"}

    first = shop.operator.post("/api/v1/sales", body, headers=key)
    again = shop.operator.post("/api/v1/sales", body, headers=key)
    other = shop.operator.post("/api/v1/sales", {"items": [{"product_id": cup, "quantity": 1}]}, headers=key)

    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (other.status, other.problem) == (422, "IdempotencyKeyReused")
    assert (shop.on_hand(cup), shop.count("sales")) == (3, 1)


def test_sales_are_listed_newest_first_by_store_user_and_time(shop: Shop) -> None:
    north = shop.a_store("North")
    cup = shop.a_product(stock=9)
    shop.put(cup, 9, north)
    ids = []
    for number in range(4):
        shop.clock.advance(3600)
        ids.append(shop.buy((cup, 1), store_id=north if number % 2 else shop.main).json["id"])

    def listed(**query: Any) -> list[str]:
        return [sale["id"] for sale in shop.viewer.get("/api/v1/sales", **query).json["items"]]

    assert listed() == ids[::-1]
    assert listed(store_id=north) == [ids[3], ids[1]]
    assert listed(store_id=north, user_id="usr_operator") == [ids[3], ids[1]]
    assert listed(user_id="nobody") == []
    assert listed(created_from="2026-01-15T12:30:00Z", created_to="2026-01-15T13:30:00Z") == [ids[2], ids[1]]
    assert shop.viewer.get("/api/v1/sales", limit=2, page=2).json["items"][0]["id"] == ids[1]


def test_an_unknown_sale_is_404(shop: Shop) -> None:
    answer = shop.viewer.get("/api/v1/sales/sal_none")

    assert (answer.status, answer.json["resource"]) == (404, "sale")


def test_a_basket_of_a_hundred_products_is_one_commit(shop: Shop) -> None:
    products = [shop.a_product(f"P{number}", stock=1) for number in range(100)]

    sale = shop.buy(*((product, 1) for product in products))

    assert (sale.status, len(sale.json["items"]), sale.json["total_amount"]) == (201, 100, 250.0)
