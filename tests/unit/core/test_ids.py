"""Ids: what is made one after the other sorts so, within one millisecond too."""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from shared.core.clock import ManualClock
from shared.core.ids import RandomIds

START = datetime(2026, 5, 4, 12, tzinfo=UTC)


def _run(new: Callable[[], str]) -> list[str]:
    made = [new() for _ in range(500)]
    assert made == sorted(set(made))
    return made


def test_ids_of_one_millisecond_rise_in_the_order_of_making() -> None:
    ids = RandomIds(ManualClock(START))

    made = _run(lambda: ids.new("prd"))

    assert all(re.fullmatch(r"prd_[0-9a-hjkmnp-tv-z]{26}", each) for each in made)
    assert len({each[:14] for each in made}) == 1


def test_ids_drawn_each_for_itself_fail_the_same_check() -> None:
    with pytest.raises(AssertionError):
        _run(lambda: secrets.token_hex(13))


def test_a_later_id_sorts_behind_and_one_of_an_earlier_time_before() -> None:
    clock = ManualClock(START)
    ids = RandomIds(clock)
    first = ids.new("prd")
    clock.advance(0.001)
    later = ids.new("prd")

    before = RandomIds(ManualClock(START.replace(year=2025))).new("prd")

    assert sorted([later, first, before]) == [before, first, later]


def test_the_next_id_cannot_be_told_from_the_last() -> None:
    clock = ManualClock(START)
    steps = set()
    for _ in range(20):
        ids = RandomIds(clock)
        one, two = (int(ids.new("x").removeprefix("x_").translate(_DIGITS), 32) for _ in range(2))
        steps.add(two - one)

    assert len(steps) == 20
    assert min(steps) > 0


_DIGITS = str.maketrans("0123456789abcdefghjkmnpqrstvwxyz", "0123456789abcdefghijklmnopqrstuv")
