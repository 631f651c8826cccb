"""A supplier that publishes a product file: whatever imports can read, read as a list of offers, in pages.

The file is read once, piece by piece, as long as one delivery carries the sync: its memory does not grow with the file. A later
delivery reads it again up to where the earlier one stood; when what it passes over is not what was read, it starts at the top,
which does no harm, since taking a record again changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from shared.adapters.feeds import FeedReader
from shared.core.errors import Problem, Terminal, Transient
from shared.imports.clean import Cleaner
from shared.imports.columns import Columns
from shared.imports.rows import MOST_FETCHED
from shared.orders.suppliers import Placed, Placement
from shared.ports.fetch import Fetch, Request
from shared.suppliers.port import Item, Notes, Opened, Page, Walk

__all__ = ["FeedSource"]

_A_PAGE = 500
_SEEN = 20_000  # rows that are passed over before it is noted how far the reading came
_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500


class FeedSource:
    """One connection of kind `feed`."""

    def __init__(self, opened: Opened, fetch: Fetch, check_url: Callable[[str], None]) -> None:
        """Take the configuration (`feed_url`, `feed_type`, `mapping_config`), the way out and its guard."""
        self._config, self._fetch, self._check_url = opened.config, fetch, check_url
        self._held: _Reading | None = None

    def check(self) -> None:
        """Read the beginning of the file; raise UrlNotAllowed, Terminal or Transient when it is none."""
        self._check_url(self._config["feed_url"])
        next(iter(self._rows()), None)

    def begin(self, walk: Walk, notes: Notes) -> Mapping[str, Any]:
        """Return the cursor of the file."""
        left = MOST_FETCHED if walk.limit is None else walk.limit  # no file has as many rows as it may have bytes
        return {"walk": asdict(walk), "row": 0, "digest": "", "left": left, "recognised": False}

    def page(self, cursor: Mapping[str, Any], notes: Notes) -> Page:
        """Read the next rows of the file, up to the limit."""
        walk, left = Walk(**cursor["walk"]), int(cursor["left"])
        reading = self._at(cursor)
        cleaner = Cleaner(Columns(self._config.get("mapping_config") or {}))
        items: list[Item] = []
        rejected: list[tuple[str, str, str]] = []
        ended = True
        for raw in reading:
            row = cleaner.row(raw)
            item = _item(row.fields) if row.error is None else None
            if row.error is not None:
                rejected.append((f"row {reading.row}", *row.error[1:]))
            elif item is None:
                rejected.append((f"row {reading.row}", "no_key", "The row has neither a SKU nor a barcode."))
            elif _wanted(item, walk):
                items.append(item)
            if len(items) >= left or len(items) + len(rejected) >= _A_PAGE or reading.row - reading.start >= _SEEN:
                ended = len(items) >= left
                break
        if ended:
            self._held = None
        recognised = cursor["recognised"] or cleaner.recognised
        if ended and not recognised and not items and rejected:
            raise Terminal("not_a_feed", "No column of the file is known.")
        told = {"row": reading.row, "digest": reading.digest(), "left": left - len(items), "recognised": recognised}
        return Page(items, rejected, None if ended else {**cursor, **told}, creates=walk.sync_type != "stock")

    def allowance(self) -> None:
        """Return nothing: a file has no quota."""

    def find(self, reference: str) -> Placed | None:
        """Refuse: a file takes no orders."""
        raise Terminal("no_ordering", "A feed supplier takes no orders.")

    def place(self, order: Placement) -> Placed:
        """Refuse: a file takes no orders."""
        raise Terminal("no_ordering", "A feed supplier takes no orders.")

    def progress(self, placed: Mapping[str, str]) -> dict[str, Placed]:
        """Refuse: a file knows no orders."""
        if not placed:
            return {}
        raise Terminal("no_ordering", "A feed supplier takes no orders.")

    def _at(self, cursor: Mapping[str, Any]) -> "_Reading":
        """Return the file at the row of the cursor: the one that is open, else opened anew and read up to there."""
        row, digest = cursor["row"], cursor["digest"]
        held, self._held = self._held, None
        if held is None or (held.row, held.digest()) != (row, digest):
            held = _Reading(self._rows())
            for _ in range(row):
                next(held, None)
            if held.digest() != digest and row:
                held = _Reading(self._rows())
        held.start = held.row
        self._held = held
        return held

    def _rows(self) -> Iterator[Any]:
        feed = FeedReader().open(self._pieces(), self._config.get("feed_type") or "auto", MOST_FETCHED)
        return feed.rows

    def _pieces(self) -> Iterator[bytes]:
        try:
            response = self._fetch.send(Request("GET", self._config["feed_url"], redirects=3, max_bytes=MOST_FETCHED))
        except Problem as refusal:
            raise Terminal("url_not_allowed", refusal.detail) from None
        try:
            if response.status == _TOO_MANY or response.status >= _SERVER_ERROR:
                limited = response.status == _TOO_MANY
                code = "rate_limited" if limited else f"http_{response.status}"
                raise Transient(code, f"The feed answered {response.status}.", rate_limited=limited)
            if response.status in {401, 403}:
                raise Terminal("credentials_rejected", f"The feed answered {response.status}.")
            if response.status != _OK:
                raise Terminal(f"http_{response.status}", f"The feed answered {response.status}.")
            yield from response.stream()
        finally:
            response.close()


class _Reading:
    """An open file: its rows, how many were read, and the digest of them."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows, self._hash = rows, blake2b(digest_size=16)
        self.row = self.start = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        told = next(self._rows)
        raw = told._replace(pairs=tuple(told.pairs))  # cells that can be read twice: for the digest and for the row
        self.row += 1
        self._hash.update(repr(raw).encode("utf-8", "surrogatepass"))
        return raw

    def digest(self) -> str:
        """Return what tells the rows read so far from other ones."""
        return self._hash.hexdigest() if self.row else ""


def _wanted(item: Item, walk: Walk) -> bool:
    if walk.category is not None and (item.category or "").casefold() != walk.category.casefold():
        return False
    return not walk.in_stock_only or bool(item.stock)


def _item(fields: Mapping[str, Any]) -> Item | None:
    key = fields.get("sku") or fields.get("barcode")
    if not key:
        return None
    price = fields.get("unit_cost") or fields.get("sale_price")
    stock = fields.get("stock")
    return Item(
        supplier_product_id=str(key),
        sku=fields.get("sku"),
        name=fields.get("name"),
        description=fields.get("description"),
        barcode=fields.get("barcode"),
        brand=fields.get("brand"),
        category=fields.get("category"),
        images=tuple(fields.get("images") or ()),
        cost=Decimal(str(price)) if price is not None else None,
        currency=fields.get("currency"),
        stock=max(0, stock) if isinstance(stock, int) else None,
    )
