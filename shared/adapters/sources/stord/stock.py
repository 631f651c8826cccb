"""Stord's stock by facility: `inventory/reports/facilities`, which has no search, so a live look walks it (`sources.md` 2.2)."""

from collections.abc import Sequence
from typing import Any

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import VendorApi, encode
from shared.adapters.sources.levels import Deadline, Site, merged, picked
from shared.adapters.sources.reading import identifier, items, mapping, text, units
from shared.adapters.sources.stord.mapping import records
from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient
from shared.oos.source import StockPage

__all__ = ["StordStock"]

_PATH = "/inventory/reports/facilities"
_SIZE = 1000
_MOST_PAGES = 10_000


class StordStock:
    """Stord behind the port `StockSource`."""

    def __init__(self, api: VendorApi, hasty: VendorApi, pace: Pace, clock: Clock) -> None:
        """Take the account's calls (those of live looks do not try again), its pace, and time."""
        self._api, self._hasty, self._pace, self._clock = api, hasty, pace, clock

    def begin(self) -> dict[str, Any]:
        """Return the cursor of the first page."""
        return {"after": None, "page": 1}

    def page(self, cursor: dict[str, Any]) -> StockPage:
        """Read one page."""
        return self._page(self._api, cursor)

    def look_up(self, skus: Sequence[str], within_s: float) -> dict[str, list[Site] | None]:
        """Walk the report and keep what was asked for; nothing is known when the walk does not end in time."""
        deadline = Deadline(self._clock, self._pace, within_s)
        pages: list[dict[str, list[Site]]] = []
        following: dict[str, Any] | None = self.begin()
        while following is not None:
            if not deadline.allows():
                return dict.fromkeys(skus)
            try:
                page = self._page(self._hasty, following)
            except (Transient, Terminal):
                return dict.fromkeys(skus)
            pages.append(page.levels)
            following = page.next
        return {**picked(merged(pages), skus)}

    def _page(self, api: VendorApi, cursor: dict[str, Any]) -> StockPage:
        where = f"stock page {cursor['page']}"
        onward = [("after", cursor["after"])] if cursor["after"] else []
        reply = api.get(_PATH, encode([("limit", str(_SIZE)), *onward]), where)
        rows = records(mapping(reply.body).get("data"))
        if rows is None:
            raise api.transient("wrong_shape", where, "answered 200 with something other than a list of levels")
        levels: dict[str, list[Site]] = {}
        for row in items(rows):
            sku = text(row.get("sku"))
            if sku is not None:
                levels.setdefault(sku, []).append(_site(row))
        following = mapping(mapping(reply.body).get("metadata")).get("after")
        if not isinstance(following, str) or not following:
            return StockPage(levels, None)
        if following == cursor["after"] or cursor["page"] >= _MOST_PAGES:
            raise api.transient("endless_pages", where, "names the same page again")
        return StockPage(levels, {"after": following, "page": cursor["page"] + 1})


def _site(row: Any) -> Site:
    return [
        identifier(row.get("facility_id")),
        text(row.get("facility_alias")),
        units(row.get("total_on_hand")),
        units(row.get("available")),
        units(row.get("incoming")),
    ]
