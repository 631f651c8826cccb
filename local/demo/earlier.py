"""The demo shop's yesterday: orders that were held and have left since, so that there is history from the first day.

The 3PLs' worlds are moved back, a few orders run short in them, and the connectors read these orders over HTTP; an application of
its own, over the same data and with yesterday's time, refreshes from what was read. The worlds move on: most of the orders are
shipped, others released, called off or no longer known. A second refresh finds that out from the vendors, as every refresh does.
What the two leave behind is history alone: where the queue stands and the runs are taken back, for the shop's first refresh is
still to come and nobody shall take yesterday's for it.
"""

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from local.demo.chance import Weighted, chance
from local.simulators.base import Simulator
from local.simulators.world import World
from shared.app import App
from shared.core.caller import SYSTEM
from shared.core.clock import ManualClock, instant
from shared.core.errors import Transient
from shared.jobs.record import job_key
from shared.oos.snapshot import source_key
from shared.oos.source import Cursor, HeldOrder, OrderSource, SourcePage, StockSource
from shared.ports.documents import Delete
from shared.ports.tasks import Task

__all__ = ["HELD_THEN", "earlier_with"]

HELD_THEN = 12
"""Orders of each 3PL that were held yesterday and are not today."""

_FIRST, _SECOND = timedelta(hours=26), timedelta(hours=2)
_HOURS_HELD = (3, 23)
_FATES = Weighted((("ship", 6.0), ("release", 2.0), ("cancel", 2.0), ("remove", 1.0)))


def earlier_with(simulators: Mapping[str, Simulator]) -> Callable[[Any], None]:
    """Return the seed that gives each simulated 3PL a yesterday; the simulators must answer already."""

    def seed_earlier(app: Any) -> None:
        """Make the history of every 3PL that was never read."""
        for status in app.refreshes.status().sources:
            simulator = simulators.get(status.source)
            if status.enabled and status.last_success_at is None and simulator is not None:
                _yesterday(app, status.source, simulator.world)

    return seed_earlier


def _yesterday(app: Any, source: str, world: World[Any]) -> None:
    connector, now, rng = app.order_source(source), app.clock.now(), chance("earlier", source)
    names = _run_short(world, now - _FIRST, rng)
    jobs = [_refreshed(app, _Then(connector, _read(connector, names)), now - _FIRST)]
    for name in names:
        with world.at(now - _FIRST + timedelta(hours=rng.uniform(*_HOURS_HELD))):
            world.apply({"op": _FATES.pick(rng), "order_id": name})
    jobs.append(_refreshed(app, _Then(connector, []), now - _SECOND))
    app.store.write([Delete(source_key(source)), *map(Delete, map(job_key, jobs))])
    app.snapshots.forget(source)


def _run_short(world: World[Any], then: datetime, rng: random.Random) -> list[str]:
    with world.at(then):
        candidates = world.ready(then)
        names = rng.sample(candidates, min(HELD_THEN, len(candidates)))
        for name in names:
            world.apply({"op": "run_short", "order_id": name})
    return names


def _read(connector: OrderSource, names: Sequence[str]) -> list[HeldOrder]:
    """Look the orders up with the 3PL, as a refresh does."""
    found: list[HeldOrder] = []
    for start in range(0, len(names), connector.look_up_batch):
        batch = names[start : start + connector.look_up_batch]
        verdicts = connector.look_up([(name, name) for name in batch])
        found += [verdict.order for verdict in verdicts.values() if verdict.order is not None]
    return found


def _refreshed(app: Any, source: "_Then", then: datetime) -> str:
    """Run the product's own refresh with the clock and the pages of that time; return the job's id."""
    past, tasks = App(app.settings, ManualClock(then)), _Deliveries()
    shared = {"documents": app.documents, "warehouse": app.warehouse, "tasks": tasks}
    past.__dict__.update(shared, order_source=lambda _: source)
    started = past.refreshes.start(source.name, SYSTEM, trigger="schedule")
    tasks.carry_out(past.job_runner.deliver)
    return str(started[0].job.id)


class _Deliveries:
    """A queue that is carried out on the spot."""

    def __init__(self) -> None:
        self._waiting: deque[Task] = deque()

    def enqueue(self, task: Task) -> None:
        """Accept a task."""
        self._waiting.append(task)

    def cancel(self, task: Task) -> None:
        """Forget a task."""
        self._waiting.remove(task)

    def ping(self) -> None:
        """Answer."""

    def carry_out(self, deliver: Callable[[str, object], Any]) -> None:
        """Deliver until nothing waits; raise Transient when a delivery asks to be repeated."""
        while self._waiting:
            task = self._waiting.popleft()
            if deliver(task.kind, dict(task.payload)).status != HTTPStatus.OK:
                code = "demo_refresh"
                raise Transient(code, "Yesterday's refresh could not be made.")


class _Then:
    """A 3PL whose list is that of an earlier time, on one page; single orders are asked of the 3PL itself."""

    stock: StockSource | None = None

    def __init__(self, connector: OrderSource, held: Sequence[HeldOrder]) -> None:
        self.name, self.look_up_batch = connector.name, connector.look_up_batch
        self.look_up = connector.look_up
        self._held = list(held)

    def begin(self, now: datetime) -> Cursor:
        """Begin the only page."""
        return {"at": instant(now)}

    def page(self, cursor: Cursor) -> SourcePage:
        """Return everything that was held."""
        return SourcePage(self._held, len(self._held), 0, {}, None)
