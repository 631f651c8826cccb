"""ShipBob's stock by centre: `/inventory-level/locations`, whole for refreshes and by SKU for live looks (`sources.md` 1.8).

Available is what ShipBob calls fulfillable (on hand less committed); incoming is what it calls awaiting.
"""

from collections.abc import Sequence
from typing import Any

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import VendorApi, encode
from shared.adapters.sources.levels import Deadline, Site, merged, picked
from shared.adapters.sources.reading import identifier, items, mapping, text, units
from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient
from shared.oos.source import StockPage

__all__ = ["ShipBobStock"]

_PATH = "/inventory-level/locations"
_SIZE = 250
_MOST_PAGES = 4_000
_FEW = 5


class ShipBobStock:
    """ShipBob behind the port `StockSource`."""

    def __init__(self, api: VendorApi, hasty: VendorApi, pace: Pace, clock: Clock) -> None:
        """Take the account's calls (those of live looks do not try again), its pace, and time."""
        self._api, self._hasty, self._pace, self._clock = api, hasty, pace, clock

    def begin(self) -> dict[str, Any]:
        """Return the cursor of the first page."""
        return {"query": encode([("PageSize", str(_SIZE))]), "page": 1}

    def page(self, cursor: dict[str, Any]) -> StockPage:
        """Read one page."""
        return self._page(self._api, cursor)

    def look_up(self, skus: Sequence[str], within_s: float) -> dict[str, list[Site] | None]:
        """Search for a few SKUs one by one; walk the whole list for many."""
        deadline = Deadline(self._clock, self._pace, within_s)
        if len(skus) > _FEW:
            whole = self._walk(self.begin(), deadline)
            return dict.fromkeys(skus) if whole is None else {**picked(whole, skus)}
        found: dict[str, list[Site] | None] = {}
        for sku in skus:
            query = encode([("SearchBy", sku), ("PageSize", str(_SIZE))])
            levels = self._walk({"query": query, "page": 1}, deadline)
            found[sku] = None if levels is None else picked(levels, [sku])[sku]
        return found

    def _walk(self, cursor: dict[str, Any] | None, deadline: Deadline) -> dict[str, list[Site]] | None:
        """Read a list to its end, or None when that fails or takes too long."""
        pages = []
        while cursor is not None:
            if not deadline.allows():
                return None
            try:
                page = self._page(self._hasty, cursor)
            except (Transient, Terminal):
                return None
            pages.append(page.levels)
            cursor = page.next
        return merged(pages)

    def _page(self, api: VendorApi, cursor: dict[str, Any]) -> StockPage:
        where = f"stock page {cursor['page']}"
        reply = api.get(_PATH, cursor["query"], where)
        rows = mapping(reply.body).get("items")
        if not isinstance(rows, list):
            raise api.transient("wrong_shape", where, "answered 200 with something other than a list of levels")
        levels: dict[str, list[Site]] = {}
        for row in items(rows):
            sku = text(row.get("sku"))
            if sku is not None:
                levels.setdefault(sku, []).extend(_site(location) for location in items(row.get("locations")))
        return StockPage(levels, self._after(api, cursor, reply.body, where))

    @staticmethod
    def _after(api: VendorApi, cursor: dict[str, Any], body: Any, where: str) -> dict[str, Any] | None:
        following = mapping(body).get("next")
        if not isinstance(following, str) or not following:
            return None
        query = api.link(following, where).query
        if query == cursor["query"] or cursor["page"] >= _MOST_PAGES:
            raise api.transient("endless_pages", where, "names the same page again")
        return {"query": query, "page": cursor["page"] + 1}


def _site(location: Any) -> Site:
    return [
        identifier(location.get("location_id")),
        text(location.get("name")),
        units(location.get("on_hand_quantity")),
        units(location.get("fulfillable_quantity")),
        units(location.get("awaiting_quantity")),
    ]
