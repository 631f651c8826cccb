"""Whole columns of cells at once: where every cell of one is plain, one test of their joined text does for all of them. Pure.

What is plain here gives exactly what the reader of single cells (`clean`) gives; any doubt leaves the column to it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from shared.imports.numbers import IN_STOCK, BadNumber, Stock, read_price, read_stock

__all__ = ["LONGEST_URL", "Values", "plain_column"]

LONGEST_URL = 2000
_IMAGES = re.compile(r"(?:https?://[^\s/,;|]+(?:/[^\s,;|]*)?\n)*", re.IGNORECASE)
_PAGES = re.compile(r"(?:https?://[^\s/]+(?:/\S*)?\n)*", re.IGNORECASE)
_LONGEST_CODE = 512
_PRINTABLE = bytes(range(0x20, 0x7F))
Values = dict[str, Sequence[Any]]
"""The values of fields, one for each row."""


def plain_column(field: str, cells: Sequence[Any], most: Mapping[str, int], allowed: Callable[[str], bool]) -> Values:
    """Return the values of a field, and of what follows from it; nothing when any cell needs a closer look.

    `most` holds the greatest length of texts, `allowed` says which addresses images may have.
    """
    try:
        stripped = list(map(str.strip, cells))
    except TypeError:
        return {}
    if not all(stripped):
        return {}
    if field == "images":
        return _images(stripped, allowed)
    known = _KNOWN.get(field)
    if known is not None:
        return known(field, stripped)
    return _texts(field, stripped, most[field]) if field in most else {}


def _texts(field: str, cells: list[str], most: int) -> Values:
    joined = "".join(cells)
    harmless_here = field != "description" or "<" not in joined
    plain = harmless_here and _is_plain(joined) and max(map(len, cells)) <= most
    return {field: cells} if plain else {}


def _images(cells: list[str], allowed: Callable[[str], bool]) -> Values:
    if not _are_addresses(_IMAGES, cells) or not all(map(allowed, cells)):
        return {}
    return {"images": [[cell] for cell in cells]}


def _pages(field: str, cells: list[str]) -> Values:
    return {field: cells} if _are_addresses(_PAGES, cells) else {}


def _are_addresses(form: re.Pattern[str], cells: list[str]) -> bool:
    joined = "".join(cells)
    plain = _is_plain(joined) and max(map(len, cells)) <= LONGEST_URL
    return plain and form.fullmatch("\n".join(cells) + "\n") is not None


def _barcodes(field: str, cells: list[str]) -> Values:
    joined = "".join(cells)
    plain = joined.isascii() and joined.isdigit() and max(map(len, cells)) <= _LONGEST_CODE
    return {field: cells} if plain else {}


def _prices(field: str, cells: list[str]) -> Values:
    prices = list(map(_price, cells))
    if None in prices:
        return {}
    amounts, currencies = zip(*prices, strict=True)
    if any(currencies):
        return {field: amounts, "currency": currencies} if all(currencies) else {}
    return {field: amounts}


def _stocks(_: str, cells: list[str]) -> Values:
    units = list(map(_units, cells))
    return {} if None in units else {"stock": units}


def _words(_: str, cells: list[str]) -> Values:
    units = list(map(_units, cells))
    return {"stock": units} if set(units) <= {IN_STOCK, 0} else {}


def _is_plain(text: str) -> bool:
    """Say whether a text is printable ASCII: by bytes, thrice as fast as to ask the text."""
    return text.isascii() and not text.encode().translate(None, _PRINTABLE)


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


_KNOWN: Mapping[str, Callable[[str, list[str]], Values]] = {
    "source_url": _pages,
    "barcode": _barcodes,
    "sale_price": _prices,
    "unit_cost": _prices,
    "stock": _stocks,
    "availability": _words,
}
