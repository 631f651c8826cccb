"""A refresh is complete or it is nothing: source failures, crashes at every point, late workers (R01-R05, J05)."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.core.errors import Terminal, Transient, Unavailable
from shared.oos.service import Asked
from shared.oos.source import Cursor, Fate, SourcePage, Verdict
from shared.ports.documents import Counts, Documents, Key, Query, Stored, Write
from tests.faults.refresh.harness import ScriptedSource, ScriptedTasks, World, shapes
from tests.unit.oos.builders import an_order

ORDERS = 90


def filled(source: ScriptedSource, ids: Sequence[int]) -> None:
    """Let a source hold exactly these orders."""
    source.orders = {f"{number:04d}": an_order(f"{number:04d}") for number in ids}


def test_a_first_refresh_publishes_every_held_order() -> None:
    """The happy path, counts included."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))

    run = world.refresh()

    assert (run["status"], run["pages"], run["fetched"], run["held"], run["opened"]) == ("succeeded", 5, 90, 90, 90)
    assert len(world.seen() or {}) == ORDERS
    assert world.oos.queue(Asked(total=True)).total == ORDERS


def test_a_second_refresh_with_the_same_data_changes_only_last_seen_and_the_snapshot() -> None:
    """Idempotent."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))
    world.refresh()
    first = world.oos.queue(Asked(limit=ORDERS)).orders
    world.clock.advance(900)

    run = world.refresh()

    second = world.oos.queue(Asked(limit=ORDERS)).orders
    moving = ("last_seen_at", "snapshot_id", "fetched_at", "age_hours")
    assert (run["updated"], run["opened"], run["resolved"]) == (ORDERS, 0, 0)
    assert [without(row, moving) for row in second] == [without(row, moving) for row in first]


def without(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Drop keys."""
    return {name: value for name, value in row.items() if name not in names}


@pytest.mark.parametrize("page", [0, 2, 4])
@pytest.mark.parametrize("failure", [Transient("http_500", "page failed"), Terminal("bad_shape", "not a list")])
def test_a_source_that_fails_keeps_the_old_snapshot_and_marks_it_stale(page: int, failure: Exception) -> None:
    """R05: nothing opens, nothing resolves, the run names the page, the feed is stale."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))
    world.refresh()
    before = world.seen()
    filled(world.source, range(10, ORDERS + 10))

    def fail(number: int) -> None:
        if number == page:
            raise failure

    world.source.before_page = fail
    run = world.refresh()

    assert (run["status"], run["snapshot_id"], run["error"]["page"]) == ("failed", None, page + 1)
    assert world.seen() == before
    status = world.refreshes.status().sources[1]
    assert (status.stale, status.last_status, status.running_job_id) == (True, "failed", None)


class Swallowing(ScriptedSource):
    """The broken variant: a page that fails is taken for the end of the list, and what was not listed for gone."""

    def page(self, cursor: Cursor) -> SourcePage:
        """Read one page, or end."""
        try:
            return super().page(cursor)
        except (Transient, Terminal):
            return SourcePage([], 0, 0, {}, None)

    def look_up(self, orders: Sequence[tuple[str, str | None]]) -> dict[str, Verdict]:
        """Know nothing."""
        return {key: Verdict(Fate.VANISHED) for key, _ in orders}


def test_control_a_connector_that_swallows_a_failure_lets_an_incomplete_run_resolve() -> None:
    """Control of R05: the run succeeds, and held orders are gone."""
    world = World.in_memory(source=Swallowing())
    filled(world.source, range(ORDERS))
    world.refresh()
    before = world.seen()

    def fail(number: int) -> None:
        if number == 3:
            code = "http_500"
            raise Transient(code, "page failed")

    world.source.before_page = fail
    run = world.refresh()

    assert run["status"] == "succeeded"
    assert len(world.seen() or {}) < len(before or {})


def test_the_next_run_repairs_what_a_failed_one_left() -> None:
    """Scenario 8."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))
    world.source.before_page = lambda number: (_ for _ in ()).throw(Terminal("gone", "gone")) if number == 3 else None
    world.refresh()
    world.source.before_page = lambda _: None

    run = world.refresh()

    assert (run["status"], run["opened"]) == ("succeeded", ORDERS)
    assert not world.refreshes.status().sources[1].stale


