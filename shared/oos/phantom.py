"""Where a 3PL contradicts itself about stock.

**Phantom**: a site calls units available while it holds orders short of them. **Hidden**, the reverse: a source has units on
hand, calls none of them available anywhere, and holds no order for them, so nobody ever asks why they do not sell.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from shared.core.values import dataclass
from shared.oos.coverage import Site, Stock

__all__ = ["Phantom", "hidden", "phantoms"]


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


def hidden(levels: Mapping[str, Sequence[Sequence[Any]]], held_skus: Collection[str]) -> dict[str, int]:
    """Return the units on hand of SKUs that a source has, does not sell, and holds no order for."""
    found = {}
    for sku, sites in levels.items():
        on_hand = sum(site[2] or 0 for site in sites)
        if on_hand > 0 and not any(site[3] for site in sites) and sku not in held_skus:
            found[sku] = on_hand
    return found


def _positive(sites: Mapping[Site, int]) -> dict[Site, int]:
    return {site: units for site, units in sites.items() if units > 0}
