"""One reading of every code a scanner may send: retail codes, GS1 element strings, Digital Links, and other text.

A code that stands for a GTIN is one code in all its forms: UPC-A, the EAN-13 with a leading 0, the GTIN-14 with 00, the UPC-E
that expands to it, and (01) of an element string or a Digital Link. Everything else is text and matches itself only. Nothing
is ever fetched, and reading never fails: what follows no rule is `other`.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.catalog.elements import FNC1, Elements, in_brackets, is_digits, valid_elements, with_separators
from shared.core.once import later
from shared.core.values import dataclass, field

__all__ = ["Code", "check_digit", "expand_upc_e", "gs1_date", "has_valid_check_digit", "read_code"]

_BY_LENGTH = {8: "ean_8", 12: "upc_a", 13: "ean_13", 14: "gtin_14"}
_GTIN = 14
_PREFIX = later(lambda: re.compile(r"\](?:C1|d2|Q3|e0)"))
_QUALIFIERS = frozenset({"10", "21", "22", "235"})
_KEYS = frozenset({"01", "gtin"})
_UPC_E = 8


@dataclass(frozen=True, slots=True)
class Code:
    """A code that was read. `gtin` has 14 digits and a right check digit, or is None."""

    text: str
    symbology: str
    gtin: str | None = None
    valid_check_digit: bool | None = None
    gs1: Mapping[str, str] = field(default_factory=dict)
    expiry: date | None = None

    @property
    def lot(self) -> str | None:
        """Return the batch or lot."""
        return self.gs1.get("10")

    @property
    def serial(self) -> str | None:
        """Return the serial number."""
        return self.gs1.get("21")

    @property
    def claim(self) -> str:
        """Return what two codes of one product have in common: the GTIN, else the very text."""
        return f"gtin {self.gtin}" if self.gtin else f"text {self.text}"

    @property
    def kept(self) -> str:
        """Return what a product keeps: element strings and links tell more than the product, so their GTIN alone."""
        return self.gtin if self.gtin and self.gs1 else self.text


def read_code(text: str, today: date) -> Code:
    """Read a code as scanned; `today` decides the century of its dates."""
    if is_digits(text):
        return _retail(text)
    link = _link(text)
    if link is not None:
        return _gs1(text, "gs1_digital_link", link, today)
    elements = _element_string(text)
    if elements is not None:
        return _gs1(text, "gs1_elements", elements, today)
    return Code(text, "other")


def check_digit(body: str) -> str:
    """Return the mod-10 check digit of the digits before it: weights 3, 1 from the right."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def has_valid_check_digit(digits: str) -> bool:
    """Say whether the last digit is the check digit of the others."""
    return check_digit(digits[:-1]) == digits[-1]


def expand_upc_e(digits: str) -> str | None:
    """Return the UPC-A of the 8 digits of a UPC-E, None when they cannot be one (number system 0 or 1)."""
    system, body, check = digits[0], digits[1:7], digits[7]
    if system not in "01":
        return None
    last = body[5]
    if last in "012":
        item = f"{body[:2]}{last}0000{body[2:5]}"
    elif last == "3":
        item = f"{body[:3]}00000{body[3:5]}"
    elif last == "4":
        item = f"{body[:4]}00000{body[4]}"
    else:
        item = f"{body[:5]}0000{last}"
    return f"{system}{item}{check}"


def gs1_date(digits: str, today: date) -> date | None:
    """Return the day of YYMMDD (day 00: the month's last), the century by the 51-49 rule; None when there is none."""
    if not is_digits(digits) or len(digits) != 6:  # noqa: PLR2004 - YYMMDD
        return None
    short, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    ahead = short - today.year % 100
    century = today.year // 100 + (-1 if ahead > 50 else 1 if ahead < -49 else 0)  # noqa: PLR2004 - the rule's name
    year = century * 100 + short
    try:
        first = date(year, month, 1)
        if day:
            return first.replace(day=day)
        following = (first + timedelta(days=31)).replace(day=1)
        return following - timedelta(days=1)
    except ValueError:
        return None


def _retail(digits: str) -> Code:
    symbology = _BY_LENGTH.get(len(digits))
    if symbology is None:
        return Code(digits, "other")
    if has_valid_check_digit(digits):
        return Code(digits, symbology, digits.zfill(_GTIN), valid_check_digit=True)
    expanded = expand_upc_e(digits) if len(digits) == _UPC_E else None
    if expanded is not None and has_valid_check_digit(expanded):
        return Code(digits, "upc_e", expanded.zfill(_GTIN), valid_check_digit=True)
    return Code(digits, symbology, valid_check_digit=False)


def _gs1(text: str, symbology: str, elements: Elements, today: date) -> Code:
    digits = elements.get("01")
    valid = None if digits is None else has_valid_check_digit(digits)
    expiry = gs1_date(elements["17"], today) if "17" in elements else None
    return Code(text, symbology, digits if valid else None, valid, elements, expiry)


def _element_string(text: str) -> Elements | None:
    """Return the elements of a string with brackets or with FNC1 or a symbology prefix, None when it is none."""
    prefix = _PREFIX.match(text)
    rest = text[prefix.end() :] if prefix else text
    if rest.startswith("("):
        return in_brackets(rest)
    return with_separators(rest.removeprefix(FNC1)) if prefix or FNC1 in rest else None


def _link(text: str) -> Elements | None:
    """Return the elements of a Digital Link, None when the text is none."""
    if not text[:8].lower().startswith(("https://", "http://")):
        return None
    try:
        parts = urlsplit(text)
        query = parse_qsl(parts.query, errors="strict", max_num_fields=100)
    except ValueError:
        return None
    segments = [unquote(segment) for segment in parts.path.strip("/").split("/")]
    starts = [at for at, name in enumerate(segments[:-1]) if name in _KEYS and _is_gtin(segments[at + 1])]
    for start in starts:
        names, values = segments[start + 2 :: 2], segments[start + 3 :: 2]
        if len(names) == len(values) and _QUALIFIERS.issuperset(names):
            key = ("01", segments[start + 1].zfill(_GTIN))
            told = [(name, value) for name, value in query if is_digits(name)]
            return valid_elements([key, *zip(names, values, strict=True), *told])
    return None


def _is_gtin(text: str) -> bool:
    return is_digits(text) and len(text) in _BY_LENGTH
