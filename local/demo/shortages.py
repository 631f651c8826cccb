"""Shortages: which goods run out at which site, and which baskets therefore wait.

A pair of good and site runs out on some day; every later basket of that site which holds the good is short of it. Pairs are
taken in a seeded order until enough baskets wait, so stock, sites and held orders tell one story.
"""

from array import array
from collections.abc import Sequence
from datetime import timedelta

from local.demo.baskets import Basket
from local.demo.chance import chance
from shared.core.values import dataclass, field

__all__ = ["Shortages", "run_out"]

_LINE_BITS = 12
_LINE_MASK = (1 << _LINE_BITS) - 1


@dataclass(slots=True)
class Shortages:
    """The site of each basket (by position), the short lines of those that wait, and the pairs that ran out."""

    sites: list[int]
    lines: dict[int, list[int]] = field(default_factory=dict)
    pairs: set[tuple[int, int]] = field(default_factory=set)


def run_out(seed: int, stream: Sequence[Basket], sites: int, target: int) -> Shortages:
    """Give each basket a site and let pairs run out until `target` baskets wait (fewer only when there are no more)."""
    rng = chance("shortages", seed)
    found = Shortages([rng.randrange(sites) for _ in stream])
    if not stream or target <= 0:
        return found
    first, last = stream[0].at, stream[-1].at
    span = (last - first).total_seconds()
    places = _places(stream, found.sites, sites)
    pairs = sorted(places)
    rng.shuffle(pairs)
    for pair in pairs:
        since = first + timedelta(seconds=span * rng.uniform(0.0, 0.85))
        found.pairs.add((pair // sites, pair % sites))
        for place in places[pair]:
            basket, line = place >> _LINE_BITS, place & _LINE_MASK
            if stream[basket].at < since or stream[basket].cancelled:
                continue
            if basket in found.lines:
                found.lines[basket].append(line)
            elif len(found.lines) < target:
                found.lines[basket] = [line]
        if len(found.lines) >= target:
            break
    return found


def _places(stream: Sequence[Basket], sites_of: Sequence[int], sites: int) -> "dict[int, array[int]]":
    """Return for each pair (good number x sites + site) where it is wanted, packed as basket and line."""
    places: dict[int, array[int]] = {}
    for index, basket in enumerate(stream):
        for line, (good, _) in enumerate(basket.lines[:_LINE_MASK]):
            pair = good.number * sites + sites_of[index]
            places.setdefault(pair, array("Q")).append(index << _LINE_BITS | line)
    return places
