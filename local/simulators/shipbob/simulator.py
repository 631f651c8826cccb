"""ShipBob on a socket: versions, bearer tokens with scopes, the rate window, and the routes Onhand reads."""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from local.simulators.base import COMMON_SWITCHES, Options, Simulator, json_answer
from local.simulators.credentials import SHIPBOB_TOKEN, SHIPBOB_WEBHOOK_SECRET
from local.simulators.shipbob import orders
from local.simulators.shipbob.lists import Lists
from local.simulators.shipbob.model import Order
from local.simulators.shipbob.orders import Invalid, ListQuery, OrderList
from local.simulators.shipbob.render import order_bytes, shipment_json
from local.simulators.shipbob.world import ShipBobWorld
from local.simulators.webhooks import Webhooks
from local.simulators.wire import Answer, Request
from local.simulators.world import Dataset
from shared.core.clock import Clock
from shared.core.values import dataclass

__all__ = ["SCOPES", "VERSIONS", "ShipBob"]

VERSIONS = ("2025-07", "2026-01", "2026-07")
SCOPES = (
    "orders_read",
    "inventory_read",
    "products_read",
    "locations_read",
    "channels_read",
    "fulfillments_read",
    "webhooks_read",
    "webhooks_write",
    "orders_write",
)
_WORDS = {"title": str.title, "lower": str.lower, "upper": str.upper}
_WAIT_WORDS = {"not_a_number": "soon", "long": "3600"}


