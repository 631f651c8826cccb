"""BigBuy on a socket: lists of a taxonomy in different orders, hourly quotas per list, orders found by reference."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from local.simulators.base import COMMON_SWITCHES, Options, Simulator, json_answer
from local.simulators.credentials import BIGBUY_KEY
from local.simulators.offers import CATEGORIES, Offer, OfferWorld, Order
from local.simulators.rate import RateWindow
from local.simulators.wire import Answer, Request
from shared.core.clock import Clock

__all__ = ["BigBuy"]

_HOUR_S = 3600.0
_QUOTAS = {
    "products": 10,
    "productsinformation": 24,
    "productsimages": 10,
    "productsstockbyhandlingdays": 10,
    "taxonomies": 24,
}
_REMOVED = ("productsstock", "productstock", "productsstockavailable", "productsvariationsstock", "modules")
_SIZE = 120
# What BigBuy answers in place of 404: nothing, with status 200.
_NOTHING = Answer(200, b"", {"Content-Type": "application/json"})


class BigBuy(Simulator):
    """The simulated BigBuy."""

    name: ClassVar[str] = "bigbuy"
    listing: ClassVar[str] = "catalog/productsstockbyhandlingdays"
    known_switches: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **COMMON_SWITCHES,
        "rate_limit": (0,),
        "quotas": ("on", "off"),
        "order": ("created", "no_stock", "warehouses", "error_200"),
    }

    def __init__(self, clock: Clock, options: Options | None = None) -> None:
        """Open with its offers."""
        super().__init__(clock, options)
        self._windows: dict[str, RateWindow] = {}
        self._world = self._made(self.options)
        self._key = BIGBUY_KEY

    def _made(self, options: Options) -> OfferWorld:
        size = _SIZE if options.size == Options().size else options.size
        return OfferWorld(self._setting, options.seed, size)

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
        name = route.rpartition("/")[2]
        if route.startswith("catalog/"):
            return self._over_quota(name) or self._list(name, request)
        return self._other(route, request)

    def _over_quota(self, name: str) -> Answer | None:
        if self.switches["quotas"] == "off" or name not in _QUOTAS:
            return None
        window = self._windows.setdefault(name, RateWindow(self.clock, _QUOTAS[name], _HOUR_S))
        wait_s = window.enter()
        return self.too_many(wait_s) if wait_s else None

    def _list(self, name: str, request: Request) -> Answer:
        if name == "taxonomies":
            return json_answer([{"id": number, "name": word, "isoCode": "en"} for number, word in CATEGORIES])
        rows: dict[str, Callable[[Offer], dict[str, Any]]] = {
            "products": _product,
            "productsinformation": _information,
            "productsimages": _images,
            "productsstockbyhandlingdays": _stock,
        }
        if name in _REMOVED or name not in rows:
            return json_answer({"code": 404, "message": "Not Found"}, 404)
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
        return json_answer([rows[name](offer) for offer in chosen[start : start + size]])

    def _other(self, route: str, request: Request) -> Answer:
        kind, _, name = route.rpartition("/")
        if route == "user/purse":
            return json_answer("10000.00")
        if route == "order/create" and request.method == "POST":
            return self._order(json.loads(request.body)["order"])
        if kind == "order/reference":
            return _order_row(self._world.ordered(name))
        if kind == "tracking/order":
            return _tracking_row(next((one for one in self._world.orders if str(one.number) == name), None))
        return _NOTHING if route == "user/auth/status" else json_answer({"code": 404, "message": "Not Found"}, 404)

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
        if self.switches["order"] == "warehouses":
            return json_answer({"error_detail": {"warehouses": [{"id": 1, "references": []}]}}, 409)
        if self.switches["order"] == "error_200":
            return json_answer({"code": "ER009", "message": "Temporary"})
        for line in lines:
            offer = self._world.find(str(line["reference"]))
            if offer is None:
                return json_answer({"code": "ER001", "message": "Product not found"}, 404)
            if self.switches["order"] == "no_stock" or offer.stock < line["quantity"]:
                return json_answer({"code": "ER003", "message": "Product without stock"}, 409)
        return None


def _order_row(order: Order | None) -> Answer:
    if order is None:
        return _NOTHING
    return json_answer({"id": order.number, "internalReference": order.reference, "status": "processing"})


def _tracking_row(order: Order | None) -> Answer:
    if order is None or order.tracking is None:
        return _NOTHING
    row = {"trackingNumber": order.tracking, "carrier": {"id": 1, "name": "gls"}}
    return json_answer([{"id": order.number, "reference": order.reference, "trackings": [row]}])


def _product(offer: Offer) -> dict[str, Any]:
    prices = {
        "wholesalePrice": offer.cost,
        "retailPrice": round(offer.cost * 1.6, 2),
        "inShopsPrice": round(offer.cost * 2, 2),
    }
    return {
        "id": offer.id,
        "sku": offer.sku,
        "ean13": offer.ean,
        "active": int(offer.active),
        "taxonomy": offer.category,
        **prices,
    }


def _information(offer: Offer) -> dict[str, Any]:
    return {"id": offer.id, "sku": offer.sku, "name": offer.name, "description": offer.description, "isoCode": "en"}


def _images(offer: Offer) -> dict[str, Any]:
    pictures = [
        {
            "id": offer.id * 10 + at,
            "isCover": at == 1,
            "name": "",
            "url": f"https://cdn.bigbuy.example/{offer.id}-{at}.jpg",
        }
        for at in range(2)
    ]
    return {"id": offer.id, "images": pictures}


def _stock(offer: Offer) -> dict[str, Any]:
    first, second = offer.stock // 3, offer.stock - offer.stock // 3
    kept = [
        {"quantity": first, "minHandlingDays": 1, "maxHandlingDays": 2, "warehouse": 1},
        {"quantity": second, "minHandlingDays": 3, "maxHandlingDays": 5, "warehouse": 2},
    ]
    return {"id": offer.id, "sku": offer.sku, "stocks": [one for one in kept if one["quantity"]]}
