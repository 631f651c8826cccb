"""A web shop on a socket: what Onhand scrapes and imports from in `make run` and in tests."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from local.simulators.base import COMMON_SWITCHES, Options, Simulator, json_answer
from local.simulators.faults import Fault
from local.simulators.shop.feeds import FEEDS
from local.simulators.shop.goods import Article, ShopWorld
from local.simulators.shop.hostile import HOSTILE
from local.simulators.shop.pages import home, product_page, robots, shopify_list, sitemap, woocommerce_list
from local.simulators.wire import Answer, Request
from shared.core.clock import Clock

__all__ = ["Shop"]

# The smallest picture there is: one transparent dot.
_IMAGE = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "no_product_list": ("/products.json", "/wp-json/wc/store/v1/products"),
    "no_sitemap": ("/sitemap.xml",),
}
_LISTS = ("/products.json", "/wp-json/wc/store/v1/products")


class Shop(Simulator):
    """The simulated web shop: twelve products, in EUR; no login."""

    name: ClassVar[str] = "shop"
    listing: ClassVar[str] = "products.json"
    known_switches: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **COMMON_SWITCHES,
        "rate_limit": (0,),
        "platform": ("shopify", "woocommerce", "none"),
    }

    def __init__(self, clock: Clock, options: Options | None = None) -> None:
        """Open the shop."""
        super().__init__(clock, options)
        self._world = ShopWorld(self._setting)
        self._revoked = False

    @property
    def world(self) -> ShopWorld:
        """Return the articles."""
        return self._world

    def rebuild(self, options: Options) -> None:
        """Start with the twelve articles again."""
        self._world = ShopWorld(self._setting)
        self._revoked = False

    def settings(self) -> dict[str, str]:
        """Return nothing: a shop is named by whoever imports from it; its host only has to be let through."""
        return {"FETCH_ALLOW_HOSTS": f"127.0.0.1:{self.port}"}

    def warm(self) -> None:
        """Do nothing: pages are made when asked for."""

    def revoke_token(self) -> None:
        """Let nobody in any more."""
        self._revoked = True

    def too_many(self, wait_s: int) -> Answer:
        """Return 429 with the seconds to wait."""
        return json_answer({"errors": "Too many requests"}, 429, {"Retry-After": str(wait_s)})

    def unauthorised(self) -> Answer:
        """Return 401, as a shop behind a password does."""
        return json_answer({"errors": "This shop is closed"}, 401)

    def route_of(self, request: Request) -> str:
        """Return the path."""
        return request.path.strip("/")

    def serve(self, request: Request) -> Answer:
        """Answer a request of the shop's surface."""
        if self._revoked:
            return self.unauthorised()
        if request.method not in {"GET", "HEAD"}:
            return json_answer({"errors": "Method not allowed"}, 405)
        refused = self.over_rate()
        if refused:
            return refused
        return self._page(request.path, request)

    def _strikes(self, fault: Fault, request: Request) -> bool:
        """Let a fault that takes something away strike only where that would be."""
        places = _TAKEN.get(fault.fault)
        return request.path in places if places and not fault.path else super()._strikes(fault, request)

    def _spoiled(self, request: Request, word: str) -> Answer:
        if word in {"no_product_list", "no_sitemap", "no_products"}:
            return self._without(request, word)
        return super()._spoiled(request, word)

    def _without(self, request: Request, word: str) -> Answer:
        """Answer as a shop that lacks something; other paths as ever."""
        if request.path in _TAKEN.get(word, ()):
            return _missing()
        if word != "no_products":
            return self.serve(request)
        kept, self._world.articles = self._world.articles, []
        try:
            return self.serve(request)
        finally:
            self._world.articles = kept

    def _page(self, path: str, request: Request) -> Answer:
        goods = [] if request.quirk == "empty_list" else self._world.articles
        fixed: dict[str, Callable[[], Answer]] = {
            "/": lambda: home(goods),
            "/robots.txt": lambda: robots(self.origin),
            "/sitemap.xml": lambda: sitemap(goods, self.origin),
        }
        if path in fixed:
            return fixed[path]()
        if path in _LISTS:
            return self._list(path, request, goods)
        return self._file(path, goods)

    def _file(self, path: str, goods: list[Article]) -> Answer:
        """Return a page, a picture or a feed."""
        folder, _, name = path.rpartition("/")
        if folder == "/products":
            found = next((article for article in goods if article.slug == name), None)
            return product_page(found, self.origin) if found else _missing()
        if folder == "/images":
            return Answer(200, _IMAGE, {"Content-Type": "image/gif"})
        if folder == "/feeds" and name in FEEDS:
            return FEEDS[name](goods, self.origin)
        if folder == "/feeds/hostile" and name in HOSTILE:
            return _own_headers(HOSTILE[name]())
        return _missing()

    def _list(self, path: str, request: Request, goods: list[Article]) -> Answer:
        """Return a page of the list of the platform the shop runs on."""
        shopify = path == _LISTS[0]
        if self.switches["platform"] != ("shopify" if shopify else "woocommerce"):
            return _missing()
        told = dict(request.query)
        size = _whole(told.get("limit" if shopify else "per_page"), 30 if shopify else 10, 250 if shopify else 100)
        page = _whole(told.get("page"), 1, 10_000)
        start = 0 if request.quirk == "endless_pages" else (page - 1) * size
        if not shopify and start >= max(1, len(goods)):
            return json_answer({"code": "rest_post_invalid_page_number"}, 400)
        shown = goods[start : start + size]
        answer = shopify_list(shown, self.origin) if shopify else woocommerce_list(shown, self.origin)
        total = len(goods) + (7 if request.quirk == "wrong_total" else 0)
        return replace(answer, headers={**answer.headers, "X-WP-Total": str(total)})


def _whole(text: str | None, default: int, most: int) -> int:
    return min(max(int(text), 1), most) if text is not None and text.isascii() and text.isdigit() else default


def _own_headers(answer: Answer) -> Answer:
    return replace(answer, headers=dict(answer.headers))


def _missing() -> Answer:
    return Answer(404, b"<!doctype html><title>Not found</title>", {"Content-Type": "text/html"})
