"""GS1 element strings: values behind application identifiers (AIs), with brackets or with FNC1 between them.

Lengths follow the GS1 General Specifications: the first two digits of an AI say how many it has, and whether its value has a
fixed length and needs no separator behind it.
"""

import re
from collections.abc import Iterable

from shared.core.once import later

__all__ = ["FNC1", "Elements", "in_brackets", "is_digits", "valid_elements", "with_separators"]

Elements = dict[str, str]

FNC1 = "\x1d"
_BRACKETED = later(lambda: re.compile(r"\((\d{2,4})\)", re.ASCII))
_LONGEST = 90

# How many digits an AI has, by its first two.
_AI_DIGITS = {
    **dict.fromkeys(("00", "01", "02", "03", *map(str, range(10, 23)), "30", "37", *map(str, range(90, 100))), 2),
    **dict.fromkeys(("23", "24", "25", "40", "41", "42", "71"), 3),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82"), 4),
}
# Values of fixed length, by the first two digits of the AI: never followed by a separator of need.
_FIXED = {
    "00": 18,
    "01": 14,
    "02": 14,
    "03": 14,
    "20": 2,
    "41": 13,
    **dict.fromkeys(map(str, range(11, 20)), 6),
    **dict.fromkeys(map(str, range(31, 37)), 6),
}
_AT_MOST = {"10": 20, "21": 20, "22": 20, "30": 8, "37": 8}
_NUMERIC = frozenset({*_FIXED, "30", "37"})


def is_digits(text: str) -> bool:
    """Say whether there are ASCII digits and nothing else."""
    return text.isascii() and text.isdigit()


def in_brackets(text: str) -> Elements | None:
    """Read `(01)09521234543213(17)271231`; None when it is malformed."""
    pieces = _BRACKETED.split(text)
    if pieces[0]:
        return None
    return valid_elements(zip(pieces[1::2], pieces[2::2], strict=True))


def with_separators(text: str) -> Elements | None:
    """Read `0109521234543213<FNC1>...` behind its first FNC1; None when it is malformed."""
    found: list[tuple[str, str]] = []
    while text:
        size = _AI_DIGITS.get(text[:2])
        if size is None or not is_digits(text[:size]):
            return None
        name, rest = text[:size], text[size:]
        fixed = _FIXED.get(name[:2])
        value, text = (rest.partition(FNC1)[::2]) if fixed is None else (rest[:fixed], rest[fixed:].removeprefix(FNC1))
        found.append((name, value))
    return valid_elements(found)


def valid_elements(pairs: Iterable[tuple[str, str]]) -> Elements | None:
    """Return the elements when each is well-formed and none contradicts another; None else."""
    elements: Elements = {}
    for name, value in pairs:
        if not _is_valid(name, value) or elements.setdefault(name, value) != value:
            return None
    return elements or None


def _is_valid(name: str, value: str) -> bool:
    lead = name[:2]
    if len(name) != _AI_DIGITS.get(lead) or (lead in _NUMERIC and not is_digits(value)):
        return False
    fixed = _FIXED.get(lead)
    if fixed is not None:
        return len(value) == fixed
    return 1 <= len(value) <= _AT_MOST.get(name, _LONGEST) and value.isprintable()
