"""Which vendor is recommended, and what an order at each of them costs. Pure, on the stored rows of one product."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.core.money import rounded
from shared.core.values import dataclass

__all__ = ["Landed", "cheapest_first", "compared", "landed", "recommended"]

Row = Mapping[str, Any]
"""A stored price with its vendor's `vendor_name`; `unit_price` and `delivery_cost` are decimal texts."""


@dataclass(frozen=True, slots=True)
class Landed:
    """What an order of so many units costs at one vendor: as many are bought as minimum and pack ask for."""

    row: Row
    asked: int
    order_quantity: int
    goods_cost: Decimal
    total_cost: Decimal

    @property
    def surplus(self) -> int:
        """Return how many more units come than were asked for."""
        return self.order_quantity - self.asked

    @property
    def unit_cost(self) -> Decimal:
        """Return the whole cost for each unit asked for, exact."""
        return self.total_cost / self.asked


def cheapest_first(rows: Sequence[Row]) -> list[Row]:
    """Return rows by price, then lead time, then the vendor's name, then its id."""
    return sorted(rows, key=_order)


def recommended(rows: Sequence[Row], currency: str, quantity: int | None) -> Row | None:
    """Return the row to buy from: the cheapest in the product's currency whose minimum the quantity reaches.

    Without a quantity every minimum counts as reached. None when no row qualifies.
    """
    fitting = (
        row
        for row in rows
        if row["currency"] == currency and (quantity is None or row["minimum_order_quantity"] <= quantity)
    )
    return min(fitting, key=_order, default=None)


def landed(row: Row, quantity: int) -> Landed:
    """Return the cost of an order: the quantity raised to the minimum, then to whole packs, times the price, plus delivery."""
    pack = row["pack_size"]
    least = max(quantity, row["minimum_order_quantity"])
    ordered = -(-least // pack) * pack
    goods = Decimal(row["unit_price"]) * ordered
    return Landed(row, quantity, ordered, goods, goods + Decimal(row["delivery_cost"]))


def compared(rows: Sequence[Row], currency: str, quantity: int) -> tuple[list[Landed], str]:
    """Return orders in the product's currency, the one with the lowest landed cost first, and the reason for it."""
    orders = [landed(row, quantity) for row in rows if row["currency"] == currency]
    orders.sort(key=lambda order: (order.total_cost, *_order(order.row)[1:]))
    if not orders:
        return [], f"No vendor has a price in {currency}."
    return orders, _reason(orders, currency)


def _reason(orders: Sequence[Landed], currency: str) -> str:
    first = orders[0]
    name, cost = first.row["vendor_name"], f"{rounded(first.unit_cost)} {currency}"
    begin = f"{name}: {cost} for each of {first.asked} units, delivery, minimum and packs included"
    if len(orders) == 1:
        return f"{begin}; the only vendor with a price in {currency}."
    second = orders[1]
    if second.total_cost > first.total_cost:
        saved = rounded(second.total_cost - first.total_cost)
        return f"{begin}; {saved} {currency} less in all than {second.row['vendor_name']}."
    if second.row["lead_time_days"] > first.row["lead_time_days"]:
        days = second.row["lead_time_days"] - first.row["lead_time_days"]
        return f"{begin}; the same as {second.row['vendor_name']}, but {days} days sooner."
    return f"{begin}; the same cost and lead time as {second.row['vendor_name']}, first by name."


def _order(row: Row) -> tuple[Any, ...]:
    return Decimal(row["unit_price"]), row["lead_time_days"], row["vendor_name"], row["vendor_id"]
