"""AliExpress on a socket: signed calls, lists in three wrappings, errors with status 200, tokens that rotate."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

from local.simulators.aliexpress.dropship import FIRST_ID, SERVICES, found, services, tracked
from local.simulators.aliexpress.grants import Grants
from local.simulators.base import COMMON_SWITCHES, Options, Simulator, json_answer
from local.simulators.credentials import ALIEXPRESS_APP, ALIEXPRESS_SECRET, ALIEXPRESS_TOKEN
from local.simulators.offers import CATEGORIES, Offer, OfferWorld
from local.simulators.wire import Answer, Request
from shared.adapters.suppliers.aliexpress.signing import signature
from shared.core.clock import Clock

__all__ = ["AliExpress"]

_TOLERANCE_S = 7200.0
_FEED = "Best sellers"
_SIZE = 60
_PLACED = "param_place_order_request4_open_api_d_t_o"
_TRACKING = frozenset({"aliexpress.ds.order.tracking.get", "aliexpress.logistics.ds.trackinginfo.query"})
_BAN = re.compile(r"[^0-9]")


class AliExpress(Simulator):
    """The simulated AliExpress."""

    name: ClassVar[str] = "aliexpress"
    listing: ClassVar[str] = "aliexpress.ds.feed.itemids.get"
    known_switches: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **COMMON_SWITCHES,
        "rate_limit": (0,),
        "wrapping": ("named", "bare", "single"),
        "consent": ("given", "ended"),
        "renewal": ("usual", "last", "without_refresh"),
        "freight": ("all", "none"),
        "tracking": ("in_order", "apart"),
        "categories": ("told", "refused"),
    }

    def __init__(self, clock: Clock, options: Options | None = None) -> None:
        """Open with its offers."""
        super().__init__(clock, options)
        self._world = self._made(self.options)
        self._grants = Grants(clock)

    def _made(self, options: Options) -> OfferWorld:
        size = _SIZE if options.size == Options().size else options.size
        return OfferWorld(self._setting, options.seed + 1, size)

    @property
    def world(self) -> Any:
        """Return offers and orders."""
        return self._world

    def rebuild(self, options: Options) -> None:
        """Start with new offers."""
        self._world = self._made(options)
        self._grants = Grants(self.clock)

    def settings(self) -> dict[str, str]:
        """Return the variables with which the product talks to this simulator."""
        return {
            "ALIEXPRESS_BASE_URL": self.origin,
            "ALIEXPRESS_API_KEY": ALIEXPRESS_TOKEN,
            "ALIEXPRESS_APP_KEY": ALIEXPRESS_APP,
            "ALIEXPRESS_APP_SECRET": ALIEXPRESS_SECRET,
        }

    def warm(self) -> None:
        """Do nothing: answers are made when asked for."""

    def revoke_token(self) -> None:
        """Let every token in no more, renewed ones too."""
        self._grants.revoke()

    def end_token(self) -> None:
        """Let the access tokens end; their refresh tokens go on."""
        self._grants.end()

    def too_many(self, wait_s: int) -> Answer:
        """Return the ban as AliExpress words it, with status 200."""
        return _error("ApiCallLimit", f"This ban will last {wait_s} more seconds", "ISV")

    def unauthorised(self) -> Answer:
        """Return the refusal of a token, with status 200."""
        return _error("IllegalAccessToken", "The specified access token is invalid or expired", "ISV")

    def route_of(self, request: Request) -> str:
        """Return the method, or the path of a system call."""
        told = dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)) | dict(request.query)
        return told.get("method") or request.path

    def serve(self, request: Request) -> Answer:
        """Answer a request."""
        told = {**dict(request.query), **dict(parse_qsl(request.body.decode(), keep_blank_values=True))}
        if request.path == "/oauth/authorize":
            return self._authorize(told)
        path = request.path.removeprefix("/rest") if request.path.startswith("/rest/") else ""
        refused = self._unsigned(told, path)
        if refused is not None:
            return refused
        if request.path not in {"/sync", f"/rest{path}"}:
            return json_answer({"code": "InvalidApiPath", "msg": "no such path"})
        system = path or told.get("method", "")
        if system.startswith("/auth/token/"):
            return self._system(system, told)
        token = told.get("session") or told.get("access_token") or ""
        if path or not self._grants.lets_in(token):
            return self.unauthorised()
        return self._simplified(self._method(told.get("method", ""), told, request), told)

    def _simplified(self, answer: Answer, told: Mapping[str, str]) -> Answer:
        """Leave the outer wrapping away where `simplify` asks for it."""
        body = json.loads(answer.body)
        if told.get("simplify") != "true" or len(body) != 1 or "error_response" in body:
            return answer
        return json_answer(next(iter(body.values())))

    def _authorize(self, told: Mapping[str, str]) -> Answer:
        """Stand for the page on which a user consents: they do at once, unless the switch says that they do not."""
        target = told.get("redirect_uri", "")
        if told.get("client_id") != ALIEXPRESS_APP or told.get("response_type") != "code" or not target:
            return json_answer({"code": "InvalidParameter", "msg": "client_id, response_type or redirect_uri"}, 400)
        given = {"code": self._grants.code()} if self.switches["consent"] == "given" else {"error": "access_denied"}
        given |= {"state": told["state"]} if told.get("state") else {}
        joint = "&" if "?" in target else "?"
        return Answer(302, b"", {"Location": f"{target}{joint}{urlencode(given)}"})

    def _system(self, path: str, told: Mapping[str, str]) -> Answer:
        refresh = path == "/auth/token/refresh"
        if refresh and self.switches["consent"] == "ended":
            granted = None
        elif refresh:
            granted = self._grants.renewed(told.get("refresh_token", ""))
        else:
            granted = self._grants.granted(told.get("code", "")) if path == "/auth/token/create" else None
        if granted is None:
            code = "InvalidRefreshToken" if refresh else "InvalidCode"
            return json_answer({"code": code, "msg": "consent again", "refresh_expires_in": 0})
        if self.switches["renewal"] == "last":
            granted |= {"refresh_expires_in": 0}
        if self.switches["renewal"] == "without_refresh":
            granted.pop("refresh_token")
        return json_answer({"code": "0", **granted})

    def _unsigned(self, told: Mapping[str, str], path: str) -> Answer | None:
        if told.get("app_key") != ALIEXPRESS_APP:
            return _error("InvalidAppKey", "The app key is invalid", "ISV")
        given = {name: value for name, value in told.items() if name != "sign"}
        if told.get("sign") != signature(ALIEXPRESS_SECRET, given, path=path):
            return _error("IncompleteSignature", "The request signature does not conform to platform standards", "ISV")
        stamp = _BAN.sub("", told.get("timestamp", "")) or "0"
        if abs(int(stamp) / 1000 - self.clock.now().timestamp()) > _TOLERANCE_S:
            return _error("IllegalTimestamp", "The timestamp is out of range", "ISV")
        return None

    def _method(self, method: str, told: Mapping[str, str], request: Request) -> Answer:
        answers: Mapping[str, Callable[[], Answer]] = {
            "aliexpress.ds.feedname.get": lambda: _wrapped(method, {"promos": self._listed([self._feed()], "promo")}),
            "aliexpress.ds.category.get": lambda: self._categories(method),
            "aliexpress.ds.feed.itemids.get": lambda: self._ids(method, told, request),
            "aliexpress.ds.product.get": lambda: self._product(method, told.get("product_id", "")),
            "aliexpress.ds.text.search": lambda: self._found(method, told, request),
            "aliexpress.ds.freight.query": lambda: self._services(method, told),
            "aliexpress.ds.order.create": lambda: self._order(method, json.loads(told[_PLACED])),
            "aliexpress.trade.ds.order.get": lambda: self._order_state(method, json.loads(told["single_order_query"])),
            **dict.fromkeys(_TRACKING, lambda: _wrapped(method, tracked(self._world, told))),
        }
        answer = answers.get(method)
        return answer() if answer is not None else _error("InvalidMethod", "no such method", "ISV")

    def _categories(self, method: str) -> Answer:
        """Return the categories, one wrapping deeper than other answers; the switch may say that they are not for everyone."""
        if self.switches["categories"] == "refused":
            return _error("isv.insufficient-permission", "This application may not call the method", "ISV")
        rows = [{"category_id": number, "category_name": word} for number, word in CATEGORIES]
        told = {"resp_code": 200, "result": {"categories": self._listed(rows, "category")}}
        return json_answer({f"{method.replace('.', '_')}_response": {"resp_result": told}})

    def _feed(self) -> dict[str, Any]:
        return {"promo_name": _FEED, "product_num": len(self._world.offers)}

    def _found(self, method: str, told: Mapping[str, str], request: Request) -> Answer:
        offers = [] if request.quirk == "empty_list" else self._world.offers
        return json_answer({f"{method.replace('.', '_')}_response": {"code": "00", "data": found(offers, told)}})

    def _services(self, method: str, told: Mapping[str, str]) -> Answer:
        return _wrapped(method, services(json.loads(told["queryDeliveryReq"]), self.switches["freight"]))

    def _ids(self, method: str, told: Mapping[str, str], request: Request) -> Answer:
        size, start = int(told.get("page_size") or 50), int(told.get("search_id") or 0)
        offers = [] if request.quirk == "empty_list" else self._world.offers
        chosen = [offer.id + FIRST_ID for offer in offers[start : start + size]]
        following = str(start + size) if start + size < len(offers) else ""
        if request.quirk == "endless_pages":
            following = "0"
        return _wrapped(method, {"products": {"number": chosen}, "search_id": following, "total": len(offers)})

    def _product(self, method: str, product_id: str) -> Answer:
        offer = self._world.find(str(int(product_id) - FIRST_ID)) if product_id.isdigit() else None
        if offer is None:
            return _wrapped(method, {}, code=405)
        skus = _skus(offer)
        base = {"product_id": product_id, "subject": offer.name, "currency_code": "EUR", "detail": offer.description}
        pictures = f"https://ae.example/{offer.id}-0.jpg;https://ae.example/{offer.id}-1.jpg"
        return _wrapped(
            method,
            {
                "ae_item_base_info_dto": base,
                "ae_item_sku_info_dtos": self._listed(skus, "ae_item_sku_info_d_t_o"),
                "ae_multimedia_info_dto": {"image_urls": pictures},
                "logistics_info_dto": {"delivery_time": 9},
            },
        )

    def _listed(self, rows: list[dict[str, Any]], name: str) -> Any:
        """Wrap a list in one of the three ways AliExpress does."""
        if self.switches["wrapping"] == "bare":
            return rows
        if self.switches["wrapping"] == "single" and len(rows) == 1:
            return rows[0]
        return {name: rows}

    def _order(self, method: str, asked: Mapping[str, Any]) -> Answer:
        known = self._world.ordered(asked["out_order_id"])
        if known is None:
            if any(line.get("logistics_service_name") not in SERVICES for line in asked["product_items"]):
                code = "DELIVERY_METHOD_NOT_EXIST"
                return _wrapped(method, {"is_success": False, "error_code": code, "error_msg": "No such service"})
            for line in asked["product_items"]:
                offer = self._world.find(str(int(line["product_id"]) - FIRST_ID))
                if offer is not None and line.get("sku_attr") not in {sku["sku_attr"] for sku in _skus(offer)}:
                    return _wrapped(
                        method, {"is_success": False, "error_code": "SKU_NOT_EXIST", "error_msg": "No such variant"}
                    )
                if offer is None or offer.stock < line["product_count"]:
                    return _wrapped(
                        method,
                        {"is_success": False, "error_code": "INVENTORY_HOLD_ERROR", "error_msg": "Not enough stock"},
                    )
            known = self._world.order(asked["out_order_id"], asked["product_items"])
        return _wrapped(method, {"is_success": True, "order_list": {"number": [known.number]}})

    def _order_state(self, method: str, asked: Mapping[str, Any]) -> Answer:
        order = next((one for one in self._world.orders if str(one.number) == str(asked.get("order_id"))), None)
        if order is None:
            return _wrapped(method, {}, code=405)
        number = order.tracking if self.switches["tracking"] == "in_order" else None
        shipped = [{"logistics_no": number, "logistics_service": "CAINIAO"}] if number else []
        status = "WAIT_BUYER_ACCEPT_GOODS" if order.tracking else "WAIT_SELLER_SEND_GOODS"
        told = {
            "order_id": order.number,
            "order_status": status,
            "logistics_info_list": self._listed(shipped, "logistics_info"),
        }
        return _wrapped(method, told)


def _skus(offer: Offer) -> list[dict[str, Any]]:
    """Return the variants of an offer: one in seven has two."""
    return [_sku(offer, at) for at in range(2 if offer.id % 7 == 0 else 1)]


def _sku(offer: Offer, at: int) -> dict[str, Any]:
    price = f"{offer.cost:.2f}"
    return {
        "sku_id": str(12_000_000 + offer.id * 10 + at),
        "sku_attr": f"14:{193 + at}",
        "offer_sale_price": price,
        "sku_price": f"{offer.cost * 1.5:.2f}",
        "currency_code": "EUR",
        "sku_available_stock": offer.stock,
    }


def _wrapped(method: str, result: dict[str, Any], code: int = 200) -> Answer:
    return json_answer({f"{method.replace('.', '_')}_response": {"rsp_code": code, "result": result}})


def _error(code: str, message: str, kind: str) -> Answer:
    return json_answer({"error_response": {"type": kind, "code": code, "msg": message, "request_id": "r1"}})
