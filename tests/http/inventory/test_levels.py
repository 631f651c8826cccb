"""Stock levels over HTTP: what is listed, read, made and corrected, and what is refused without changing anything."""

from collections.abc import Iterable
from typing import Any

import pytest

from shared.core.page import Rows, Written
from shared.inventory.views import LEVEL_KEYS
from shared.ports.documents import Query, Stored
from tests.http.inventory.builders import Shop, ok

LEVELS = "/api/v1/inventory"


def test_a_level_is_made_with_its_first_stock_as_initial_movement(shop: Shop) -> None:
    product, store = shop.product("CUP", category="Kitchen", brand="Acme"), shop.store("North Hub")

    answer = shop.operator.post(LEVELS, {"store_id": store, "product_id": product, "on_hand": 12, "max_stock": 50})
    level = ok(answer, 201)
    (movement,) = ok(shop.viewer.get("/api/v1/inventory/movements"))["items"]

    assert answer.headers["Location"] == f"{LEVELS}/{level['id']}"
    assert level == {
        "id": level["id"],
        "store_id": store,
        "product_id": product,
        "sku": "CUP",
        "product_name": "Product CUP",
        "brand": "Acme",
        "category": "Kitchen",
        "store_name": "North Hub",
        "region": "North",
        "on_hand": 12,
        "reserved": 0,
        "available": 12,
        "reorder_level": None,
        "effective_reorder_level": 10,
        "max_stock": 50,
        "allow_negative": False,
        "stock_status": "sufficient",
        "value": 30.0,
        "currency": "EUR",
        "last_updated": level["last_updated"],
        "version": 1,
    }
    assert list(level) == list(LEVEL_KEYS)
    assert ok(shop.viewer.get(f"{LEVELS}/{level['id']}")) == level
    assert movement["transaction_type"] == "initial"
    assert (movement["quantity"], movement["previous_stock"], movement["new_stock"]) == (12, 0, 12)
    assert movement["user_id"] == "usr_operator"


@pytest.mark.parametrize(
    ("facts", "value", "currency"),
    [
        ({"sale_price": None}, 3.0, "EUR"),
        ({"sale_price": None, "unit_cost": None}, None, None),
        ({"sale_price": "0.10", "currency": "USD"}, 0.3, "USD"),
    ],
)
def test_the_value_is_of_the_price_else_the_cost(shop: Shop, facts: dict[str, Any], value: Any, currency: Any) -> None:
    level = shop.stock(shop.product("CUP", **facts), 3)

    assert (level["value"], level["currency"]) == (value, currency)


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"product_id": "prd_none"}, 404, "NotFound"),
        ({"store_id": "sto_none"}, 404, "NotFound"),
        ({"on_hand": -1}, 409, "InsufficientStock"),
        ({"on_hand": 1.0}, 422, "ValidationFailed"),
        ({"on_hand": "1"}, 422, "ValidationFailed"),
        ({"on_hand": 1_000_000_001}, 422, "ValidationFailed"),
        ({"reserved": 1}, 422, "ValidationFailed"),
        ({"version": 1}, 422, "ValidationFailed"),
    ],
)
def test_a_refused_level_leaves_nothing_behind(shop: Shop, body: dict[str, Any], status: int, problem: str) -> None:
    good = {"store_id": shop.store(), "product_id": shop.product(), "on_hand": 1}

    answer = shop.operator.post(LEVELS, good | body)

    assert (answer.status, answer.problem) == (status, problem)
    assert [shop.app.store.count(Query(name)) for name in ("levels", "movements", "warehouse_outbox")] == [0, 0, 0]


def test_a_second_level_of_a_pair_is_refused(shop: Shop) -> None:
    body = {"store_id": shop.store(), "product_id": shop.product()}
    ok(shop.operator.post(LEVELS, body), 201)

    answer = shop.operator.post(LEVELS, body)

    assert (answer.status, answer.problem) == (409, "AlreadyExists")


