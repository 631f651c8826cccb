"""Stord on a socket: one organisation, one network, an opaque keyset cursor, and the reports Onhand reads."""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

from local.simulators.base import COMMON_SWITCHES, Options, Simulator, json_answer
from local.simulators.credentials import STORD_NETWORK_ID, STORD_ORG_ID, STORD_TOKEN, STORD_WEBHOOK_SECRET
from local.simulators.stord.model import Order, channel_id, order_bytes
from local.simulators.stord.reports import adjustment_rows, facility_rows, network_rows
from local.simulators.stord.world import StordWorld
from local.simulators.webhooks import Webhooks
from local.simulators.wire import Answer, Request
from local.simulators.world import Dataset
from shared.core.clock import Clock

__all__ = ["MOST_ORDERS", "Stord"]

MOST_ORDERS = 100
_MOST_ADJUSTMENTS = 1_000
_KEPT = 8
_BASE = "/v1/organizations/"
_KNOWN = {
    "orders/sales": {"limit", "after", "status[]", "channel_id[]", "search_field", "search_term"},
    "inventory/reports/network": {"limit", "after"},
    "inventory/reports/facilities": {"limit", "after", "out_of_stock"},
    "inventory/adjustments": {"limit", "after", "adjusted_after", "adjusted_before", "reason_types[]"},
}
_Filter = tuple[frozenset[str], frozenset[str], str | None, str | None]


class _BadRequest(ValueError):
    """A parameter that cannot be read; the message is the answer's."""


class Stord(Simulator):
    """The simulated Stord."""

    name: ClassVar[str] = "stord"
    listing: ClassVar[str] = "orders/sales"
    known_switches: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **COMMON_SWITCHES,
        "rate_limit": (240,),
        "total_count": ("present", "absent"),
        "metadata": ("present", "absent"),
        "data": ("list", "nested"),
        "retry_after": ("seconds", "date", "missing", "not_a_number"),
        "webhook_prefix": ("webhook", "svix"),
    }

    def __init__(self, clock: Clock, options: Options | None = None, data: Dataset[Order] | None = None) -> None:
        """Take a data set, or make the one the options ask for."""
        super().__init__(clock, options)
        self._tokens = {STORD_TOKEN}
        self._load(data or _made(self.options, clock))

    @property
    def base_url(self) -> str:
        """Return what STORD_BASE_URL takes."""
        return f"{self.origin}/v1"

    @property
    def world(self) -> StordWorld:
        """Return the orders and the stock."""
        return self._world

    def rebuild(self, options: Options) -> None:
        """Make the world anew."""
        self._tokens = {STORD_TOKEN}
        self._load(_made(options, self.clock))

    def _load(self, data: Dataset[Order]) -> None:
        self._world = StordWorld(data, self._setting)
        self._version = -1
        self._found: dict[_Filter, tuple[list[Order], list[tuple[str, str]]]] = {}
        self.webhooks = Webhooks(STORD_WEBHOOK_SECRET, self.clock)

    def switch(self, **chosen: Any) -> None:
        """Choose among contradictory behaviours."""
        super().switch(**chosen)
        self.webhooks.prefix = self.switches["webhook_prefix"]

    def settings(self) -> dict[str, str]:
        """Return the environment variables with which the product talks to this simulator."""
        return {
            "STORD_BASE_URL": self.base_url,
            "STORD_API_TOKEN": STORD_TOKEN,
            "STORD_ORG_ID": STORD_ORG_ID,
            "STORD_NETWORK_ID": STORD_NETWORK_ID,
            "STORD_WEBHOOK_SECRET": STORD_WEBHOOK_SECRET,
        }

    def warm(self) -> None:
        """Render every order."""
        with self._world.lock:
            for order in self._world.orders:
                order_bytes(order)

    def revoke_token(self) -> None:
        """Refuse the token from now on."""
        self._tokens.clear()

    def too_many(self, wait_s: int) -> Answer:
        """Return 429 with Retry-After in the form the switches want."""
        at = self.clock.now() + timedelta(seconds=wait_s)
        forms = {"seconds": str(wait_s), "date": format_datetime(at, usegmt=True), "not_a_number": "soon"}
        form = forms.get(self.switches["retry_after"])
        return json_answer({"errors": {"detail": "Too Many Requests"}}, 429, {"Retry-After": form} if form else None)

    def unauthorised(self) -> Answer:
        """Return 401."""
        return _error(401, "Unauthorized")

    def route_of(self, request: Request) -> str:
        """Return the path after organisation and network."""
        parts = request.path.strip("/").split("/")
        return "/".join(parts[6:]) if request.path.startswith(_BASE) else request.path.strip("/")

    def targets(self, request: Request) -> Sequence[str]:
        """Return the texts a fault's path may be the beginning of."""
        query = f"?{request.raw_query}" if request.raw_query else ""
        return (request.target, request.route + query, f"/{request.route}{query}")

    def serve(self, request: Request) -> Answer:
        """Answer a request of the vendor's surface."""
        parts = request.path.strip("/").split("/")
        if parts[:2] != ["v1", "organizations"]:
            return _error(404, "Not Found")
        if request.bearer not in self._tokens:
            return self.unauthorised()
        refused = self.over_rate()
        if refused:
            return refused
        if parts[2:3] != [STORD_ORG_ID]:
            return _error(403, "Forbidden")
        if (
            parts[3:6] != ["oms", "networks", STORD_NETWORK_ID]
            or request.route not in _KNOWN
            or request.method != "GET"
        ):
            return _error(404, "Not Found")
        request.unknown = [name for name, _ in request.query if name not in _KNOWN[request.route]]
        return self._answered(request)

    def _answered(self, request: Request) -> Answer:
        try:
            if request.route == "orders/sales":
                return self._orders(request)
            return self._report(request)
        except ValueError as problem:
            return _error(400, str(problem))

    def _orders(self, request: Request) -> Answer:
        rows, keys = self._matching(_filter_of(request.query))
        given = dict(request.query)
        limit, quirk = _limit(given, MOST_ORDERS), request.quirk
        if quirk == "empty_list":
            rows, keys = [], []
        start = bisect_right(keys, _key_of(given["after"])) if given.get("after") else 0
        page = [order_bytes(order) for order in rows[start : start + limit]]
        after = _cursor(keys[start + limit - 1]) if start + limit < len(rows) else None
        if after is None:
            page += [
                json.dumps(raw, ensure_ascii=False).encode() for raw in self._world.injected if quirk != "empty_list"
            ]
        if quirk == "endless_pages" and after is None:
            after = _cursor(_beyond(given.get("after"), keys))
        total = len(rows) + (7 if quirk == "wrong_total" else 0)
        return self._envelope(page, after, total)

    def _envelope(self, page: Sequence[bytes], after: str | None, total: int) -> Answer:
        data = b",".join(page)
        if self.switches["data"] == "nested":
            data = b"[" + data + b"]"
        body = b'{"data":[' + data + b"]"
        if self.switches["metadata"] == "present":
            metadata = {"after": after} | ({"total_count": total} if self.switches["total_count"] == "present" else {})
            body += b',"metadata":' + json.dumps(metadata).encode()
        return Answer(200, body + b"}", {"Content-Type": "application/json; charset=utf-8"})

    def _matching(self, wanted: _Filter) -> tuple[list[Order], list[tuple[str, str]]]:
        """Return the orders that match and their keys, kept until the world changes."""
        if self._version != self._world.version or len(self._found) > _KEPT:
            self._found.clear()
            self._version = self._world.version
        if wanted not in self._found:
            rows = self._select(wanted)
            self._found[wanted] = (rows, [order.key for order in rows])
        return self._found[wanted]

    def _select(self, wanted: _Filter) -> list[Order]:
        statuses, channels, field, term = wanted
        rows: Sequence[Order] = self._world.orders
        if field == "order_id":
            rows = [order for order in (self._world.by_id.get(term or ""),) if order]
        elif field == "order_number":
            rows = [order for order in (self._world.by_name.get(term or ""),) if order and order.number == term]
        return [
            order
            for order in rows
            if (not statuses or order.status in statuses) and (not channels or channel_id(order.channel) in channels)
        ]

    def _report(self, request: Request) -> Answer:
        given = dict(request.query)
        makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "inventory/reports/network": lambda: network_rows(self._world),
            "inventory/reports/facilities": lambda: facility_rows(self._world, given.get("out_of_stock")),
            "inventory/adjustments": lambda: adjustment_rows(self._world, request.query),
        }
        try:
            rows = makers[request.route]()
        except ValueError as problem:
            raise _BadRequest(str(problem)) from problem
        limit = _limit(given, _MOST_ADJUSTMENTS)
        start = int(_key_of(given["after"])[1]) if given.get("after") else 0
        after = _cursor(("row", str(start + limit))) if start + limit < len(rows) else None
        page = [json.dumps(row, ensure_ascii=False).encode() for row in rows[start : start + limit]]
        return self._envelope(page, after, len(rows))


