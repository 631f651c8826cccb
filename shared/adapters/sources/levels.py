"""What both connectors need to read stock levels: sites as lists, exact SKUs, and looks that end in time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.adapters.fetch.pace import Pace
from shared.core.clock import Clock

__all__ = ["LIVE_S", "Deadline", "Site", "merged", "picked"]

Site = list[Any]
LIVE_S = 4.0
"""The longest single call of a live look."""


class Deadline:
    """Says whether another call may begin: it has to end within the time given, its turn at the vendor included."""

    def __init__(self, clock: Clock, pace: Pace, within_s: float) -> None:
        """Begin now."""
        self._clock, self._pace = clock, pace
        self._end = clock.monotonic() + within_s

    def allows(self) -> bool:
        """Say whether there is time for one more call."""
        return self._clock.monotonic() + self._pace.ahead_s() + LIVE_S <= self._end


def picked(levels: Mapping[str, list[Site]], skus: Iterable[str]) -> dict[str, list[Site]]:
    """Return the levels of exactly these SKUs, compared without case; none for one that is not among them."""
    by_fold: dict[str, list[Site]] = {}
    for sku, sites in levels.items():
        by_fold.setdefault(sku.casefold(), []).extend(sites)
    return {sku: by_fold.get(sku.casefold(), []) for sku in skus}


def merged(pages: Sequence[Mapping[str, list[Site]]]) -> dict[str, list[Site]]:
    """Return several pages as one mapping."""
    found: dict[str, list[Site]] = {}
    for page in pages:
        for sku, sites in page.items():
            found.setdefault(sku, []).extend(sites)
    return found
