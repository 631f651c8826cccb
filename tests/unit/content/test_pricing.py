"""Prices that are nice, and a least margin that no rounding breaks."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.content.pricing import Positioning, advise, margin_percent, nice_price

FREE = Decimal("0.01"), Decimal(10_000_000)
LEAST = {"aggressive": 15, "budget": 15, "competitive": 20, "premium": 35, "luxury": 50}
MOST = {"aggressive": 35, "budget": 35, "competitive": 50, "premium": 70, "luxury": 80}
amounts = st.decimals(min_value="0.01", max_value="99999", places=2)


@pytest.mark.parametrize(
    ("value", "nice"),
    [
        ("0.555", "0.56"),
        ("1.20", "0.99"),
        ("7.40", "6.99"),
        ("7.49", "7.99"),
        ("9.60", "9.99"),
        ("15.38", "15.49"),
        ("15.24", "15.49"),
        ("15.80", "15.99"),
        ("101.00", "99"),
        ("101.50", "104"),
        ("107.00", "109"),
        ("1003.00", "999"),
        ("1004.00", "1009"),
        ("1538.00", "1539"),
    ],
)
def test_the_nearest_nice_price_of_its_size_and_a_tie_goes_up(value: str, nice: str) -> None:
    assert nice_price(Decimal(value), *FREE) == Decimal(nice)


def test_a_nice_price_outside_the_clamp_gives_way_to_the_nearest_inside_then_to_cents() -> None:
    value = Decimal("15.38")

    assert nice_price(value, Decimal("15.50"), Decimal("16.20")) == Decimal("15.99")
    assert nice_price(value, Decimal("15.381"), Decimal("15.40")) == Decimal("15.39")
    assert nice_price(Decimal("15.385"), Decimal("15.20"), Decimal("15.385")) == Decimal("15.38")


@given(amounts, st.sampled_from(Positioning), st.lists(amounts, max_size=4))
def test_the_margin_stays_within_its_bounds(
    cost: Decimal, positioning: Positioning, competitors: list[Decimal]
) -> None:
    price = advise(cost, None, positioning, competitors).price

    assert price is not None
    least, most = cost / (1 - Decimal(LEAST[positioning]) / 100), cost / (1 - Decimal(MOST[positioning]) / 100)
    assert price >= least
    assert price <= most or price - least < Decimal("0.01")
    assert price == price.quantize(Decimal("0.01"))


def test_competitors_pull_as_the_positioning_says() -> None:
    cost, rivals = Decimal("10.00"), [Decimal("12.00"), Decimal("14.00")]

    assert advise(cost, None, Positioning.AGGRESSIVE, rivals).reasoning == [
        "target_margin",
        "competitors",
        "least_margin",
    ]
    assert advise(cost, None, Positioning.COMPETITIVE, rivals).price == Decimal("12.99")
    assert advise(cost, None, Positioning.PREMIUM, [Decimal(30)]).price == Decimal("32.99")
    assert advise(cost, None, Positioning.LUXURY, rivals).price == Decimal("28.49")


def test_without_a_cost_the_price_stays() -> None:
    advice = advise(None, Decimal("5.00"), Positioning.COMPETITIVE, [Decimal(1)])

    assert (advice.price, advice.reasoning) == (Decimal("5.00"), ["no_cost"])
    assert margin_percent(Decimal("5.00"), None) is None
    assert margin_percent(Decimal("15.99"), Decimal("10.00")) == Decimal("37.46")
