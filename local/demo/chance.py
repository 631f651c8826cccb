"""Seeded chance: the one place that makes random generators for demo data, so that everything made follows from a seed."""

import random
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

__all__ = ["Weighted", "chance"]

T = TypeVar("T")


def chance(*seed: object) -> random.Random:
    """Return a generator that depends on nothing but the words given."""
    return random.Random(":".join(map(str, seed)))  # noqa: S311 (makes data, not secrets)


class Weighted(Generic[T]):
    """A choice among things of different weight, with the sums kept ready."""

    def __init__(self, pairs: Sequence[tuple[T, float]]) -> None:
        """Take the things and their weights."""
        self._things = [thing for thing, _ in pairs]
        self._sums = list(accumulate(weight for _, weight in pairs))

    def pick(self, rng: random.Random) -> T:
        """Return one thing."""
        return rng.choices(self._things, cum_weights=self._sums)[0]

    def __len__(self) -> int:
        return len(self._things)
