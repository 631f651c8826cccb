"""AliExpress for drop-shippers (`sources.md` 4): signed calls, lists in three wrappings, errors with status 200.

There is no list of all products: a products sync reads the product feeds, or what a search finds where no feed has the name of
its category: within the category of that name, or for the words of the name where there is none; a stock sync reads the
products already linked. Each SKU of a product is one of ours.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from shared.adapters.sources.reading import identifier, mapping, text
from shared.adapters.suppliers.aliexpress.calls import Calls, Door, Keys
from shared.adapters.suppliers.aliexpress.orders import AliExpressOrders, Memory, Terms
from shared.adapters.suppliers.aliexpress.tokens import authorize_url, tokens_of
from shared.adapters.suppliers.reading import cents, pictures, plain, quantity, unwrap_list
from shared.core.clock import Clock
from shared.core.errors import Terminal
from shared.core.values import dataclass
from shared.orders.suppliers import Placed, Placement
from shared.ports.fetch import Fetch
from shared.suppliers.port import KNOWN, NEEDS_CONSENT, Item, Notes, Opened, Page, Renewal, Unkept, Walk

__all__ = ["AliExpressConsent", "AliExpressSource"]

Cursor = dict[str, Any]
_AT_ONCE, _FOUND_AT_ONCE = 20, 50
_ENDLESS = 10**9
_ID_NAMES = ("itemId", "item_id", "product_id", "productId")
_TERMS = {
    "country": "ship_to_country",
    "currency": "currency",
    "language": "language",
    "tracking_method": "tracking_method",
}
_STOCKS = ("sku_available_stock", "s_k_u_available_stock", "ipm_sku_stock")


def _calls(opened: Opened, base_url: str, fetch: Fetch, clock: Clock) -> Calls:
    told = tokens_of({"api_key": "", **opened.secrets})
    keys = Keys(opened.secrets["app_key"], opened.secrets["app_secret"], **told)
    door = Door(
        base_url,
        token_named=opened.config.get("token_param") or "session",
        system_base=opened.config.get("system_base") or "rest",
    )
    return Calls(door, keys, fetch, clock, tokens=opened.tokens)


@dataclass(frozen=True)
class AliExpressConsent:
    """Asking a user to let the application act for them."""

    base_url: str
    fetch: Fetch
    clock: Clock

    def url(self, secrets: Mapping[str, str], redirect_uri: str, state: str) -> str:
        """Return where the user is sent."""
        return authorize_url(self.base_url, secrets["app_key"], redirect_uri, state)

    def exchange(self, secrets: Mapping[str, str], config: Mapping[str, Any], code: str) -> Renewal:
        """Return the tokens for the code that the user came back with."""
        return _calls(Opened("", secrets, config, Unkept()), self.base_url, self.fetch, self.clock).exchange(code)


class AliExpressSource:
    """One connection to AliExpress."""

    def __init__(self, opened: Opened, base_url: str, fetch: Fetch, clock: Clock, *, orders: Memory) -> None:
        """Take the connection, the address, the way out, time, and who keeps the numbers of placed orders."""
        self._calls = _calls(opened, base_url, fetch, clock)
        told = {name: str(opened.config[key]) for name, key in _TERMS.items() if opened.config.get(key)}
        self._terms = Terms(**told)
        self._orders = AliExpressOrders(self._calls, orders, self._terms)

    def check(self) -> None:
        """Read the names of the feeds, which needs good keys and a good token."""
        self._calls.call("aliexpress.ds.feedname.get", {}, "check of the keys")

    def begin(self, walk: Walk, notes: Notes) -> Cursor:
        """Return the cursor: of the linked products, or of the feeds."""
        if walk.sync_type == "stock":
            if not walk.known:
                self.check()  # a sync that succeeds has heard from the supplier
            return {"walk": asdict(walk), "ids": [], "feeds": [], "known": [0, 0], "last": "", "left": _left(walk)}
        answer = self._calls.call("aliexpress.ds.feedname.get", {}, "list of feeds")
        named = [
            (text(feed.get("promo_name") or feed.get("feed_name")), quantity(feed.get("product_num")))
            for feed in unwrap_list(answer.get("promos") or answer.get("feeds"))
        ]
        feeds = [[name, ""] for name, number in named if name and number != 0 and _is_wanted(name, walk.category)]
        begun: Cursor = {"walk": asdict(walk), "ids": [], "feeds": feeds, "left": _left(walk)}
        if feeds:
            return begun
        if walk.category is None:
            raise Terminal("unknown_category", "AliExpress offers no product feed.")
        return begun | {"search": 1, "category": self._category(walk.category)}  # no feed has this name

    def page(self, cursor: Mapping[str, Any], notes: Notes) -> Page:
        """Read the details of some products, or the next ids of a feed when there are none to read.

        The limit of a sync counts SKUs, as everything a sync counts does: one product may have several of them, or none to sell.
        """
        after = dict(cursor)
        walk = Walk(**cursor["walk"])
        if walk.sync_type == "stock":
            after = _known_ids(after, walk, notes)
        elif not after["ids"]:
            after = self._more_ids(after)
        most = min(_AT_ONCE, after["left"])
        now, after["ids"] = after["ids"][:most], after["ids"][most:]
        items: list[Item] = []
        rejected: list[tuple[str, str, str]] = []
        for product_id in now:
            try:
                items += self._product(product_id, walk)
            except Terminal as refused:
                if refused.code in {"credentials_rejected", NEEDS_CONSENT}:
                    raise
                rejected.append((product_id, refused.code, refused.detail[:200]))
        items = items[: after["left"]]
        after["left"] -= len(items)
        more = after["left"] > 0 and any(after.get(name) for name in ("ids", "feeds", "search", "known"))
        return Page(items, rejected, after if more else None, creates=walk.sync_type != "stock")

    def allowance(self) -> Mapping[str, Any] | None:
        """Return the ban of which AliExpress told, while it lasts."""
        return self._calls.ban()

    def find(self, reference: str) -> Placed | None:
        """Return the order placed under our reference."""
        return self._orders.find(reference)

    def place(self, order: Placement) -> Placed:
        """Place an order."""
        return self._orders.place(order)

    def progress(self, placed: Mapping[str, str]) -> dict[str, Placed]:
        """Return how our orders stand; without any, whether the supplier answers at all."""
        if not placed:
            self.check()
        found = {reference: self._orders.find(reference, tracked=True) for reference in placed}
        return {reference: one for reference, one in found.items() if one is not None}

    def _category(self, wanted: str) -> str:
        """Return the id of the category of a name or id, empty for none.

        An application that may not read categories searches without them; what else is wrong the search will say.
        """
        try:
            answer = self._calls.call("aliexpress.ds.category.get", {}, "list of categories")
        except Terminal as refused:
            if refused.code == NEEDS_CONSENT:
                raise
            return ""
        for row in unwrap_list(answer.get("categories")):
            number, name = identifier(row.get("category_id")), text(row.get("category_name"))
            if number and wanted.casefold() in {number, (name or "").casefold()}:
                return number
        return ""

    def _more_ids(self, after: Cursor) -> Cursor:
        """Read the next page of ids: of what was searched for, or of the first feed that is not at its end."""
        if after.get("search"):
            return self._found(after)
        if not after["feeds"] or after["left"] <= 0:
            return after | {"feeds": []}
        (name, place), rest = after["feeds"][0], after["feeds"][1:]
        given = {"feed_name": name, "page_size": "50", "search_id": place}
        answer = self._calls.call("aliexpress.ds.feed.itemids.get", given, f"products of feed {name}")
        listed = answer.get("products")
        wrapped: Any = next(iter(listed.values()), []) if isinstance(listed, dict) and len(listed) == 1 else listed
        ids = [one for value in (wrapped if isinstance(wrapped, list) else [wrapped]) if (one := identifier(value))]
        following = text(answer.get("search_id"))
        feeds = [[name, following], *rest] if following and ids and following != place else rest
        if not (ids or feeds or after.get("held")):
            raise Terminal("empty_list", "AliExpress: no product feed holds a product, which is not believed")
        return after | {
            "ids": ids,
            "held": bool(ids) or after.get("held", False),
            "feeds": feeds,
        }

    def _found(self, after: Cursor) -> Cursor:
        """Read the next page of what the words of a search find; raise Terminal `unknown_category` for nothing at all."""
        number, words = int(after["search"]), str(after["walk"]["category"])
        given = {
            "keyWord": words,
            "local": "en_US",
            "countryCode": self._terms.country,
            "currency": self._terms.currency,
            "pageSize": str(_FOUND_AT_ONCE),
            "pageIndex": str(number),
        }
        if after.get("category"):
            given["categoryId"] = after["category"]
        answer = self._calls.call("aliexpress.ds.text.search", given, f"page {number} of a search")
        rows = unwrap_list(answer.get("products"))
        ids = [
            one
            for row in rows
            if (one := next((found for key in _ID_NAMES if (found := identifier(row.get(key)))), None))
        ]
        if not ids and number == 1:
            raise Terminal("unknown_category", "AliExpress has no product feed of this name, and finds nothing by it.")
        total = quantity(answer.get("totalCount"))
        ended = len(rows) < _FOUND_AT_ONCE or (total is not None and number * _FOUND_AT_ONCE >= total)
        return after | {"ids": ids, "search": 0 if ended else number + 1}

    def _product(self, product_id: str, walk: Walk) -> list[Item]:
        given = {
            "product_id": product_id,
            "ship_to_country": self._terms.country,
            "target_currency": self._terms.currency,
            "target_language": self._terms.language,
        }
        answer = self._calls.call("aliexpress.ds.product.get", given, f"product {product_id}")
        base = mapping(answer.get("ae_item_base_info_dto"))
        skus = unwrap_list(answer.get("ae_item_sku_info_dtos"))
        media = text(mapping(answer.get("ae_multimedia_info_dto")).get("image_urls"))
        days = quantity(mapping(answer.get("logistics_info_dto")).get("delivery_time"))
        told = _Product(product_id, base, len(skus) > 1, pictures((media or "").split(";")), days)
        found = [_item(told, sku) for sku in skus]
        return [item for item in found if not walk.in_stock_only or item.stock]


def _left(walk: Walk) -> int:
    return _ENDLESS if walk.limit is None else walk.limit


def _known_ids(after: Cursor, walk: Walk, notes: Notes) -> Cursor:
    """Take the next linked products from the notes, each once, whatever number of its SKUs are linked."""
    (number, at), last, ids = after["known"], after["last"], list[str]()
    room = min(_AT_ONCE, after["left"])
    while number < walk.known and len(ids) < room:
        listed = notes.read([f"{KNOWN}.{number}"])[f"{KNOWN}.{number}"]
        while at < len(listed) and len(ids) < room:
            product_id = listed[at].partition("#")[0]
            ids += [product_id] if product_id != last else []
            last, at = product_id, at + 1
        if at >= len(listed):
            number, at = number + 1, 0
    return after | {"ids": ids, "known": None if number >= walk.known else [number, at], "last": last}


def _is_wanted(name: str, category: str | None) -> bool:
    return category is None or category.casefold() == name.casefold()


class _Product(NamedTuple):
    """What the SKUs of a product share."""

    product_id: str
    base: Mapping[str, Any]
    is_split: bool
    images: tuple[str, ...]
    days: int | None


def _item(told: _Product, sku: Mapping[str, Any]) -> Item:
    sku_id = identifier(sku.get("sku_id")) or identifier(sku.get("id"))
    attribute, name = text(sku.get("sku_attr")), text(told.base.get("subject"))
    apart = told.is_split and sku_id is not None
    stocks = [quantity(sku.get(field)) for field in _STOCKS if sku.get(field) is not None]
    return Item(
        supplier_product_id=f"{told.product_id}#{sku_id}" if apart else told.product_id,
        sku=f"AE-{told.product_id}-{sku_id}" if apart else f"AE-{told.product_id}",
        name=f"{name} ({attribute})"[:255] if name and apart and attribute else name,
        description=plain(told.base.get("detail")),
        images=told.images,
        cost=cents(sku.get("offer_sale_price")),
        currency=text(sku.get("currency_code")) or text(told.base.get("currency_code")),
        stock=stocks[0] if stocks else None,
        delivery_days=told.days,
    )
