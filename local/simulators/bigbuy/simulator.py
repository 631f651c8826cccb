"""BigBuy on a socket: lists of a taxonomy in different orders, hourly quotas per list, orders found by reference."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from local.simulators.base import COMMON_SWITCHES, Options, Simulator, json_answer
from local.simulators.bigbuy.rows import FIXED, LISTS, one_of
from local.simulators.credentials import BIGBUY_KEY
from local.simulators.offers import OfferWorld, Order
from local.simulators.wire import Answer, Request
from shared.core.clock import Clock

__all__ = ["BigBuy"]

_HOUR_S = 3600.0
_QUOTAS = {
    **dict.fromkeys(LISTS, (10, _HOUR_S)),
    **dict.fromkeys(FIXED, (24, _HOUR_S)),
    **dict.fromkeys(("variations", "languages"), (10, _HOUR_S)),
    "productsinformation": (24, _HOUR_S),
    "new-products": (2, _HOUR_S),
    "manufacturers": (5, _HOUR_S),
    "one": (1, 5.0),
    "lowest-shipping-costs-by-country": (36, 6 * _HOUR_S),
}
"""Calls and seconds of each list; what is asked of one product counts as `one`. Other calls (1/s) are not counted."""
_CARRIERS = ((2, "ups", 6.5), (1, "gls", 4.2))
_STATUSES = ((1, "processing"), (2, "sent"), (3, "delivered"), (4, "cancelled"))
_SENDERS = [{"id": number, "name": word} for number, word, _ in _CARRIERS]
_TOLD: Mapping[str, Any] = {
    "user/purse": "10000.00",
    "tracking/carriers": _SENDERS,
    "shipping/carriers": _SENDERS,
    "order/orderstatuses": [{"id": number, "name": word} for number, word in _STATUSES],
}
_SIZE = 120
# What BigBuy answers in place of 404: nothing, with status 200.
_NOTHING = Answer(200, b"", {"Content-Type": "application/json"})
_UNKNOWN = json_answer({"code": 404, "message": "Not Found"}, 404)


class _Quota:
    """The quota of one list: so many calls within a time, mostly an hour, that begins with the first of them."""

    def __init__(self, clock: Clock, limit: int, seconds: float) -> None:
        """Begin before the first call."""
        self._clock, self._limit, self._seconds = clock, limit, seconds
        self.until, self.left = 0.0, limit

    def enter(self) -> int:
        """Count a call; return 0 when it may pass, else the whole seconds until the next one may."""
        now = self._clock.now().timestamp()
        if now >= self.until:
            self.until, self.left = now + self._seconds, self._limit
        if self.left <= 0:
            return max(1, math.ceil(self.until - now))
        self.left -= 1
        return 0


class BigBuy(Simulator):
    """The simulated BigBuy."""

    name: ClassVar[str] = "bigbuy"
    listing: ClassVar[str] = "catalog/productsstockbyhandlingdays"
    known_switches: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **COMMON_SWITCHES,
        "rate_limit": (0,),
        "quotas": ("on", "off"),
        "variations": ("some", "none"),
        "order": ("created", "no_stock", "warehouses", "apart", "error_200", "not_found_200"),
    }

    def __init__(self, clock: Clock, options: Options | None = None) -> None:
        """Open with its offers."""
        super().__init__(clock, options)
        self._windows: dict[str, _Quota] = {}
        self._world = self._made(self.options)
        self._key = BIGBUY_KEY

    def _made(self, options: Options) -> OfferWorld:
        size = _SIZE if options.size == Options().size else options.size
        world = OfferWorld(self._setting, options.seed, size)
        if self.switches["variations"] == "some":
            world.vary()
        return world

    def switch(self, **chosen: Any) -> None:
        """Choose; variations come and go with their switch."""
        super().switch(**chosen)
        if chosen.get("variations") == "some":
            self._world.vary()
        elif chosen.get("variations") == "none":
            for offer in self._world.offers:
                offer.variants = ()

    @property
    def world(self) -> Any:
        """Return offers and orders."""
        return self._world

    def rebuild(self, options: Options) -> None:
        """Start with new offers."""
        self._world, self._windows, self._key = self._made(options), {}, BIGBUY_KEY

    def settings(self) -> dict[str, str]:
        """Return the variables with which the product talks to this simulator."""
        return {"BIGBUY_BASE_URL": self.origin, "BIGBUY_API_KEY": BIGBUY_KEY}

    def warm(self) -> None:
        """Do nothing: lists are made when asked for."""

    def revoke_token(self) -> None:
        """Let the key in no more."""
        self._key = "revoked"

    def too_many(self, wait_s: int) -> Answer:
        """Return 429 as BigBuy words it: plain text, and when the window ends."""
        reset = int((self.clock.now() + timedelta(seconds=wait_s)).timestamp())
        headers = {"Content-Type": "text/plain", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
        return Answer(429, b"You exceeded the rate limit", headers)

    def unauthorised(self) -> Answer:
        """Return 401 as BigBuy words it."""
        return json_answer({"message": "Invalid Token"}, 401)

    def route_of(self, request: Request) -> str:
        """Return the path."""
        return request.path.removeprefix("/rest/").removesuffix(".json")

    def serve(self, request: Request) -> Answer:
        """Answer a request."""
        if request.bearer != self._key:
            return self.unauthorised()
        route = self.route_of(request)
        kind, _, rest = route.partition("/")
        name, _, key = rest.partition("/")
        if kind == "catalog":
            quota = "one" if key else name
            answer = self._over_quota(quota)
            if answer is not None:
                return answer
            told = self._one(name, key) if key else self._list(name, request)
            return replace(told, headers=self._quota(quota))
        if name == "lowest-shipping-costs-by-country":
            return self._over_quota(name) or json_answer(self._cheapest())
        return self._other(route, request)

    def _over_quota(self, name: str) -> Answer | None:
        if self.switches["quotas"] == "off" or name not in _QUOTAS:
            return None
        window = self._windows.setdefault(name, _Quota(self.clock, *_QUOTAS[name]))
        wait_s = window.enter()
        return self.too_many(wait_s) if wait_s else None

    def _quota(self, name: str) -> dict[str, str]:
        """Return the headers of an answer of the catalogue; what is left of the quota is told only where one is kept."""
        headers = {"Content-Type": "application/json; charset=utf-8"}
        window = self._windows.get(name)
        if window is None or self.switches["quotas"] == "off":
            return headers
        return headers | {
            "X-RateLimit-Limit": str(_QUOTAS[name][0]),
            "X-RateLimit-Remaining": str(window.left),
            "X-RateLimit-Reset": str(math.ceil(window.until)),
        }

    def _list(self, name: str, request: Request) -> Answer:
        if name in FIXED:
            return json_answer(FIXED[name])
        if name not in LISTS:
            return _UNKNOWN
        told = dict(request.query)
        if not told.get("parentTaxonomy"):
            return json_answer({"code": 400, "message": "parentTaxonomy is required"}, 400)
        chosen = [offer for offer in self._world.offers if str(offer.category) == told["parentTaxonomy"]]
        # Each list has an order of its own.
        chosen.sort(key=lambda offer: offer.id * (7919 + 2 * len(name)) % 10_007)
        if request.quirk == "empty_list":
            chosen = []
        page, size = int(told.get("page") or 0), min(int(told.get("pageSize") or 1000), 10_000)
        start = 0 if request.quirk == "endless_pages" else page * size
        listed = [row for offer in chosen for row in LISTS[name](offer)]
        return json_answer(listed[start : start + size])

    def _one(self, name: str, key: str) -> Answer:
        """Answer about one product: nothing at all when there is none."""
        offer = self._world.find(key)
        try:
            return _NOTHING if offer is None else json_answer(one_of(name, offer))
        except KeyError:
            return _UNKNOWN

    def _cheapest(self) -> list[dict[str, Any]]:
        """Return what it costs to send each product; one in ten is sent by nobody."""
        number, word, cost = min(_CARRIERS, key=lambda carrier: carrier[2])
        return [
            {
                "reference": offer.sku,
                "cost": None if offer.id % 10 == 0 else f"{cost:.2f}",
                "carrierId": number,
                "carrierName": word,
            }
            for offer in self._world.offers
        ]

    def _other(self, route: str, request: Request) -> Answer:
        if request.method == "POST":
            return self._posted(route, request.body)
        if route in _TOLD:
            return json_answer(_TOLD[route])
        if route == "user/auth/status":
            return _NOTHING
        kind, _, name = route.rpartition("/")
        if kind == "tracking/order":
            found = _tracked(self._numbered(name))
            return json_answer(found) if found else _NOTHING
        if kind in {"order", "order/reference", "order/delivery-notes"}:
            return _order_row(self._world.ordered(name) if kind == "order/reference" else self._numbered(name))
        return _UNKNOWN

    def _numbered(self, number: str) -> Order | None:
        return next((one for one in self._world.orders if str(one.number) == number), None)

    def _posted(self, route: str, body: bytes) -> Answer:
        """Answer a body; one without what it has to hold is refused field by field."""
        try:
            told = json.loads(body)
            if route == "tracking/orders":
                numbers = [str(one["id"]) for one in told["track"]["orders"]]
                rows = [row for number in numbers for row in _tracked(self._numbered(number))]
                return json_answer(rows) if rows else _NOTHING
            return self._asked(route, told["order"])
        except (ValueError, KeyError, TypeError, AttributeError) as missing:
            field = str(missing.args[0]) if isinstance(missing, KeyError) else "order"
            errors = {"children": {field: {"errors": ["This value should not be blank."]}}}
            return json_answer({"code": 400, "message": "Validation Failed", "errors": errors}, 400)

    def _asked(self, route: str, asked: Mapping[str, Any]) -> Answer:
        """Answer what is asked about an order, or the order itself."""
        if route == "shipping/orders":
            return self._quoted(asked)
        if route == "order/create":
            return self._order(asked)
        if route == "order/check":
            goods = self._total(asked["products"])
            untaxed = round(goods + min(cost for _, _, cost in _CARRIERS), 2)
            sums = {"totalWithoutTaxesAndWithoutShippingCost": goods, "totalWithoutTaxes": untaxed, "total": untaxed}
            return self._refused(asked["products"]) or json_answer(sums)
        if route in {"order/check/multishipping", "order/create/multishipping"}:
            return self._parted(asked, is_order="create" in route)
        return _UNKNOWN

    def _quoted(self, asked: Mapping[str, Any]) -> Answer:
        if not asked["delivery"].get("isoCountry"):
            wrong = {
                "children": {"delivery": {"children": {"isoCountry": {"errors": ["This value should not be blank."]}}}}
            }
            return json_answer({"code": 400, "message": "Validation Failed", "errors": wrong}, 400)
        weight = sum(line["quantity"] for line in asked["products"])
        options = [
            {"shippingService": {"id": number, "name": word}, "cost": round(cost * weight, 2), "weight": weight}
            for number, word, cost in _CARRIERS
        ]
        return json_answer({"shippingOptions": options})

    def _total(self, lines: Sequence[Mapping[str, Any]]) -> float:
        total = 0
        for line in lines:
            sold = self._world.variant(str(line["reference"])) or self._world.find(str(line["reference"]))
            total += int(line["quantity"]) * (sold.cost_cents if sold is not None else 0)
        return total / 100

    def _parted(self, asked: Mapping[str, Any], *, is_order: bool) -> Answer:
        """Answer for an order that comes from two warehouses; the switch `apart` says that it cannot be split."""
        references = [line["reference"] for line in asked["products"]]
        if self.switches["order"] == "apart":
            return json_answer({"orders": [], "errors": [{"code": "ER014", "message": "A pack cannot be split"}]})
        if not is_order:
            return json_answer({"orders": [{"productReferences": references, "warehouse": 1}], "errors": []})
        made = [self._world.order(asked["internalReference"], asked["products"]) for _ in range(2)]
        told = [
            {"productReferences": references, "id": one.number, "warehouse": at, "url": f"/rest/order/{one.number}"}
            for at, one in enumerate(made, 1)
        ]
        return json_answer({"orders": told, "errors": []}, 201)

    def _order(self, asked: Mapping[str, Any]) -> Answer:
        known = self._world.ordered(asked["internalReference"])
        if known is not None:
            return json_answer({"code": "ER008", "message": "Order exists", "orderId": known.number}, 409)
        refusal = self._refused(asked["products"])
        if refusal is not None:
            return refusal
        order = self._world.order(asked["internalReference"], asked["products"])
        return Answer(201, b"", {"Location": f"/rest/order/{order.number}"})

    def _refused(self, lines: Sequence[Mapping[str, Any]]) -> Answer | None:
        if self.switches["order"] in {"warehouses", "apart"}:
            return json_answer({"error_detail": {"warehouses": [{"id": 1, "references": []}]}}, 409)
        if self.switches["order"] == "not_found_200":
            return json_answer({"code": 404, "message": "Not Found"})
        if self.switches["order"] == "error_200":
            return json_answer({"code": "ER009", "message": "Temporary"})
        for line in lines:
            found = self._world.find(str(line["reference"]))
            offer = self._world.variant(str(line["reference"])) or (None if found and found.variants else found)
            if offer is None:
                return json_answer({"code": "ER001", "message": "Product not found"}, 404)
            if self.switches["order"] == "no_stock" or offer.stock < line["quantity"]:
                return json_answer({"code": "ER003", "message": "Product without stock"}, 409)
        return None


def _order_row(order: Order | None) -> Answer:
    if order is None:
        return _NOTHING
    row: dict[str, Any] = {"id": order.number, "internalReference": order.reference, "dateAdd": order.at}
    lines = [{"reference": line["reference"], "quantity": line["quantity"]} for line in order.lines]
    return json_answer({**row, "status": "processing", "carriers": [{"id": 1, "name": "gls"}], "products": lines})


def _tracked(order: Order | None) -> list[dict[str, Any]]:
    """Return the tracking of an order, nothing as long as there is none."""
    if order is None or order.tracking is None:
        return []
    told = {"statusDescription": "In transit", "statusDate": order.at, "descriptionTranslated": "In transit"}
    row = {"trackingNumber": order.tracking, **told, "carrier": {"id": 1}}
    return [{"id": order.number, "reference": order.reference, "trackings": [row]}]
