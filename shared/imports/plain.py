"""Whole columns of cells at once: where every cell of one is plain, one test of their joined text does for all of them. Pure.

What is plain here gives exactly what the reader of single cells (`clean`) gives; any doubt leaves the column to it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from shared.imports.numbers import IN_STOCK, BadNumber, Stock, read_price, read_stock

__all__ = ["LENGTHS", "LONGEST_URL", "Column", "Sheet", "plain_column", "text_column"]

LENGTHS = {
    "name": 255,
    "description": 20_000,
    "category": 100,
    "brand": 100,
    "sku": 100,
    "barcode": 512,
    "package_size": 100,
    "seo_title": 60,
    "seo_description": 155,
    "supplier_product_id": 200,
}
"""The greatest length of each field of text."""
LONGEST_URL = 2000
_IMAGES = re.compile(r"(?:https?://[^\s/,;|]+(?:/[^\s,;|]*)?\n)*", re.IGNORECASE)
_PAGES = re.compile(r"(?:https?://[^\s/]+(?:/\S*)?\n)*", re.IGNORECASE)
_SECURE, _HOSTLESS = "\nhttps://", "\nhttps:///"
_PRINTABLE = bytes(range(0x20, 0x7F))


class Column(NamedTuple):
    """The values of one field in some rows: what they are like, and the joined lines of their texts where they are texts.

    Kinds: `text`; `image`, one address standing for a list of one; `units`, numbers or the word that there are some.
    """

    kind: str
    cells: Sequence[Any]
    lines: str = ""

    def values(self) -> Sequence[Any]:
        """Return the values as rows have them."""
        return [[cell] for cell in self.cells] if self.kind == "image" else self.cells

    def cut(self, start: int, end: int) -> "Column":
        """Return the values of some of the rows."""
        return text_column(self.cells[start:end], self.kind) if self.lines else Column(self.kind, self.cells[start:end])


class Sheet(NamedTuple):
    """Rows without a remark or an error that have the same fields, by column."""

    size: int
    columns: dict[str, Column]

    def rows(self) -> list[dict[str, Any]]:
        """Return the fields of each row."""
        if not self.columns:
            return [{} for _ in range(self.size)]
        told = zip(*(column.values() for column in self.columns.values()), strict=True)
        return [dict(zip(self.columns, row, strict=True)) for row in told]

    def cut(self, start: int, end: int) -> "Sheet":
        """Return some of the rows."""
        columns = {field: column.cut(start, end) for field, column in self.columns.items()}
        return Sheet(min(end, self.size) - start, columns)


Values = dict[str, Column]


def text_column(cells: Sequence[str], kind: str = "text") -> Column:
    """Return a column of texts of printable ASCII."""
    return Column(kind, cells, "\n".join(cells))


def plain_column(field: str, cells: Sequence[Any], allowed: Callable[[str], bool], *, printable: bool) -> Values:
    """Return the values of a field, and of what follows from it; nothing when any cell needs a closer look.

    `allowed` says which addresses images may have, `printable` that all texts are known to be printable ASCII.
    """
    try:
        stripped = list(map(str.strip, cells))
    except TypeError:
        return {}
    known = _KNOWN.get(field)
    if "" in stripped or (known is None and field not in LENGTHS and field not in _ADDRESSES):
        return {}
    if known is not None:
        return known(field, stripped)
    column = text_column(stripped)
    if not (printable or _is_plain(column.lines, len(stripped))):
        return {}
    if field in _ADDRESSES:
        return _addresses(field, column, allowed)
    harmless_here = field != "description" or "<" not in column.lines
    plain = harmless_here and max(map(len, stripped)) <= LENGTHS[field]
    if field == "barcode":
        plain = plain and column.lines.replace("\n", "").isdigit()
    return {field: column} if plain else {}


def _addresses(field: str, column: Column, allowed: Callable[[str], bool]) -> Values:
    if max(map(len, column.cells)) > LONGEST_URL or not _are_addresses(field, column):
        return {}
    if field == "images":
        return {field: column._replace(kind="image")} if all(map(allowed, column.cells)) else {}
    return {field: column}


def _are_addresses(field: str, column: Column) -> bool:
    form, signs = _ADDRESSES[field]
    lines = f"\n{column.lines}\n"
    usual = lines.count(_SECURE) == len(column.cells) and _HOSTLESS not in lines and f"{_SECURE}\n" not in lines
    if usual and not any(sign in lines for sign in signs):
        return True
    return form.fullmatch(lines, 1) is not None


def _prices(field: str, cells: list[str]) -> Values:
    prices = list(map(_price, cells))
    if None in prices:
        return {}
    amounts, currencies = zip(*prices, strict=True)
    if any(currencies):
        return {field: text_column(amounts), "currency": text_column(currencies)} if all(currencies) else {}
    return {field: text_column(amounts)}


def _stocks(_: str, cells: list[str]) -> Values:
    units = list(map(_units, cells))
    return {} if None in units else {"stock": Column("units", units)}


def _words(_: str, cells: list[str]) -> Values:
    units = list(map(_units, cells))
    return {"stock": Column("units", units)} if set(units) <= {IN_STOCK, 0} else {}


def _is_plain(lines: str, count: int) -> bool:
    """Say whether so many joined texts are printable ASCII: by bytes, thrice as fast as to ask the text."""
    return lines.isascii() and lines.encode().translate(None, _PRINTABLE) == b"\n" * (count - 1)


@lru_cache(maxsize=8192)
def _price(text: str) -> tuple[str, str | None] | None:
    try:
        price = read_price(text)
    except BadNumber:
        return None
    return None if price.ambiguous else (str(price.amount), price.currency)


@lru_cache(maxsize=8192)
def _units(text: str) -> int | str | None:
    try:
        stock = read_stock(text)
    except BadNumber:
        return None
    return stock.units if stock == Stock(stock.units) else None


_ADDRESSES = {"images": (_IMAGES, " ,;|"), "source_url": (_PAGES, " ")}
_KNOWN: Mapping[str, Callable[[str, list[str]], Values]] = {
    "sale_price": _prices,
    "unit_cost": _prices,
    "stock": _stocks,
    "availability": _words,
}
