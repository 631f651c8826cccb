"""Bulk prices, bulk edits with preview, price history and competitors' prices over HTTP."""

from collections.abc import Sequence
from typing import Any

import pytest

from shared.adapters.local_queue import Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.tasks import Claimed
from shared.adapters.sqlite import SqliteDocuments
from shared.inventory.keys import LEVELS
from shared.ports.documents import Query, Write
from tests.http.catalog.builders import PRODUCTS, a_product, shown, state
from tests.http.inventory.builders import Shop, ok

BULK = f"{PRODUCTS}/bulk-price-update"
EDIT = f"{PRODUCTS}/bulk-edit"


def prices(answer: Any) -> list[tuple[float | None, float]]:
    """Return old and new price of each item."""
    return [(item["old_price"], item["new_price"]) for item in ok(answer)["items"]]


def by(ids: list[str], kind: str, value: float, **more: Any) -> dict[str, Any]:
    """Return the body of an adjustment."""
    return {"product_ids": ids, "adjustment_type": kind, "adjustment_value": value, **more}


def test_prices_change_by_percentage_by_amount_and_one_by_one(shop: Shop) -> None:
    first, second = (a_product(shop, sale_price=price, unit_cost=4)["id"] for price in (10, 0.05))

    assert prices(shop.manager.post(BULK, by([first, second], "percentage", 10))) == [(10, 11), (0.05, 0.06)]
    assert prices(shop.manager.post(BULK, by([first], "fixed", -0.005))) == [(11, 11.0)]
    assert prices(shop.manager.post(BULK, by([first], "percentage", 12.5, apply_to="cost_price"))) == [(4, 4.5)]
    one = shop.manager.post(BULK, {"updates": [{"product_id": second, "price": "1.20"}]})
    assert prices(one) == [(0.06, 1.2)]
    assert (one.json["success"], one.json["updated_count"], one.json["dry_run"]) == (True, 1, False)
    assert (shown(shop, first)["sale_price"], shown(shop, first)["unit_cost"]) == (11, 4.5)
    history = ok(shop.viewer.get(f"{PRODUCTS}/{first}/price-history"))["items"]
    assert sorted((row["field"], row["old_price"], row["new_price"], row["user_id"]) for row in history) == [
        ("cost_price", 4, 4.5, "usr_manager"),
        ("sale_price", 10, 11, "usr_manager"),
    ]


def test_a_preview_shows_the_prices_and_changes_nothing(shop: Shop) -> None:
    product = a_product(shop, sale_price=10)["id"]
    before = state(shop)

    answer = shop.manager.post(BULK, by([product], "fixed", 2.5, dry_run=True))

    assert prices(answer) == [(10, 12.5)]
    assert answer.json["dry_run"] is True
    assert state(shop) == before


def test_one_price_that_cannot_be_keeps_all_from_changing(shop: Shop) -> None:
    good, cheap, bare = (a_product(shop, sale_price=price)["id"] for price in (10, 1, None))
    before = state(shop)

    below = shop.manager.post(BULK, by([good, cheap, bare], "fixed", -5))
    unknown = shop.manager.post(BULK, by([good, "no-1", "no-2"], "fixed", 1))
    twice = shop.manager.post(BULK, by([good, good], "fixed", 1))
    unknown_update = shop.manager.post(BULK, {"updates": [{"product_id": "no", "price": 1}]})

    assert (below.status, below.codes) == (
        422,
        [("/product_ids/1", "out_of_range"), ("/product_ids/2", "no_price")],
    )
    assert (unknown.status, unknown.problem, unknown.codes) == (
        404,
        "NotFound",
        [("/product_ids/1", "unknown"), ("/product_ids/2", "unknown")],
    )
    assert (twice.status, twice.codes) == (422, [("/product_ids/1", "duplicate")])
    assert (unknown_update.status, unknown_update.codes) == (404, [("/updates/0/product_id", "unknown")])
    assert state(shop) == before


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ({}, [("/product_ids", "missing")]),
        (by(["a"], "fixed", 0.00001), [("/adjustment_value", "too_many_decimals")]),
        (by(["a"], "fixed", 1) | {"adjustment_value": "1"}, [("/adjustment_value", "wrong_type")]),
        (by(["a"], "factor", 1), [("/adjustment_type", "not_allowed")]),
        (by(["a"], "fixed", 1, updates=[{"product_id": "a", "price": 1}]), [("/product_ids", "conflict")]),
        ({"updates": [{"product_id": "a", "price": -1}]}, [("/updates/0/price", "out_of_range")]),
        ({"updates": []}, [("/updates", "too_short")]),
    ],
    ids=str,
)
def test_a_bulk_change_that_says_too_little_or_too_much_is_refused(
    shop: Shop, body: dict[str, Any], codes: list[tuple[str, str]]
) -> None:
    refused = shop.manager.post(BULK, body)

    assert (refused.status, refused.codes) == (422, codes)


def test_two_hundred_prices_change_in_one_commit_and_their_levels_follow(shop: Shop) -> None:
    ids = [a_product(shop, sku=f"P{number}", sale_price=2, current_stock=1)["id"] for number in range(200)]
    documents = shop.app.documents
    commits: list[int] = []

    class Counting(SqliteDocuments):
        """Notes how large each commit is."""

        def commit(self, writes: Sequence[Write]) -> list[str]:
            commits.append(len(writes))
            return super().commit(writes)

    documents.__class__ = Counting

    answer = shop.manager.post(BULK, by(ids, "fixed", 1))

    assert ok(answer)["updated_count"] == 200
    # The first holds each product and its price's history, the row of who did it, and the job that repeats the rest.
    assert [size for size in commits if size > 300] == [403]
    assert max(commits) <= 500
    levels = list(shop.app.store.walk(Query(LEVELS)))
    assert [level.data["value"] for level in levels] == ["3.00"] * 200


