"""R01: the worker is killed with SIGKILL at random points; no reader ever sees a part or a mixture."""

import random
from datetime import timedelta
from pathlib import Path

from shared.adapters.sqlite import SqliteDocuments
from tests.faults.refresh.harness import World, shapes
from tests.faults.refresh.kills import ORDERS, kill_after, mark, refresh_elsewhere, world

KILLS = 50
SEED = 20260115


def one_job(seen: World) -> str | None:
    """Read as any reader would: one whole snapshot of one job; return which."""
    current = seen.reader.current("shipbob")
    if current.loaded is None:
        return None
    statuses = {row["status"] for row in current.loaded.rows}
    assert len(statuses) == 1
    assert len(current.loaded.rows) == current.loaded.header.open_orders == ORDERS
    return str(statuses.pop())


def test_kills_at_random_points_never_show_a_part(tmp_path: Path) -> None:
    """Every read between kills is one complete snapshot; afterwards a run succeeds and everyone sees it."""
    rng = random.Random(SEED)
    file = tmp_path / "store.db"
    killed, published = 0, set()
    number = 0
    while killed < KILLS:
        number += 1
        worker, pipe = refresh_elsewhere(file, number)
        killed += kill_after(worker, pipe, rng.randint(1, 70))
        published.add(one_job(world(SqliteDocuments(file, shapes()), number)))
    last = world(SqliteDocuments(file, shapes()), number + 1)
    _finish(
        last, last.trigger()
    )  # of the last worker that was killed, or a first one: killed once too often, it may fail
    job_id = last.trigger()
    _finish(last, job_id)

    assert last.jobs.get(job_id).status == "succeeded"
    assert one_job(last) == job_id
    print(f"seed {SEED}: {killed} kills in {number} rounds, {len(published)} different snapshots seen")
    assert len(published) > 1


def _finish(seen: World, job_id: str) -> None:
    mark(seen, job_id)
    seen.clock.advance(timedelta(minutes=20).total_seconds())
    seen.jobs.sweep()
    seen.drain()
