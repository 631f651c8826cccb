"""What happens in ShipBob's world shows as the vendor would show it."""

from datetime import datetime
from typing import Any

import pytest

from local.simulators import Options, ShipBob
from shared.core.clock import ManualClock
from tests.unit.simulators.client import call, shipbob_orders
from tests.unit.simulators.recount import told


def fetched(shipbob: ShipBob, order_id: str) -> dict[str, Any]:
    """Read an order as a client does."""
    order: dict[str, Any] = call(shipbob, f"/2026-07/order/{order_id}").json
    return order


def a_short_order(shipbob: ShipBob, *lines: tuple[str, int]) -> str:
    """Let somebody order goods, all of them short at centre 3."""
    return shipbob.world.new_order(lines, short=[sku for sku, _ in lines])


def held(shipbob: ShipBob, order_id: str) -> list[tuple[str, str]]:
    """Return item and reason of an order's grains."""
    return sorted((row["item"], row["reason"]) for row in shipbob.truth() if row["order_id"] == order_id)


def test_a_new_short_order_is_an_exception_with_one_detail_per_item(shipbob: ShipBob) -> None:
    order = fetched(shipbob, a_short_order(shipbob, ("TEE-1", 3), ("CAP-1", 1)))

    shipment = order["shipments"][0]
    assert (order["status"], shipment["status"]) == ("Exception", "Exception")
    assert [(d["name"], d["inventory_id"]) for d in shipment["status_details"]] == [
        ("OutOfStock", 88),
        ("OutOfStock", 89),
    ]
    assert [i["quantity_committed"] for row in shipment["products"] for i in row["inventory_items"]] == [0, 0]


def test_shipping_ends_the_wait_and_gives_tracking(shipbob: ShipBob, clock: ManualClock) -> None:
    order_id = a_short_order(shipbob, ("TEE-1", 3))
    clock.advance(60)

    shipbob.world.ship(order_id)

    order = fetched(shipbob, order_id)
    assert (order["status"], held(shipbob, order_id)) == ("Fulfilled", [])
    assert order["shipments"][0]["tracking"]["tracking_number"]
    assert _time(order["shipments"][0]["last_update_at"]) == clock.now().replace(tzinfo=None)


def test_cancelling_ends_the_wait(shipbob: ShipBob) -> None:
    order_id = a_short_order(shipbob, ("TEE-1", 3))

    shipbob.world.cancel(order_id)

    assert (fetched(shipbob, order_id)["status"], held(shipbob, order_id)) == ("Cancelled", [])


def test_a_removed_order_is_unknown_everywhere(shipbob: ShipBob) -> None:
    order_id = a_short_order(shipbob, ("TEE-1", 3))

    shipbob.world.remove(order_id)

    assert call(shipbob, f"/2026-07/order/{order_id}").status == 404
    assert call(shipbob, "/2026-07/order", {"IDs": order_id}).json == []
    assert held(shipbob, order_id) == []


def test_a_restock_releases_those_who_wait_longest_first(clock: ManualClock) -> None:
    with ShipBob(clock, Options(scenario="empty")) as shipbob:
        first = a_short_order(shipbob, ("TEE-1", 3))
        clock.advance(10)
        second = a_short_order(shipbob, ("TEE-1", 3))

        released = shipbob.world.restock("TEE-1", 5)

        items = fetched(shipbob, second)["shipments"][0]["products"][0]["inventory_items"]
        assert (released, fetched(shipbob, first)["status"]) == ([first], "Processing")
        assert (items[0]["quantity"], items[0]["quantity_committed"]) == (3, 2)
        assert held(shipbob, second) == [("88", "out_of_stock")]


def test_one_of_two_short_items_may_be_restocked(clock: ManualClock) -> None:
    with ShipBob(clock, Options(scenario="empty")) as shipbob:
        order_id = a_short_order(shipbob, ("TEE-1", 3), ("CAP-1", 1))

        assert shipbob.world.restock("TEE-1", 3) == []
        assert held(shipbob, order_id) == [("89", "out_of_stock")]
        assert shipbob.world.restock("CAP-1", 1) == [order_id]


def test_a_restock_elsewhere_does_not_help(clock: ManualClock) -> None:
    with ShipBob(clock, Options(scenario="empty")) as shipbob:
        a_short_order(shipbob, ("TEE-1", 1))

        assert shipbob.world.restock("TEE-1", 5, centre_id=4) == []
        assert shipbob.world.restock("TEE-1", 5, centre_id=3) != []


def test_a_partial_commitment_changes_the_reason(shipbob: ShipBob) -> None:
    order_id = a_short_order(shipbob, ("TEE-1", 3))

    shipbob.world.partially_commit(order_id, "TEE-1", 2)

    item = fetched(shipbob, order_id)["shipments"][0]["products"][0]["inventory_items"][0]
    assert (item["quantity_committed"], held(shipbob, order_id)) == (2, [("88", "partially_committed")])


def test_moving_changes_the_centre_and_no_grain(shipbob: ShipBob) -> None:
    order_id = a_short_order(shipbob, ("TEE-1", 3))
    before = told(shipbob.truth())

    shipbob.world.move_facility(order_id, 7)

    shipment = fetched(shipbob, order_id)["shipments"][0]
    assert (shipment["location"]["id"], shipment["status_details"][0]["exception_fulfillment_center_id"]) == (7, 7)
    assert told(shipbob.truth()) == before


