"""Single orders and stock under crashes and trouble: R02 for the order job, and levels that outlive a failed read."""

import itertools
from typing import Any

from shared.adapters.sqlite import SqliteDocuments
from shared.core.caller import SYSTEM
from shared.core.errors import Transient
from shared.oos.asked import Look
from shared.oos.refresh_order import KIND
from shared.oos.resolved import resolved_key
from shared.oos.source import Cursor, Fate, StockPage
from shared.ports.documents import Delete
from tests.faults.refresh.harness import ScriptedSource, ScriptedTasks, World, shapes
from tests.faults.refresh.test_complete_or_nothing import Dying, Killed
from tests.unit.oos.builders import an_order

ORDERS = 30


def order_job_dying_at(call: int) -> bool:
    """Kill the job of one order after its n-th store call, then let it be delivered again; False when it survived."""
    documents, tasks, source = SqliteDocuments.in_memory(shapes()), ScriptedTasks(), ScriptedSource()
    world = World(documents, source=source, tasks=tasks)
    source.orders = {f"{number:03d}": an_order(f"{number:03d}") for number in range(ORDERS)}
    world.refresh()
    world.clock.advance(60)
    del source.orders["007"]
    source.fates["007"] = Fate.RELEASED
    world.marks.mark("shipbob", "007", None)
    job = world.jobs.start(KIND, "shipbob:007", {"source": "shipbob", "order_id": "007"}, SYSTEM).job
    task, died = tasks.waiting[0], False
    try:
        world.twin(Dying(documents, call)).drain()
    except Killed:
        died = True
    assert len(world.seen() or {}) in {ORDERS, ORDERS - 1}
    if died and task not in tasks.waiting:
        tasks.waiting.appendleft(task)
    world.clock.advance(61)
    world.drain()
    assert world.jobs.get(job.id).result == {"changed": True}
    assert world.seen() is not None
    assert "007" not in (world.seen() or {})
    assert world.oos.order("shipbob", "007").row["resolved_reason"] == "released"
    return died


def test_an_order_job_that_dies_after_any_store_call_is_finished_by_its_next_delivery() -> None:
    """R02 for single orders: every call is the last one once."""
    for call in itertools.count(1):
        if not order_job_dying_at(call):
            break

    assert call > 12


def test_an_order_that_comes_back_before_its_leaving_was_written_down_keeps_its_history() -> None:
    """The flip of one job has happened, its projection not yet; the refresh in between still knows the order."""
    world = World.in_memory()
    world.source.orders = {"1": an_order("1"), "2": an_order("2")}
    world.refresh()
    first_seen = world.oos.order("shipbob", "1").row["first_seen_at"]
    world.clock.advance(60)
    held = world.source.orders.pop("1")
    world.source.fates["1"] = Fate.RELEASED
    world.refresh()
    world.store.write([Delete(resolved_key("shipbob", "1"))])
    world.source.orders["1"] = held
    world.clock.advance(60)

    run = world.refresh()

    row = world.twin(world.documents).oos.order("shipbob", "1").row
    assert (run["reopened"], run["opened"]) == (1, 0)
    assert (row["episode"], row["first_seen_at"]) == (2, first_seen)


class ScriptedStock:
    """Levels that a test sets, or trouble."""

    def __init__(self, levels: dict[str, list[list[Any]]]) -> None:
        """Take the levels."""
        self.levels, self.trouble = levels, False

    def begin(self) -> Cursor:
        """Begin."""
        return {"page": 0}

    def page(self, cursor: Cursor) -> StockPage:
        """Give everything in two pages, or fail on the second."""
        names = sorted(self.levels)
        if self.trouble and cursor["page"]:
            code = "http_500"
            raise Transient(code, "answered 500")
        taken = {name: self.levels[name] for name in names[cursor["page"] :: 2]}
        return StockPage(taken, None if cursor["page"] else {"page": 1})

    def look_up(self, skus: Any, within_s: float) -> Any:
        """Know nothing."""
        return dict.fromkeys(skus)


def a_stocked_world() -> tuple[World, ScriptedStock]:
    """Return a world whose source tells levels."""
    world, stock = (
        World.in_memory(),
        ScriptedStock({"TEE-1": [["3", "East", 9, 9, 0]], "CAP-2": [["3", "East", 2, 2, 0]]}),
    )
    world.source.stock = stock
    world.source.orders = {"1": an_order("1")}
    return world, stock


def free_tees(world: World) -> dict[Any, int]:
    """Return where the published levels have tees."""
    return world.twin(world.documents).oos.views.stock(Look(), ["TEE-1"]).free("TEE-1")


def test_a_refresh_publishes_the_levels_it_read() -> None:
    world, stock = a_stocked_world()
    world.refresh()

    assert free_tees(world) == {("shipbob", "East"): 9}
    stock.levels["TEE-1"] = [["3", "East", 4, 4, 0]]
    world.clock.advance(900)
    world.refresh()
    assert free_tees(world) == {("shipbob", "East"): 4}


def test_levels_that_cannot_be_read_are_those_of_before_and_never_zero() -> None:
    """The orders are published all the same; the time of the levels says how old they are."""
    world, stock = a_stocked_world()
    world.refresh()
    read_at = world.reader.current("shipbob").header.stock_at
    stock.levels["TEE-1"], stock.trouble = [["3", "East", 0, 0, 0]], True
    world.clock.advance(900)
    world.source.orders["2"] = an_order("2")

    run = world.refresh()

    header = world.twin(world.documents).reader.current("shipbob").header
    assert (run["status"], run["held"], header.stock_at) == ("succeeded", 2, read_at)
    assert free_tees(world) == {("shipbob", "East"): 9}


def test_a_single_order_keeps_the_levels_of_the_refresh_before() -> None:
    world, _ = a_stocked_world()
    world.refresh()
    world.clock.advance(60)
    world.source.orders["2"] = an_order("2")
    world.marks.mark("shipbob", "2", None)
    world.jobs.start(KIND, "shipbob:2", {"source": "shipbob", "order_id": "2"}, SYSTEM)
    world.drain()

    assert sorted(world.seen() or {}) == ["1", "2"]
    assert free_tees(world) == {("shipbob", "East"): 9}
