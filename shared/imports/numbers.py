"""Reading prices and quantities as shops write them, European or American (api.md 2.11). Pure."""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from shared.core.money import MOST
from shared.core.quantities import MOST as MOST_UNITS

__all__ = ["IN_STOCK", "BadNumber", "Price", "Stock", "read_price", "read_stock"]

_CENT = Decimal("0.01")
_SIGNS = {"€": "EUR", "£": "GBP", "¥": None, "$": None, "₹": "INR", "zł": "PLN", "kr": None, "Fr.": None, "₽": "RUB"}
_SIGN = "|".join(re.escape(sign) for sign in _SIGNS)
_DROPPED = re.compile("[\\s'\u2019\u00a0\u202f\u2009]+")
_FORM = re.compile(rf"([A-Za-z]{{3}}|{_SIGN})?([0-9.,]+)([A-Za-z]{{3}}|{_SIGN})?")
_PLAIN = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,2})?", re.ASCII)
_GROUP = 3
_UNSIGNED = re.compile(r"[0-9.,]{1,40}")
_LONGEST = 40
IN_STOCK = "in_stock"
_WORDS: dict[str, int | str] = {
    **dict.fromkeys(("in stock", "in_stock", "instock", "available", "en stock", "disponible"), IN_STOCK),
    **dict.fromkeys(
        (
            "out of stock",
            "out_of_stock",
            "outofstock",
            "unavailable",
            "rupture",
            "rupture de stock",
            "indisponible",
            "sold out",
            "preorder",
            "backorder",
            "soldout",
            "onbackorder",
        ),
        0,
    ),
}


class BadNumber(ValueError):
    """The text is no price, or no whole quantity."""


class Stock(NamedTuple):
    """A number of units, or the word that says there are some; and whether its one separator could mean either thing."""

    units: int | str
    ambiguous: bool = False


class Price(NamedTuple):
    """An amount with two places, the currency written with it, and whether its one separator could mean either thing."""

    amount: Decimal
    currency: str | None = None
    ambiguous: bool = False


@lru_cache(maxsize=8192)
def read_price(text: str) -> Price:
    """Read a price; raise BadNumber for what is unreadable, negative or too large."""
    if _PLAIN.fullmatch(text):
        return Price(Decimal(text).quantize(_CENT))
    bare = _DROPPED.sub("", text)
    found = _FORM.fullmatch(bare) if len(bare) <= _LONGEST else None
    if found is None:
        raise BadNumber(text)
    digits, ambiguous = _decimal(found[2])
    amount = Decimal(digits).quantize(_CENT, ROUND_HALF_UP)
    if amount > MOST:
        raise BadNumber(text)
    return Price(amount, _currency(found[1]) or _currency(found[3]), ambiguous)


@lru_cache(maxsize=8192)
def read_stock(text: str) -> Stock:
    """Read a quantity; the words of availability give 0 or `in_stock`. Raise BadNumber for fractions and the unreadable."""
    if text.isascii() and text.isdigit() and len(text) < 10:  # noqa: PLR2004 - below the greatest quantity
        return Stock(int(text))
    word = _WORDS.get(text.strip().casefold())
    if word is not None:
        return Stock(word)
    bare = _DROPPED.sub("", text)
    if not _UNSIGNED.fullmatch(bare):
        raise BadNumber(text)
    digits, ambiguous = _decimal(bare)
    number = Decimal(digits)
    if number != number.to_integral_value() or number > MOST_UNITS:
        raise BadNumber(text)
    return Stock(int(number), ambiguous)


def _currency(told: str | None) -> str | None:
    if told is None or told in _SIGNS:
        return _SIGNS.get(told or "")
    return told.upper()


def _decimal(text: str) -> tuple[str, bool]:
    """Return digits with at most one point, and whether the reading was a matter of convention."""
    dots, commas = text.count("."), text.count(",")
    if dots and commas:
        return _both(text), False
    if not dots and not commas:
        return text, False
    mark, count = (".", dots) if dots else (",", commas)
    before, _, after = text.partition(mark)
    if count > 1:
        return _checked(text.replace(mark, "")), False
    doubtful = len(after) == _GROUP and 1 <= len(before) <= _GROUP
    if doubtful and mark == ",":
        return before + after, True
    return _checked(f"{before or '0'}.{after or '0'}" if before or after else ""), doubtful


def _both(text: str) -> str:
    """With both marks the last is the decimal point; the others group thousands."""
    point = max(text.rfind("."), text.rfind(","))
    mark = text[point]
    whole, fraction = text[:point], text[point + 1 :]
    if mark in whole:
        raise BadNumber(text)
    return _checked(f"{whole.replace(',' if mark == '.' else '.', '') or '0'}.{fraction or '0'}")


def _checked(digits: str) -> str:
    if not any(each.isdigit() for each in digits):
        raise BadNumber(digits)
    return digits
