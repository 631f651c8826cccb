"""R08 and the price of the past: snapshots of a month are read, compared and added up as they were published."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from shared.core.caller import SYSTEM
from shared.core.clock import parse_instant
from shared.core.errors import NotFound
from shared.oos.asked import Asked, Look, Walked
from shared.oos.desk import Desk
from shared.oos.diff import applied, comparable
from shared.oos.maintenance import KEPT, OosMaintenance
from shared.oos.reader import SnapshotReader
from shared.oos.refresh_order import KIND as ORDER_KIND
from shared.oos.source import Fate, HeldOrder
from shared.ports.documents import Documents
from tests.faults.jobs.volume import sized
from tests.faults.refresh.harness import World
from tests.stores import each_store
from tests.unit.oos.builders import a_line, an_order

REFRESHES = sized(14, long=60)
PAIRS = sized(60, long=1_000)
ORDERS = 40


@dataclass(frozen=True)
class Published:
    """What one refresh published, told apart from the product's own storage of it."""

    snapshot_id: str
    at: datetime
    orders: Mapping[str, dict[str, Any]]


def an_order_of(rng: random.Random, order_id: str) -> HeldOrder:
    """Return an order with random lines and prices."""
    lines = [
        a_line(sku, short_quantity=rng.randint(1, 3), facility=rng.choice(("West", "East", None)))
        for sku in rng.sample(["A", "B", "C", "D"], rng.randint(1, 3))
    ]
    value = rng.choice((None, Decimal(rng.randrange(1, 99_999)) / 100))
    return an_order(order_id, *lines, value=value, status=rng.choice(("Exception", "Processing")))


def reshuffle(world: World, rng: random.Random) -> None:
    """Let some orders leave, some come, some come back and some change."""
    held = world.source.orders
    for order_id in rng.sample(sorted(held), min(len(held), rng.randint(0, 6))):
        del held[order_id]
        world.source.fates[order_id] = rng.choice((Fate.SHIPPED, Fate.RELEASED, Fate.CANCELLED, Fate.VANISHED))
    for number in rng.sample(range(ORDERS), rng.randint(1, 8)):
        held[f"{number:03d}"] = an_order_of(rng, f"{number:03d}")


def a_history(seed: int, refreshes: int = REFRESHES) -> tuple[World, list[Published]]:
    """Publish snapshots and keep what each showed when it was the newest."""
    rng, world = random.Random(seed), World.in_memory()
    published = []
    for _ in range(refreshes):
        reshuffle(world, rng)
        run = world.refresh()
        page = world.oos.queue(Asked(limit=1000))
        orders = {order["order_id"]: order for order in page.orders}
        published.append(Published(run["snapshot_id"], world.clock.now(), orders))
        world.clock.advance(900)
    return world, published


@each_store
def test_the_past_and_single_orders_work_on_every_store(documents: Documents) -> None:
    """Indexes, bytes and preconditions of each database: three refreshes, one webhook, and a look back."""
    world, rng = World(documents), random.Random(12)
    seen = []
    for _ in range(3):
        reshuffle(world, rng)
        world.refresh()
        seen.append((world.clock.now(), set(world.seen() or {})))
        world.clock.advance(900)
    told = min(world.source.orders)
    del world.source.orders[told]
    world.source.fates[told] = Fate.SHIPPED
    world.marks.mark("shipbob", told, None)
    world.jobs.start(ORDER_KIND, f"shipbob:{told}", {"source": "shipbob", "order_id": told}, SYSTEM)
    world.drain()

    assert told not in (world.seen() or {})
    for moment, orders in seen:
        assert {order["order_id"] for order in world.oos.queue(Asked(limit=100, as_of=moment)).orders} == orders
    history = world.oos.history(Walked(("shipbob",), "resolved_at", reasons=("shipped",)), "a", 100, 0)[0]
    assert all("A" in {line["sku"] for line in order["lines"]} for order in history)
    assert OosMaintenance(world.store, world.clock).clean() == 0


def a_desk(world: World) -> Desk:
    """Return the desk of a process that has read nothing yet."""
    fresh = World.twin(world, world.documents)
    return Desk(fresh.store, fresh.clock, fresh.reader, fresh.oos.views, "EUR")


