"""A supplier that publishes a product file: whatever imports can read, read as a list of offers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from shared.adapters.feeds import FeedReader
from shared.core.errors import Problem, Terminal, Transient
from shared.imports.clean import Cleaner
from shared.imports.columns import Columns
from shared.imports.rows import MOST_FETCHED
from shared.orders.suppliers import Placed, Placement
from shared.ports.fetch import Fetch, Request
from shared.suppliers.port import Item, Opened, Page, Walk

__all__ = ["FeedSource"]

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500


class FeedSource:
    """One connection of kind `feed`."""

    def __init__(self, opened: Opened, fetch: Fetch, check_url: Callable[[str], None]) -> None:
        """Take the configuration (`feed_url`, `feed_type`, `mapping_config`), the way out and its guard."""
        self._config, self._fetch, self._check_url = opened.config, fetch, check_url

    def check(self) -> None:
        """Read the beginning of the file; raise UrlNotAllowed, Terminal or Transient when it is none."""
        self._check_url(self._config["feed_url"])
        next(iter(self._rows()), None)

    def begin(self, walk: Walk) -> Mapping[str, Any]:
        """Return the cursor of the file."""
        return {"walk": asdict(walk)}

    def page(self, cursor: Mapping[str, Any]) -> Page:
        """Read the whole file, up to the limit."""
        walk = Walk(**cursor["walk"])
        cleaner = Cleaner(Columns(self._config.get("mapping_config") or {}))
        items: list[Item] = []
        rejected: list[tuple[str, str, str]] = []
        for number, raw in enumerate(self._rows(), 1):
            row = cleaner.row(raw)
            if row.error is not None:
                _, code, message = row.error
                rejected.append((f"row {number}", code, message))
                continue
            item = _item(row.fields)
            if item is None:
                rejected.append((f"row {number}", "no_key", "The row has neither a SKU nor a barcode."))
            elif _wanted(item, walk):
                items.append(item)
            if len(items) >= walk.limit:
                break
        if not cleaner.recognised and not items and rejected:
            raise Terminal("not_a_feed", "No column of the file is known.")
        return Page(items, rejected, creates=walk.sync_type != "stock")

    def allowance(self) -> None:
        """Return nothing: a file has no quota."""

    def find(self, reference: str) -> Placed | None:
        """Refuse: a file takes no orders."""
        raise Terminal("no_ordering", "A feed supplier takes no orders.")

    def place(self, order: Placement) -> Placed:
        """Refuse: a file takes no orders."""
        raise Terminal("no_ordering", "A feed supplier takes no orders.")

    def progress(self, references: Sequence[str]) -> dict[str, Placed]:
        """Refuse: a file knows no orders."""
        if not references:
            return {}
        raise Terminal("no_ordering", "A feed supplier takes no orders.")

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