def test_an_empty_list_sends_every_open_order_through_the_look_up() -> None:
    """An empty list is a normal complete run; failed look-ups resolve nothing."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))
    world.refresh()
    world.source.fates = {f"{number:04d}": Fate.SHIPPED for number in range(60)}
    world.source.orders = {}

    run = world.refresh()

    assert (run["status"], run["resolved"], run["unverified"], run["held"]) == ("succeeded", 60, 30, 30)
    assert sorted(world.seen() or {}) == [f"{number:04d}" for number in range(60, ORDERS)]
    assert world.oos.order("shipbob", "0001").row["resolved_reason"] == "shipped"


def test_a_drop_that_looks_like_a_fault_publishes_nothing_unless_accepted() -> None:
    """suspicious_drop: over half of 20 or more open orders vanished."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))
    world.refresh()
    before = world.seen()
    world.source.fates = {f"{number:04d}": Fate.VANISHED for number in range(ORDERS)}
    world.source.orders = {}

    refused = world.refresh()
    accepted_before = world.seen()
    accepted = world.refresh(accept_drop=True)

    assert (refused["status"], refused["error"]["code"]) == ("failed", "suspicious_drop")
    assert accepted_before == before
    assert (accepted["status"], accepted["resolved"], world.seen()) == ("succeeded", ORDERS, {})


