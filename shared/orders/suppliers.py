"""What fulfilment asks of a supplier. Adapters of suppliers implement it; `shared.app.trade.supplier_gateway` finds them.

The reference is ours and fixed for a supplier order: `find` is asked before `place` is ever repeated, so an order whose answer
was lost is found and not placed again.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from shared.core.values import dataclass, field

__all__ = ["Gateway", "Link", "Placed", "Placement", "PlacementLine"]


@dataclass(frozen=True, slots=True)
class PlacementLine:
    """One product of a supplier order; `supplier_product_id` is null where no link names it."""

    product_id: str
    sku: str
    supplier_product_id: str | None
    supplier_sku: str | None
    quantity: int


@dataclass(frozen=True, slots=True)
class Placement:
    """A supplier order to place: our reference, what, where to, and how."""

    reference: str
    lines: Sequence[PlacementLine]
    shipping_address: dict[str, Any]
    shipping_method: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """A supplier order as the supplier knows it."""

    supplier_order_id: str
    status: str | None = "placed"
    tracking_numbers: Sequence[str] = field(default_factory=tuple)
    carrier: str | None = None


class Gateway(Protocol):
    """Placing orders with one supplier connection.

    Both methods raise Terminal when the supplier refuses (its reason is the detail, shown to people) and Transient when the
    answer is late, lost or not to be trusted: then the order may or may not have been placed.
    """

    def find(self, reference: str) -> Placed | None:
        """Return the order that was placed under a reference, None when the supplier is sure that there is none."""
        ...

    def place(self, order: Placement) -> Placed:
        """Place an order; the reference goes along and stays findable."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A supplier's offer of a product (api.md's SupplierLink), as far as the choice needs it."""

    product_id: str
    supplier_id: str
    supplier_product_id: str | None = None
    supplier_sku: str | None = None
    cost: Decimal | None = None
    currency: str | None = None
    supplier_stock: int | None = None
    delivery_days: int | None = None
    is_active: bool = True
