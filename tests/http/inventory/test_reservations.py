"""Reservations over HTTP: held units are nobody else's, until they are taken, let go or over."""

from typing import Any

import pytest

from tests.http.inventory.builders import Shop, ok

PATH = "/api/v1/inventory/reservations"


def _held(shop: Shop, **said: Any) -> dict[str, Any]:
    shop.clock.advance(1)
    return dict(ok(shop.operator.post(PATH, {"product_id": "prd_cup", "quantity": 4, **said}), 201))


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    """Give ten cups in the default store."""
    shop.stock(shop.product("CUP"), 10)
    return shop


def test_held_units_are_not_available(stocked: Shop) -> None:
    made = _held(stocked, reference="cart-1", ttl_seconds=60)
    level = stocked.level("prd_cup", made["store_id"])

    assert list(made) == [
        *("id", "product_id", "store_id", "quantity", "status", "reference", "expires_at", "created_by"),
        *("created_at", "closed_at", "version"),
    ]
    assert (made["status"], made["quantity"], made["reference"], made["version"]) == ("active", 4, "cart-1", 1)
    assert (level["on_hand"], level["reserved"], level["available"], level["version"]) == (10, 4, 6, 1)
    removal = stocked.operator.post("/api/v1/inventory/adjust", {"product_id": "prd_cup", "quantity": -7})
    assert (removal.problem, removal.json["available"]) == ("InsufficientStock", 6)
    short = stocked.operator.post(PATH, {"product_id": "prd_cup", "quantity": 7})
    assert (short.problem, short.json["available"], short.json["requested"]) == ("InsufficientStock", 6, 7)
    assert ok(stocked.viewer.get(f"{PATH}/{made['id']}")) == made


def test_committed_units_leave_as_a_removal(stocked: Shop) -> None:
    made = _held(stocked, reference="cart-1")

    done = ok(stocked.operator.post(f"{PATH}/{made['id']}/commit", {"reason": "picked up"}))

    assert (done["status"], done["version"], done["movement"]["transaction_type"]) == ("committed", 2, "removal")
    assert (done["movement"]["quantity"], done["movement"]["reason"]) == (-4, "picked up")
    again = stocked.operator.post(f"{PATH}/{made['id']}/commit")
    assert (again.status, again.json["current"], again.json["allowed"]) == (409, "committed", ["active"])
    assert stocked.level("prd_cup", made["store_id"])["on_hand"] == 6


def test_released_units_come_back(stocked: Shop) -> None:
    made = _held(stocked)

    done = ok(stocked.operator.post(f"{PATH}/{made['id']}/release"))

    assert (done["status"], "movement" in done) == ("released", False)
    assert stocked.level("prd_cup", made["store_id"])["available"] == 10
    assert stocked.operator.post(f"{PATH}/{made['id']}/release").status == 409


def test_a_reservation_that_ended_counts_no_more_at_once(stocked: Shop) -> None:
    made = _held(stocked, ttl_seconds=10)
    stocked.clock.advance(10)

    assert ok(stocked.viewer.get(f"{PATH}/{made['id']}"))["status"] == "expired"
    assert stocked.operator.post(f"{PATH}/{made['id']}/commit").json["current"] == "expired"
    assert stocked.operator.post("/api/v1/inventory/adjust", {"product_id": "prd_cup", "quantity": -10}).status == 200
    assert [each["id"] for each in ok(stocked.viewer.get(PATH, status="expired"))["items"]] == [made["id"]]
    assert ok(stocked.viewer.get(PATH, status="active"))["items"] == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"quantity": 0}, 422),
        ({"ttl_seconds": 9}, 422),
        ({"ttl_seconds": 86_401}, 422),
        ({"status": "committed"}, 422),
        ({"product_id": "prd_none"}, 404),
        ({"store_id": "sto_none"}, 404),
    ],
)
def test_bad_reservations_are_refused(stocked: Shop, body: dict[str, Any], status: int) -> None:
    assert stocked.operator.post(PATH, {"product_id": "prd_cup", "quantity": 1, **body}).status == status
    assert ok(stocked.viewer.get(PATH))["items"] == []


def test_lists_filter_and_ends_may_be_open(stocked: Shop) -> None:
    first, second = _held(stocked, ttl_seconds=None, reference="a"), _held(stocked, reference="b", quantity=1)

    def found(**query: Any) -> list[str]:
        return [each["id"] for each in ok(stocked.viewer.get(PATH, **query))["items"]]

    assert first["expires_at"] is None
    assert found(reference="a") == [first["id"]]
    assert found(product_id="prd_cup", store_id=first["store_id"], status=["active", "released"], limit=1) == [
        second["id"]
    ]
    assert found(sort="created_at") == [first["id"], second["id"]]


def test_callers_bound_to_another_store_may_not_touch_them(stocked: Shop) -> None:
    made = _held(stocked)
    stranger = stocked.bound(stocked.store("Elsewhere"))

    assert stranger.post(f"{PATH}/{made['id']}/release").problem == "Forbidden"
    assert stranger.post(f"{PATH}/res_none/release").problem == "NotFound"
    stale = stocked.operator.post(f"{PATH}/{made['id']}/release", headers={"If-Match": '"0000.1111"'})
    assert stale.problem == "PreconditionFailed"
