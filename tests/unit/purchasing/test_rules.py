"""Which vendor is recommended and what whole orders cost, for any prices."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.purchasing.rules import cheapest_first, compared, landed, recommended

Row = dict[str, Any]


def a_row(number: int, cents: int, days: int, minimum: int, pack: int, more: tuple[int, str] = (0, "EUR")) -> Row:
    """Return a stored price of a vendor."""
    return {
        "id": f"vpr_{number}",
        "vendor_id": f"vnd_{number}",
        "vendor_name": "ABC"[number % 3],
        "unit_price": str(Decimal(cents) / 100),
        "lead_time_days": days,
        "minimum_order_quantity": minimum,
        "pack_size": pack,
        "delivery_cost": str(Decimal(more[0]) / 100),
        "currency": more[1],
    }


rows = st.lists(
    st.tuples(
        st.integers(1, 500),
        st.integers(0, 9),
        st.integers(1, 60),
        st.integers(1, 24),
        st.tuples(st.integers(0, 900), st.sampled_from(["EUR", "EUR", "USD"])),
    ),
    max_size=7,
).map(lambda each: [a_row(number, *facts) for number, facts in enumerate(each)])
quantities = st.integers(1, 100)


@given(rows, st.none() | quantities)
def test_the_recommended_row_is_the_cheapest_that_qualifies_whatever_the_order_of_reading(
    found: list[Row], quantity: int | None
) -> None:
    fitting = [
        r for r in found if r["currency"] == "EUR" and (quantity is None or r["minimum_order_quantity"] <= quantity)
    ]

    best = recommended(found, "EUR", quantity)

    assert best == recommended(found[::-1], "EUR", quantity)
    assert (best is None) == (fitting == [])
    if best is not None:
        ties = [(Decimal(r["unit_price"]), r["lead_time_days"], r["vendor_name"]) for r in fitting]
        assert (Decimal(best["unit_price"]), best["lead_time_days"], best["vendor_name"]) == min(ties)


@given(rows)
def test_rows_come_by_price_and_none_is_lost(found: list[Row]) -> None:
    ordered = cheapest_first(found)

    assert sorted(row["id"] for row in ordered) == sorted(row["id"] for row in found)
    prices = [(Decimal(row["unit_price"]), row["lead_time_days"]) for row in ordered]
    assert prices == sorted(prices)


@given(rows, quantities)
def test_an_order_covers_what_is_asked_in_whole_packs_above_the_minimum_and_no_pack_more(
    found: list[Row], quantity: int
) -> None:
    for row in found:
        order = landed(row, quantity)
        least = max(quantity, row["minimum_order_quantity"])

        assert order.order_quantity % row["pack_size"] == 0
        assert least <= order.order_quantity < least + row["pack_size"]
        assert order.surplus == order.order_quantity - quantity
        assert order.total_cost == Decimal(row["unit_price"]) * order.order_quantity + Decimal(row["delivery_cost"])
        assert order.unit_cost * quantity - order.total_cost < Decimal("0.0001")


@given(rows, quantities)
def test_the_first_of_a_comparison_costs_least_and_the_reason_names_it(found: list[Row], quantity: int) -> None:
    orders, reason = compared(found, "EUR", quantity)

    costs = [order.total_cost for order in orders]
    assert costs == sorted(costs)
    assert len(orders) == sum(row["currency"] == "EUR" for row in found)
    assert reason.startswith(f"{orders[0].row['vendor_name']}: " if orders else "No vendor")


def test_control_the_price_alone_would_choose_another_vendor() -> None:
    cheap = a_row(0, 200, 7, 10, 12, (600, "EUR"))
    near = a_row(1, 300, 1, 1, 1)

    orders, _ = compared([cheap, near], "EUR", 5)

    assert recommended([cheap, near], "EUR", None) == cheap
    assert orders[0].row == near
