"""Money and its currencies as they come in."""

import pytest
from pydantic import BaseModel, ValidationError

from shared.core.money import Currency, is_currency


class Priced(BaseModel):
    """Something with a currency."""

    currency: Currency


@pytest.mark.parametrize("code", ["EUR", "USD", "GBP", "JPY", "XCG", "HRK"])
def test_a_code_of_iso_4217_is_a_currency(code: str) -> None:
    assert Priced(currency=code).currency == code


@pytest.mark.parametrize("code", ["ZZZ", "XTS", "eur", "EU", "EURO", "", "E1R", "E\u00dcR"])
def test_anything_else_is_refused(code: str) -> None:
    assert not is_currency(code)
    with pytest.raises(ValidationError) as refused:
        Priced(currency=code)
    assert refused.value.errors()[0]["type"] == "invalid_currency"
