"""R07: a walk stays on the snapshot it began with, whatever is published meanwhile."""

import random

import pytest

from shared.core.errors import BadRequest
from shared.oos.queue import Place
from shared.oos.service import Asked
from shared.oos.source import Fate
from tests.faults.jobs.volume import sized
from tests.faults.refresh.harness import World
from tests.unit.oos.builders import an_order

ORDERS = sized(400, long=10_000)
REFRESHES = sized(12, long=100)


def test_a_walk_over_refreshes_is_exactly_its_first_snapshot() -> None:
    """100 rows come and go with every refresh; the union of the pages is the snapshot of the first page."""
    rng = random.Random(7)
    world = World.in_memory()
    world.source.page_size = 200
    reshuffle(world, rng)
    world.refresh()
    first = set(world.seen() or {})
    walked, after, pinned = [], None, {"shipbob": world.reader.current("shipbob").header.id}
    for _ in range(REFRESHES):
        page = world.oos.queue(Asked(limit=ORDERS // REFRESHES + 1, after=after, pinned=pinned))
        walked += [order["order_id"] for order in page.orders]
        after = page.next
        world.clock.advance(900)
        reshuffle(world, rng)
        world.refresh()

    assert after is None
    assert sorted(walked) == sorted(first)


def test_a_walk_over_the_newest_rows_would_lose_and_repeat() -> None:
    """Control: the same walk without its snapshot does not give the first set."""
    rng = random.Random(7)
    world = World.in_memory()
    world.source.page_size = 200
    reshuffle(world, rng)
    world.refresh()
    first = set(world.seen() or {})
    walked: list[str] = []
    after: Place | None = None
    for _ in range(REFRESHES):
        page = world.oos.queue(Asked(limit=ORDERS // REFRESHES + 1, after=after))
        walked += [order["order_id"] for order in page.orders]
        after = page.next
        world.clock.advance(900)
        reshuffle(world, rng)
        world.refresh()

    assert sorted(walked) != sorted(first)


def test_a_walk_whose_snapshot_is_gone_is_told_so() -> None:
    """400 bad_cursor, never a page of another snapshot."""
    world = World.in_memory()
    reshuffle(world, random.Random(1))
    world.refresh()

    with pytest.raises(BadRequest) as refusal:
        world.oos.queue(Asked(pinned={"shipbob": "snp_unknown"}))

    assert refusal.value.errors[0].code == "bad_cursor"


def reshuffle(world: World, rng: random.Random) -> None:
    """Let a random 400 of 500 orders be held; whoever is missing was shipped."""
    everyone = [f"{number:05d}" for number in range(ORDERS + 100)]
    held = rng.sample(everyone, ORDERS)
    world.source.orders = {key: an_order(key) for key in held}
    world.source.fates = dict.fromkeys(everyone, Fate.SHIPPED)
