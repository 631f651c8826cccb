"""J02: reordered, doubled, delayed, lost deliveries, dying workers, a store and a queue in trouble: 200 steps per seed."""

import logging
from collections import Counter

import pytest

from shared.jobs.outbox import OUTBOX
from shared.jobs.record import LOCKS
from shared.ports.documents import Key, Query
from tests.faults.jobs.chaos import Broken, Chaos
from tests.faults.jobs.volume import sized

FIRST_SEED = 7_000
_STEPS, _MINUTES = 200, 100


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Keep the trouble this makes out of the report."""
    logging.getLogger("onhand.jobs").setLevel(logging.CRITICAL)


def test_invariants_hold_at_every_commit_and_all_jobs_end() -> None:
    seeds = range(FIRST_SEED, FIRST_SEED + sized(160, 2000))
    seen: Counter[str] = Counter()
    slowest = 0.0
    for seed in seeds:
        chaos = Chaos(seed)
        chaos.run(_STEPS)
        took = chaos.settle(_MINUTES)

        assert took <= _MINUTES, seed
        assert dict.fromkeys(chaos.watch.jobs, 1) == chaos.watch.ends, seed
        assert [chaos.world.store.count(Query(each)) for each in (OUTBOX, LOCKS)] == [0, 0], seed
        _check_ends(chaos, seed)
        slowest = max(slowest, took)
        seen.update(job["status"] for job in chaos.watch.jobs.values())
        seen.update(jobs=len(chaos.watch.jobs), deliveries=chaos.deliveries, commits=chaos.watch.commits)
    print(f"seeds {seeds}: {dict(seen)}; the last job ended {slowest:.0f} minutes after the faults")

    assert min(seen[status] for status in ("succeeded", "failed", "cancelled")) > len(seeds) // 4


def test_the_control_without_the_fence_is_caught() -> None:
    caught = 0
    for seed in range(FIRST_SEED, FIRST_SEED + 20):
        chaos = Chaos(seed, fenced=False)
        try:
            chaos.run(_STEPS)
        except Broken:
            caught += 1
    print(f"{caught} of 20 seeds caught it")

    assert caught > 15


def _check_ends(chaos: Chaos, seed: int) -> None:
    for job_id, job in chaos.watch.jobs.items():
        end = chaos.world.store.get(Key("ends", job_id))
        assert end is not None
        assert end.data["status"] == job["status"], seed
        assert job["status"] != "succeeded" or chaos.watch.counters[job_id] == 6, seed
