"""The pace of calls: never over the limit in any window, faster while much is left, slower while little is."""

import random
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.fetch.pace import Pace
from shared.core.clock import ManualClock


def most_in_a_window(times: list[float], window_s: float) -> int:
    """Return the greatest number of calls in any half-open window, to the microsecond."""
    return max((sum(1 for later in times if start <= later < start + window_s - 1e-6) for start in times), default=0)


def run(pace: Pace, clock: ManualClock, told: list[int | None], takes_s: float = 0.0) -> list[float]:
    times = []
    for remaining in told:
        pace.wait()
        times.append(clock.monotonic())
        clock.advance(takes_s)
        pace.told(remaining)
    return times


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.none() | st.integers(0, 10**6), min_size=1, max_size=8),
    st.sampled_from([0.0, 0.01, 0.3, 1.0]),
    st.sampled_from([5, 20, 145]),
)
def test_no_window_ever_holds_more_calls_than_the_limit(told: list[int | None], takes_s: float, limit: int) -> None:
    clock = ManualClock()
    times = run(Pace(clock, limit), clock, (told * 400)[:400], takes_s)

    assert most_in_a_window(times, 60.0) <= limit


def test_the_control_without_the_window_would_break_the_limit() -> None:
    clock = ManualClock()
    times = run(Pace(clock, 10**6), clock, [10**6] * 400)

    assert most_in_a_window(times, 60.0) == 400


def test_without_a_count_calls_keep_an_even_share() -> None:
    clock = ManualClock()

    assert run(Pace(clock, 150), clock, [None] * 4) == pytest.approx([0.0, 0.4, 0.8, 1.2])


def test_two_processes_one_after_the_other_stay_within_the_limit_without_a_count() -> None:
    clock = ManualClock()
    times = [time for _ in range(4) for time in run(Pace(clock, 150), clock, [None] * 100, 0.4)]

    assert most_in_a_window(times, 60.0) <= 151


def test_calls_follow_at_once_while_half_of_the_allowance_is_left() -> None:
    clock = ManualClock()

    assert run(Pace(clock, 150), clock, [149, 148, 147, 146]) == [0.0, 0.0, 0.0, 0.0]


def test_calls_spread_out_as_the_allowance_runs_low() -> None:
    gaps = []
    for remaining in (75, 31, 20, 10, 4, 1):
        clock = ManualClock()
        first, second = run(Pace(clock, 150), clock, [remaining, None])
        gaps.append(round(second - first, 2))

    assert gaps == [0.4, 0.4, 0.6, 1.2, 3.0, 5.0]


@pytest.mark.parametrize("seed", range(5))
def test_a_vendor_that_counts_is_never_overrun(seed: int) -> None:
    """Against a sliding window at the vendor, with other users of the account, no call is refused."""
    rng, clock, calls = random.Random(seed), ManualClock(), list[float]()
    pace, refused = Pace(clock, 145), 0
    for _ in range(1500):
        pace.wait()
        now = clock.monotonic()
        calls = [time for time in calls if time > now - 60]
        if rng.random() < 0.05:
            calls.append(now)
        if len(calls) >= 150:
            refused += 1
        else:
            calls.append(now)
        pace.told(150 - len(calls))
        clock.advance(rng.random() * 0.2)

    assert refused == 0


def test_threads_take_turns() -> None:
    clock = ManualClock()
    pace = Pace(clock, 60)
    threads = [threading.Thread(target=pace.wait) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert clock.monotonic() >= 19.0
