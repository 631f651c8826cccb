"""Money: exact decimals of at most two places inside, JSON numbers with at most two decimals outside."""

import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from shared.core.once import later
from shared.core.text import Text

__all__ = ["MOST", "Currency", "Money", "is_currency", "number", "rounded"]

MOST = Decimal("99999999.99")
_CENT = Decimal("0.01")
_PLACES = 2
_DECIMAL = later(lambda: re.compile(r"-?[0-9]{1,20}(?:\.([0-9]{1,40}))?"))
_CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP
    CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS
    INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA
    XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG ZWL
    """.split()  # noqa: SIM905 - a table of 180 codes
)
# ISO 4217, list one, without the codes for tests and for "no currency"; with codes withdrawn since 2020, which histories still name.


def rounded(amount: Decimal) -> Decimal:
    """Round half up to cents."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def number(amount: Decimal | None) -> float | None:
    """Return the JSON number of an amount: two decimals survive a float exactly in its shortest form."""
    return None if amount is None else float(amount)


def is_currency(code: str) -> bool:
    """Say whether this is a code of ISO 4217, in capitals."""
    return code in _CURRENCIES


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
    if not is_currency(code):
        raise PydanticCustomError("invalid_currency", "A currency is a code of ISO 4217 in capitals, such as EUR.")
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
