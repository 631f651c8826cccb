"""Money: exact decimals of at most two places inside, JSON numbers with at most two decimals outside."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.core.text import Text

__all__ = ["MOST", "Currency", "Money", "number", "rounded"]

MOST = Decimal("99999999.99")
_CENT = Decimal("0.01")
_PLACES = 2
_DECIMAL = re.compile(r"-?[0-9]{1,20}(?:\.([0-9]{1,40}))?")
_CURRENCY = re.compile("[A-Z]{3}")


def rounded(amount: Decimal) -> Decimal:
    """Round half up to cents."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def number(amount: Decimal | None) -> float | None:
    """Return the JSON number of an amount: two decimals survive a float exactly in its shortest form."""
    return None if amount is None else float(amount)


def _money(value: object) -> Decimal:
    amount = value if isinstance(value, Decimal) else _read(value)
    if not amount.is_finite() or not 0 <= amount <= MOST:
        raise PydanticCustomError("out_of_range", "An amount is between 0 and 99999999.99.")
    if _places(amount) > _PLACES:
        raise PydanticCustomError("too_many_decimals", "An amount has at most two decimals.")
    return amount.quantize(_CENT)


def _read(value: object) -> Decimal:
    """Read a JSON number or a decimal text. A float's shortest form is what the client wrote, up to 15 digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(value))
    if isinstance(value, str) and (found := _DECIMAL.fullmatch(value)):
        if len(found[1] or "") > _PLACES:
            raise PydanticCustomError("too_many_decimals", "An amount has at most two decimals.")
        return Decimal(value)
    raise PydanticCustomError("wrong_type", "Give an amount as a number, or as text such as 12.50.")


def _places(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _currency(code: str) -> str:
    if not _CURRENCY.fullmatch(code):
        raise PydanticCustomError("invalid_currency", "A currency is three capital letters of ISO 4217, such as EUR.")
    return code


_IN = {"type": "number", "minimum": 0, "maximum": float(MOST)}

Money = Annotated[
    Decimal,
    BeforeValidator(_money),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"anyOf": [_IN, {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"}]}, mode="validation"),
    WithJsonSchema({"type": "number"}, mode="serialization"),
]
"""An amount of money; more than two decimals is `too_many_decimals`."""

Currency = Annotated[Text, BeforeValidator(lambda code: _currency(code) if isinstance(code, str) else code)]
"""A currency code."""
