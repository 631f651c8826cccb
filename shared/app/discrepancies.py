"""Where held orders and stock meet: what our books and the 3PLs disagree about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app.oos import OosParts
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from shared.inventory.discrepancies import Discrepancies, Held

__all__ = ["DiscrepancyParts"]


class DiscrepancyParts(OosParts):
    """The comparison, and the narrow ways to both sides."""

    @once
    def discrepancies(self) -> Discrepancies:
        """Return comparing our books with the 3PLs."""
        from shared.inventory.discrepancies import Discrepancies

        return Discrepancies(self._held_skus, self.live_stock.of, self._free_units)

    def _held_skus(self, source: str) -> Held:
        """Return the orders that wait for each SKU of a source, from what it has published."""
        from shared.oos.words import FEED_REASONS

        current = self.snapshots.current(source)
        held: dict[str, dict[str, None]] = {}
        for row in current.loaded.rows if current.loaded else ():
            for line in row["lines"] if row["state"] == "open" else ():
                if line["reason"] in FEED_REASONS and line["resolved_at"] is None and line["sku"]:
                    held.setdefault(line["sku"], {})[row["order_id"]] = None
        return {sku: list(orders) for sku, orders in held.items()}

    def _free_units(self, skus: Collection[str]) -> Mapping[str, int]:
        """Return the free units of SKUs in our own stores."""
        return {sku: sum(units for _, units in shelves) for sku, shelves in self.own_shelves.free(skus).items()}
