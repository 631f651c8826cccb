"""Words for search: split at anything that is not alphanumeric, ignoring case and accents."""

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["matches", "words"]

_PLAIN = re.compile("[0-9a-z]+")


def words(text: str) -> list[str]:
    """Return the words of a text, folded, in order."""
    if text.isascii():
        return _PLAIN.findall(text.lower())
    folded = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in folded).split()


def matches(wanted: Iterable[str], texts: Iterable[str | None]) -> bool:
    """Say whether every wanted word is a prefix of some word of the texts; `wanted` comes from `words`."""
    present = [word for text in texts if text for word in words(text)]
    return all(any(word.startswith(prefix) for word in present) for prefix in wanted)
