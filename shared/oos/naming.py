"""Our product's id on the lines of held orders: which SKUs a publication has to ask the catalogue for.

A product keeps its SKU for ever, so what the publication before has named stays named, and what it found no product for can
only have become one by a product made since. Asked for are therefore SKUs not seen before, and the products made since. Once
a day, or after many new products, all SKUs are asked for.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from shared.core.clock import instant, parse_instant
from shared.oos.rules import Row
from shared.ports.documents import Data

__all__ = ["NAMED", "Named", "Naming", "Products"]

NAMED = ("named_at", "all_named_at")
# A product's stamp is older than its commit, and by another machine's clock.
_MARGIN = timedelta(minutes=10)
_ALL = timedelta(days=1)


class Products(Protocol):
    """What the catalogue says of SKUs, compared without case."""

    def product_ids(self, skus: Collection[str]) -> Mapping[str, str]:
        """Return our product's id of each SKU we know."""
        ...

    def made_since(self, moment: str) -> Mapping[str, str] | None:
        """Return the ids by SKU, in lower case, of the products made at or after a moment; None when there are many."""
        ...


Named = tuple[Mapping[str, str], Data]
"""Product ids by SKU, and what the pointer is to say of when they were asked for."""


class Naming:
    """Finds the products of SKUs."""

    def __init__(self, products: Products) -> None:
        """Take the catalogue."""
        self._products = products

    def named(self, skus: Collection[str], base: Mapping[str, Row], pointer: Data, now: datetime) -> Named:
        """Return the products of SKUs; `base` are the rows published before, `pointer` what stands beside them."""
        told = {name: pointer.get(name) for name in NAMED}
        known = self._known(base, told["named_at"], told["all_named_at"], now)
        told["named_at"] = instant(now)
        if known is None:
            known, told["all_named_at"] = {}, instant(now)
        asked = {sku for sku in skus if sku not in known}
        found = self._products.product_ids(asked) if asked else {}
        return {sku: product_id for sku in skus if (product_id := known.get(sku) or found.get(sku))}, told

    def _known(
        self, base: Mapping[str, Row], named_at: str | None, all_at: str | None, now: datetime
    ) -> dict[str, str | None] | None:
        """Return what need not be asked for: ids by SKU, None for a SKU without a product; None to ask for all."""
        if named_at is None or all_at is None or parse_instant(all_at) + _ALL <= now:
            return None
        made = self._products.made_since(instant(parse_instant(named_at) - _MARGIN))
        if made is None:
            return None
        lines = (line for row in base.values() for line in row["lines"] if line["sku"])
        return {line["sku"]: line["product_id"] or made.get(line["sku"].casefold()) for line in lines}
