"""BigBuy (`sources.md` 3): lists of one taxonomy at a time, in different orders, joined by id; ten calls an hour.

The walk of a taxonomy reads its stock first (so that `in_stock_only` and the limit choose the products), then texts, then
prices, then pictures. Each list has a quota of its own; when it is used up the sync waits for it in a later task.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import Profile, VendorApi, encode
from shared.adapters.sources.reading import identifier, items, mapping, text
from shared.adapters.suppliers.bigbuy.orders import BigBuyOrders
from shared.adapters.suppliers.reading import cents, pictures, plain, quantity
from shared.core.clock import Clock
from shared.core.errors import Terminal
from shared.orders.suppliers import Placed, Placement
from shared.ports.fetch import Fetch
from shared.suppliers.port import Item, Opened, Page, Walk

__all__ = ["BigBuySource"]

Cursor = dict[str, Any]
_PAGE_SIZE = 1000
_CALLS_A_MINUTE = 60
_CURRENCY = "EUR"
_MOST_PAGES = 1000  # of one list: ten times what the whole catalogue would fill
_LISTS = {
    "stock": "/rest/catalog/productsstockbyhandlingdays.json",
    "texts": "/rest/catalog/productsinformation.json",
    "prices": "/rest/catalog/products.json",
    "pictures": "/rest/catalog/productsimages.json",
}
_AFTER = {"stock": "texts", "texts": "prices", "prices": "pictures"}


class BigBuySource:
    """One connection to BigBuy."""

    def __init__(self, opened: Opened, base_url: str, fetch: Fetch, clock: Clock, rng: random.Random) -> None:
        """Take the connection, the address, the way out, time, and randomness for waits."""
        key = opened.secrets["api_key"]
        self._language = str(opened.config.get("language") or "en")
        profile = Profile("BigBuy", base_url, key, {"User-Agent": "onhand"})
        self._api = VendorApi(profile, fetch, clock, rng, Pace(clock, _CALLS_A_MINUTE))
        self._orders = BigBuyOrders(self._api, base_url, key, fetch)

    def check(self) -> None:
        """Read the purse, which costs nothing and needs a good key."""
        self._api.get("/rest/user/purse.json", "", "check of the key")

    def begin(self, walk: Walk) -> Cursor:
        """Return the cursor of a walk over all first-level taxonomies."""
        reply = self._api.get(
            "/rest/catalog/taxonomies.json",
            encode([("firstLevel", "1"), ("isoCode", self._language)]),
            "list of taxonomies",
        )
        rows = _rows(reply.body, "list of taxonomies", self._api)
        named = [(identifier(row.get("id")), text(row.get("name"))) for row in rows]
        wanted = (walk.category or "").casefold()
        chosen = [
            [one, name] for one, name in named if one and (not wanted or wanted in {one, (name or "").casefold()})
        ]
        if not chosen:
            raise Terminal("unknown_category", "BigBuy has no such first-level category.")
        return {
            "walk": asdict(walk),
            "taxonomies": chosen,
            "at": 0,
            "list": "stock",
            "page": 0,
            "left": walk.limit,
            "stock": {},
        }

    def page(self, cursor: Mapping[str, Any]) -> Page:
        """Read one page of one list."""
        walk, kind = Walk(**cursor["walk"]), cursor["list"]
        taxonomy, category = cursor["taxonomies"][cursor["at"]]
        where = f"page {cursor['page']} of the {kind} of category {taxonomy}"
        query = [
            ("parentTaxonomy", taxonomy),
            ("isoCode", self._language),
            ("page", str(cursor["page"])),
            ("pageSize", str(_PAGE_SIZE)),
        ]
        if cursor["page"] >= _MOST_PAGES:
            raise Terminal("endless_pages", f"BigBuy, {where}: the list does not end")
        rows = _rows(self._api.get(_LISTS[kind], encode(query), where).body, where, self._api)
        first = str(rows[0].get("id")) if rows else None
        if first is not None and first == cursor.get("first") and cursor["page"]:
            raise Terminal("endless_pages", f"BigBuy, {where}: the list begins again")
        after = {**cursor, "first": first, "seen": cursor.get("seen", 0) + len(rows)}
        if kind == "stock":
            return self._stock(walk, rows, after, where)
        chosen = cursor["stock"]
        made = {"texts": _texts, "prices": _prices, "pictures": _pictures}[kind]
        listed = [
            made(_Chosen(number, row, chosen[number][0], chosen[number][1], category))
            for row in rows
            if (number := identifier(row.get("id"))) is not None and number in chosen
        ]
        return Page(listed, next=_next(after, rows), counts=kind == "texts", creates=kind == "texts")

    def _stock(self, walk: Walk, rows: Sequence[Mapping[str, Any]], after: Cursor, where: str) -> Page:
        """Choose products by their stock; a stock sync ends here."""
        known = set(walk.known)
        chosen = dict(after["stock"])
        listed: list[Item] = []
        for row in rows:
            number = identifier(row.get("id"))
            units = _units(row)
            if number is None or (walk.in_stock_only and not units):
                continue
            if walk.sync_type == "stock":
                if number in known:
                    listed.append(Item(number, stock=units, delivery_days=_days(row)))
            elif len(chosen) < after["left"]:
                chosen[number] = [units, _days(row)]
        after["stock"] = chosen
        following = _next(after, rows)
        if following is None and not after["seen"] and walk.category is None:
            raise Terminal("empty_list", f"BigBuy, {where}: no category holds a product, which is not believed")
        return Page(listed, next=following, counts=walk.sync_type == "stock", creates=False)

    def find(self, reference: str) -> Placed | None:
        """Return the order placed under our reference."""
        return self._orders.find(reference)

    def place(self, order: Placement) -> Placed:
        """Place an order."""
        return self._orders.place(order)

    def progress(self, references: Sequence[str]) -> dict[str, Placed]:
        """Return how our orders stand; without any, whether the supplier answers at all."""
        if not references:
            self.check()
        found = {reference: self._orders.find(reference) for reference in references}
        return {reference: placed for reference, placed in found.items() if placed is not None}


def _next(after: Cursor, rows: Sequence[Any]) -> Cursor | None:
    """Return where a walk goes on: the next page, the next list, the next taxonomy, or None."""
    if len(rows) >= _PAGE_SIZE:
        return after | {"page": after["page"] + 1}
    following = _AFTER.get(after["list"]) if after["stock"] else None
    if following is not None and after["walk"]["sync_type"] != "stock":
        return after | {"page": 0, "list": following}
    left = after["left"] - len(after["stock"])
    if after["at"] + 1 < len(after["taxonomies"]) and left > 0:
        return after | {"at": after["at"] + 1, "page": 0, "list": "stock", "left": left, "stock": {}}
    return None


def _rows(body: Any, where: str, api: VendorApi) -> list[Mapping[str, Any]]:
    if not isinstance(body, list):
        code = text(mapping(body).get("code"))
        message = f"answered 200 with the error {code}" if code else "answered 200 with something other than a list"
        raise api.transient("wrong_shape", where, message)
    return items(body)


def _units(row: Mapping[str, Any]) -> int | None:
    parts = [quantity(one.get("quantity")) for one in items(row.get("stocks"))]
    known = [part for part in parts if part is not None]
    return sum(known) if known or row.get("stocks") == [] else None


def _days(row: Mapping[str, Any]) -> int | None:
    days = [quantity(one.get("maxHandlingDays")) for one in items(row.get("stocks")) if quantity(one.get("quantity"))]
    return min((day for day in days if day is not None), default=None)


class _Chosen(NamedTuple):
    """A row of a product that the walk has chosen, with what its stock list said."""

    number: str
    row: Mapping[str, Any]
    units: int | None
    days: int | None
    category: str | None


def _texts(chosen: _Chosen) -> Item:
    return Item(
        chosen.number,
        sku=text(chosen.row.get("sku")),
        name=text(chosen.row.get("name")),
        description=plain(chosen.row.get("description")),
        category=chosen.category,
        currency=_CURRENCY,
        stock=chosen.units,
        delivery_days=chosen.days,
    )


def _prices(chosen: _Chosen) -> Item:
    active = chosen.row.get("active")
    return Item(
        chosen.number,
        sku=text(chosen.row.get("sku")),
        barcode=text(chosen.row.get("ean13")),
        cost=cents(chosen.row.get("wholesalePrice")),
        currency=_CURRENCY,
        stock=chosen.units,
        is_active=None if active is None else str(active) not in {"0", "False"},
    )


def _pictures(chosen: _Chosen) -> Item:
    listed = sorted(items(chosen.row.get("images")), key=lambda picture: not picture.get("isCover"))
    return Item(chosen.number, images=pictures([picture.get("url") for picture in listed]))
