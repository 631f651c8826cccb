"""Phantom stock: what a 3PL calls available at the very site where it holds orders as short of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.oos.coverage import Site, Stock

__all__ = ["Phantom", "phantoms"]


@dataclass(frozen=True, slots=True)
class Phantom:
    """A SKU that a site calls available while orders are held there for want of it."""

    source: str
    facility: str
    sku: str
    available: int
    held_lines: int
    held_units: int


def phantoms(stock: Stock) -> Sequence[Phantom]:
    """Return every such SKU and site, the largest contradiction first.

    The contradiction of a pair is the smaller of both figures: units that are called available and yet are not given.
    """
    found = [
        Phantom(site[0], site[1], sku, available, stock.holders[sku, site], held)
        for sku, sites in stock.available.items()
        for site, available in _positive(sites).items()
        if (held := stock.demand.get((sku, site), 0)) > 0
    ]
    return sorted(found, key=lambda one: (-min(one.available, one.held_units), one.source, one.facility, one.sku))


def _positive(sites: Mapping[Site, int]) -> dict[Site, int]:
    return {site: units for site, units in sites.items() if units > 0}
