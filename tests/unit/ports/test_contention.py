"""S06 in simulation: the plan of waits lets 64 rivals for one document all win in time; without jitter it would not.

Each try reads, works for 10 ms and commits; it fails when another commit fell between. No lock helps: the rivals stand for
64 instances in the cloud.
"""

import heapq
import random

import pytest

from shared.ports.store import BACKOFF

RIVALS, TRY_S = 64, 0.010


class NoJitter(random.Random):
    """A source that always gives the longest wait."""

    def uniform(self, a: float, b: float) -> float:
        """Return the upper bound."""
        return max(a, b)


def winners(rng: random.Random) -> tuple[int, float]:
    """Return how many rivals win before their deadline, and when the last of them did."""
    events = [(TRY_S, number, 0, 0.0) for number in range(RIVALS)]  # commit time, who, try number, read time
    last_commit, won = -1.0, 0
    while events:
        now, rival, tries, read_at = heapq.heappop(events)
        if last_commit <= read_at:
            last_commit, won = now, won + 1
            continue
        start = now + BACKOFF.wait_s(tries, rng)
        if start <= BACKOFF.deadline_s:
            heapq.heappush(events, (start + TRY_S, rival, tries + 1, start))
    return won, last_commit


@pytest.mark.parametrize("seed", range(50))
def test_all_rivals_win_before_their_deadline(seed: int) -> None:
    won, last = winners(random.Random(seed))

    print(f"seed {seed}: {won} won, the last after {last:.2f} s")
    assert won == RIVALS


def test_control_without_jitter_most_of_them_fail() -> None:
    won, _ = winners(NoJitter())

    assert won < RIVALS / 2