class _Refused(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request after its version, with the segments of its path and its parameters by lower-case name."""

    request: Request
    parts: tuple[str, ...]
    given: Mapping[str, str]


class ShipBob(Simulator):
    """The simulated ShipBob."""

    name: ClassVar[str] = "shipbob"
    listing: ClassVar[str] = "/order"
    known_switches: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **COMMON_SWITCHES,
        "paging": ("all", "next", "none"),
        "header_case": ("title", "lower", "upper"),
        "links": ("relative", "versioned", "absolute", "foreign", "same"),
        "default_sort": ("newest", "oldest"),
        "escaped_commas": ("read", "ignored"),
        "retry_after": ("seconds", "missing", "not_a_number", "long"),
        "scopes": (",".join(SCOPES),),
    }

    def __init__(self, clock: Clock, options: Options | None = None, data: Dataset[Order] | None = None) -> None:
        """Take a data set, or make the one the options ask for."""
        super().__init__(clock, options)
        self._tokens = {SHIPBOB_TOKEN}
        self._load(data or _made(self.options, clock))

    @property
    def world(self) -> ShipBobWorld:
        """Return the orders and the stock."""
        return self._world

    def rebuild(self, options: Options) -> None:
        """Make the world anew."""
        self._tokens = {SHIPBOB_TOKEN}
        self._load(_made(options, self.clock))

    def _load(self, data: Dataset[Order]) -> None:
        self._world = ShipBobWorld(data, self._setting)
        self._orders = OrderList(self._world)
        self._lists = Lists(self._world)
        self.webhooks = Webhooks(SHIPBOB_WEBHOOK_SECRET, self.clock)

    def settings(self) -> dict[str, str]:
        """Return the environment variables with which the product talks to this simulator."""
        return {
            "SHIPBOB_BASE_URL": self.base_url,
            "SHIPBOB_API_TOKEN": SHIPBOB_TOKEN,
            "SHIPBOB_WEBHOOK_SECRET": SHIPBOB_WEBHOOK_SECRET,
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
        """Return 429 with the wait where the switches want it."""
        message = f"Too many calls, try again in {wait_s} seconds."
        if self.switches["retry_after"] in {"missing", "not_a_number"}:
            message = "Too many calls."
        headers = {"x-remaining-calls": "0"}
        if self.switches["retry_after"] != "missing":
            headers["x-retry-after"] = _WAIT_WORDS.get(self.switches["retry_after"], str(wait_s))
        return json_answer({"statusCode": 429, "message": message}, 429, headers)

    def unauthorised(self) -> Answer:
        """Return 401."""
        return json_answer({"statusCode": 401, "message": "Unauthorized"}, 401)

    def route_of(self, request: Request) -> str:
        """Return the path after the version."""
        _, _, rest = request.path.lstrip("/").partition("/")
        return "/" + rest.rstrip("/")

    def serve(self, request: Request) -> Answer:
        """Answer a request of the vendor's surface."""
        version, *parts = [part for part in request.path.split("/") if part] or [""]
        if version not in VERSIONS:
            return json_answer({"statusCode": 404, "message": "Resource not found"}, 404)
        if request.bearer not in self._tokens:
            return self.unauthorised()
        answer = self.over_rate() or self._dispatch(_Asked(request, tuple(parts), _given(request, self.switches)))
        answer.headers.setdefault("x-remaining-calls", str(self.rate.remaining))
        return answer

    def _dispatch(self, asked: _Asked) -> Answer:
        shape = tuple("*" if _is_id(part) else part for part in asked.parts)
        found = self._routes().get((asked.request.method, shape))
        if found is None:
            return _not_found()
        scope, call, known = found
        if scope not in self.switches["scopes"].split(","):
            return json_answer({"statusCode": 403, "message": f"The scope {scope} is missing."}, 403)
        asked.request.unknown = [name for name, _ in asked.request.query if name.lower() not in known]
        try:
            return call(asked)
        except Invalid as problem:
            return json_answer(problem.fields, 400)
        except _Refused as refused:
            return refused.answer

    def _routes(self) -> dict[tuple[str, tuple[str, ...]], tuple[str, Callable[[_Asked], Answer], set[str]]]:
        cursor = {"cursor", "pagesize"}
        levels = cursor | {"searchby", "inventoryids", "isactive", "isdigital", "sortby", "locationtype", "locationid"}
        return {
            ("GET", ("order",)): ("orders_read", self._list_orders, set(orders.KNOWN)),
            ("GET", ("order", "*")): ("orders_read", self._one_order, set()),
            ("GET", ("order", "*", "shipment")): ("orders_read", self._order_shipments, set()),
            ("GET", ("shipment", "*")): ("fulfillments_read", self._one_shipment, set()),
            ("GET", ("channel",)): ("channels_read", self._listed("channels"), cursor),
            ("GET", ("location",)): ("locations_read", lambda _: json_answer(self._lists.locations()), set()),
            ("GET", ("product",)): ("products_read", self._listed("products"), levels),
            ("GET", ("inventory-level",)): ("inventory_read", self._listed("levels"), levels),
            ("GET", ("inventory-level", "locations")): ("inventory_read", self._listed("level_locations"), levels),
            ("GET", ("inventory-level", "*", "locations")): ("inventory_read", self._one_level, set()),
            ("GET", ("webhook",)): ("webhooks_read", self._webhooks, cursor),
            ("POST", ("webhook",)): ("webhooks_write", self._subscribe, set()),
            ("DELETE", ("webhook", "*")): ("webhooks_write", self._unsubscribe, set()),
        }

    def _list_orders(self, asked: _Asked) -> Answer:
        page, limit = orders.page_and_limit(asked.given)
        query = ListQuery.read(asked.given, self.switches["default_sort"] == "newest")
        quirk = asked.request.quirk
        rows = [] if quirk == "empty_list" else self._orders.rows(query)
        further = (
            [json.dumps(raw, ensure_ascii=False).encode() for raw in self._world.injected] if query.ids is None else []
        )
        total = len(rows) + len(further) + (7 if quirk == "wrong_total" else 0)
        first = (page - 1) * limit
        last = first + limit >= len(rows) + len(further)
        body = orders.page_bytes(rows[first : first + limit], _tail(further, first - len(rows), limit))
        headers = self._paging(asked, page, limit, total)
        headers = self._linked(headers, asked, page, last=last and quirk != "endless_pages")
        return Answer(200, body, {"Content-Type": "application/json; charset=utf-8", **headers})

    def _paging(self, asked: _Asked, page: int, limit: int, total: int) -> dict[str, str]:
        if self.switches["paging"] != "all":
            return {}
        pages = -(-total // limit) if asked.request.quirk != "endless_pages" else page + 1
        values = {"Page-Number": page, "Page-Size": limit, "Total-Pages": pages, "Total-Count": total}
        return {self._case(name): str(value) for name, value in values.items()}

    def _linked(self, headers: dict[str, str], asked: _Asked, page: int, *, last: bool) -> dict[str, str]:
        if last or self.switches["paging"] == "none":
            return headers
        kept = "&".join(
            part for part in asked.request.raw_query.split("&") if part and not part.lower().startswith("page=")
        )
        number = page if self.switches["links"] == "same" else page + 1
        return headers | {
            self._case("Next-Page"): self._link(asked, f"{kept}&Page={number}" if kept else f"Page={number}")
        }

    def _link(self, asked: _Asked, query: str) -> str:
        """Return a link in the form the switch asks for; `same` is made by the caller."""
        version = asked.request.path.strip("/").partition("/")[0]
        path = "/" + "/".join(asked.parts) + "?" + query
        match self.switches["links"]:
            case "versioned":
                return f"/{version}{path}"
            case "absolute":
                return f"{self.origin}/{version}{path}"
            case "foreign":
                return f"{self.switches['foreign_origin']}/{version}{path}"
        return path

    def _case(self, name: str) -> str:
        return _WORDS[self.switches["header_case"]](name)

    def _order(self, asked: _Asked) -> Order:
        found = self._world.by_id.get(int(asked.parts[1]))
        if found is None:
            raise _Refused(_not_found())
        return found

    def _one_order(self, asked: _Asked) -> Answer:
        return Answer(200, order_bytes(self._order(asked)), {"Content-Type": "application/json; charset=utf-8"})

    def _order_shipments(self, asked: _Asked) -> Answer:
        order = self._order(asked)
        return json_answer([shipment_json(order, shipment) for shipment in order.shipments])

    def _one_shipment(self, asked: _Asked) -> Answer:
        order = self._world.by_id.get(int(asked.parts[1]) // 10)
        for shipment in order.shipments if order else ():
            if order and str(shipment.id) == asked.parts[1]:
                return json_answer(shipment_json(order, shipment))
        return _not_found()

    def _listed(self, name: str) -> Callable[[_Asked], Answer]:
        def answer(asked: _Asked) -> Answer:
            return json_answer(
                self._lists.page(name, asked.given, lambda query: self._link(asked, query), self.switches["links"])
            )

        return answer

    def _one_level(self, asked: _Asked) -> Answer:
        found = self._lists.one_level(int(asked.parts[1]))
        return json_answer(found) if found else _not_found()

    def _webhooks(self, asked: _Asked) -> Answer:
        return json_answer(
            {"first": None, "prev": None, "next": None, "last": None, "items": self.webhooks.subscriptions}
        )

    def _subscribe(self, asked: _Asked) -> Answer:
        if not asked.request.headers.get("shipbob_channel_id", "").isdigit():
            raise Invalid({"shipbob_channel_id": ["is required"]})
        try:
            body = json.loads(asked.request.body)
            topics = body.get("topics") or [body["topic"]]
            url = body.get("url") or body["subscription_url"]
        except (ValueError, KeyError, AttributeError) as problem:
            raise Invalid({"url": ["is required"], "topics": ["is required"]}) from problem
        return json_answer(self.webhooks.subscribe(topics, url), 201)

    def _unsubscribe(self, asked: _Asked) -> Answer:
        return Answer(204) if self.webhooks.unsubscribe(int(asked.parts[1])) else _not_found()


def _made(options: Options, clock: Clock) -> Dataset[Order]:
    from local.simulators.datasets import shipbob_dataset

    return shipbob_dataset(options.seed, options.size, anchor=options.anchor or clock.now(), scenario=options.scenario)


def _given(request: Request, switches: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters by lower-case name; the switch can make escaped commas part of one id."""
    given = {name.lower(): value for name, value in request.query}
    if switches["escaped_commas"] == "ignored" and "%2c" in request.raw_query.lower():
        given = {
            name: value.replace(",", "%2C") if name in {"ids", "referenceids"} else value
            for name, value in given.items()
        }
    return given


def _is_id(part: str) -> bool:
    return part.isascii() and part.isdigit()


def _tail(further: list[bytes], start: int, limit: int) -> list[bytes]:
    """Return which of the further records fall on a page that starts so far behind the last row."""
    return further[max(0, start) : max(0, start + limit)]


def _not_found() -> Answer:
    return json_answer({"statusCode": 404, "message": "Resource not found"}, 404)
