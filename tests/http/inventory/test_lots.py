"""Lots over HTTP: received by name, drawn first expiring first, not for sale once expired, counted one by one."""

from pathlib import Path
from typing import Any

import pytest
from pydantic_core import from_json

from shared.inventory.change_models import AdjustBody
from shared.inventory.keys import level_id, level_key
from shared.inventory.warehouse import movement_table
from shared.ports.documents import Put
from shared.ports.warehouse import Named
from tests.http.inventory.builders import Shop, ok
from tests.http.settling import settle

ADJUST = "/api/v1/inventory/adjust"
LOTS = "/api/v1/inventory/lots"
A_DAY = 86_400
TODAY, TOMORROW, LATER = "2026-01-15", "2026-01-16", "2026-02-28"


def _receive(shop: Shop, units: int, **said: Any) -> dict[str, Any]:
    return dict(ok(shop.operator.post(ADJUST, {"product_id": "prd_cup", "quantity": units, **said})))


def _moved(movement: dict[str, Any]) -> list[tuple[str | None, int]]:
    return [(part["lot"], part["quantity"]) for part in movement["lots"]]


def _held(shop: Shop, store_id: str | None = None) -> dict[str | None, int]:
    level = shop.level("prd_cup", store_id or shop.app.stores.ensure_default())
    return {lot["lot"]: lot["quantity"] for lot in level["lots"]}


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give two cups without a lot, three of lot L that lasts, five of lot S that ends tomorrow."""
    shop.product("CUP")
    _receive(shop, 2)
    _receive(shop, 3, lot="L", expiry=LATER)
    _receive(shop, 5, lot="S", expiry=TOMORROW)
    return shop


def test_a_receipt_names_its_lot_and_the_level_shows_all(stocked: Shop) -> None:
    level = stocked.level("prd_cup", stocked.app.stores.ensure_default())

    assert level["lots"] == [
        {"lot": "S", "expiry": TOMORROW, "quantity": 5},
        {"lot": "L", "expiry": LATER, "quantity": 3},
        {"lot": None, "expiry": None, "quantity": 2},
    ]
    assert (level["on_hand"], level["available"], level["expired"]) == (10, 10, 0)
    assert ok(stocked.viewer.get(LOTS))["items"] == [level]
    newest = ok(stocked.viewer.get("/api/v1/inventory/movements"))["items"][0]
    assert newest["lots"] == [{"lot": "S", "expiry": TOMORROW, "quantity": 5}]


def test_a_level_without_lots_says_nothing_of_them(shop: Shop) -> None:
    level = shop.stock(shop.product("CUP"), 10)
    movement = _receive(shop, -1)

    assert {"lots", "expired"}.isdisjoint(level)
    assert "lots" not in movement
    stored = shop.app.store.get(level_key(level["store_id"], "prd_cup"))
    assert stored is not None
    assert {"lots", "expired", "lots_until"}.isdisjoint(stored.data)
    assert ok(shop.viewer.get(LOTS))["items"] == []


def test_what_leaves_is_drawn_first_expiring_first_and_named(stocked: Shop) -> None:
    movement = _receive(stocked, -9)

    assert _moved(movement) == [("S", -5), ("L", -3), (None, -1)]
    assert _held(stocked) == {None: 1}


def test_a_lot_that_is_named_is_taken_and_never_more_than_it_holds(stocked: Shop) -> None:
    assert _moved(_receive(stocked, -2, lot="L")) == [("L", -2)]
    short = stocked.operator.post(ADJUST, {"product_id": "prd_cup", "quantity": -2, "lot": "L"})
    unknown = stocked.operator.post(ADJUST, {"product_id": "prd_cup", "quantity": -1, "lot": "X"})

    assert (short.problem, short.json["available"]) == ("InsufficientStock", 1)
    assert (unknown.problem, unknown.json["available"]) == ("InsufficientStock", 0)
    assert _held(stocked) == {"S": 5, "L": 1, None: 2}


def test_an_expired_lot_is_not_available_from_the_day_after_and_can_be_written_off(stocked: Shop) -> None:
    stocked.later(A_DAY)
    on_the_last_day = stocked.level("prd_cup", stocked.app.stores.ensure_default())
    stocked.later(A_DAY)

    level = stocked.level("prd_cup", stocked.app.stores.ensure_default())
    short = stocked.operator.post(ADJUST, {"product_id": "prd_cup", "quantity": -6})
    sold = stocked.operator.post(
        "/api/v1/sales", {"items": [{"product_id": "prd_cup", "quantity": 6}], "mode": "all_or_nothing"}
    )

    assert (on_the_last_day["available"], level["on_hand"], level["available"], level["expired"]) == (10, 10, 5, 5)
    assert (short.problem, short.json["available"]) == ("InsufficientStock", 5)
    assert (sold.problem, sold.json["failed_items"][0]["available"]) == ("InsufficientStock", 5)
    assert ok(stocked.viewer.get("/api/v1/inventory/low-stock", threshold=5))["items"][0]["available"] == 5
    assert stocked.app.sums.of(["prd_cup"])["prd_cup"]["available_stock"] == 5
    assert _moved(_receive(stocked, -3)) == [("L", -3)]
    assert _moved(_receive(stocked, -5, lot="S", reason="expired")) == [("S", -5)]
    assert _held(stocked) == {None: 2}


def test_units_that_expire_open_an_alert_though_nothing_moved(stocked: Shop) -> None:
    name = level_id(stocked.app.stores.ensure_default(), "prd_cup")
    ok(stocked.manager.patch(f"/api/v1/inventory/{name}", {"reorder_level": 6}))
    settle(stocked.app)

    def open_alerts() -> list[tuple[str, int]]:
        found = ok(stocked.viewer.get("/api/v1/alerts", status="active", alert_type="low_stock"))["items"]
        return [(alert["product_id"], alert["current_stock"]) for alert in found]

    before = open_alerts()
    stocked.later(2 * A_DAY)
    stocked.app.first_check()
    settle(stocked.app)

    assert (before, open_alerts()) == ([], [("prd_cup", 5)])


def test_lots_that_expire_soon_are_found_by_product_and_store(stocked: Shop) -> None:
    other = stocked.store("Harbour")
    _receive(stocked, 4, lot="L", expiry=LATER, store_id=other)
    stocked.product("BOWL")
    ok(stocked.operator.post(ADJUST, {"product_id": "prd_bowl", "quantity": 1, "lot": "N"}))

    def found(**asked: Any) -> list[tuple[str, bool]]:
        page = ok(stocked.viewer.get(LOTS, **asked))["items"]
        return [(level["product_id"], level["store_id"] == other) for level in page]

    assert found() == [("prd_cup", False), ("prd_cup", True), ("prd_bowl", False)]
    assert found(expiring_within=0) == []
    assert found(expiring_within=1) == [("prd_cup", False)]
    assert found(expiring_within=60, store_id=other) == [("prd_cup", True)]
    assert found(product_id="prd_bowl") == [("prd_bowl", False)]


def test_units_that_come_back_go_to_the_lots_they_came_from(stocked: Shop) -> None:
    bought = ok(stocked.operator.post("/api/v1/sales", {"items": [{"product_id": "prd_cup", "quantity": 9}]}), 201)
    assert _held(stocked) == {None: 1}

    back = {"items": [{"product_id": "prd_cup", "quantity": 6}]}
    ok(stocked.operator.post(f"/api/v1/sales/{bought['id']}/returns", back), 201)
    after_return = _held(stocked)
    ok(stocked.manager.post(f"/api/v1/sales/{bought['id']}/void", {"reason": "mistake"}), 201)

    assert after_return == {"S": 5, "L": 1, None: 1}
    assert _held(stocked) == {"S": 5, "L": 3, None: 2}


def test_units_take_their_lots_to_the_other_store_by_hand_and_by_order(stocked: Shop) -> None:
    main, other = stocked.app.stores.ensure_default(), stocked.store("Harbour")
    move = {"product_id": "prd_cup", "from_store_id": main, "to_store_id": other}

    by_hand = ok(stocked.operator.post("/api/v1/inventory/transfer", {**move, "quantity": 1, "lot": "L"}))["movements"]
    order = ok(stocked.operator.post("/api/v1/transfer-orders", {**move, "quantity": 6}), 201)
    ok(stocked.manager.post(f"/api/v1/transfer-orders/{order['id']}/approve", {}))
    ok(stocked.operator.post(f"/api/v1/transfer-orders/{order['id']}/fulfill", {}))

    assert [_moved(each) for each in by_hand] == [[("L", -1)], [("L", 1)]]
    assert _held(stocked) == {"L": 1, None: 2}
    assert _held(stocked, other) == {"S": 5, "L": 2}


def test_a_committed_reservation_takes_what_expires_first(stocked: Shop) -> None:
    made = ok(stocked.operator.post("/api/v1/inventory/reservations", {"product_id": "prd_cup", "quantity": 6}), 201)

    done = ok(stocked.operator.post(f"/api/v1/inventory/reservations/{made['id']}/commit"))

    assert _moved(done["movement"]) == [("S", -5), ("L", -1)]


def test_reserved_units_that_expired_meanwhile_are_not_taken(stocked: Shop) -> None:
    wanted = {"product_id": "prd_cup", "quantity": 6, "ttl_seconds": None}
    made = ok(stocked.operator.post("/api/v1/inventory/reservations", wanted), 201)
    stocked.later(2 * A_DAY)

    refused = stocked.operator.post(f"/api/v1/inventory/reservations/{made['id']}/commit")

    assert (refused.problem, refused.json["available"]) == ("InsufficientStock", 5)
    assert _held(stocked) == {"S": 5, "L": 3, None: 2}


def test_a_count_of_lots_books_one_correction_for_each_difference(stocked: Shop) -> None:
    name = level_id(stocked.app.stores.ensure_default(), "prd_cup")
    items = [
        {"lot": "S", "quantity": 4},
        {"lot": "L", "quantity": 3},
        {"lot": None, "quantity": 0},
        {"lot": "NEW", "expiry": LATER, "quantity": 1},
    ]

    level = ok(stocked.operator.post(f"/api/v1/inventory/{name}/lots/count", {"items": items, "reason": "count"}))

    booked = ok(stocked.viewer.get("/api/v1/inventory/movements", transaction_type="correction"))["items"]
    assert (level["on_hand"], _held(stocked)) == (8, {"S": 4, "L": 3, "NEW": 1})
    assert [(_moved(each), each["reason"]) for each in reversed(booked)] == [
        ([("S", -1)], "count"),
        ([(None, -2)], "count"),
        ([("NEW", 1)], "count"),
    ]
    twice = stocked.operator.post(f"/api/v1/inventory/{name}/lots/count", {"items": [items[0], items[0]]})
    assert (twice.status, twice.json["errors"][0]["code"]) == (422, "duplicate")
    assert stocked.viewer.post(f"/api/v1/inventory/{name}/lots/count", {"items": items}).status == 403


def test_a_lot_has_one_expiry_in_a_level(stocked: Shop) -> None:
    other = stocked.operator.post(ADJUST, {"product_id": "prd_cup", "quantity": 1, "lot": "S", "expiry": LATER})
    nameless = stocked.operator.post(ADJUST, {"product_id": "prd_cup", "quantity": 1, "expiry": LATER})

    assert (other.status, other.json["errors"][0]["pointer"], other.json["errors"][0]["code"]) == (
        422,
        "/expiry",
        "conflict",
    )
    assert (nameless.status, nameless.json["errors"][0]["code"]) == (422, "missing")
    assert _moved(_receive(stocked, 1, lot="S")) == [("S", 1)]
    assert _held(stocked) == {"S": 6, "L": 3, None: 2}


def test_a_level_carries_so_many_lots_and_no_more(shop: Shop) -> None:
    shop.product("CUP")
    for number in range(0, 200, 100):
        items = [{"product_id": "prd_cup", "quantity": 1, "lot": f"L{number + each}"} for each in range(100)]
        ok(shop.operator.post("/api/v1/inventory/adjust/bulk", {"items": items}))

    refused = shop.operator.post(ADJUST, {"product_id": "prd_cup", "quantity": 1, "lot": "ONE MORE"})

    assert (refused.status, refused.problem) == (409, "InvalidState")
    assert len(_held(shop)) == 200


def test_a_scan_gives_lot_and_expiry_for_the_receipt(shop: Shop) -> None:
    cup = ok(shop.operator.post("/api/v1/products", {"name": "Cup", "barcode": "04006381333931"}), 201)

    scanned = ok(shop.viewer.post("/api/v1/barcode/scan", {"barcode": "(01)04006381333931(17)260228(10)AB-12"}))
    body = {"product_id": scanned["product_id"], "quantity": 6, "lot": scanned["lot"], "expiry": scanned["expiry"]}
    movement = ok(shop.operator.post(ADJUST, body))

    assert scanned["product_id"] == cup["id"]
    assert movement["lots"] == [{"lot": "AB-12", "expiry": LATER, "quantity": 6}]


def test_a_level_that_was_read_can_be_sent_back_with_its_lots(stocked: Shop) -> None:
    level = stocked.level("prd_cup", stocked.app.stores.ensure_default())

    same = stocked.operator.put(f"/api/v1/inventory/{level['id']}", level)
    counted = stocked.operator.put(f"/api/v1/inventory/{level['id']}", {**level, "on_hand": 4})

    assert ok(same) == level
    assert ok(counted)["lots"] == [
        {"lot": "L", "expiry": LATER, "quantity": 2},
        {"lot": None, "expiry": None, "quantity": 2},
    ]


def test_the_audit_reports_a_lot_its_ledger_does_not_explain_and_mends_it(stocked: Shop) -> None:
    store = stocked.app.stores.ensure_default()
    stored = stocked.app.store.get(level_key(store, "prd_cup"))
    assert stored is not None
    wrong = [{**lot, "quantity": {"S": 4, "L": 4}.get(lot["lot"], 2)} for lot in stored.data["lots"]]
    stocked.app.documents.commit([Put(stored.key, {**stored.data, "lots": wrong}, stored.version)])

    told = ok(stocked.manager.get("/api/v1/inventory/audit"))
    ok(stocked.admin.post("/api/v1/inventory/audit/repair", {"inventory_ids": [stored.key.id]}))

    assert [(each["field"], each["stored"], each["computed"]) for each in told["differences"]] == [
        ("lots/S", 4, 5),
        ("lots/L", 4, 3),
    ]
    assert ok(stocked.manager.get("/api/v1/inventory/audit"))["differences"] == []
    assert _held(stocked) == {"S": 5, "L": 3, None: 2}


def test_an_adjustment_of_lots_costs_no_further_reads(stocked: Shop) -> None:
    plain = stocked.product("BOWL")
    stocked.stock(plain, 10)

    def reads(product_id: str) -> int:
        seen: list[int] = []
        get_many = stocked.app.documents.get_many

        def counted(keys: Any) -> Any:
            seen.append(len(keys))
            return get_many(keys)

        stocked.app.documents.get_many = counted  # type: ignore[method-assign]
        body = AdjustBody(product_id=product_id, quantity=-1)
        caller = _operator()
        stocked.app.store.atomically(lambda: stocked.app.adjustments.adjust(caller, body))
        stocked.app.documents.get_many = get_many  # type: ignore[method-assign]
        return sum(seen)

    assert reads("prd_cup") == reads(plain) > 0


def _operator() -> Any:
    from shared.core.caller import Caller, Role

    return Caller("usr_operator", "operator", Role.OPERATOR)


def test_the_warehouse_knows_which_lots_moved(stocked: Shop, tmp_path: Path) -> None:
    _receive(stocked, -6)
    ok(stocked.operator.post(ADJUST, {"product_id": stocked.product("BOWL"), "quantity": 1}))
    stocked.app.settle()
    query = tmp_path / "lots.sql"
    query.write_text("SELECT product_id, quantity, lots FROM {movements} ORDER BY created_at, id\n")
    found = stocked.app.warehouse.query(Named(query, {"movements": movement_table()}), {})
    told = [(row["product_id"], row["quantity"], row["lots"] and from_json(row["lots"])) for row in found.rows]
    ledger = ok(stocked.viewer.get("/api/v1/inventory/movements", sort="created_at"))["items"]

    key = repr
    assert sorted(told, key=key) == sorted(
        ((one["product_id"], one["quantity"], one.get("lots")) for one in ledger), key=key
    )
    assert sum(lots is None for _, _, lots in told) == 2  # two cups that came without a lot, and the bowl
    (drawn,) = [lots for _, quantity, lots in told if quantity == -6]
    assert [(part["lot"], part["quantity"]) for part in drawn] == [("S", -5), ("L", -1)]
