"""Texts that come in: NFC, trimmed, without control characters or halves of characters. Lengths count code points."""

import re
import unicodedata
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from shared.core.once import later

__all__ = ["Id", "Search", "Text", "TimeZone", "clean"]

_FORBIDDEN = later(lambda: re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]"))
_SURROGATE = later(lambda: re.compile("[\ud800-\udfff]"))


def clean(text: str) -> str:
    """Return the text as it is kept; raise `control_character` or `lone_surrogate`."""
    if not text.isascii():
        if _SURROGATE.search(text):
            raise PydanticCustomError("lone_surrogate", "Half a character (a lone surrogate) is not allowed.")
        text = unicodedata.normalize("NFC", text)
    if _FORBIDDEN.search(text):
        raise PydanticCustomError("control_character", "Control characters other than newline and tab are not allowed.")
    return text.strip()


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise PydanticCustomError("unknown_time_zone", "This is not the name of an IANA time zone.") from None
    return name


def _id(value: object, info: ValidationInfo) -> object:
    """Older clients number things: on legacy paths a whole number is read as text."""
    legacy = isinstance(info.context, dict) and bool(info.context.get("legacy"))
    return str(value) if legacy and isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, AfterValidator(clean)]
"""Bound its length behind it, so that trimming comes first: `Annotated[Text, Field(min_length=1, max_length=100)]`."""

Search = Annotated[Text, Field(min_length=1, max_length=100)]
"""Words to look for."""

Id = Annotated[str, BeforeValidator(_id), AfterValidator(clean), Field(min_length=1, max_length=200)]
"""An id as input: a malformed one is simply unknown, so only its length is bounded."""

TimeZone = Annotated[Text, Field(min_length=1, max_length=64), AfterValidator(_zone)]
"""The name of an IANA time zone."""
