"""Where units for held lines are: what each site has free after the held orders it has to serve itself.

A **site** is (source, facility). Free units are what the 3PL calls available less the units its own held lines wait for there,
never below zero; a figure a 3PL does not give counts as nothing. SKUs are compared exactly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.values import dataclass, field
from shared.oos.words import FEED_REASONS

if TYPE_CHECKING:
    from shared.oos.rules import Row

__all__ = ["OWN", "Site", "Stock", "short_lines", "site_of", "units_short"]

OWN = "store"
"""The source of our own stores."""

Site = tuple[str, str]
Levels = Mapping[str, Sequence[Sequence[Any]]]


def units_short(line: Mapping[str, Any]) -> int:
    """Return the units a held line waits for: what is short, or all that was ordered when the 3PL does not say."""
    short = line["short_quantity"]
    return int(line["ordered_quantity"] if short is None else short)


def short_lines(row: Row) -> list[Row]:
    """Return the lines of an order that wait for stock."""
    return [line for line in row["lines"] if line["reason"] in FEED_REASONS]


def site_of(source: str, line: Mapping[str, Any]) -> Site | None:
    """Return the site a line is held at; None while it is unassigned."""
    facility = line["facility"] or line["facility_id"]
    return (source, facility) if facility else None


@dataclass(slots=True)
class Stock:
    """The stock of every site for the SKUs of held lines, and the held demand there."""

    available: dict[str, dict[Site, int]] = field(default_factory=lambda: defaultdict(dict))
    demand: dict[tuple[str, Site], int] = field(default_factory=lambda: defaultdict(int))
    holders: dict[tuple[str, Site], int] = field(default_factory=lambda: defaultdict(int))
    incoming: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add_levels(self, source: str, levels: Levels, skus: Iterable[str]) -> None:
        """Add what a 3PL says of its sites."""
        for sku in skus:
            for facility_id, facility, _, available, incoming in levels.get(sku, ()):
                site = (source, facility or facility_id or "")
                self.available[sku][site] = self.available[sku].get(site, 0) + (available or 0)
                self.incoming[sku] += incoming or 0

    def add_own(self, sku: str, store: str, available: int) -> None:
        """Add what one of our own stores has free."""
        self.available[sku][OWN, store] = self.available[sku].get((OWN, store), 0) + available

    def add_held(self, rows: Iterable[Row]) -> None:
        """Add the demand of held orders at their sites."""
        for row in rows:
            for line in short_lines(row):
                site = site_of(row["source"], line)
                if line["sku"] and site:
                    self.demand[line["sku"], site] += units_short(line)
                    self.holders[line["sku"], site] += 1

    def free(self, sku: str) -> dict[Site, int]:
        """Return the sites with free units of a SKU."""
        left = {site: units - self.demand.get((sku, site), 0) for site, units in self.available.get(sku, {}).items()}
        return {site: units for site, units in left.items() if units > 0}

    def coverage(self, source: str, line: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the other sites with free units for a held line, most first."""
        if not line["sku"] or line["reason"] not in FEED_REASONS:
            return []
        own = site_of(source, line)
        others = [(site, units) for site, units in self.free(line["sku"]).items() if site != own]
        others.sort(key=lambda pair: (-pair[1], pair[0]))
        return [{"source": site[0], "facility": site[1], "available": units} for site, units in others]

    def supply(self, skus: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return what a plan may promise, by SKU and site as `source|facility`.

        A site that holds orders short of a SKU gives none of it, whatever it calls available: those units are the phantom
        that the very held orders disprove.
        """
        return {
            sku: {
                f"{site[0]}|{site[1]}": units
                for site, units in self.free(sku).items()
                if not self.demand.get((sku, site))
            }
            for sku in skus
        }
