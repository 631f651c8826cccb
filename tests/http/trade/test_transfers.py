"""Transfer orders over HTTP: made, reviewed, fulfilled exactly once, cancelled."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shared.core.caller import Caller, Role
from shared.inventory.words import ReservationStatus
from shared.orders.rules import Move, Status
from tests.client import Answered
from tests.http.trade.shop import Shop


class Desk:
    """A shop with two stores and forty cups in the main one."""

    def __init__(self, shop: Shop) -> None:
        """Stock up."""
        self.shop = shop
        self.north = shop.a_store("North", region="North")
        self.cup = shop.a_product("Cup", stock=40, category="Kitchen", brand="Acme", sku="CUP-1")

    def order(self, quantity: int = 5, **said: Any) -> dict[str, Any]:
        """Ask for cups in the north; return the order."""
        answer = self.asked(quantity, **said)
        assert answer.status == 201, answer.body
        order: dict[str, Any] = answer.json
        return order

    def asked(self, quantity: int = 5, **said: Any) -> Answered:
        """Ask for cups in the north, out of the main store unless said otherwise."""
        given = {"from_store_id": self.shop.main, "to_store_id": self.north, "product_id": self.cup}
        body = {**given, "quantity": quantity, **said}
        return self.shop.operator.post("/api/v1/transfer-orders", body)

    def act(self, order: dict[str, Any], action: str, role: str = "manager", **body: Any) -> Answered:
        """Approve, fulfil or cancel."""
        return self.shop.as_(role).post(f"/api/v1/transfer-orders/{order['id']}/{action}", body)

    def stock(self) -> tuple[int, int, int]:
        """Return the cups on hand and reserved in the main store, and on hand in the north."""
        shop = self.shop
        return shop.on_hand(self.cup), shop.reserved(self.cup), shop.on_hand(self.cup, self.north)


@pytest.fixture(name="desk")
def _desk(tmp_path: Path) -> Desk:
    return Desk(Shop(tmp_path))


def test_an_order_names_everything_it_repeats(desk: Desk) -> None:
    order = desk.order(notes="soon")
    read = desk.shop.viewer.get(f"/api/v1/transfer-orders/{order['order_number']}").json

    assert read == order
    keys = (
        "id order_number from_store_id to_store_id product_id quantity status requested_by requester_name approved_by"
        " approver_name fulfilled_by cancelled_by notes cancel_reason from_store_name to_store_name to_store_region"
        " product_name sku brand category unit_price total_value currency sla_expired created_at approved_at"
        " fulfilled_at cancelled_at updated_at version"
    )
    assert list(order) == keys.split()
    assert (order["order_number"], order["status"], order["version"]) == ("ORD000001", "pending_review", 1)
    assert (order["unit_price"], order["total_value"], order["currency"]) == (2.5, 12.5, "EUR")
    assert (order["to_store_name"], order["to_store_region"], order["from_store_name"]) == ("North", "North", "Main")
    assert (order["requested_by"], order["requester_name"]) == ("usr_operator", "operator")
    assert desk.order()["order_number"] == "ORD000002"


def test_approval_reserves_and_fulfilment_moves_exactly_once(desk: Desk) -> None:
    order = desk.order(5)

    approved = desk.act(order, "approve")
    assert (approved.status, approved.json["status"], approved.json["approved_by"]) == (200, "approved", "usr_manager")
    assert desk.stock() == (40, 5, 0)

    fulfilled = desk.act(order, "fulfill", "operator")
    again = desk.shop.unchanged(lambda: desk.act(order, "fulfill", "operator"))

    assert (fulfilled.status, fulfilled.json["fulfilled_by"]) == (200, "usr_operator")
    assert (again.status, again.problem, again.json["current"], again.json["allowed"]) == (
        409,
        "InvalidState",
        "fulfilled",
        [],
    )
    assert desk.stock() == (35, 0, 5)
    moved = [(one["transaction_type"], one["quantity"], one["reference"]) for one in desk.shop.movements(desk.cup)]
    assert sorted(one for one in moved if one[2]) == [
        ("transfer_in", 5, order["id"]),
        ("transfer_out", -5, order["id"]),
    ]


def test_units_from_outside_only_arrive(desk: Desk) -> None:
    order = desk.order(7, from_store_id=None)

    desk.act(order, "approve")
    desk.act(order, "fulfill")

    assert desk.stock() == (40, 0, 7)


def test_a_short_source_refuses_the_approval_and_nothing_changes(desk: Desk) -> None:
    first, second = desk.order(30), desk.order(20)
    desk.act(first, "approve")

    answer = desk.shop.unchanged(lambda: desk.act(second, "approve"))

    assert (answer.status, answer.problem) == (409, "InsufficientStock")
    assert (answer.json["available"], answer.json["requested"]) == (10, 20)
    assert desk.shop.viewer.get(f"/api/v1/transfer-orders/{second['id']}").json["status"] == "pending_review"


def test_cancelling_an_approved_order_frees_its_units(desk: Desk) -> None:
    order = desk.order(5)
    desk.act(order, "approve")

    cancelled = desk.act(order, "cancel", reason="not needed")

    assert (cancelled.json["status"], cancelled.json["cancel_reason"]) == ("cancelled", "not needed")
    assert desk.stock() == (40, 0, 0)


@pytest.mark.parametrize("action", ["commit", "release"])
def test_the_units_of_an_approved_order_leave_by_that_order_only(desk: Desk, action: str) -> None:
    """Committed by hand they would leave once more with the fulfilment."""
    order, held = desk.order(5), "/api/v1/inventory/reservations"
    desk.act(order, "approve")
    (reservation,) = desk.shop.operator.get(held, reference=order["id"]).json["items"]

    refused = desk.shop.unchanged(lambda: desk.shop.operator.post(f"{held}/{reservation['id']}/{action}"))

    assert (refused.status, refused.problem, refused.json["current"]) == (409, "InvalidState", "active")
    assert desk.act(order, "fulfill").status == 200
    assert desk.stock() == (35, 0, 5)


def test_units_whose_reservation_was_released_by_hand_are_taken_only_if_they_are_there(desk: Desk) -> None:
    order = desk.order(30)
    desk.act(order, "approve")
    held = desk.shop.app.transfers._reservation(desk.shop.app.transfers.get(order["id"]).data)
    assert held is not None
    booking = desk.shop.app.ledger.open([(desk.cup, desk.shop.main)])
    booking.close_reservation(held, ReservationStatus.RELEASED)
    booking.write()

    assert desk.shop.buy((desk.cup, 20)).status == 201
    assert desk.act(order, "fulfill").problem == "InsufficientStock"
    desk.shop.put(desk.cup, 10)
    assert desk.act(order, "fulfill").status == 200
    assert desk.stock() == (0, 0, 30)


@pytest.mark.parametrize(
    ("said", "status", "found"),
    [
        ({"quantity": 0}, 422, "/quantity"),
        ({"quantity": 100_001}, 422, "/quantity"),
        ({"to_store_id": "same"}, 422, "/to_store_id"),
        ({"product_id": "nothing"}, 404, "product"),
        ({"to_store_id": "nowhere"}, 404, "store"),
        ({"from_store_id": "nowhere"}, 404, "store"),
    ],
)
def test_an_order_that_cannot_be_is_refused(desk: Desk, said: dict[str, Any], status: int, found: str) -> None:
    if said.get("to_store_id") == "same":
        said = {"to_store_id": desk.shop.main}

    answer = desk.shop.unchanged(lambda: desk.asked(**{"quantity": 1, **said}))

    assert answer.status == status
    assert answer.json.get("resource", answer.codes[0][0] if answer.codes else "") == found


def test_roles_and_scopes_decide_who_may(desk: Desk) -> None:
    shop, order = desk.shop, desk.order()
    path = f"/api/v1/transfer-orders/{order['id']}"
    north_clerk, other = shop.as_("operator", "usr_n", store_id=desk.north), shop.as_("operator", "usr_x", store_id="s")
    south = shop.as_("manager", "usr_s", region="South")

    assert shop.operator.post(f"{path}/approve").status == 403
    refused = shop.operator.put(f"{path}/status", {"status": "approved"})
    assert (refused.status, refused.json["detail"]) == (403, "This needs the role manager.")
    assert south.post(f"{path}/approve").status == 403
    assert other.post(f"{path}/cancel", {"reason": "x"}).status == 403
    assert north_clerk.post(f"{path}/cancel", {"reason": "x"}).status == 403, "neither the requester nor a manager"
    assert shop.as_("manager", "usr_m", region="North").post(f"{path}/approve").status == 200
    assert other.post(f"{path}/fulfill").status == 403
    assert north_clerk.post(f"{path}/fulfill").status == 200


def test_the_requester_may_cancel(desk: Desk) -> None:
    assert desk.act(desk.order(), "cancel", "operator", reason="mistake").json["cancelled_by"] == "usr_operator"


def test_cancelling_needs_a_reason_by_every_path(desk: Desk) -> None:
    order = desk.order()
    path = f"/api/v1/transfer-orders/{order['id']}"

    assert desk.act(order, "cancel").codes == [("/reason", "missing")]
    assert desk.shop.manager.put(f"{path}/status", {"status": "cancelled"}).codes == [("/reason", "missing")]
    assert desk.shop.manager.patch(f"{path}/status", {"status": "cancelled", "reason": "x"}).status == 200


def test_status_knows_the_same_transitions_and_no_others(desk: Desk) -> None:
    order = desk.order()
    path = f"/api/v1/transfer-orders/{order['id']}/status"

    assert desk.shop.manager.put(path, {"status": "fulfilled"}).json["allowed"] == ["approved", "cancelled"]
    assert desk.shop.manager.put(path, {"status": "pending_review"}).status == 409
    assert desk.shop.manager.put(path, {"status": "lost"}).status == 422
    assert desk.shop.manager.put(path, {"status": "approved"}).json["status"] == "approved"
    assert desk.stock() == (40, 5, 0)


def test_quantity_changes_only_before_the_review_and_a_get_answer_can_be_sent_back(desk: Desk) -> None:
    order = desk.order(5)
    path = f"/api/v1/transfer-orders/{order['id']}"

    changed = desk.shop.operator.put(path, {**order, "quantity": 6})
    assert (changed.json["quantity"], changed.json["total_value"], changed.json["version"]) == (6, 15.0, 2)
    assert desk.shop.operator.patch(path, {"quantity": 7, "version": 1}).status == 412
    assert desk.shop.operator.patch(path, {"status": "approved"}).codes == [("/status", "unknown_field")]
    assert desk.shop.operator.patch(path, {"quantity": None}).codes == [("/quantity", "required")]
    desk.act(order, "approve")
    assert desk.shop.operator.patch(path, {"quantity": 7}).problem == "InvalidState"
    assert desk.shop.operator.patch(path, {"notes": "late"}).json["notes"] == "late"


def test_an_old_tag_refuses_a_decision(desk: Desk) -> None:
    order = desk.order()
    path = f"/api/v1/transfer-orders/{order['id']}"
    tag = desk.shop.viewer.get(path).headers["ETag"]
    desk.shop.operator.patch(path, {"notes": "x"})

    assert desk.shop.manager.post(f"{path}/approve", headers={"If-Match": tag}).status == 412
    assert desk.shop.manager.post(f"{path}/approve", headers={"If-Match": "*"}).status == 200


def test_a_decision_by_patch_may_name_its_version(desk: Desk) -> None:
    order = desk.order()
    path = f"/api/v1/transfer-orders/{order['id']}"
    desk.shop.operator.patch(path, {"notes": "x"})
    manager = desk.shop.manager

    for action, said in (("approve", {}), ("status", {"status": "approved"}), ("cancel", {"reason": "x"})):
        stale = desk.shop.unchanged(partial(manager.patch, f"{path}/{action}", {**said, "version": 1}))
        assert (stale.problem, stale.codes) == ("PreconditionFailed", [("/version", "stale")]), action
    assert manager.patch(f"/api/orders/{order['id']}/approve", {"version": 1}).problem == "PreconditionFailed"
    assert manager.post(f"{path}/approve", {"version": 2}).codes == [("/version", "unknown_field")]
    assert manager.patch(f"{path}/approve", {"version": 2, "notes": "go"}).json["version"] == 3
    assert manager.patch(f"{path}/fulfill", {"version": 2}).problem == "PreconditionFailed"
    assert manager.patch(f"{path}/fulfill", {"version": 3}).json["status"] == "fulfilled"


def test_bulk_decides_on_each_order_by_itself(desk: Desk) -> None:
    small, big, done = desk.order(5), desk.order(50), desk.order(1)
    desk.act(done, "cancel", reason="x")
    ids = [small["id"], big["id"], done["id"], "tro_none", small["id"]]

    told = desk.shop.manager.post("/api/v1/transfer-orders/bulk-approve", {"order_ids": ids}).json

    assert told["succeeded"] == [small["id"]]
    assert [(one["order_id"], one["status"], one["error"]) for one in told["failed"]] == [
        (big["id"], 409, "Insufficient stock"),
        (done["id"], 409, "Invalid state"),
        ("tro_none", 404, "Not found"),
    ]
    fulfilled = desk.shop.operator.post("/api/v1/transfer-orders/bulk-fulfill", {"order_ids": [small["id"]]}).json
    assert (fulfilled["succeeded"], desk.stock()) == ([small["id"]], (35, 0, 5))


def test_a_bulk_that_died_midway_is_told_its_own_decisions_when_it_comes_again(desk: Desk) -> None:
    """The first run decided on one order and answered nobody: the same request finds that decision made."""
    first, second = desk.order(5), desk.order(5)
    caller = Caller("usr_manager", "manager", Role.MANAGER)
    desk.shop.app.transfers.move(first["id"], Move(Status.APPROVED, caller, token="k-1"))
    body = {"order_ids": [first["id"], second["id"]]}

    same = desk.shop.manager.post("/api/v1/transfer-orders/bulk-approve", body, headers={"Idempotency-Key": "k-1"})
    other = desk.shop.manager.post("/api/v1/transfer-orders/bulk-approve", body, headers={"Idempotency-Key": "k-2"})

    assert same.json == {"succeeded": [first["id"], second["id"]], "failed": []}
    assert [one["status"] for one in other.json["failed"]] == [409, 409]
    assert desk.stock() == (40, 10, 0)


def test_what_happened_to_an_order_is_kept(desk: Desk) -> None:
    order = desk.order(5)
    desk.shop.operator.patch(f"/api/v1/transfer-orders/{order['id']}", {"quantity": 4})
    desk.act(order, "approve", notes="fine")
    desk.act(order, "cancel", reason="no")

    told = desk.shop.viewer.get(f"/api/v1/transfer-orders/{order['id']}/history").json["items"]

    assert [(one["action"], one["user_id"], one["to_status"]) for one in told] == [
        ("created", "usr_operator", "pending_review"),
        ("changed", "usr_operator", "pending_review"),
        ("approved", "usr_manager", "approved"),
        ("cancelled", "usr_manager", "cancelled"),
    ]
    assert told[1]["details"] == {"before": {"quantity": 5}, "after": {"quantity": 4}}


def test_lists_filter_search_and_sort(desk: Desk) -> None:
    shop, pot = desk.shop, desk.shop.a_product("Clay pot", stock=5)
    ids = []
    for product, source in ((desk.cup, shop.main), (pot, None), (desk.cup, None), (pot, shop.main)):
        shop.clock.advance(3600)
        ids.append(desk.order(2, product_id=product, from_store_id=source)["id"])
    desk.act({"id": ids[1]}, "approve")

    def listed(**query: Any) -> list[int]:
        found = shop.viewer.get("/api/v1/transfer-orders", **query)
        assert found.status == 200, found.body
        return [ids.index(one["id"]) for one in found.json["items"]]

    assert listed() == [3, 2, 1, 0]
    assert listed(sort="order_number") == [0, 1, 2, 3]
    assert listed(status="approved") == [1]
    assert listed(status="pending_review,approved", product_id=pot) == [3, 1]
    assert listed(region="North", category="Kitchen") == [2, 0]
    assert listed(store_id=shop.main) == [3, 0]
    assert listed(store_id=desk.north, status="pending_review") == [3, 2, 0]
    assert listed(search="clay nor") == [3, 1]
    assert listed(search="ORD000003") == [2]
    assert listed(search="cup", sort="order_number", requested_by="usr_operator") == [0, 2]
    assert listed(created_from="2026-01-15T12:00:00Z", created_to="2026-01-15T13:30:00Z", sort="order_number") == [1, 2]
    assert shop.viewer.get("/api/v1/transfer-orders", limit=2, page=2).json["total"] == 4


def test_late_are_those_that_waited_longer_than_promised(desk: Desk) -> None:
    old, approved = desk.order(1), desk.order(1)
    desk.act(approved, "approve")
    desk.shop.clock.advance(48 * 3600)
    exactly = desk.shop.viewer.get("/api/v1/transfer-orders", sla_expired=True).json["items"]
    desk.shop.clock.advance(1)
    new = desk.order(1)

    late = desk.shop.viewer.get("/api/v1/transfer-orders", sla_expired=True).json["items"]
    fine = desk.shop.viewer.get("/api/v1/transfer-orders", sla_expired=False, sort="order_number").json["items"]

    assert exactly == []
    assert [(one["id"], one["sla_expired"]) for one in late] == [(old["id"], True)]
    assert [one["id"] for one in fine] == [approved["id"], new["id"]]
    assert desk.shop.viewer.get("/api/v1/transfer-orders/summary").json["expired_sla_count"] == 1


def test_a_store_and_a_product_of_open_orders_are_in_use(desk: Desk) -> None:
    order = desk.order(1)

    assert desk.shop.app.has_open_orders(desk.cup)
    assert desk.shop.app.store_in_use(desk.north)
    desk.act(order, "cancel", reason="x")
    assert not desk.shop.app.has_open_orders(desk.cup)
    assert not desk.shop.app.store_in_use(desk.north)


def test_orders_that_need_somebody_are_named_with_the_reason(desk: Desk) -> None:
    late = desk.order(1)
    desk.shop.clock.advance(1)
    short = desk.order(100)
    desk.shop.clock.advance(1)
    approved = desk.order(2)
    desk.act(approved, "approve")
    desk.shop.clock.advance(48 * 3600 + 1)
    desk.order(1)

    told = desk.shop.viewer.get("/api/v1/transfer-orders/attention").json["items"]

    assert [(one["id"], one["reasons"]) for one in told] == [
        (late["id"], ["review_late"]),
        (short["id"], ["review_late", "source_short"]),
        (approved["id"], ["fulfilment_late"]),
    ]
