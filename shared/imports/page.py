"""What a product page says of its product: JSON-LD, microdata and meta tags, read by one tolerant pass. Pure.

Each source is read by itself: a broken block loses nothing but itself. Scripts that are no JSON-LD are never looked at.
"""

import json
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from shared.core.values import dataclass, field

__all__ = ["Page", "read_page"]

_MOST_BLOCK = 2**20
_MOST_NODES = 5000
_MOST_LINKS = 5000
_MOST_TEXT = 128 * 1024
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_ADDRESSES = {"a": "href", "link": "href", "img": "src", "source": "src", "object": "data"}


@dataclass(slots=True)
class _Item:
    """An element with itemscope, and its properties."""

    kind: str
    depth: int
    values: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        if value and len(self.values) < _MOST_NODES:
            self.values.setdefault(name, []).append(value)


@dataclass(slots=True)
class Page:
    """What was found: product nodes of JSON-LD, product items of microdata, meta tags, links."""

    nodes: list[Mapping[str, Any]] = field(default_factory=list)
    items: list[Mapping[str, Any]] = field(default_factory=list)
    meta: dict[str, list[str]] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)


def read_page(html: str) -> Page:
    """Read a page."""
    parser = _Reader()
    parser.feed(html)
    parser.close()
    parser.finish()
    return parser.page


class _Reader(HTMLParser):
    """Collects; never fails."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._depth = 0
        self._block: list[str] | None = None
        self._items: list[_Item] = []
        self._texts: list[tuple[int, tuple[str, ...], list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in reversed(attrs)}
        void = tag in _VOID
        self._depth += 0 if void else 1
        if tag == "script":
            kind = told.get("type", "").partition(";")[0].strip().lower()
            self._block = [] if kind == "application/ld+json" else None
        elif tag == "meta":
            self._meta(told)
        elif tag == "a" and told.get("href") and len(self.page.links) < _MOST_LINKS:
            self.page.links.append(told["href"])
        self._microdata(tag, told, dict(attrs), void=void)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if tag == "script" and self._block is not None:
            self._take_block("".join(self._block))
            self._block = None
        self._leave(self._depth)
        self._depth = max(0, self._depth - 1)

    def handle_data(self, data: str) -> None:
        if self._block is not None:
            self._block.append(data)
        for _, _, parts in self._texts:
            parts.append(data)

    def finish(self) -> None:
        """Close what the page left open."""
        if self._block is not None:
            self._take_block("".join(self._block))
        self._leave(0)

    def _meta(self, told: Mapping[str, str]) -> None:
        name = (told.get("property") or told.get("name") or "").strip().lower()
        if name and told.get("content") and len(self.page.meta) < _MOST_NODES:
            self.page.meta.setdefault(name, []).append(told["content"].strip())

    def _microdata(self, tag: str, told: Mapping[str, str], attrs: Mapping[str, Any], *, void: bool) -> None:
        names = tuple(told.get("itemprop", "").split()[:20])
        if "itemscope" in attrs and not void:
            item = _Item(told.get("itemtype", "").rstrip("/").rpartition("/")[2].lower(), self._depth)
            owner = self._items[-1] if self._items else None
            for name in names:
                if owner is not None:
                    owner.add(name, {"@type": item.kind, "@item": item})
            self._open(item, owner)
        elif names and self._items:
            value = told.get("content") or told.get(_ADDRESSES.get(tag, ""), "") or told.get("datetime", "")
            if value or void:
                for name in names:
                    self._items[-1].add(name, value.strip())
            elif len(self._texts) < 50:  # noqa: PLR2004 - nested properties beyond that are no page
                self._texts.append((self._depth, names, []))

    def _open(self, item: _Item, owner: _Item | None) -> None:
        if item.kind == "product" and owner is None:
            self.page.items.append(item.values)
        self._items.append(item)

    def _leave(self, depth: int) -> None:
        while self._texts and self._texts[-1][0] >= depth:
            _, names, parts = self._texts.pop()
            text = " ".join("".join(parts)[:_MOST_TEXT].split())
            for name in names if self._items else ():
                self._items[-1].add(name, text)
        while self._items and self._items[-1].depth >= max(depth, 1):
            self._items.pop()

    def _take_block(self, text: str) -> None:
        try:
            content = json.loads(text) if len(text) <= _MOST_BLOCK else None
        except (ValueError, RecursionError):
            return
        self.page.nodes.extend(_products(content))


def _products(content: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the product nodes of a block, wherever they stand, without recursion."""
    waiting, seen = [content], 0
    while waiting and seen < _MOST_NODES:
        node = waiting.pop(0)
        seen += 1
        if isinstance(node, list):
            waiting = [*node[:_MOST_NODES], *waiting]
        elif isinstance(node, dict):
            kinds = node.get("@type")
            names = kinds if isinstance(kinds, list) else [kinds]
            if any(str(name).rpartition("/")[2] in {"Product", "ProductGroup", "IndividualProduct"} for name in names):
                yield node
            else:
                waiting.extend(
                    node[name] for name in ("@graph", "mainEntity", "itemListElement", "item") if name in node
                )
