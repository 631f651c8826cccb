"""The calls to ShipBob: pages of a frozen walk, and look-ups by id."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import Profile, Reply, VendorApi, encode
from shared.adapters.sources.levels import LIVE_S
from shared.adapters.sources.reading import Notes, identifier, items, mapping, text
from shared.adapters.sources.shipbob import Options, paging
from shared.adapters.sources.shipbob.mapping import centre_ids, held_order, judge
from shared.adapters.sources.shipbob.stock import ShipBobStock
from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient
from shared.oos.source import Fate, HeldOrder, SourcePage, StockSource, Verdict
from shared.ports.fetch import Fetch

__all__ = ["ShipBobSource"]

_LOOK_UP = 50
_CENTRES_EVERY_S = 600.0


class ShipBobSource:
    """ShipBob behind the port `OrderSource`. Holds the account's pace and the names of the centres met so far."""

    name = "shipbob"
    look_up_batch = _LOOK_UP

    def __init__(self, options: Options, fetch: Fetch, clock: Clock, rng: random.Random) -> None:
        """Take the options, the way out, time, and randomness for waits."""
        base_url = f"{options.base_url.rstrip('/')}/{options.version}"
        headers = {"User-Agent": options.user_agent}
        profile = Profile(
            "ShipBob", base_url, options.token, headers, patience_s=options.patience_s, total_s=options.total_s
        )
        pace = Pace(clock, options.rate_limit)
        self._api = VendorApi(profile, fetch, clock, rng, pace)
        hasty = VendorApi(replace(profile, tries=1, total_s=LIVE_S), fetch, clock, rng, pace)
        self.stock: StockSource = ShipBobStock(self._api, hasty, pace, clock)
        self._options = options
        self._centres: dict[str, str] = {}
        self._clock = clock
        self._ask_centres_from = clock.monotonic()

    def begin(self, now: datetime) -> dict[str, Any]:
        """Return the cursor of a full walk over orders created up to `now`."""
        return paging.first(self._options, now)

    def page(self, cursor: dict[str, Any]) -> SourcePage:
        """Read one page of the walk."""
        where = paging.place(cursor)
        reply = self._api.get(*paging.query(cursor, self._options), where)
        rows = self._rows(reply, where)
        following = paging.after(cursor, rows, reply, self._options, self._api)
        notes, rejected = Notes(), 0
        held: list[HeldOrder] = []
        centres = self._names(rows)
        for row in rows:
            if not isinstance(row, dict) or identifier(row.get("id")) is None:
                rejected += 1
                continue
            order = held_order(row, centres, notes)
            if order is not None:
                held.append(order)
        return SourcePage(held, len(rows), rejected, notes.counts, following)

    def look_up(self, orders: Sequence[tuple[str, str | None]]) -> dict[str, Verdict]:
        """Ask for up to 50 orders in one call; an order the answer does not hold is unknown to ShipBob."""
        wanted = [order_id for order_id, _ in orders][:_LOOK_UP]
        if not wanted:
            return {}
        where = f"look-up of {len(wanted)} orders"
        reply = self._api.get("/order", self._look_up_query(wanted), where)
        rows = self._rows(reply, where)
        total = reply.number("total-count")
        if self._options.check_total and total is not None and total != len(rows):
            raise self._api.transient("wrong_total", where, f"{len(rows)} orders came, {total} were announced")
        found = {identifier(row.get("id")): row for row in items(rows)}
        centres, notes = self._names(rows), Notes()
        verdicts = {
            order_id: judge(found[order_id], centres, notes) if order_id in found else Verdict(Fate.VANISHED)
            for order_id in wanted
        }
        return {order_id: verdict for order_id, verdict in verdicts.items() if verdict is not None}

    def _look_up_query(self, wanted: Sequence[str]) -> str:
        ids = encode([("IDs", ",".join(order_id.replace(",", " ") for order_id in wanted))], plain=",")
        rest = encode([("SortOrder", self._options.sort_order), ("Limit", str(_LOOK_UP)), ("Page", "1")])
        return f"{ids}&{rest}"

    def _rows(self, reply: Reply, where: str) -> list[Any]:
        if not isinstance(reply.body, list):
            raise self._api.transient("wrong_shape", where, "answered 200 with something other than a list of orders")
        return reply.body

    def _names(self, rows: list[Any]) -> Mapping[str, str]:
        """Return the centres' names by id; asks for them now and then, when a detail names one that no order explains.

        Names are a courtesy: when they cannot be had, the facility is shown by its id alone.
        """
        unknown = centre_ids(rows) - self._centres.keys()
        if unknown and self._clock.monotonic() >= self._ask_centres_from:
            self._ask_centres_from = self._clock.monotonic() + _CENTRES_EVERY_S
            try:
                reply = self._api.get("/location", "", "list of centres")
            except (Transient, Terminal):
                return self._centres
            listed = reply.body if isinstance(reply.body, list) else mapping(reply.body).get("items")
            for entry in items(listed):
                number, name = identifier(entry.get("id")), text(entry.get("name"))
                if number and name:
                    self._centres[number] = name
        return self._centres
