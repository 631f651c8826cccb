"""The truth a simulator tells is what anyone would count from its answers, at the start and after any changes."""

import random

import pytest

from local.simulators import Options, ShipBob, Stord
from local.simulators.world import UnknownChange
from shared.core.clock import ManualClock
from tests.unit.simulators.client import shipbob_orders, stord_orders
from tests.unit.simulators.recount import shipbob_grains, stord_grains, told


def test_shipbob_tells_what_its_orders_say(shipbob: ShipBob) -> None:
    truth = shipbob.truth()

    assert told(truth) == shipbob_grains(shipbob_orders(shipbob))
    assert len(truth) == len(told(truth)) > 150


def test_stord_tells_what_its_open_orders_say(stord: Stord) -> None:
    truth = stord.truth()

    assert told(truth) == stord_grains(stord_orders(stord, "open"))
    assert len(truth) == len(told(truth)) > 80


def test_stord_tells_of_part_shipped_orders_when_asked(stord: Stord) -> None:
    more = stord.truth(["open", "partially_shipped"])

    assert told(more) == stord_grains(stord_orders(stord, "open", "partially_shipped"))
    assert len(more) > len(stord.truth())


@pytest.mark.parametrize("seed", range(6))
def test_shipbob_stays_true_through_random_changes(seed: int) -> None:
    rng, clock = random.Random(seed), ManualClock()
    with ShipBob(clock, Options(seed=seed, size=80)) as simulator:
        simulator.switch(rate_limit=0)
        for _ in range(60):
            clock.advance(rng.randrange(600))
            _change_shipbob(rng, simulator)

        assert told(simulator.truth()) == shipbob_grains(shipbob_orders(simulator))


@pytest.mark.parametrize("seed", range(6))
def test_stord_stays_true_through_random_changes(seed: int) -> None:
    rng, clock = random.Random(seed), ManualClock()
    with Stord(clock, Options(seed=seed, size=80)) as simulator:
        simulator.switch(rate_limit=0)
        for _ in range(60):
            clock.advance(rng.randrange(600))
            _change_stord(rng, simulator)

        assert told(simulator.truth()) == stord_grains(stord_orders(simulator, "open"))


def _change_shipbob(rng: random.Random, simulator: ShipBob) -> None:
    world, order_id = simulator.world, rng.choice(simulator.world.orders).id
    sku = rng.choice(world.goods).sku
    changes = (
        {"op": "ship", "order_id": order_id},
        {"op": "cancel", "order_id": order_id},
        {"op": "release", "order_id": order_id},
        {"op": "restock", "sku": sku, "units": rng.randrange(1, 9)},
        {"op": "hold", "order_id": order_id, "detail": 403},
        {"op": "run_short", "order_id": order_id},
        {"op": "remove", "order_id": order_id},
        {"op": "touch", "order_id": order_id},
        {"op": "move_facility", "order_id": order_id, "centre_id": 7},
        {"op": "partially_commit", "order_id": order_id, "sku": sku, "units": 1},
        {"op": "new_order", "lines": [[sku, 2]], "short": [sku]},
    )
    simulator.change(rng.choice(changes))


def _change_stord(rng: random.Random, simulator: Stord) -> None:
    world, order_id = simulator.world, rng.choice(simulator.world.orders).name
    sku = rng.choice(world.goods).sku
    changes = (
        {"op": "ship", "order_id": order_id},
        {"op": "part_ship", "order_id": order_id},
        {"op": "cancel", "order_id": order_id},
        {"op": "release", "order_id": order_id},
        {"op": "restock", "sku": sku, "units": rng.randrange(1, 9)},
        {"op": "run_short", "order_id": order_id},
        {"op": "remove", "order_id": order_id},
        {"op": "move_facility", "order_id": order_id, "facility": "LEX3"},
        {"op": "set_line", "order_id": order_id, "index": 0, "status": "backordered"},
        {"op": "new_order", "lines": [[sku, 2]], "short": [sku]},
    )
    simulator.change(rng.choice(changes))


@pytest.mark.parametrize(
    "change",
    [
        {"op": "explode"},
        {"op": "truth"},
        {"op": "ship", "order_id": "77"},
        {"op": "restock", "sku": "NOPE", "units": 1},
        {"op": "new_order", "lines": [["TEE-1", 1]], "centre_id": 99},
    ],
)
def test_an_unknown_change_is_refused_and_changes_nothing(shipbob: ShipBob, change: dict[str, object]) -> None:
    before = (shipbob.world.version, shipbob.truth())

    with pytest.raises(UnknownChange):
        shipbob.change(change)

    assert (shipbob.world.version, shipbob.truth()) == before
