"""The scenarios of a vendor's life between and during refreshes, against real simulators (`sources.md` 6.6, 6.7)."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, installed

SOURCES = ("shipbob", "stord")
QUARTER_S = 900


@pytest.fixture
def onhand(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose sources have been read once."""
    with installed(tmp_path) as made:
        for source in SOURCES:
            made.refresh(source)
        made.clock.advance(QUARTER_S)
        yield made


def some_open(onhand: Installation, source: str, count: int = 1) -> list[str]:
    """Return ids of open orders of the feed that the world can change."""
    known = {str(order_id) for order_id in onhand.open_ids(source)}
    rows = onhand.get(f"/api/{source}/oos-orders").json
    return sorted(row["order_id"] for row in rows if row["order_id"] in known)[:count]


def detail(onhand: Installation, source: str, order_id: str) -> Any:
    """Read one order with its history."""
    return onhand.get(f"/api/v1/oos/orders/{source}/{order_id}?include=history").json


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("change", "reason"), [("ship", "shipped"), ("cancel", "cancelled"), ("release", "released")])
def test_an_order_that_leaves_is_resolved_with_its_reason(
    onhand: Installation, source: str, change: str, reason: str
) -> None:
    """Scenarios 2 and 5."""
    (order_id,) = some_open(onhand, source)
    before = detail(onhand, source, order_id)
    onhand.simulators[source].change({"op": change, "order_id": order_id})

    run = onhand.refresh(source)

    after = detail(onhand, source, order_id)
    assert (run["resolved"], after["state"], after["resolved_reason"]) == (1, "resolved", reason)
    assert (after["first_seen_at"], after["opened_at"]) == (before["first_seen_at"], before["opened_at"])
    assert order_id not in {row["order_id"] for row in onhand.get(f"/api/{source}/oos-orders").json}


@pytest.mark.parametrize("source", SOURCES)
def test_a_vanished_order_is_resolved_as_vanished(onhand: Installation, source: str) -> None:
    """The vendor says unknown."""
    (order_id,) = some_open(onhand, source)
    onhand.simulators[source].change({"op": "remove", "order_id": order_id})

    onhand.refresh(source)

    assert detail(onhand, source, order_id)["resolved_reason"] == "vanished"


@pytest.mark.parametrize("source", SOURCES)
def test_an_order_that_is_short_again_reopens_as_a_new_episode(onhand: Installation, source: str) -> None:
    """Scenario 3."""
    (order_id,) = some_open(onhand, source)
    first = detail(onhand, source, order_id)
    simulator = onhand.simulators[source]
    simulator.change({"op": "release", "order_id": order_id})
    onhand.refresh(source)
    onhand.clock.advance(QUARTER_S)
    simulator.change({"op": "run_short", "order_id": order_id})

    run = onhand.refresh(source)

    again = detail(onhand, source, order_id)
    assert (run["reopened"], again["state"], again["episode"]) == (1, "open", 2)
    assert again["first_seen_at"] == first["first_seen_at"]
    assert again["opened_at"] > first["opened_at"]
    assert [episode["resolved_reason"] for episode in again["episodes"]] == ["released"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_new_short_order_appears_once_and_keeps_its_first_sight(onhand: Installation, source: str) -> None:
    """Scenario 1."""
    simulator = onhand.simulators[source]
    new = str(simulator.change({"op": "new_order", "lines": [["TEE-1", 2]], "short": ["TEE-1"]}))

    run = onhand.refresh(source)
    first = detail(onhand, source, new)
    onhand.clock.advance(QUARTER_S)
    second_run = onhand.refresh(source)

    assert (run["opened"], second_run["opened"]) == (1, 0)
    assert detail(onhand, source, new)["first_seen_at"] == first["first_seen_at"]


@pytest.mark.parametrize("source", SOURCES)
def test_orders_that_ship_while_pages_are_read_lose_and_double_nothing(onhand: Installation, source: str) -> None:
    """Scenario 6, R06: ten orders leave and five come between two pages; a quiet run afterwards equals the truth."""
    simulator = onhand.simulators[source]
    leaving = some_open(onhand, source, 10)
    changes = [{"op": "ship", "order_id": order_id} for order_id in leaving]
    new = {"op": "new_order", "lines": [["CAP-2", 1]], "short": ["CAP-2"]}
    simulator.script(simulator.listing, 2, *changes, *[dict(new) for _ in range(5)])

    onhand.refresh(source)
    rows = onhand.app.snapshots.current(source).loaded.rows  # type: ignore[union-attr]
    assert len({row["order_id"] for row in rows}) == len(rows)
    onhand.clock.advance(QUARTER_S)
    onhand.refresh(source)

    assert onhand.held(source) == onhand.truth(source)


def test_an_order_that_moves_to_another_site_gets_no_second_line(onhand: Installation) -> None:
    """Scenario 14."""
    (order_id,) = some_open(onhand, "shipbob")
    before = detail(onhand, "shipbob", order_id)
    onhand.shipbob.change({"op": "move_facility", "order_id": order_id, "centre_id": 3})

    onhand.refresh("shipbob")

    after = detail(onhand, "shipbob", order_id)
    assert [line["line_id"] for line in after["lines"]] == [line["line_id"] for line in before["lines"]]
    assert onhand.held("shipbob") == onhand.truth("shipbob")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("seed", range(3))
def test_after_any_history_the_open_set_is_the_vendors_truth(onhand: Installation, source: str, seed: int) -> None:
    """Invariants 1, 3, 4: random changes, a complete run, equality; a replay changes nothing but when it was seen."""
    rng = random.Random(seed)
    simulator = onhand.simulators[source]
    for _ in range(3):
        for order_id in rng.sample(sorted(onhand.open_ids(source)), 12):
            simulator.change({"op": rng.choice(["ship", "cancel", "release", "run_short"]), "order_id": order_id})
        sku = rng.choice(["TEE-1", "CAP-2", "MUG-1"])
        simulator.change({"op": "new_order", "lines": [[sku, 1]], "short": [sku]})
        onhand.clock.advance(QUARTER_S)
        assert onhand.refresh(source)["status"] == "succeeded"
        assert onhand.held(source) == onhand.truth(source)
    before = onhand.held(source)
    replay = onhand.refresh(source)

    assert (replay["opened"], replay["reopened"], replay["resolved"]) == (0, 0, 0)
    assert onhand.held(source) == before


def test_the_token_reaches_only_the_configured_origin(tmp_path: Path) -> None:
    """A next link to another host is refused, and the run fails without a request to it (rule 5, invariant 7)."""
    with installed(tmp_path, size=1_200) as onhand:
        onhand.shipbob.switch(paging="next", links="foreign")
        run = onhand.refresh("shipbob")

    assert (run["status"], run["error"]["code"]) == ("failed", "foreign_link")
