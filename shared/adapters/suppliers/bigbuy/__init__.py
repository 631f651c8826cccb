"""BigBuy (`sources.md` 3): lists of one taxonomy at a time, in different orders, joined by id; ten calls an hour.

The walk of a taxonomy reads stock first (so that `in_stock_only` and the limit choose the products), that of variations before
that of plain products, then prices and pictures, and texts last: with them each product is complete and is told once. A product
with variations is not sold itself: each variation is a product of ours, under the text and the pictures of its parent, with
the stock, the price and the SKU of its own. Each list has a quota of its own; when it is used up the sync waits for it in a
later task. What the lists before the last one said is put down in notes: the cursor holds none of it.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from shared.adapters.fetch.pace import Pace
from shared.adapters.fetch.vendor import Profile, VendorApi, encode
from shared.adapters.sources.reading import identifier, text
from shared.adapters.suppliers.bigbuy.answers import rows_of, tightest
from shared.adapters.suppliers.bigbuy.facts import Facts, days_of, units_of
from shared.adapters.suppliers.bigbuy.orders import BigBuyOrders
from shared.core.clock import Clock
from shared.core.errors import Terminal
from shared.orders.suppliers import Placed, Placement
from shared.ports.fetch import Fetch
from shared.suppliers.notes import packed
from shared.suppliers.port import KNOWN, Item, Notes, Opened, Page, Walk

__all__ = ["BigBuySource"]

Cursor = dict[str, Any]
_PAGE_SIZE = 5000  # about 4 MB, which takes BigBuy some 11 s; a list may be asked for ten times an hour
_CALLS_A_MINUTE = 60
_UNPACED = 1000  # catalogue: its quota by the hour is all there is to keep
_MOST_PAGES = 1000  # of one list: ten times what the whole catalogue would fill
_LISTS = {
    "variant_stock": "/rest/catalog/productsvariationsstockbyhandlingdays.json",
    "variants": "/rest/catalog/productsvariations.json",
    "stock": "/rest/catalog/productsstockbyhandlingdays.json",
    "prices": "/rest/catalog/products.json",
    "pictures": "/rest/catalog/productsimages.json",
    "texts": "/rest/catalog/productsinformation.json",
}
_REST = "rest"  # no list: the products of which no text was told
_ORDER = (*_LISTS, _REST)
_OF_CHOSEN = frozenset({"prices", "pictures", "texts", _REST})


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
        self._held: tuple[Any, Facts] | None = None
        self._known: dict[str, str] | None = None

    def check(self) -> None:
        """Read the purse, which costs nothing and needs a good key."""
        self._api.get("/rest/user/purse.json", "", "check of the key")

    def begin(self, walk: Walk, notes: Notes) -> Cursor:
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
        variants = walk.sync_type != "stock" or any("#" in their for their in self._linked(walk, notes).values())
        begun = {
            "walk": asdict(walk),
            "taxonomies": chosen,
            "at": 0,
            "left": walk.limit,
            "seen": 0,
            "variants": variants,
        }
        return begun | _taxonomy(begun)

    def allowance(self) -> Mapping[str, Any] | None:
        """Return the list of which the fewest calls are left."""
        return tightest(self._api.told, self._clock.now())

    def page(self, cursor: Mapping[str, Any], notes: Notes) -> Page:
        """Read one page of one list."""
        walk, kind = Walk(**cursor["walk"]), cursor["list"]
        facts = self._facts(cursor, notes)
        category = cursor["taxonomies"][cursor["at"]][1]
        if kind == _REST:
            return _page(cursor, facts.untold(category), _next(dict(cursor), facts, 0), creates=False)
        rows, after = self._rows(cursor)
        if walk.sync_type == "stock":
            listed = self._restocked(rows, walk, after, notes)
            return _page(cursor, listed, self._following(after, facts, len(rows)), creates=False)
        told = facts.read(kind, rows, cursor["left"], in_stock_only=walk.in_stock_only)
        keeps = {}
        for number, some in enumerate(packed(told), cursor["kept"].get(kind, 0)):
            keeps[_note(after["at"], kind, number)] = some
            after["kept"] = {**after["kept"], kind: number + 1}
        facts.keep(kind, told)
        self._held = (_state(after), facts)
        listed = [item for row in rows for item in facts.of(row, category)] if kind == "texts" else []
        return _page(cursor, listed, self._following(after, facts, len(rows)), keeps)

    def _rows(self, cursor: Mapping[str, Any]) -> tuple[Sequence[Mapping[str, Any]], Cursor]:
        """Return the rows at a cursor, and the cursor knowing how they begin; raise Terminal for a list without end."""
        kind, number = cursor["list"], cursor["page"]
        taxonomy, _ = cursor["taxonomies"][cursor["at"]]
        where = f"page {number} of the {kind} of category {taxonomy}"
        query = [
            ("parentTaxonomy", taxonomy),
            ("isoCode", self._language),
            ("page", str(number)),
            ("pageSize", str(_PAGE_SIZE)),
        ]
        if number >= _MOST_PAGES:
            raise Terminal("endless_pages", f"BigBuy, {where}: the list does not end")
        rows = rows_of(self._api.get(_LISTS[kind], encode(query), where).body, where)
        first = str(rows[0].get("id")) if rows else None
        if first is not None and first == cursor.get("first") and number:
            raise Terminal("endless_pages", f"BigBuy, {where}: the list begins again")
        return rows, {**cursor, "first": first, "seen": cursor["seen"] + len(rows)}

    def _following(self, after: Cursor, facts: Facts, rows: int) -> Cursor | None:
        """Return where a walk goes on after a page; raise Terminal when it ends and no list of it held a row."""
        following = _next(after, facts, rows)
        if following is None and not after["seen"] and after["walk"]["category"] is None:
            raise Terminal("empty_list", "BigBuy: no category holds a product, which is not believed")
        return following

    def _facts(self, cursor: Mapping[str, Any], notes: Notes) -> Facts:
        """Return what the lists read so far have told: as it is held, else from the notes."""
        if self._held is None or self._held[0] != _state(cursor):
            facts = Facts()
            for kind in _ORDER:
                names = [_note(cursor["at"], kind, number) for number in range(cursor["kept"].get(kind, 0))]
                for name in names:
                    facts.keep(kind, notes.read([name])[name])
            self._held = (_state(cursor), facts)
        return self._held[1]

    def _linked(self, walk: Walk, notes: Notes) -> dict[str, str]:
        """Return the linked products by the number that a stock list has: of a variation with a mark before it."""
        if self._known is None:
            self._known = {}
            for number in range(walk.known):
                name = f"{KNOWN}.{number}"
                for their in notes.read([name])[name]:
                    parent, mark, last = their.rpartition("#")
                    self._known[mark + last if parent else their] = their
        return self._known

    def _restocked(self, rows: Sequence[Mapping[str, Any]], walk: Walk, after: Cursor, notes: Notes) -> list[Item]:
        """Return what a page of stock tells of linked products."""
        known, mark = self._linked(walk, notes), "#" if after["list"] == "variant_stock" else ""
        listed: list[Item] = []
        for row in rows:
            their, units = known.get(f"{mark}{identifier(row.get('id'))}"), units_of(row)
            if their is not None and (units or not walk.in_stock_only):
                listed.append(Item(their, stock=units, delivery_days=days_of(row)))
        return listed

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
        return self._orders.progress(placed) if placed else {}


def _taxonomy(cursor: Mapping[str, Any]) -> Cursor:
    """Return where a taxonomy begins: nothing read, nothing kept."""
    return {"list": "variant_stock" if cursor["variants"] else "stock", "page": 0, "kept": {}, "listed": 0}


def _next(after: Cursor, facts: Facts, rows: int) -> Cursor | None:
    """Return where a walk goes on: the next page, the next list, the next taxonomy, or None."""
    after = after | {"listed": after["listed"] + rows}
    if rows >= _PAGE_SIZE:
        return after | {"page": after["page"] + 1}
    for following in _ORDER[_ORDER.index(after["list"]) + 1 :]:
        if _is_wanted(following, after, facts):
            return after | {"page": 0, "list": following, "listed": 0}
    left = None if after["left"] is None else after["left"] - facts.count()
    if after["at"] + 1 < len(after["taxonomies"]) and (left is None or left > 0):
        return after | {"at": after["at"] + 1, "left": left, **_taxonomy(after)}
    return None


def _is_wanted(kind: str, after: Cursor, facts: Facts) -> bool:
    """Say whether a list tells anything about what was chosen."""
    is_stock = after["walk"]["sync_type"] == "stock"
    if kind == "variants":
        return not is_stock and after["listed"] > 0
    if kind in _OF_CHOSEN:
        return not is_stock and facts.has_chosen()
    return True


def _page(
    cursor: Mapping[str, Any],
    listed: Sequence[Item],
    following: Cursor | None,
    keeps: Mapping[str, Any] | None = None,
    *,
    creates: bool = True,
) -> Page:
    """Return a page; with the last one of a taxonomy its notes go."""
    is_last = following is None or following["at"] != cursor["at"]
    kept = cursor["kept"].items() if is_last else ()
    drops = [_note(cursor["at"], kind, number) for kind, many in kept for number in range(many)]
    return Page(listed, next=following, creates=creates, keeps={} if is_last else keeps or {}, drops=drops)


def _note(taxonomy: int, kind: str, number: int) -> str:
    return f"{taxonomy}.{kind}.{number}"


def _state(cursor: Mapping[str, Any]) -> tuple[int, dict[str, int]]:
    """Return what tells the notes of one moment from those of another."""
    return cursor["at"], dict(cursor["kept"])
