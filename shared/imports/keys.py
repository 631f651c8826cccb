"""What of a row names a product, so that a row is found again, within its file and in the catalogue. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.catalog.barcodes import read_code

if TYPE_CHECKING:
    from shared.core.clock import Clock

__all__ = ["Repeats", "names_of"]

_BUCKETS = 64
_WHOLE = 2**64 - 1


def names_of(fields: Mapping[str, Any], clock: Clock, supplier_id: str | None = None) -> list[str]:
    """Return the names a row goes by, strongest first: SKU, supplier's id, barcode, else its address."""
    names = []
    if "sku" in fields:
        names.append(f"sku {fields['sku'].casefold()}")
    if supplier_id is not None and (own := fields.get("supplier_product_id")):
        names.append(f"supplier {own}")
    if "barcode" in fields:
        names.append(read_code(fields["barcode"], clock.now().date()).claim)
    if not names and "source_url" in fields:
        names.append(f"url {fields['source_url']}")
    return names


class Repeats:
    """Finds rows whose name comes again later, in 12 bytes for each name.

    Names are told apart by Python's keyed hash of 64 bits, which nobody outside of this process can make collide.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._digests = [array("Q") for _ in range(_BUCKETS)]
        self._rows = [array("I") for _ in range(_BUCKETS)]

    def add(self, row: int, names: Iterable[str]) -> None:
        """Take the names of a row."""
        for name in names:
            digest = hash(name) & _WHOLE
            self._digests[digest % _BUCKETS].append(digest)
            self._rows[digest % _BUCKETS].append(row)

    def superseded(self) -> Iterator[int]:
        """Yield the numbers of the rows that a later row of the same name replaces (a row may come twice)."""
        for digests, rows in zip(self._digests, self._rows, strict=True):
            held = sorted(zip(digests, rows, strict=True))
            yield from (here[1] for here, following in pairwise(held) if here[0] == following[0] and here != following)
