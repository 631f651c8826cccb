"""A walk that turns in a circle is noticed, whatever the length of the circle, and a walk that does not is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.sources.cycles import advanced


def steps_until_noticed(cursors: list[str]) -> int | None:
    state = None
    for number, cursor in enumerate(cursors):
        following = advanced(state, cursor)
        if following is None:
            return number
        state = following
    return None


def test_the_same_cursor_twice_in_a_row_is_noticed_at_once() -> None:
    assert steps_until_noticed(["a", "a"]) == 1


@pytest.mark.parametrize("length", [1, 2, 3, 7, 50])
@pytest.mark.parametrize("before", [0, 1, 9])
def test_a_circle_is_noticed_within_three_times_its_size(before: int, length: int) -> None:
    start = [f"start{number}" for number in range(before)]
    noticed = steps_until_noticed(start + [f"c{number % length}" for number in range(5 * (before + length))])

    assert noticed is not None
    assert noticed <= 3 * (before + length)


@given(st.integers(0, 2000))
def test_distinct_cursors_are_never_taken_for_a_circle(count: int) -> None:
    assert steps_until_noticed([str(number) for number in range(count)]) is None