def test_a_hold_is_not_a_shortage(shipbob: ShipBob) -> None:
    order_id = shipbob.world.new_order([("TEE-1", 1)])

    shipbob.world.hold(order_id, 401)

    assert held(shipbob, order_id) == [("detail-401", "hold_address")]


def test_an_order_may_run_short_go_on_and_run_short_again(shipbob: ShipBob) -> None:
    order_id = shipbob.world.new_order([("TEE-1", 1), ("CAP-1", 1)])
    shipbob.world.run_short(order_id, "CAP-1")
    first = held(shipbob, order_id)
    shipbob.world.release(order_id)
    between = held(shipbob, order_id)
    shipbob.world.run_short(order_id, "CAP-1")

    assert (first, between, held(shipbob, order_id)) == ([("89", "out_of_stock")], [], [("89", "out_of_stock")])


def test_an_update_moves_only_the_update_window(shipbob: ShipBob, clock: ManualClock) -> None:
    order_id = str(shipbob.world.orders[0].id)
    clock.advance(100)
    now = clock.now().isoformat()

    shipbob.world.touch(order_id)

    assert [str(o["id"]) for o in shipbob_orders(shipbob, LastUpdateStartDate=now)] == [order_id]
    assert shipbob_orders(shipbob, StartDate=now) == []


def test_changes_are_told_as_events(shipbob: ShipBob) -> None:
    order_id = a_short_order(shipbob, ("TEE-1", 3))
    shipbob.world.ship(order_id)

    assert [(event.topic, event.order_id) for event in shipbob.world.events] == [
        ("order.shipment.exception", order_id),
        ("order.shipped", order_id),
    ]


def test_raw_records_stand_at_the_end_of_the_list(shipbob: ShipBob) -> None:
    shipbob.world.inject({"id": None})
    shipbob.world.inject("not even an object")

    rows = shipbob_orders(shipbob)

    assert rows[-2:] == [{"id": None}, "not even an object"]
    assert len(rows) == 602


def test_days_pass_when_told(shipbob: ShipBob, clock: ManualClock) -> None:
    before = clock.now()

    shipbob.world.advance(1.5)

    assert (clock.now() - before).total_seconds() == 129_600


def test_a_change_falls_just_before_the_nth_request_of_its_route(shipbob: ShipBob) -> None:
    order_id = str(shipbob.world.orders[-1].id)
    shipbob.script("/order", 2, {"op": "remove", "order_id": order_id})

    totals = []
    for _ in range(3):
        call(shipbob, "/2026-07/channel")
        totals.append(call(shipbob, "/2026-07/order").headers["total-count"])

    assert totals == ["600", "599", "599"]


def test_a_script_may_call_set_faults_and_move_time(shipbob: ShipBob, clock: ManualClock) -> None:
    before, called = clock.now(), []
    shipbob.script(
        "/order",
        1,
        lambda: called.append(1),
        {"op": "advance", "days": 1},
        {"op": "fault", "fault": "http_500", "times": 1},
    )
    shipbob.script("/order", 3, {"op": "revoke_token"})

    assert [call(shipbob, "/2026-07/order").status for _ in range(3)] == [500, 200, 401]
    assert (called, (clock.now() - before).days) == ([1], 1)


def test_orders_ship_while_pages_are_read(shipbob: ShipBob) -> None:
    """The drift of sources.md 1.4: a set that shrinks while it is read loses rows, a frozen window does not."""
    rows = shipbob_orders(shipbob, HasTracking="false")
    waiting = [str(row["id"]) for row in rows]
    leaving = [str(row["id"]) for row in rows[:100] if row["status"] != "Cancelled"][:10]
    shipbob.script("/order", 2, *({"op": "ship", "order_id": order_id} for order_id in leaving))

    shrinking = [
        str(row["id"])
        for page in (1, 2)
        for row in call(
            shipbob, "/2026-07/order", {"HasTracking": "false", "SortOrder": "Oldest", "Limit": 100, "Page": page}
        ).json
    ]

    assert len(set(waiting[:200]) - set(shrinking)) == 10


def test_the_world_changes_with_time_and_is_the_same_for_the_same_seed() -> None:
    def lived(steps: int) -> tuple[list[dict[str, Any]], int]:
        clock = ManualClock()
        with ShipBob(clock, Options(seed=5, size=300, living=True)) as simulator:
            for _ in range(steps):
                clock.advance(86_400 / steps)
                call(simulator, "/2026-07/channel")
            return simulator.truth(), len(simulator.world.orders)

    assert lived(1) == lived(9)
    assert lived(1)[1] > 300


def test_a_world_made_for_an_earlier_time_catches_up(clock: ManualClock) -> None:
    anchor = clock.now()
    with ShipBob(clock, Options(seed=5, size=300, living=True)) as kept:
        clock.advance(7_200)
        call(kept, "/2026-07/channel")
        with ShipBob(clock, Options(seed=5, size=300, living=True, anchor=anchor)) as restarted:
            call(restarted, "/2026-07/channel")

            assert restarted.truth() == kept.truth()


def test_a_world_is_still_unless_asked(shipbob: ShipBob, clock: ManualClock) -> None:
    before = shipbob.truth()
    clock.advance(864_000)
    call(shipbob, "/2026-07/channel")

    assert shipbob.truth() == before


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


@pytest.fixture(autouse=True)
def _known_goods(shipbob: ShipBob) -> None:
    """State what these tests know of the catalogue."""
    assert [(good.number, good.sku) for good in shipbob.world.goods[:2]] == [(88, "TEE-1"), (89, "CAP-1")]
