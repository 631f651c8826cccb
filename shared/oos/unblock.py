"""Which held orders release if so many units of a SKU arrive: oldest first, each whole or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.core.values import dataclass, field
from shared.oos.coverage import short_lines, units_short

if TYPE_CHECKING:
    from shared.oos.rules import Row

__all__ = ["Unblocked", "first_come", "unblock"]


@dataclass(slots=True)
class Unblocked:
    """The orders that release, in order, and the units they take."""

    released: list[Row] = field(default_factory=list)
    used: int = 0


def first_come(row: Row) -> tuple[bool, str, str, str]:
    """Order rows by purchase date, oldest first, those without one last; ties by source and order id."""
    bought = row["purchase_date"]
    return bought is None, bought or "", row["source"], row["order_id"]


def unblock(rows: Iterable[Row], sku: str, quantity: int, facility: str | None = None) -> Unblocked:
    """Give units to the orders that wait for nothing else; one that needs more than is left is passed over.

    An order counts when every held line of it waits for this SKU and, with `facility`, at that site.
    """
    found = Unblocked()
    for row in sorted(rows, key=first_come):
        needed = _needed(row, sku, facility)
        if needed is not None and needed <= quantity - found.used:
            found.released.append(row)
            found.used += needed
    return found


def _needed(row: Row, sku: str, facility: str | None) -> int | None:
    """Return the units that would release an order, or None when these units alone would not."""
    lines = short_lines(row)
    if not lines or len(lines) < len(row["lines"]):
        return None
    for line in lines:
        here = facility is None or facility in {line["facility"], line["facility_id"]}
        if (line["sku"] or "").casefold() != sku.casefold() or not here:
            return None
    return sum(map(units_short, lines))