def test_a_correction_is_booked_and_raises_the_version_by_one(shop: Shop) -> None:
    level = shop.stock(shop.product(), 12)

    changed = ok(
        shop.operator.patch(
            f"{LEVELS}/{level['id']}", {"on_hand": 9, "reorder_level": 20, "expected_quantity": 12, "reason": "count"}
        )
    )
    movement = ok(shop.viewer.get("/api/v1/inventory/movements"))["items"][0]

    assert (changed["on_hand"], changed["reorder_level"], changed["effective_reorder_level"]) == (9, 20, 20)
    assert changed["stock_status"] == "low"
    assert changed["version"] == level["version"] + 1
    assert (movement["transaction_type"], movement["quantity"], movement["reason"]) == ("correction", -3, "count")


def test_an_edited_answer_can_be_sent_back(shop: Shop) -> None:
    level = shop.stock(shop.product(), 12)

    changed = ok(shop.operator.put(f"{LEVELS}/{level['id']}", {**level, "reorder_level": 3}))

    assert (changed["reorder_level"], changed["on_hand"], changed["version"]) == (3, 12, level["version"] + 1)
    assert ok(shop.operator.put(f"{LEVELS}/{level['id']}", changed)) == changed


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"on_hand": -1}, 409, "InsufficientStock"),
        ({"on_hand": 5, "expected_quantity": 11}, 409, "QuantityMismatch"),
        ({"on_hand": 5, "version": 99}, 412, "PreconditionFailed"),
        ({"reserved": 4}, 422, "ValidationFailed"),
        ({"on_hand": None}, 422, "ValidationFailed"),
        ({"store_id": "sto_other"}, 422, "ValidationFailed"),
        ({"allow_negative": True}, 403, "Forbidden"),
        ({"surprise": 1}, 422, "ValidationFailed"),
    ],
)
def test_a_refused_change_changes_nothing(shop: Shop, body: dict[str, Any], status: int, problem: str) -> None:
    level = shop.stock(shop.product(), 12)

    answer = shop.operator.patch(f"{LEVELS}/{level['id']}", body)

    assert (answer.status, answer.problem) == (status, problem)
    assert ok(shop.viewer.get(f"{LEVELS}/{level['id']}")) == level
    assert shop.app.store.count(Query("movements")) == 1


def test_an_unknown_level_is_not_found(shop: Shop) -> None:
    assert shop.viewer.get(f"{LEVELS}/lvl_none").problem == "NotFound"
    assert shop.operator.patch(f"{LEVELS}/lvl_none", {"on_hand": 1}).problem == "NotFound"


def test_if_match_names_the_version(shop: Shop) -> None:
    level = shop.stock(shop.product(), 12)
    tag = shop.viewer.get(f"{LEVELS}/{level['id']}").headers["ETag"]
    shop.stock(level["product_id"], 1)

    stale = shop.operator.patch(f"{LEVELS}/{level['id']}", {"reorder_level": 1}, headers={"If-Match": tag})

    assert (stale.status, stale.problem) == (412, "PreconditionFailed")


def test_a_stale_version_is_told_before_a_key_that_cannot_change(shop: Shop) -> None:
    level = shop.stock(shop.product(), 12)

    stale = shop.operator.patch(f"{LEVELS}/{level['id']}", {"version": 99, "store_id": "sto_other"})

    assert (stale.status, stale.problem) == (412, "PreconditionFailed")


def test_below_zero_only_where_a_manager_allowed_it(shop: Shop) -> None:
    level = shop.stock(shop.product(), 2)
    path = f"{LEVELS}/{level['id']}"
    remove = {"product_id": level["product_id"], "quantity": -5}

    assert shop.operator.post(f"{LEVELS}/adjust", remove).problem == "InsufficientStock"
    ok(shop.manager.patch(path, {"allow_negative": True}))
    assert ok(shop.operator.post(f"{LEVELS}/adjust", remove))["new_stock"] == -3
    below = ok(shop.viewer.get(path))
    assert (below["on_hand"], below["available"], below["stock_status"]) == (-3, 0, "critical")
    assert shop.manager.patch(path, {"allow_negative": False}).problem == "InvalidState"
    assert ok(shop.manager.patch(path, {"allow_negative": False, "on_hand": 0}))["on_hand"] == 0


