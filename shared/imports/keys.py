"""What of a row names a product, so that a row is found again, within its file and in the catalogue. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.catalog.barcodes import read_code

if TYPE_CHECKING:
    from shared.core.clock import Clock
    from shared.imports.plain import Column

__all__ = ["Repeats", "names_of", "names_of_columns"]

_BUCKETS = 64


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


def names_of_columns(columns: Mapping[str, Column], clock: Clock) -> list[list[str]]:
    """Return the names of rows that `names_of` returns for each, by kind; a supplier's rows are all of one supplier."""
    names = []
    if "sku" in columns:
        names.append(_prefixed("sku ", columns["sku"].lines.casefold()))
    if "supplier_id" in columns:
        names.append(_prefixed("supplier ", columns["supplier_product_id"].lines))
    if "barcode" in columns:
        today = clock.now().date()
        names.append([read_code(barcode, today).claim for barcode in columns["barcode"].cells])
    if not names and "source_url" in columns:
        names.append(_prefixed("url ", columns["source_url"].lines))
    return names


def _prefixed(kind: str, lines: str) -> list[str]:
    return f"{kind}{lines}".replace("\n", f"\n{kind}").split("\n")


class Repeats:
    """Finds rows whose name comes again later, in 12 bytes for each name.

    Names are told apart by Python's keyed hash of 64 bits, which nobody outside of this process can make collide.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._digests = array("q")
        self._rows = array("I")

    def add(self, row: int, names: Iterable[str]) -> None:
        """Take the names of a row."""
        for name in names:
            self._digests.append(hash(name))
            self._rows.append(row)

    def add_all(self, first: int, names: Sequence[str]) -> None:
        """Take one name of each of the rows that begin with a number."""
        self._digests.extend(map(hash, names))
        self._rows.extend(range(first, first + len(names)))

    def superseded(self) -> Iterator[int]:
        """Yield the numbers of the rows that a later row of the same name replaces (a row may come twice)."""
        repeated = self._repeated()
        if not repeated:
            return
        last: dict[int, int] = {}
        for digest, row in zip(reversed(self._digests), reversed(self._rows), strict=True):
            if digest in repeated and last.setdefault(digest, row) != row:
                yield row

    def _repeated(self) -> set[int]:
        """Return the digests that came more than once, looking at a part of them at a time."""
        buckets = [array("q") for _ in range(_BUCKETS)]
        for digest in self._digests:
            buckets[digest % _BUCKETS].append(digest)
        return {one for bucket in buckets for one, following in pairwise(sorted(bucket)) if one == following}