def test_the_queue_as_of_any_moment_is_what_was_published_then() -> None:
    world, published = a_history(1)
    twin = world.twin(world.documents)

    for snapshot in published:
        page = twin.oos.queue(Asked(limit=1000, as_of=snapshot.at))

        assert {order["order_id"]: comparable(order) for order in page.orders} == {
            key: comparable(order) for key, order in snapshot.orders.items()
        }
        assert page.snapshots["shipbob"]["snapshot_id"] == snapshot.snapshot_id
    assert twin.oos.queue(Asked(as_of=parse_instant("2026-01-01T00:00:00Z"))).orders == []


def test_a_diff_applied_to_its_beginning_gives_its_end_and_diffs_compose() -> None:
    """R08 over random pairs, forwards and backwards."""
    world, published = a_history(2)
    desk, rng = a_desk(world), random.Random(8)

    for _ in range(PAIRS):
        a, b, c = (rng.choice(published) for _ in range(3))
        first, second = diff(desk, a, b), diff(desk, b, c)

        assert applied(plain(a), first) == plain(b)
        assert applied(applied(plain(a), first), second) == applied(plain(a), diff(desk, a, c)) == plain(c)
    print(f"{PAIRS} pairs of {REFRESHES} snapshots")


def test_the_check_finds_a_diff_that_forgets_who_left() -> None:
    """Control of R08: dropped resolved rows."""
    world, published = a_history(2)
    before, after = next(pair for pair in pairwise(published) if pair[0].orders.keys() - pair[1].orders.keys())
    told = diff(a_desk(world), before, after)

    assert told["left"] != []
    assert applied(plain(before), told | {"left": []}) != plain(after)


def test_who_left_is_told_with_how() -> None:
    world, published = a_history(3)
    desk = a_desk(world)

    for before, after in pairwise(published):
        told = diff(desk, before, after)

        assert {one["order_id"] for one in told["left"]} == before.orders.keys() - after.orders.keys()
        assert all(one["resolved_reason"] in set(Fate) for one in told["left"])


def test_money_at_risk_equals_the_rows_at_any_moment() -> None:
    world, published = a_history(4)
    desk = a_desk(world)

    for snapshot in published:
        shown, _ = desk.at_risk(Look(as_of=snapshot.at), "sku")

        values = [Decimal(str(order["value"])) for order in snapshot.orders.values() if order["value"] is not None]
        total = shown["totals"][0]
        assert (Decimal(str(total["order_value"])), total["orders"]) == (sum(values), len(values))
        assert shown["unpriced_orders"] == len(snapshot.orders) - len(values)


def test_a_snapshot_of_the_past_costs_three_document_reads() -> None:
    """Its record, the frame and the log; whatever has been published since."""
    world, published = a_history(5)
    reader = SnapshotReader(world.store, world.clock, KEPT)
    counts = world.documents.counts

    for snapshot in published:
        reads = counts.reads
        current = reader.at("shipbob", snapshot.at)

        assert current is not None
        assert current.loaded is not None
        assert len(current.loaded.open) == len(snapshot.orders)
        assert counts.reads - reads <= 3


def test_snapshots_are_kept_for_a_month_and_their_chains_as_long_as_one_needs_them() -> None:
    world, published = a_history(6)
    world.clock.advance(31 * 86400)
    OosMaintenance(world.store, world.clock).clean()
    first = world.twin(world.documents).oos.queue(Asked(limit=1000, as_of=published[0].at))

    assert {order["order_id"] for order in first.orders} == published[0].orders.keys()
    world.clock.advance(3 * 86400)
    world.refresh()
    OosMaintenance(world.store, world.clock).clean()
    later = world.twin(world.documents).oos

    assert later.queue(Asked(as_of=published[0].at)).snapshots == {}
    assert later.queue(Asked(limit=1000)).orders != []


def test_a_diff_with_a_snapshot_that_is_not_kept_is_not_found() -> None:
    world, published = a_history(7, refreshes=2)

    with pytest.raises(NotFound):
        a_desk(world).diff("shipbob", "snp_unknown", published[0].snapshot_id)


def diff(desk: Desk, before: Published, after: Published) -> dict[str, Any]:
    """Ask for a diff by snapshot ids."""
    return desk.diff("shipbob", before.snapshot_id, after.snapshot_id)


def plain(snapshot: Published) -> dict[str, dict[str, Any]]:
    """Return the orders a snapshot showed, without their provenance."""
    return {key: comparable(order) for key, order in snapshot.orders.items()}