def _made(options: Options, clock: Clock) -> Dataset[Order]:
    from local.simulators.datasets import stord_dataset

    return stord_dataset(options.seed, options.size, anchor=options.anchor or clock.now(), scenario=options.scenario)


def _filter_of(query: Sequence[tuple[str, str]]) -> _Filter:
    """Read the filters; a comma in one value is part of the value."""
    given = dict(query)
    field = given.get("search_field")
    if field is not None and field not in {"order_number", "order_id"}:
        message = "search_field must be order_number or order_id"
        raise _BadRequest(message)
    statuses = frozenset(value for name, value in query if name == "status[]")
    channels = frozenset(value for name, value in query if name == "channel_id[]")
    return (statuses, channels, field, given.get("search_term") if field else None)


def _limit(given: Mapping[str, str], most: int) -> int:
    text = given.get("limit", "50")
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        message = "limit must be a positive number"
        raise _BadRequest(message)
    return min(int(text), most)


def _cursor(key: tuple[str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def _key_of(cursor: str) -> tuple[str, str]:
    try:
        first, second = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError) as problem:
        message = "after is not a cursor"
        raise _BadRequest(message) from problem
    return str(first), str(second)


def _beyond(after: str | None, keys: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return a key behind all rows that differs from the one asked with."""
    last = _key_of(after) if after else ("", "")
    return max([last, *keys[-1:]])[0], max([last, *keys[-1:]])[1] + "~"


def _error(status: int, detail: str) -> Answer:
    return json_answer({"errors": {"detail": detail}}, status)
