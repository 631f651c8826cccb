"""What a delivery of a refresh costs, and what of its reading an end before its time costs: at most a few pages."""

import random
from collections.abc import Callable, Sequence

import pytest

from shared.core.errors import Transient
from shared.oos import staging
from shared.ports.documents import Delete, Write
from tests.faults.refresh.harness import ScriptedSource, World
from tests.unit.oos.builders import an_order

PAGES = 40


class Killed(BaseException):
    """The process dies here."""


def reading(pages: int = PAGES) -> World:
    """Return a world whose source has so many pages of one order."""
    world = World.in_memory(source=ScriptedSource(page_size=1))
    world.source.orders = {f"{number:04d}": an_order(f"{number:04d}") for number in range(pages)}
    return world


def stopped_at(world: World, page: int, end: BaseException, *, before: Callable[[], None] = lambda: None) -> int:
    """Refresh, end the reading once before a page, go on to the end; return how many pages were read twice."""
    job_id = world.trigger()
    task = world.tasks.waiting[0]

    def stop(number: int) -> None:
        before()
        if number == page:
            world.source.before_page = lambda _: None
            raise end

    world.source.before_page = stop
    try:
        world.drain()
    except Killed:
        world.tasks.waiting.appendleft(task)
        world.clock.advance(61)
        world.drain()
    assert world.jobs.get(job_id).status == "succeeded"
    assert sorted(world.seen() or {}) == sorted(world.source.orders)
    return world.source.pages_read - PAGES


@pytest.mark.parametrize(("page", "again"), [(0, 0), (7, 7), (8, 0), (29, 5), (39, 7)])
def test_a_kill_costs_the_pages_since_the_last_checkpoint_and_never_more_than_seven(page: int, again: int) -> None:
    """Eight pages share one checkpoint."""
    assert stopped_at(reading(), page, Killed()) == again
    assert again < staging.PAGES


def test_slow_pages_are_kept_one_by_one() -> None:
    """A page that takes five seconds or more is not read twice."""
    world = reading()

    assert stopped_at(world, 29, Killed(), before=lambda: world.clock.advance(staging.SECONDS)) == 0


@pytest.mark.parametrize("end", [Transient("http_500", "page failed"), ValueError("a bug")])
def test_an_error_keeps_what_was_read_before_it(end: Exception) -> None:
    """Trouble that the job knows of costs no page; a bug ends the run, which names the page."""
    world = reading()
    if isinstance(end, Transient):
        assert stopped_at(world, 29, end) == 0
        return

    def fail(number: int) -> None:
        if number == 29:
            raise end

    world.source.before_page = fail
    run = world.refresh()

    assert (run["status"], run["pages"], run["error"]["page"]) == ("failed", 29, 30)


def test_control_pages_that_are_never_kept_are_all_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same kill finds it."""
    monkeypatch.setattr(staging, "PAGES", 10**6)

    assert stopped_at(reading(), 29, Killed()) == 29


def test_eight_more_pages_cost_two_writes_a_read_and_a_delete() -> None:
    """What a refresh in which nothing changed reads, writes and deletes, exactly, and how it grows with its pages."""
    spent = []
    for pages in (PAGES, 2 * PAGES):
        world = reading(pages)
        world.refresh()
        world.clock.advance(900)
        world.documents.counts.reset()
        world.refresh()
        counts = world.documents.counts
        spent.append((counts.reads, counts.writes, counts.deletes))

    assert spent == [(22, 34, 9), (27, 44, 14)]


def test_what_is_too_large_for_one_commit_is_written_in_several() -> None:
    """Vendor records of 8 MB that hardly compress: no commit is beyond 4 MB, and all is there."""
    world = World.in_memory(source=ScriptedSource(page_size=1))
    noise = random.Random(1)
    world.source.orders = {key: an_order(key, raw={"noise": noise.randbytes(400_000).hex()}) for key in "abcdefghij"}
    sizes: list[int] = []
    commit = world.documents.commit

    def measured(writes: Sequence[Write]) -> list[str]:
        sizes.append(sum(len(write.data.get("data", b"")) for write in writes if not isinstance(write, Delete)))
        return commit(writes)

    world.documents.commit = measured  # type: ignore[method-assign]

    assert world.refresh()["status"] == "succeeded"
    assert len(world.seen() or {}) == 10
    assert max(sizes) < 4_000_000 < sum(sizes)
    assert sum(size > 2_000_000 for size in sizes) > 1