def test_look_ups_that_fail_altogether_leave_the_orders_open() -> None:
    """A source whose look-up is down resolves nothing, and the run still completes with what was read."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))
    world.refresh()
    filled(world.source, range(5, ORDERS))

    def down() -> None:
        raise Transient("http_503", "look-up is down")

    world.source.before_look_up = down
    run = world.refresh()

    assert (run["status"], run["resolved"], run["unverified"]) == ("succeeded", 0, 5)
    assert len(world.seen() or {}) == ORDERS


def test_a_warehouse_that_is_down_delays_history_and_fails_no_refresh() -> None:
    """The pending record is merged by the next run."""
    world = World.in_memory()
    filled(world.source, range(5))
    merge = world.warehouse.merge
    world.warehouse.merge = refuse  # type: ignore[method-assign]
    run = world.refresh()
    world.warehouse.merge = merge  # type: ignore[method-assign]

    assert run["status"] == "succeeded"
    assert len(world.documents.query(Query("oos_pending", (("source", "shipbob"),), order_by="made_at"))) == 1
    world.refresh()
    assert world.documents.query(Query("oos_pending", (("source", "shipbob"),), order_by="made_at")) == []


def refuse(*_: object, **__: object) -> int:
    """Stand for a warehouse that does not answer."""
    code = "warehouse_down"
    raise Transient(code, "The warehouse does not answer.")


def test_fifty_triggers_are_one_run() -> None:
    """R04."""
    world = World.in_memory()
    filled(world.source, range(5))

    assert len({world.trigger() for _ in range(50)}) == 1
    world.drain()
    assert world.source.pages_read == 1


class Killed(BaseException):
    """The process dies here."""


class Dying:
    """Documents that die before or after a chosen call; the call after which it dies has taken effect."""

    def __init__(self, inner: Documents, dies_at: int) -> None:
        """Take the real database and the number of the fatal call."""
        self._inner, self._left = inner, dies_at
        self.counts: Counts = inner.counts
        self.most_writes = inner.most_writes

    def _count(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed

    def get(self, key: Key) -> Stored | None:
        """Read, then maybe die."""
        found = self._inner.get(key)
        self._count()
        return found

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Stored]:
        """Read, then maybe die."""
        found = self._inner.get_many(keys)
        self._count()
        return found

    def query(self, query: Query) -> list[Stored]:
        """Read, then maybe die."""
        found = self._inner.query(query)
        self._count()
        return found

    def count(self, query: Query) -> int:
        """Count."""
        return self._inner.count(query)

    def commit(self, writes: Sequence[Write]) -> list[str]:
        """Write, then maybe die."""
        versions = self._inner.commit(writes)
        self._count()
        return versions

    def commit_many(self, writes: Sequence[Write]) -> list[str]:
        """Write as any commit."""
        return self.commit(writes)

    def ping(self) -> None:
        """Answer."""
        self._inner.ping()

    def close(self) -> None:
        """Close."""
        self._inner.close()


def run_dying_at(call: int, breakage: Callable[[World], None] = lambda _: None) -> bool:
    """Kill a second refresh after its n-th store call, check readers, restart, check again; False when it survived.

    So many orders come and go that the rows begin a chain of their own: their pieces are written before the flip.
    """
    documents = SqliteDocuments.in_memory(shapes())
    tasks, source = ScriptedTasks(), ScriptedSource()
    world = World(documents, source=source, tasks=tasks)
    filled(source, range(45))
    world.refresh()
    before = world.seen()
    world.clock.advance(900)
    filled(source, range(25, 70))
    source.fates = {f"{number:04d}": Fate.RELEASED for number in range(25)}
    job_id = world.trigger()
    dying = world.twin(Dying(documents, call))
    breakage(dying)
    died = False
    task = tasks.waiting[0]
    try:
        dying.drain()
    except Killed:
        died = True
    after_crash = world.seen()
    assert after_crash == before or sorted(after_crash or {}) == [f"{number:04d}" for number in range(25, 70)]
    if died and task not in tasks.waiting:
        tasks.waiting.appendleft(task)
    world.clock.advance(61)
    world.drain()
    assert world.jobs.get(job_id).status == "succeeded"
    assert sorted(world.seen() or {}) == [f"{number:04d}" for number in range(25, 70)]
    assert world.oos.order("shipbob", "0003").row["resolved_reason"] == "released"
    assert world.documents.query(Query("oos_staged", order_by="expires_at")) == []
    return died


def test_a_crash_after_any_store_call_leaves_one_whole_snapshot_and_the_next_delivery_finishes() -> None:
    """R02, exhaustively: every call of a refresh is the last one once."""
    for call in itertools.count(1):
        if not run_dying_at(call):
            break

    assert call > 25


def test_the_crash_check_finds_a_publish_of_two_commits() -> None:
    """Control of R02: a pointer flipped before the pieces are written is caught."""

    def flip_first(world: World) -> None:
        handler: Any = world.handler
        publisher = handler._publisher
        prepare, flip = publisher._prepare, publisher._flip
        publisher._prepare = lambda *_: None

        def wrong(step: Any, base: Any, built: Any, more: Any) -> None:
            flip(step, base, built, more)
            prepare(step, built)

        publisher._flip = wrong

    def all_points() -> None:
        for call in range(1, 200):
            run_dying_at(call, flip_first)

    with pytest.raises((AssertionError, Terminal, Unavailable)):
        all_points()


def test_a_late_worker_cannot_publish() -> None:
    """R03: A stalls before the flip, its lease expires, B publishes, A wakes and is fenced off."""
    documents = SqliteDocuments.in_memory(shapes())
    tasks = ScriptedTasks()
    slow, fast = ScriptedSource(), ScriptedSource()
    a = World(documents, source=slow, tasks=tasks)
    b = a.twin(documents, source=fast)
    filled(slow, range(5))
    filled(fast, range(50, 55))
    job_id = a.trigger()
    task = tasks.waiting[0]

    def stall(_: int) -> None:
        """While A reads its page, its lease runs out and B does the whole job."""
        slow.before_page = lambda _: None
        a.clock.advance(120)
        assert b.runner.deliver(task.kind, dict(task.payload)).status == 200

    slow.before_page = stall
    answer = a.runner.deliver(task.kind, dict(task.payload))

    assert answer.body["status"] == "succeeded"
    assert sorted(a.seen() or {}) == [f"{number:04d}" for number in range(50, 55)]
    assert a.jobs.get(job_id).result is not None


def test_a_cancelled_run_writes_nothing_more() -> None:
    """J05: cancelled while it reads; the old snapshot stays, the run is cancelled, staged pages go with the clean-up."""
    world = World.in_memory()
    filled(world.source, range(ORDERS))
    world.refresh()
    before = world.seen()
    filled(world.source, range(10))
    job_id = world.trigger()
    world.source.before_page = lambda _: None if world.jobs.get(job_id).cancel_requested else cancel(world, job_id)
    world.drain()

    assert world.jobs.get(job_id).status == "cancelled"
    assert world.seen() == before


def cancel(world: World, job_id: str) -> None:
    """Ask for the end of a running job."""
    world.jobs.cancel(job_id)
