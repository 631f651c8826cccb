"""Reading product pages and whole shops: robots.txt first, one request a second for each host, within the asked bounds.

A shop is read by its public product list (Shopify, then WooCommerce), else by its sitemap, else by the links of its first
page. Pages read are kept, so that a delivery that ends early goes on where it was.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Protocol
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from shared.core.clock import Clock
from shared.core.errors import Terminal, Transient, UrlNotAllowed
from shared.core.values import dataclass
from shared.imports.clean import Cleaner, Row
from shared.imports.columns import Columns
from shared.imports.page import read_page
from shared.imports.product_page import products_of
from shared.imports.record import part_key, part_write, rows_of
from shared.imports.rows import Raw
from shared.imports.shopify import variants_of
from shared.jobs.step import Step, TimeUp
from shared.ports.documents import Stored
from shared.ports.fetch import Fetch, Request, Response
from shared.ports.store import Store

__all__ = ["AGENT", "Robots", "Scraper"]

AGENT = "onhand"
_PAGE_BYTES = 50 * 2**20
_LIST_BYTES = 20 * 2**20
_ROBOTS_BYTES = 512 * 1024
_SHOPIFY_PAGE, _WOO_PAGE = 250, 100
_MOST_SITEMAPS = 20
_MOST_LOCATIONS = 5000
_RESERVE_S = 75.0
_ATTRIBUTES = frozenset({"rating", "review_count"})
_LOCATION = re.compile(rb"<(?:[a-zA-Z0-9]+:)?loc>\s*(?:<!\[CDATA\[)?\s*([^<\]]{1,2000}?)\s*(?:\]\]>)?\s*</")
_CHARSET = re.compile(rb"""charset\s*=\s*["']?([a-zA-Z0-9_-]{2,20})""")
_SECONDS = re.compile(r"[0-9]{1,5}")
_NAMED_SITEMAP = re.compile(r"(?im)^\s*sitemap\s*:\s*(\S{1,2000})\s*$")
_PRODUCT = re.compile(r"/(?:products?|p|item|shop|produit|artikel)/", re.IGNORECASE)
_OK, _NOT_FOUND = 200, frozenset({400, 401, 403, 404, 405, 410})


class Robots(Protocol):
    """Reads robots.txt."""

    def __call__(self, text: str) -> Callable[[str], bool]:
        """Return what says whether an address may be read."""
        ...


