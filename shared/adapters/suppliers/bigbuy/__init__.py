"""BigBuy (`sources.md` 3): lists of one taxonomy at a time, in different orders, joined by id; ten calls an hour.

The walk of a taxonomy reads stock first (so that `in_stock_only` and the limit choose the products), that of variations before
that of plain products, then texts, prices and pictures. A product with variations is not sold itself: each variation is a
product of ours, under the text and the pictures of its parent, with the stock, the price and the SKU of its own. Each list has
a quota of its own; when it is used up the sync waits for it in a later task.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import Profile, VendorApi, encode
from shared.adapters.sources.reading import identifier, items, text
from shared.adapters.suppliers.bigbuy.answers import rows_of, tightest
from shared.adapters.suppliers.bigbuy.orders import BigBuyOrders
from shared.adapters.suppliers.reading import cents, pictures, plain, quantity
from shared.core.clock import Clock
from shared.core.errors import Terminal
from shared.orders.suppliers import Placed, Placement
from shared.ports.fetch import Fetch
from shared.suppliers.port import Item, Opened, Page, Walk

__all__ = ["BigBuySource"]

Cursor = dict[str, Any]
_PAGE_SIZE = 5000  # about 4 MB, which takes BigBuy some 11 s; a list may be asked for ten times an hour
_CALLS_A_MINUTE = 60
_UNPACED = 1000  # catalogue: its quota by the hour is all there is to keep
_CURRENCY = "EUR"
_MOST_PAGES = 1000  # of one list: ten times what the whole catalogue would fill
_LISTS = {
    "variant_stock": "/rest/catalog/productsvariationsstockbyhandlingdays.json",
    "variants": "/rest/catalog/productsvariations.json",
    "stock": "/rest/catalog/productsstockbyhandlingdays.json",
    "texts": "/rest/catalog/productsinformation.json",
    "prices": "/rest/catalog/products.json",
    "pictures": "/rest/catalog/productsimages.json",
}
_ORDER = tuple(_LISTS)
_OF_CHOSEN = frozenset({"texts", "prices", "pictures"})


class BigBuySource:
    """One connection to BigBuy."""

    def __init__(self, opened: Opened, base_url: str, fetch: Fetch, clock: Clock, rng: random.Random) -> None:
        """Take the connection, the address, the way out, time, and randomness for waits."""
        key = opened.secrets["api_key"]
        self._language = str(opened.config.get("language") or "en")
        profile = Profile("BigBuy", base_url, key, {"User-Agent": "onhand"})
        self._clock = clock
        self._api = VendorApi(profile, fetch, clock, rng, Pace(clock, _UNPACED))
        paced = VendorApi(profile, fetch, clock, rng, Pace(clock, _CALLS_A_MINUTE))
        self._orders = BigBuyOrders(paced, str(opened.config.get("language") or "en"))

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
        rows = rows_of(reply.body, "list of taxonomies")
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
            "left": walk.limit,
            **_taxonomy(walk),
        }

    def allowance(self) -> Mapping[str, Any] | None:
        """Return the list of which the fewest calls are left."""
        return tightest(self._api.told, self._clock.now())

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
        rows = rows_of(self._api.get(_LISTS[kind], encode(query), where).body, where)
        first = str(rows[0].get("id")) if rows else None
        if first is not None and first == cursor.get("first") and cursor["page"]:
            raise Terminal("endless_pages", f"BigBuy, {where}: the list begins again")
        after = {**cursor, "first": first, "seen": cursor.get("seen", 0) + len(rows)}
        if kind in {"variant_stock", "stock"}:
            return self._stock(walk, rows, after, where)
        if kind == "variants":
            return _variants(rows, after, category)
        made = {"texts": _texts, "prices": _prices, "pictures": _pictures}[kind]
        listed = [
            item for row in rows for chosen in _chosen(row, after, category) if (item := made(chosen)) is not None
        ]
        return Page(listed, next=_next(after, rows), counts=kind == "texts", creates=kind == "texts")

    def _stock(self, walk: Walk, rows: Sequence[Mapping[str, Any]], after: Cursor, where: str) -> Page:
        """Choose products, or variations, by their stock; a stock sync has what it wants."""
        field, parents = after["list"], set(after["parents"])
        chosen = dict(after[field])
        known = {
            their.rpartition("#")[2]: their for their in walk.known if ("#" in their) == (field == "variant_stock")
        }
        listed: list[Item] = []
        for row in rows:
            number, units = identifier(row.get("id")), units_of(row)
            if number is None or number in parents or (walk.in_stock_only and not units):
                continue
            if walk.sync_type == "stock":
                if number in known:
                    listed.append(Item(known[number], stock=units, delivery_days=_days(row)))
            elif len(after["variant_stock"]) + len(after["stock"]) < after["left"] and len(chosen) < after["left"]:
                chosen[number] = [units, _days(row)]
        after[field] = chosen
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
        found = {reference: self._orders.find(reference, strict=True) for reference in references}
        return {reference: placed for reference, placed in found.items() if placed is not None}


def _taxonomy(walk: Walk) -> Cursor:
    """Return where a taxonomy begins: nothing chosen, nothing read."""
    variants = walk.sync_type != "stock" or any("#" in known for known in walk.known)
    first = "variant_stock" if variants else "stock"
    return {"list": first, "page": 0, "stock": {}, "variant_stock": {}, "parents": [], "kin": {}, "listed": 0}


def _next(after: Cursor, rows: Sequence[Any]) -> Cursor | None:
    """Return where a walk goes on: the next page, the next list, the next taxonomy, or None."""
    after = after | {"listed": after["listed"] + len(rows)}
    if len(rows) >= _PAGE_SIZE:
        return after | {"page": after["page"] + 1}
    walk = Walk(**after["walk"])
    for following in _ORDER[_ORDER.index(after["list"]) + 1 :]:
        if _wanted(following, walk, after):
            return after | {"page": 0, "list": following, "listed": 0}
    left = after["left"] - len(after["stock"]) - sum(map(len, after["kin"].values()))
    if after["at"] + 1 < len(after["taxonomies"]) and left > 0:
        return after | {"at": after["at"] + 1, "left": left, **_taxonomy(walk)}
    return None


def _wanted(kind: str, walk: Walk, after: Cursor) -> bool:
    """Say whether a list tells anything about what was chosen."""
    if kind == "variants":
        return walk.sync_type != "stock" and after["listed"] > 0
    if kind in _OF_CHOSEN:
        return walk.sync_type != "stock" and bool(after["stock"] or after["kin"])
    return True


def _variants(rows: Sequence[Mapping[str, Any]], after: Cursor, category: str | None) -> Page:
    """Read which product a variation belongs to; the chosen ones become products under their SKU, named with the texts."""
    parents, kin = dict.fromkeys(after["parents"]), {parent: dict(own) for parent, own in after["kin"].items()}
    listed: list[Item] = []
    for row in rows:
        number, parent = identifier(row.get("id")), identifier(row.get("product"))
        if number is None or parent is None:
            continue
        parents[parent] = None
        if number in after["variant_stock"]:
            sku = text(row.get("sku")) or number
            kin.setdefault(parent, {})[number] = sku
            units, days = after["variant_stock"][number]
            listed.append(
                Item(
                    f"{parent}#{number}",
                    sku=sku,
                    barcode=text(row.get("ean13")),
                    category=category,
                    cost=cents(row.get("wholesalePrice")),
                    currency=_CURRENCY,
                    stock=units,
                    delivery_days=days,
                )
            )
    following = _next(after | {"parents": list(parents), "kin": kin}, rows)
    return Page(listed, next=following, counts=False)  # counted with their texts


def _chosen(row: Mapping[str, Any], after: Cursor, category: str | None) -> Iterator["_Chosen"]:
    """Return a row once for the product it is about, or for each variation of that product."""
    number = identifier(row.get("id"))
    if number is None:
        return
    if number in after["stock"]:
        units, days = after["stock"][number]
        yield _Chosen(number, row, units, days, category)
    for variation, sku in after["kin"].get(number, {}).items():
        yield _Chosen(f"{number}#{variation}", row, None, None, category, sku)


def units_of(row: Mapping[str, Any]) -> int | None:
    """Return the units of a stock row over all its warehouses, None when none is told."""
    parts = [quantity(one.get("quantity")) for one in items(row.get("stocks"))]
    known = [part for part in parts if part is not None]
    return sum(known) if known or row.get("stocks") == [] else None


def _days(row: Mapping[str, Any]) -> int | None:
    days = [quantity(one.get("maxHandlingDays")) for one in items(row.get("stocks")) if quantity(one.get("quantity"))]
    return min((day for day in days if day is not None), default=None)


class _Chosen(NamedTuple):
    """A row of a product that the walk has chosen, with what its stock list said; `variant` is the SKU of a variation."""

    number: str
    row: Mapping[str, Any]
    units: int | None
    days: int | None
    category: str | None
    variant: str | None = None


def _texts(chosen: _Chosen) -> Item:
    name = text(chosen.row.get("name"))
    return Item(
        chosen.number,
        sku=chosen.variant or text(chosen.row.get("sku")),
        name=f"{name[:200]} ({chosen.variant})" if name and chosen.variant else name,
        description=plain(chosen.row.get("description")),
        category=chosen.category,
        currency=_CURRENCY,
        stock=chosen.units,
        delivery_days=chosen.days,
    )


def _prices(chosen: _Chosen) -> Item | None:
    active = chosen.row.get("active")
    if chosen.variant is not None:  # has a price of its own; whether it is sold at all its parent says
        return None if active is None else Item(chosen.number, is_active=_is_true(active))
    return Item(
        chosen.number,
        sku=text(chosen.row.get("sku")),
        barcode=text(chosen.row.get("ean13")),
        cost=cents(chosen.row.get("wholesalePrice")),
        currency=_CURRENCY,
        stock=chosen.units,
        is_active=None if active is None else _is_true(active),
    )


def _is_true(value: Any) -> bool:
    return str(value) not in {"0", "False", "false"}


def _pictures(chosen: _Chosen) -> Item:
    listed = sorted(items(chosen.row.get("images")), key=lambda picture: not picture.get("isCover"))
    return Item(chosen.number, images=pictures([picture.get("url") for picture in listed]))