def test_a_bulk_edit_is_previewed_then_made_and_named_in_each_products_history(shop: Shop) -> None:
    first, second = (a_product(shop, brand="Acme", category="Tools", current_stock=1)["id"] for _ in range(2))
    body = {"filter": {"brand": "Acme"}, "changes": {"category": "Gear", "reorder_threshold": 0, "brand": "Acme"}}
    before = state(shop)

    preview = ok(shop.manager.post(EDIT, {**body, "dry_run": True}))

    assert state(shop) == before
    assert (preview["updated_count"], preview["unchanged_count"], preview["dry_run"]) == (2, 0, True)
    shop.clock.advance(60)
    made = ok(shop.manager.post(EDIT, body))
    assert [item["product_id"] for item in made["items"]] == [item["product_id"] for item in preview["items"]]
    assert {change["field"] for change in made["items"][0]["changes"]} == {
        "category",
        "category_id",
        "reorder_threshold",
    }
    after = [shown(shop, product_id) for product_id in (first, second)]
    assert {(one["category"], one["reorder_threshold"], one["version"], one["stock_status"]) for one in after} == {
        ("Gear", 0, 2, "sufficient")
    }
    (change,) = ok(shop.viewer.get(f"{PRODUCTS}/{first}/changes", limit=1))["items"]
    assert (change["reason"], change["user_id"], change["version"]) == ("bulk edit", "usr_manager", 2)
    again = ok(shop.manager.post(EDIT, body))
    assert (again["updated_count"], again["unchanged_count"]) == (0, 2)


def test_products_too_long_for_one_commit_are_refused_together(shop: Shop) -> None:
    long = {f"k{number:02d}": "x" * 5000 for number in range(100)}
    ids = [a_product(shop, sku=f"L{number}", sale_price=2, attributes=long)["id"] for number in range(17)]
    before = state(shop)

    refused = shop.manager.post(BULK, by(ids, "fixed", 1))

    assert (refused.status, refused.codes) == (422, [("", "too_large")])
    assert state(shop) == before
    assert shop.manager.post(BULK, by(ids[:8], "fixed", 1)).status == 200


def test_a_bulk_edit_refuses_what_a_single_one_would(shop: Shop) -> None:
    product = a_product(shop, current_stock=2)["id"]
    ok(shop.operator.post("/api/v1/inventory/reservations", {"product_id": product, "quantity": 1}), 201)
    before = state(shop)

    refusals = [
        shop.manager.post(EDIT, {"product_ids": [product], "changes": changes})
        for changes in ({}, {"status": None}, {"status": "archived"}, {"category_id": "no"}, {"sale_price": 1})
    ]

    assert [(refused.status, refused.codes) for refused in refusals] == [
        (422, [("/changes", "missing")]),
        (422, [("/changes/status", "required")]),
        (409, []),
        (404, []),
        (422, [("/changes/sale_price", "unknown_field")]),
    ]
    assert state(shop) == before


def test_competitors_prices_are_kept_and_listed_seen_last_first(shop: Shop) -> None:
    product = a_product(shop)["id"]
    path = f"{PRODUCTS}/{product}/competitor-prices"

    ok(shop.operator.post(path, {"competitor": "B", "price": 9, "seen_at": "2026-01-02T00:00:00Z"}), 201)
    kept = ok(shop.operator.post(path, {"competitor": "A", "price": "8.10", "url": "https://a.example/x"}), 201)

    assert (kept["currency"], kept["price"], kept["url"]) == ("EUR", 8.1, "https://a.example/x")
    assert [row["competitor"] for row in ok(shop.viewer.get(path))["items"]] == ["A", "B"]
    assert [row["competitor"] for row in ok(shop.viewer.get(path, created_to="2026-01-03"))["items"]] == ["B"]
    assert shop.operator.post(f"{PRODUCTS}/no/competitor-prices", {"competitor": "A", "price": 1}).status == 404
    assert shop.operator.post(path, {"competitor": "A", "price": 1, "seen_at": "2026-01-02T00:00:00"}).codes == [
        ("/seen_at", "naive_time")
    ]


def test_a_process_that_ends_right_after_a_wide_commit_leaves_the_rest_to_a_job(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [a_product(shop, sku=f"P{number}", sale_price=2, current_stock=1)["id"] for number in range(160)]
    monkeypatch.setattr(type(shop.app), "_at_once", lambda *_: None)

    ok(shop.manager.post(BULK, by(ids, "fixed", 1)))

    def values() -> set[str]:
        return {level.data["value"] for level in shop.app.store.walk(Query(LEVELS))}

    assert values() == {"2.00"}
    queue = Dispatcher(shop.app.local_tasks, lambda claimed: _deliver(shop, claimed), shop.clock)
    queue.run_due()
    assert values() == {"3.00"}


def _deliver(shop: Shop, claimed: Claimed) -> Called:
    answer = shop.app.job_runner.deliver(claimed.task.kind, dict(claimed.task.payload))
    return Called(answer.status, None)
