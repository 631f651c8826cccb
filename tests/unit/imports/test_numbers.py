"""Prices and quantities as shops write them: api.md 2.11."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.imports.numbers import BadNumber, read_price, read_stock

CENT = Decimal("0.01")
AMOUNTS = st.decimals(min_value=0, max_value=Decimal("99999999.99"), places=2, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("text", "amount", "currency", "ambiguous"),
    [
        ("1,234.56", "1234.56", None, False),
        ("1.234,56", "1234.56", None, False),
        ("1 234,56", "1234.56", None, False),
        ("1\u00a0234,56", "1234.56", None, False),
        ("1\u202f234,56 \u20ac", "1234.56", "EUR", False),
        ("1'234.50", "1234.50", None, False),
        ("12,5", "12.50", None, False),
        ("15.00 USD", "15.00", "USD", False),
        ("usd15", "15.00", "USD", False),
        ("\u00a312.30", "12.30", "GBP", False),
        ("$1,234.5", "1234.50", None, False),
        ("1,234", "1234.00", None, True),
        ("1.234", "1.23", None, True),
        ("12345,678", "12345.68", None, False),
        ("1.234.567", "1234567.00", None, False),
        ("1,234,567", "1234567.00", None, False),
        ("1,234,567.895", "1234567.90", None, False),
        ("0", "0.00", None, False),
        ("0.005", "0.01", None, True),
    ],
)
def test_prices_are_read_as_they_are_meant(text: str, amount: str, currency: str | None, ambiguous: bool) -> None:
    assert read_price(text) == (Decimal(amount), currency, ambiguous)


@pytest.mark.parametrize(
    "text", ["", "abc", "-5", "1,2.3,4", "1.2.3,4.5", ".", ",", "5 5 x", "1e5", "NaN", "\u0661", "100000000"]
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        read_price(text)


@given(AMOUNTS, st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")]))
def test_every_way_of_writing_an_amount_means_it(amount: Decimal, marks: tuple[str, str]) -> None:
    group, point = marks
    text = f"{amount:,.2f}".replace(",", "G").replace(".", point).replace("G", group)

    assert read_price(text).amount == amount


@given(AMOUNTS, st.sampled_from(["EUR", "USD", "CHF"]), st.booleans())
def test_a_currency_before_or_after_is_told(amount: Decimal, code: str, before: bool) -> None:
    text = f"{code} {amount}" if before else f"{amount} {code}"

    assert read_price(text)[:2] == (amount, code)


@given(st.decimals(min_value=0, max_value=Decimal(9999), places=5, allow_nan=False, allow_infinity=False))
def test_more_decimals_are_rounded_half_up(amount: Decimal) -> None:
    assert read_price(f"{amount:.5f}").amount == amount.quantize(CENT, ROUND_HALF_UP)


@given(st.text(max_size=20))
def test_any_text_is_a_price_or_refused(text: str) -> None:
    try:
        price = read_price(text)
    except BadNumber:
        return
    assert 0 <= price.amount <= Decimal("99999999.99")
    assert price.amount == price.amount.quantize(CENT)


@given(st.integers(min_value=0, max_value=1_000_000_000), st.sampled_from(["", ".0", ",00", ".000000"]))
def test_a_zero_fraction_is_a_whole_number(units: int, fraction: str) -> None:
    assert read_stock(f"{units}{fraction}").units == units


@pytest.mark.parametrize("text", ["1.5", "-3", "many", "", "1000000001", "1e3"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        read_stock(text)


@pytest.mark.parametrize(("text", "units"), [("1,234", 1234), ("2.000", 2)])
def test_a_quantity_that_could_mean_either_is_marked(text: str, units: int) -> None:
    assert read_stock(text) == (units, True)
