"""What happens in Stord's world shows as the vendor would show it."""

from typing import Any

import pytest

from local.simulators import Options, Stord
from shared.core.clock import ManualClock
from tests.unit.simulators.client import ORDERS, call


def fetched(stord: Stord, number: str) -> dict[str, Any] | None:
    """Search an order by number as a client does."""
    rows = call(stord, ORDERS, {"search_field": "order_number", "search_term": number}).json["data"]
    return rows[0] if rows else None


def a_short_order(stord: Stord, *lines: tuple[str, int]) -> str:
    """Let somebody order goods, all of them short."""
    return stord.world.new_order(lines, short=[sku for sku, _ in lines])


def held(stord: Stord, number: str) -> list[str]:
    """Return the items an order waits for."""
    return [row["item"] for row in stord.truth() if row["order_id"] == number]


@pytest.fixture
def empty(clock: ManualClock) -> Any:
    """A Stord without orders."""
    with Stord(clock, Options(scenario="empty")) as simulator:
        yield simulator


def test_a_new_short_order_is_open_with_backordered_lines(empty: Stord) -> None:
    order = fetched(empty, a_short_order(empty, ("TEE-1", 2)))

    assert order is not None
    assert (order["status"], order["sales_order_lines"]) == (
        "open",
        [{"status": "backordered", "order_line_items": [{"item_sku": "TEE-1", "item_quantity": "2.00000"}]}],
    )


@pytest.mark.parametrize(("change", "status"), [("ship", "shipped"), ("cancel", "canceled"), ("release", "open")])
def test_an_order_leaves_the_held_set(empty: Stord, change: str, status: str) -> None:
    number = a_short_order(empty, ("TEE-1", 2))

    empty.change({"op": change, "order_id": number})

    order = fetched(empty, number)
    assert order is not None
    assert (order["status"], held(empty, number)) == (status, [])
    assert (order["shipped_at"] is not None) == (status == "shipped")


def test_a_removed_order_is_found_no_more(empty: Stord) -> None:
    number = a_short_order(empty, ("TEE-1", 2))

    empty.world.remove(number)

    assert (fetched(empty, number), empty.truth()) == (None, [])


def test_a_part_shipped_order_leaves_the_open_walk_but_not_the_wider_truth(empty: Stord) -> None:
    number = empty.world.new_order([("TEE-1", 2), ("CAP-1", 1)], short=["TEE-1"])

    empty.world.part_ship(number)

    assert empty.truth() == []
    assert [row["item"] for row in empty.truth(["open", "partially_shipped"])] == ["TEE-1"]


def test_a_restock_releases_line_by_line_oldest_first(empty: Stord, clock: ManualClock) -> None:
    first = a_short_order(empty, ("TEE-1", 2), ("CAP-1", 1))
    clock.advance(5)
    second = a_short_order(empty, ("TEE-1", 2))

    assert empty.world.restock("TEE-1", 3) == []
    assert (held(empty, first), held(empty, second)) == (["CAP-1"], ["TEE-1"])
    assert empty.world.restock("CAP-1", 1) == [first]


def test_a_restock_elsewhere_does_not_help(empty: Stord) -> None:
    number = a_short_order(empty, ("TEE-1", 2))

    assert empty.world.restock("TEE-1", 3, facility="RNO2") == []
    assert empty.world.restock("TEE-1", 3, facility="ATL1") == [number]


def test_running_short_again_and_moving(empty: Stord) -> None:
    number = a_short_order(empty, ("TEE-1", 2))
    empty.world.release(number)
    empty.world.run_short(number)
    empty.world.move_facility(number, "LEX3")

    assert [(row["item"], row["facility_id"]) for row in empty.truth()] == [("TEE-1", "LEX3")]
    with pytest.raises(LookupError, match="no line of CAP-1"):
        empty.world.run_short(number, "CAP-1")


def test_a_line_without_items_is_held_by_its_place(stord: Stord) -> None:
    nameless = [row for row in stord.truth() if row["item"].startswith("line-")]

    assert nameless
    for row in nameless:
        line = stord.world.order(row["order_id"]).lines[int(row["item"].removeprefix("line-"))]
        assert (line.status.lower(), list(line.items)) == ("backordered", [])


def test_the_world_lives_by_itself_when_asked(clock: ManualClock) -> None:
    with Stord(clock, Options(seed=3, size=300, living=True)) as simulator:
        before = simulator.truth()
        clock.advance(86_400)
        call(simulator, ORDERS)

        assert simulator.truth() != before
        assert len(simulator.world.orders) > 300
