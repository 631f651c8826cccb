"""Which supplier gets which item, and what an order's state follows from: the pure part of fulfilment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shared.core.errors import InvalidState
from shared.core.values import dataclass, field
from shared.orders.rules import CustomerStatus, ItemStatus

if TYPE_CHECKING:
    from shared.orders.suppliers import Link

__all__ = [
    "BY_HAND",
    "FULFILLABLE",
    "NO_SUPPLIER",
    "OPEN_ITEMS",
    "chosen",
    "move_by_hand",
    "outcome",
    "reference_of",
    "status_after",
]

NO_SUPPLIER = "no_supplier"


BY_HAND: Mapping[CustomerStatus, tuple[CustomerStatus, ...]] = {
    CustomerStatus.PENDING: (CustomerStatus.PROCESSING, CustomerStatus.CANCELLED),
    CustomerStatus.PROCESSING: (CustomerStatus.SHIPPED,),
    CustomerStatus.FULFILLED: (CustomerStatus.SHIPPED,),
    CustomerStatus.PARTIALLY_FULFILLED: (CustomerStatus.SHIPPED,),
    CustomerStatus.SHIPPED: (CustomerStatus.DELIVERED,),
    CustomerStatus.FULFILLMENT_FAILED: (CustomerStatus.CANCELLED,),
}
"""Which state a person may bring an order into; the other states follow from its items."""

FULFILLABLE = (
    CustomerStatus.PENDING,
    CustomerStatus.PROCESSING,
    CustomerStatus.PARTIALLY_FULFILLED,
    CustomerStatus.FULFILLMENT_FAILED,
)
OPEN_ITEMS = (ItemStatus.PENDING, ItemStatus.FAILED)
_DONE = (ItemStatus.ORDERED, ItemStatus.SHIPPED)


def move_by_hand(status: CustomerStatus, target: CustomerStatus) -> None:
    """Raise InvalidState unless a person may bring an order from one state into the other."""
    allowed = BY_HAND.get(status, ())
    if target not in allowed:
        detail = f"An order that is {status.value} cannot be made {target.value} by hand."
        raise InvalidState(detail, current=status.value, allowed=[each.value for each in allowed])


@dataclass(frozen=True, slots=True)
class Choice:
    """What selection goes by: the offers, a supplier asked for, and whether to choose where none is named.

    `promised` are the units of a product (first of the pair) that items chosen before want of a supplier.
    """

    links: Mapping[str, Sequence[Link]]
    supplier_id: str | None = None
    automatic: bool = True
    promised: Counter[tuple[str, str]] = field(default_factory=Counter)


def chosen(item: Mapping[str, Any], choice: Choice, currency: str) -> str | None:
    """Return the supplier of an item: the one asked for; else the cheapest with enough stock; else the item's own."""
    if choice.supplier_id is not None:
        return choice.supplier_id
    if choice.automatic:
        best = min(_able(item, choice), key=lambda link: _rank(link, currency), default=None)
        if best is not None:
            choice.promised[best.product_id, best.supplier_id] += item["quantity"]
            return best.supplier_id
    own: str | None = item["supplier_id"]
    return own


def reference_of(order_number: str, supplier_id: str, placed: int) -> str:
    """Return the fixed reference of a supplier order; a further one with the same supplier is numbered."""
    base = f"ONH-{order_number}-{supplier_id}"
    return base if placed == 0 else f"{base}-{placed + 1}"


def outcome(items: Iterable[Mapping[str, Any]]) -> CustomerStatus:
    """Return the state that an order's items leave it in after a run of fulfilment."""
    states = [ItemStatus(item["fulfillment_status"]) for item in items]
    done = sum(state in _DONE for state in states)
    if done == len(states):
        return CustomerStatus.FULFILLED
    return CustomerStatus.PARTIALLY_FULFILLED if done else CustomerStatus.FULFILLMENT_FAILED


def status_after(items: Sequence[Mapping[str, Any]], *, cancelled: bool) -> CustomerStatus:
    """Return the state after a job that ended; one that was cancelled before it ordered anything leaves a pending order."""
    found = outcome(items)
    untouched = all(item["fulfillment_status"] == ItemStatus.PENDING for item in items)
    return CustomerStatus.PENDING if cancelled and untouched else found


def _able(item: Mapping[str, Any], choice: Choice) -> list[Link]:
    """Return the offers with enough stock for an item besides what earlier items of the order want of it."""
    return [
        link
        for link in choice.links.get(item["product_id"], ())
        if link.is_active
        and link.supplier_stock is not None
        and link.supplier_stock - choice.promised[link.product_id, link.supplier_id] >= item["quantity"]
    ]


def _rank(link: Link, currency: str) -> tuple[bool, Decimal, int, str]:
    """Order offers: those with a cost in the order's currency first, by cost, then delivery, then name."""
    known = link.cost is not None and link.currency in (None, currency)
    days = link.delivery_days if link.delivery_days is not None else 10_000
    return (not known, link.cost if known and link.cost is not None else Decimal(0), days, link.supplier_id)