@dataclass(frozen=True)
class Scraper:
    """Reads pages through the guarded way out."""

    fetch: Fetch
    store: Store
    clock: Clock
    robots: Robots
    pace: Callable[[str], None]
    """Waits until the next request to a host may start."""
    image_allowed: Callable[[str], bool]
    rendered: Callable[[str], str | None] | None = None
    """Returns the HTML of a page after its scripts have run, where somebody does that for us."""

    def page(self, run: Stored) -> list[Row]:
        """Return the products of one page, if need be as its scripts draw it; raise Terminal `no_product` for none."""
        url, asked = run.data["source"], run.data["asked"]
        if not self._rules(url)(url):
            raise Terminal("robots_disallowed", "The robots.txt of the site does not allow reading this page.")
        found = self._products(url, asked) or self._drawn(url, asked)
        if not found:
            raise Terminal("no_product", "The page shows no product that can be read.")
        return found

    def shop(self, run: Stored, step: Step) -> Iterator[Row]:
        """Yield the products of a shop; raise Terminal `no_products` when nothing is found."""
        most, wanted = run.data["asked"]["most"], run.data["asked"]["category"]
        count = 0
        for row in self._shop(run, step):
            if wanted is not None and wanted.casefold() not in row.fields.get("category", "").casefold():
                continue
            count += 1
            yield row
            if count >= most:
                return
        if not count:
            raise Terminal("no_products", "No product was found at this address.")

    def _shop(self, run: Stored, step: Step) -> Iterator[Row]:
        base = run.data["source"].rstrip("/")
        rules = self._rules(base)
        listed = False
        for reader in (self._shopify, self._woocommerce):
            for row in reader(base, rules):
                listed = True
                self._alive(step, row)
                yield row
            if listed:
                return
        yield from self._pages(run, step, rules)

    def _shopify(self, base: str, rules: Callable[[str], bool]) -> Iterator[Row]:
        for page in range(1, 101):
            content = self._json(f"{base}/products.json?limit={_SHOPIFY_PAGE}&page={page}", rules)
            products = content.get("products") if isinstance(content, dict) else None
            if not isinstance(products, list) or not products:
                return
            for product in products:
                if isinstance(product, dict):
                    yield from self._shopify_rows(base, product)
            if len(products) < _SHOPIFY_PAGE:
                return

    def _shopify_rows(self, base: str, product: dict[str, Any]) -> Iterator[Row]:
        handle = product.get("handle")
        address = {"source_url": f"{base}/products/{quote(handle)}"} if isinstance(handle, str) else {}
        for told in variants_of(product):
            cells = {name: value for name, value in told.items() if name not in {"handle", "id", "available"}}
            yield self._row(Raw(list((cells | address).items())), "products.json")

    def _woocommerce(self, base: str, rules: Callable[[str], bool]) -> Iterator[Row]:
        for page in range(1, 101):
            products = self._json(f"{base}/wp-json/wc/store/v1/products?per_page={_WOO_PAGE}&page={page}", rules)
            if not isinstance(products, list) or not products:
                return
            for product in products:
                if isinstance(product, dict):
                    yield self._row(Raw(list(_woo_cells(product).items())), "woocommerce")
            if len(products) < _WOO_PAGE:
                return

    def _pages(self, run: Stored, step: Step, rules: Callable[[str], bool]) -> Iterator[Row]:
        """Yield the products of the shop's pages, each read once whatever happens between deliveries."""
        for number, address in enumerate(self._plan(run, rules)):
            key = part_key(run.key.id, "p", number)
            kept = self.store.get(key)
            if kept is None:
                if step.time_left() < _RESERVE_S:
                    raise TimeUp
                rows = self._page_rows(address, rules)
                packed = [[row.fields, row.error, row.code] for row in rows]
                self.store.write([part_write(run.key.id, "p", number, packed, self.clock.now())])
                step.checkpoint(progress=(0, None, f"Reading pages: {number + 1}"))
            else:
                rows = [Row(fields, tuple(error) if error else None, code) for fields, error, code in rows_of(kept)]
            yield from rows

    def _page_rows(self, address: str, rules: Callable[[str], bool]) -> list[Row]:
        if not rules(address):
            return []
        try:
            return self._products(address, {"variants": True})
        except (Terminal, UrlNotAllowed):
            return []  # one page that is gone or refused is no reason to lose the shop

    def _plan(self, run: Stored, rules: Callable[[str], bool]) -> list[str]:
        """Return the addresses of the pages to read, decided once for an import."""
        kept = self.store.get(part_key(run.key.id, "u", 0))
        if kept is not None:
            return [str(address) for address in rows_of(kept)]
        base, most = run.data["source"].rstrip("/"), run.data["asked"]["most"]
        found = self._sitemap(base, rules) or self._links(base, rules)
        allowed = [address for address in dict.fromkeys(found) if rules(address)]
        products = [address for address in allowed if _PRODUCT.search(address)] or allowed
        plan = products[: most * 2]
        self.store.write([part_write(run.key.id, "u", 0, plan, self.clock.now())])
        return plan

    def _sitemap(self, base: str, rules: Callable[[str], bool]) -> list[str]:
        waiting = [*self._named_sitemaps(base), f"{_origin(base)}/sitemap.xml"]
        found: list[str] = []
        read: set[str] = set()
        while waiting and len(read) < _MOST_SITEMAPS and len(found) < _MOST_LOCATIONS:
            address = waiting.pop(0)
            if address in read:
                continue
            read.add(address)
            body = self._bytes(address, _LIST_BYTES) if rules(address) else None
            for place in _locations(body or b""):
                same = urlsplit(place).netloc == urlsplit(base).netloc
                (waiting if urlsplit(place).path.endswith((".xml", ".xml.gz")) else found).extend(
                    [place] if same else []
                )
        return found[:_MOST_LOCATIONS]

    def _named_sitemaps(self, base: str) -> list[str]:
        """Return the sitemaps that the site's robots.txt names, of its own host."""
        told = (self._bytes(f"{_origin(base)}/robots.txt", _ROBOTS_BYTES) or b"").decode("utf-8", "replace")
        named = (urljoin(f"{_origin(base)}/", place) for place in _NAMED_SITEMAP.findall(told))
        return [place for place in named if urlsplit(place).netloc == urlsplit(base).netloc]

    def _links(self, base: str, rules: Callable[[str], bool]) -> list[str]:
        body = self._bytes(base + "/", _PAGE_BYTES) if rules(base + "/") else None
        if not body:
            return []
        addresses = (urldefrag(urljoin(base + "/", link)).url for link in read_page(_decoded(body, "")).links)
        same = urlsplit(base).netloc
        return [each for each in addresses if urlsplit(each).netloc == same and _PRODUCT.search(each)]

    def _products(self, url: str, asked: Any) -> list[Row]:
        with closing(self._get(url, _PAGE_BYTES)) as response:
            if response.status != _OK:
                _refuse_status(response)
            html = _decoded(response.read(), response.headers.get("content-type", ""))
        return [self._row(raw, places) for raw, places in products_of(html, url, asked)]

    def _drawn(self, url: str, asked: Any) -> list[Row]:
        """Return the products of a page that was read and shows none before its scripts run."""
        html = self.rendered(url) if self.rendered is not None else None
        found = products_of(html, url, asked) if html else ()
        return [self._row(raw, {name: f"{place}, rendered" for name, place in at.items()}) for raw, at in found]

    def _row(self, raw: Raw, places: dict[str, str] | str) -> Row:
        row = Cleaner(Columns(), image_allowed=self.image_allowed).row(raw)
        if row.error is not None:
            return row
        told = {name: str(value) for name, value in raw.pairs if name in _ATTRIBUTES}
        fields = row.fields | ({"attributes": told} if told else {})
        origin = {name: places if isinstance(places, str) else places.get(name, "address") for name in fields}
        return row._replace(fields={**fields, "provenance": origin})

    def _alive(self, step: Step, row: Row) -> None:
        """Keep the lease while a long list is read."""
        if row.error is None and step.time_left() < _RESERVE_S:
            raise TimeUp

    def _rules(self, url: str) -> Callable[[str], bool]:
        """Return what the site's robots.txt allows; a site without one allows everything."""
        body = self._bytes(f"{_origin(url)}/robots.txt", _ROBOTS_BYTES)
        return (lambda _: True) if body is None else self.robots(body.decode("utf-8", "replace"))

    def _json(self, url: str, rules: Callable[[str], bool]) -> Any:
        body = self._bytes(url, _LIST_BYTES) if rules(url) else None
        try:
            return json.loads(body) if body else None
        except (ValueError, RecursionError):
            return None

    def _bytes(self, url: str, most: int) -> bytes | None:
        """Return a body, None when there is none at this address; raise Transient when the site is in trouble."""
        with closing(self._get(url, most)) as response:
            if response.status == _OK:
                return response.read()
            if response.status in _NOT_FOUND:
                return None
            _refuse_status(response)
        return None

    def _get(self, url: str, most: int) -> Response:
        self.pace(urlsplit(url).netloc)
        headers = {"User-Agent": AGENT, "Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.5"}
        return self.fetch.send(Request("GET", url, headers, redirects=3, max_bytes=most))


