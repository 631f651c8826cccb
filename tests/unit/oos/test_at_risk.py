"""Money at risk adds up to the cent, per currency and group, and never across currencies."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.oos.at_risk import GROUPINGS, at_risk
from shared.oos.coverage import short_lines
from shared.oos.rules import Row
from tests.unit.oos.rows import a_row

AT = datetime(2026, 1, 20, 10, 30, tzinfo=UTC)
SKUS = st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=3)
CENTS = st.integers(0, 999_999)


@st.composite
def rows(draw: Any) -> list[Row]:
    """Make rows of two currencies and some without a price."""
    made = []
    for number in range(draw(st.integers(0, 8))):
        currency = draw(st.sampled_from(["EUR", "USD", None]))
        price = draw(st.one_of(st.none(), CENTS.map(lambda cents: Decimal(cents) / 100)))
        value = None if currency is None else Decimal(draw(CENTS)) / 100
        made.append(
            a_row(
                f"{number}",
                *draw(SKUS),
                currency=currency,
                value=value,
                channel=draw(st.sampled_from(["Web", None])),
                now=draw(st.sampled_from(["2026-01-20T09:30:00.000000Z", "2026-01-01T00:00:00.000000Z"])),
                line_unit_price=price,
                line_facility=draw(st.sampled_from(["West", "East", None])),
            )
        )
    return made


@pytest.mark.parametrize("group_by", sorted(GROUPINGS))
@given(held=rows())
def test_groups_and_totals_equal_the_sums_of_the_rows(group_by: str, held: list[Row]) -> None:
    shown = at_risk(((row, AT) for row in held), group_by).shown()

    priced = [row for row in held if row["value"] is not None]
    expected = {row["currency"] for row in priced}
    assert {total["currency"] for total in shown["totals"]} == expected
    for total in shown["totals"]:
        of_currency = [row for row in priced if row["currency"] == total["currency"]]
        groups = [group for group in shown["groups"] if group["currency"] == total["currency"]]
        assert total["orders"] == len(of_currency)
        assert cents(total["order_value"]) == sum(cents(row["value"]) for row in of_currency)
        assert cents(total["line_value"]) == sum(map(lines_in_cents, of_currency))
        assert sum(cents(group["order_value"]) for group in groups) == cents(total["order_value"])
        assert sum(cents(group["line_value"]) for group in groups) == cents(total["line_value"])
    assert shown["unpriced_orders"] == len(held) - len(priced)


def test_floats_would_not_add_up() -> None:
    """Control: the same sums over floats miss a cent."""
    held = [a_row(f"{number}", "A", value=Decimal("0.10"), line_unit_price=Decimal("0.10")) for number in range(3)]

    total = at_risk(((row, AT) for row in held), "sku").shown()["totals"][0]

    assert total["order_value"] == 0.3
    assert sum(float(row["value"]) for row in held) != 0.3


def test_an_order_of_two_skus_is_shared_by_line_value() -> None:
    row = a_row("1", "A", "B", value=Decimal("100.01"), line_unit_price=Decimal(1))

    groups = at_risk([(row, AT)], "sku").shown()["groups"]

    assert [(group["key"], group["orders"], group["order_value"]) for group in groups] == [
        ("A", 1, 50.01),
        ("B", 1, 50.0),
    ]


@pytest.mark.parametrize(
    ("opened", "band"),
    [
        ("2026-01-20T10:30:00.000000Z", "0-1d"),
        ("2026-01-19T10:30:00.000000Z", "1-3d"),
        ("2026-01-17T10:30:00.000000Z", "3-7d"),
        ("2026-01-13T10:30:00.000000Z", "7-14d"),
        ("2026-01-06T10:30:00.000000Z", "14d+"),
    ],
)
def test_ages_fall_into_bands(opened: str, band: str) -> None:
    groups = at_risk([(a_row("1", now=opened), AT)], "age_band").shown()["groups"]

    assert [group["key"] for group in groups] == [band]


def cents(amount: Any) -> int:
    """Return an amount in cents."""
    return round(Decimal(str(amount)) * 100)


def lines_in_cents(row: Row) -> int:
    """Return the value of a row's short lines in cents."""
    prices = [(Decimal(line["unit_price"] or 0), line["ordered_quantity"]) for line in short_lines(row)]
    total: Decimal = sum((price * units for price, units in prices), Decimal(0))
    return round(total * 100)
