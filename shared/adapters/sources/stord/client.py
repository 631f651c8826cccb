"""The calls to Stord: a cursor walk over the open orders, and a search per order for look-ups."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import Profile, Reply, VendorApi, encode
from shared.adapters.sources.levels import LIVE_S
from shared.adapters.sources.reading import Notes, fold, items, mapping
from shared.adapters.sources.stord import Options, paging
from shared.adapters.sources.stord.mapping import held_order, judge, order_key, records
from shared.adapters.sources.stord.stock import StordStock
from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient
from shared.oos.source import Fate, HeldOrder, SourcePage, StockSource, Verdict
from shared.ports.fetch import Fetch

__all__ = ["StordSource"]

_SEARCH_PAGES = 20
_PATIENCE = 2
_WINDOW_S = 60


class StordSource:
    """Stord behind the port `OrderSource`. Holds the account's pace."""

    name = "stord"

    def __init__(self, options: Options, fetch: Fetch, clock: Clock, rng: random.Random) -> None:
        """Take the options, the way out, time, and randomness for waits."""
        network = f"organizations/{quote(options.org_id, safe='')}/oms/networks/{quote(options.network_id, safe='')}"
        profile = Profile(
            "Stord",
            f"{options.base_url.rstrip('/')}/{network}",
            options.token,
            {"User-Agent": options.user_agent},
            patience_s=options.patience_s,
            total_s=options.total_s,
        )
        pace = Pace(clock, max(1, int(options.max_rps * _WINDOW_S)), _WINDOW_S)
        self._api = VendorApi(profile, fetch, clock, rng, pace)
        hasty = VendorApi(replace(profile, tries=1, total_s=LIVE_S), fetch, clock, rng, pace)
        self.stock: StockSource = StordStock(self._api, hasty, pace, clock)
        self._options = options
        self._path = f"/{options.orders_path.strip('/')}"
        self._oos = frozenset(fold(status) for status in options.oos_line_statuses)
        self.look_up_batch = options.look_up_batch

    def begin(self, now: datetime) -> dict[str, Any]:
        """Return the cursor of a full walk; Stord has no window to freeze."""
        return paging.first()

    def page(self, cursor: dict[str, Any]) -> SourcePage:
        """Read one page of the walk."""
        where = paging.place(cursor)
        reply = self._api.get(self._path, paging.query(cursor, self._options), where)
        rows, metadata = self._parts(reply, where)
        following = paging.after(cursor, len(rows), metadata, self._options, self._api)
        notes, rejected = Notes(), 0
        held: list[HeldOrder] = []
        for row in rows:
            if not isinstance(row, dict) or order_key(row) is None:
                rejected += 1
                continue
            order = held_order(row, self._oos, notes)
            if order is not None:
                held.append(order)
        return SourcePage(held, len(rows), rejected, notes.counts, following)

    def look_up(self, orders: Sequence[tuple[str, str | None]]) -> dict[str, Verdict]:
        """Search for each order; those whose search failed are absent. Stop early when Stord seems to be down."""
        verdicts: dict[str, Verdict] = {}
        failure: Transient | Terminal | None = None
        in_a_row = answered = 0
        for order_id, number in orders:
            try:
                verdict = self._search(order_id, number)
            except (Transient, Terminal) as trouble:
                _raise_if_general(trouble)
                failure, in_a_row = trouble, in_a_row + 1
                if in_a_row >= _PATIENCE:
                    break
                continue
            answered, in_a_row = answered + 1, 0
            if verdict is not None:
                verdicts[order_id] = verdict
        if failure is not None and not answered:
            raise failure
        return verdicts

    def _search(self, order_id: str, number: str | None) -> Verdict | None:
        """Return what has become of one order; None when the answer does not tell. Only exact matches count."""
        field = "order_number" if number is not None and number.strip() == order_id else "order_id"
        where = "look-up of an order"
        parameters = [("limit", str(self._options.page_size)), ("search_field", field), ("search_term", order_id)]
        onward: list[tuple[str, str]] = []
        for _ in range(_SEARCH_PAGES):
            rows, metadata = self._parts(self._api.get(self._path, encode(parameters + onward), where), where)
            matches = [row for row in items(rows) if order_key(row) == order_id]
            if matches:
                return self._judged(matches)
            following = mapping(metadata).get("after")
            if not following:
                total = mapping(metadata).get("total_count")
                announced = not onward and isinstance(total, int) and total > len(rows)
                return None if announced and self._options.check_total else Verdict(Fate.VANISHED)
            if not isinstance(following, str) or onward == [("after", following)]:
                return None
            onward = [("after", following)]
        return None

    def _judged(self, matches: list[Any]) -> Verdict | None:
        """Judge the records that bear the id: one that is still held decides, then one that has ended."""
        verdicts = [judge(match, self._oos, Notes()) for match in matches]
        if any(verdict is None for verdict in verdicts):
            return next((verdict for verdict in verdicts if verdict and verdict.fate is Fate.HELD), None)
        ranked = (Fate.HELD, Fate.RELEASED, Fate.SHIPPED, Fate.CANCELLED)
        return min((verdict for verdict in verdicts if verdict), key=lambda verdict: ranked.index(verdict.fate))

    def _parts(self, reply: Reply, where: str) -> tuple[list[Any], Any]:
        rows = records(mapping(reply.body).get("data"))
        if rows is None:
            raise self._api.transient("wrong_shape", where, "answered 200 with something other than a list of orders")
        return rows, mapping(reply.body).get("metadata")


def _raise_if_general(trouble: Transient | Terminal) -> None:
    """Raise what concerns every order: a rate limit, refused credentials, a wrong address."""
    if isinstance(trouble, Transient):
        if trouble.rate_limited:
            raise trouble
    elif trouble.code in {
        "credentials_rejected",
        "http_403",
        "http_404",
        "redirect",
        "url_not_allowed",
        "foreign_link",
    }:
        raise trouble
