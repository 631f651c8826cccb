"""Where our books and a 3PL disagree about SKUs that hold orders up.

Candidates are the SKUs that published snapshots hold for want of stock. For each the 3PL is asked what it could sell now:
`phantom` is what it could sell while it holds orders for the same SKU; `hidden` is what our own stores have free while the 3PL
has nothing to sell. A 3PL that does not answer is left out: unknown is not zero.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from shared.core.errors import BadRequest, FieldError
from shared.core.values import dataclass
from shared.inventory.figure_models import DiscrepancyFilter

__all__ = ["Discrepancies", "Found", "Held"]

_TOGETHER = 50
_SOURCES = ("shipbob", "stord")
Held = Mapping[str, Sequence[str]]
"""The order ids that wait for each SKU."""


@dataclass(frozen=True, slots=True)
class Found:
    """One page, the place to go on from, and the exact total where it was asked."""

    rows: list[dict[str, Any]]
    next: list[str] | None
    total: int | None


@dataclass(frozen=True)
class Discrepancies:
    """Compares; what it compares comes from elsewhere."""

    held: Callable[[str], Held]
    live: Callable[[Sequence[str]], Sequence[Mapping[str, Any]]]
    """Returns for each SKU its `sources`: by name `status` and `available`."""
    ours: Callable[[Collection[str]], Mapping[str, int]]
    """Returns the free units of SKUs in our own stores."""

    def page(self, wanted: DiscrepancyFilter, place: Sequence[Any] | None) -> Found:
        """Return a page behind the place a cursor names; raise BadRequest for a place that is not of this list."""
        held = {source: self.held(source) for source in wanted.source or _SOURCES}
        pairs = sorted(
            ((sku, source) for source, skus in held.items() for sku in skus), reverse=wanted.order.descending
        )
        if place is not None:
            last = _checked(place)
            pairs = [pair for pair in pairs if (pair < last if wanted.order.descending else pair > last)]
        most = wanted.offset + wanted.size + 1
        everything = list(islice(self._rows(pairs, held), None if wanted.wants_total else most))
        shown = everything[wanted.offset : wanted.offset + wanted.size]
        more = len(everything) > wanted.offset + wanted.size
        following = [shown[-1]["sku"], shown[-1]["source"]] if more and shown else None
        return Found(shown, following, len(everything) if wanted.wants_total else None)

    def _rows(self, pairs: Sequence[tuple[str, str]], held: Mapping[str, Held]) -> Iterator[dict[str, Any]]:
        """Yield the disagreements in order, asking about some SKUs at a time."""
        for begin in range(0, len(pairs), _TOGETHER):
            some = pairs[begin : begin + _TOGETHER]
            skus = list(dict.fromkeys(sku for sku, _ in some))
            told = {item["sku"]: item["sources"] for item in self.live(skus)}
            ours = self.ours(skus)
            for sku, source in some:
                theirs = told.get(sku, {}).get(source, {})
                kind = _kind(theirs, ours.get(sku, 0))
                if kind is not None:
                    yield {
                        "sku": sku,
                        "source": source,
                        "kind": kind,
                        "our_units": ours.get(sku, 0),
                        "source_units": theirs.get("available") or 0,
                        "orders": list(held[source][sku]),
                    }


def _kind(theirs: Mapping[str, Any], ours: int) -> str | None:
    """Say how our books and a source that answered disagree about a SKU that holds orders."""
    if theirs.get("status") not in {"ok", "not_found"}:
        return None
    if (theirs.get("available") or 0) > 0:
        return "phantom"
    return "hidden" if ours > 0 else None


def _checked(place: Sequence[Any]) -> tuple[str, str]:
    match place:
        case [str() as sku, str() as source]:
            return sku, source
        case _:
            detail = "This cursor is not one of this list; start again without it."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