def _refuse_status(response: Response) -> None:
    """Raise what a status that is no success means."""
    status = response.status
    if status == 429 or status >= 500 or status == 408:  # noqa: PLR2004 - the statuses that pass
        told = response.headers.get("retry-after", "")
        wait = float(told) if _SECONDS.fullmatch(told) else None
        raise Transient("source_unavailable", f"The site answered {status}.", wait_s=wait, rate_limited=status == 429)  # noqa: PLR2004
    raise Terminal("source_status", f"The site answered {status}.")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _decoded(body: bytes, content_type: str) -> str:
    """Return a page as text: by its header, its meta tag, else as UTF-8."""
    told = _CHARSET.search(content_type.encode("latin-1", "replace")) or _CHARSET.search(body[:2048])
    try:
        return body.decode(told[1].decode("ascii") if told else "utf-8", "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _locations(body: bytes) -> Iterator[str]:
    if body.startswith(b"\x1f\x8b"):
        try:
            body = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body, _LIST_BYTES)
        except zlib.error:
            return
    for found in _LOCATION.finditer(body):
        yield found[1].decode("utf-8", "replace").replace("&amp;", "&")


def _woo_cells(product: dict[str, Any]) -> dict[str, Any]:
    """Return a product of the WooCommerce Store API under the usual names; prices come in minor units."""
    prices = product.get("prices")
    prices = prices if isinstance(prices, dict) else {}
    stated = _from_minor_units(prices.get("price"), prices.get("currency_minor_unit", 2))
    categories = product.get("categories")
    return {
        "name": product.get("name"),
        "sku": product.get("sku") or None,
        "description": product.get("description") or product.get("short_description"),
        "sale_price": stated,
        "currency": prices.get("currency_code") if stated else None,
        "images": product.get("images"),
        "category": categories[0] if isinstance(categories, list) and categories else None,
        "source_url": product.get("permalink"),
        "stock": product.get("low_stock_remaining"),
    }


def _from_minor_units(price: Any, places: Any) -> str | None:
    """Return a price told as a text of digits, with its point; None for anything else."""
    if not (isinstance(price, str) and price.isdigit() and places in range(5)):
        return None
    digits = price.zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