EVERYTHING = [("SKU2", 3), ("SKU2", 25), ("SKU1", 2), ("SKU1", 15), ("SKU0", 1), ("SKU0", 5)]
"""SKU and units of the six levels, the one that moved last first."""


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give a shop with three products in a northern store and a southern warehouse."""
    north, south = shop.store("North", region="North"), shop.store("South", region="South", store_type="Warehouse")
    for number, category in enumerate(["Kitchen", "Garden", None]):
        product = shop.product(f"SKU{number}", category=category, brand="Acme" if number else None)
        shop.stock(product, 5 + 10 * number, north)
        shop.clock.advance(1)
        shop.stock(product, 1 + number, south)
        shop.clock.advance(1)
    return shop


def _skus(shop: Shop, **query: Any) -> list[tuple[str, int]]:
    return [(level["sku"], level["on_hand"]) for level in ok(shop.viewer.get(LEVELS, **query))["items"]]


def test_lists_are_sorted(stocked: Shop) -> None:
    by_units = [("SKU0", 1), ("SKU1", 2), ("SKU2", 3), ("SKU0", 5), ("SKU1", 15), ("SKU2", 25)]

    assert _skus(stocked) == EVERYTHING
    assert _skus(stocked, sort="last_updated") == EVERYTHING[::-1]
    assert _skus(stocked, sort="available") == by_units
    assert _skus(stocked, sort="-sku", region="North") == [("SKU2", 25), ("SKU1", 15), ("SKU0", 5)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"region": "South", "category": "Kitchen"}, [("SKU0", 1)]),
        (
            {"category": ["Kitchen", "Garden"], "region": ["South", "North"], "sort": "available", "limit": 2},
            [("SKU0", 1), ("SKU1", 2)],
        ),
        ({"low_stock": True}, [("SKU2", 3), ("SKU1", 2), ("SKU0", 1), ("SKU0", 5)]),
        ({"low_stock": False}, [("SKU2", 25), ("SKU1", 15)]),
        ({"stock_status": "sufficient", "region": "all"}, [("SKU2", 25), ("SKU1", 15)]),
        ({"search": "acme nor"}, [("SKU2", 25), ("SKU1", 15)]),
        ({"search": "sku0", "low_stock": True, "sort": "available"}, [("SKU0", 1), ("SKU0", 5)]),
        ({"search": "ku0"}, []),
        ({"product_id": "prd_sku1", "stock_status": "low", "sort": "sku"}, [("SKU1", 2)]),
        ({"product_id": "prd_none"}, []),
    ],
)
def test_lists_are_filtered(stocked: Shop, query: dict[str, Any], expected: list[tuple[str, int]]) -> None:
    assert _skus(stocked, **query) == expected


def test_time_bounds_are_those_of_the_last_movement_whatever_the_order(stocked: Shop) -> None:
    latest = ok(stocked.viewer.get(LEVELS, limit=1))["items"][0]["last_updated"]

    assert _skus(stocked, created_from=latest) == EVERYTHING[:1]
    assert _skus(stocked, created_from=latest, sort="sku") == EVERYTHING[:1]
    assert _skus(stocked, created_to="2020-01-01") == []


def test_pages_cover_each_level_once(stocked: Shop) -> None:
    walked, cursor = [], None
    while True:
        page = ok(stocked.viewer.get(LEVELS, limit=4, **({"cursor": cursor} if cursor else {})))
        walked += [(level["sku"], level["on_hand"]) for level in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    numbered = ok(stocked.viewer.get(LEVELS, page=2, limit=4))

    assert walked == EVERYTHING
    assert [numbered[name] for name in ("page", "limit", "total", "total_pages")] == [2, 4, 6, 2]
    assert [(level["sku"], level["on_hand"]) for level in numbered["items"]] == EVERYTHING[4:]
    assert ok(stocked.viewer.get(LEVELS, search="acme", include_total=True, limit=1))["total"] == 4


def test_low_stock_lists_active_products_by_their_own_threshold_or_a_given_one(shop: Shop) -> None:
    shop.stock(shop.product("A", reorder_threshold=3), 4)
    shop.stock(shop.product("B", reorder_threshold=30), 20)
    shop.stock(shop.product("C", status="paused"), 1)
    shop.stock(shop.product("D", category="Kitchen"), 10)

    def skus(**query: Any) -> list[str]:
        return [level["sku"] for level in ok(shop.viewer.get(f"{LEVELS}/low-stock", **query))["items"]]

    assert skus() == ["D", "B"]
    assert skus(threshold=15) == ["A", "D"]
    assert skus(threshold=15, category="Kitchen") == ["D"]
    assert skus(category="Kitchen", region="Main") == ["D"]
    assert skus(sort="-available") == ["B", "D"]


def test_levels_say_what_is_on_its_way_when_asked(shop: Shop) -> None:
    product, store = shop.product(), shop.store()
    level = shop.stock(product, 3, store)
    order = {"to_store_id": store, "product_id": product, "quantity": 8}
    made = ok(shop.operator.post("/api/v1/transfer-orders", order), 201)
    ok(shop.manager.post(f"/api/v1/transfer-orders/{made['id']}/approve"))

    shown = ok(shop.viewer.get(f"{LEVELS}/{level['id']}", include="incoming"))
    (listed,) = ok(shop.viewer.get(LEVELS, include="incoming"))["items"]

    assert shown == listed == {**level, "incoming": 8}
    assert ok(shop.operator.patch(f"{LEVELS}/{level['id']}", {**shown, "max_stock": 9}))["max_stock"] == 9
    assert shop.viewer.get(f"{LEVELS}/export", include="incoming").status == 422
    assert shop.viewer.get(LEVELS, include="more").status == 422


class _Forgetful(Written[Stored]):
    """The broken variant: a row is remembered by its id alone."""

    def rows(self, found: Iterable[Stored]) -> Rows:
        """Look at no version."""
        return super().rows(Stored(stored.key, stored.data, "") for stored in found)


@pytest.mark.parametrize(
    ("kind", "shown"), [(Written, [[5, 12], [7, 12], [7, 12]]), (_Forgetful, [[5, 12]] * 3)], ids=["right", "control"]
)
def test_a_list_shows_a_level_as_it_is_now_however_often_it_was_listed(
    kind: type[Written[Stored]], shown: list[list[int]], shop: Shop
) -> None:
    store = shop.store("North Hub")
    levels = [
        ok(shop.operator.post(LEVELS, {"store_id": store, "product_id": shop.product(sku), "on_hand": units}), 201)
        for sku, units in (("CUP", 12), ("JAR", 5))
    ]
    lists = shop.app.stock_lists
    lists.__dict__["level_rows"] = kind(lists.level)

    def listed(**query: Any) -> list[int]:
        return [level["on_hand"] for level in ok(shop.viewer.get(LEVELS, sort="available", **query))["items"]]

    seen = [listed(), [], []]
    ok(shop.operator.patch(f"{LEVELS}/{levels[1]['id']}", {"on_hand": 7}))
    seen[1:] = [listed(), listed(limit=10)]
    assert seen == shown


def test_a_page_of_levels_reads_its_rows_and_one_more_and_is_the_same_in_every_spelling(shop: Shop) -> None:
    store = shop.store("North Hub")
    for number in range(5):
        body = {"store_id": store, "product_id": shop.product(f"SKU-{number}"), "on_hand": number}
        ok(shop.operator.post(LEVELS, body), 201)
    counts = shop.app.documents.counts

    def asked(query: str) -> tuple[Any, int]:
        before = counts.reads
        page = ok(shop.viewer.get(f"{LEVELS}?{query}"))
        return page, counts.reads - before

    page, reads = asked(f"store_id={store}&sort=sku&limit=3")
    assert [level["sku"] for level in page["items"]] == ["SKU-0", "SKU-1", "SKU-2"]
    assert page["items"] == [ok(shop.viewer.get(f"{LEVELS}/{level['id']}")) for level in page["items"]]
    assert asked(f"store_id={store}&sort=sku&limit=3") == (page, reads)
    assert reads == 4 + 1  # one row more says that there is a next page; one query finds no reservation that has ended
    assert asked(f"store_id={store}&sort=sku&limit=3&include=incoming")[1] >= reads
    assert asked(f"store_id={store}&sort=sku&limit=3&cursor={page['next_cursor']}")[0]["items"][0]["sku"] == "SKU-3"
