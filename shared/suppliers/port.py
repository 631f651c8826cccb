"""What a kind of supplier offers to the rest; `shared.adapters.suppliers` implements it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from shared.orders.suppliers import Gateway, Placed

__all__ = ["Item", "Opened", "Page", "Source", "Walk"]


@dataclass(frozen=True, slots=True)
class Item:
    """What a supplier says of one product; None says nothing and overwrites nothing."""

    supplier_product_id: str
    sku: str | None = None
    name: str | None = None
    description: str | None = None
    barcode: str | None = None
    brand: str | None = None
    category: str | None = None
    images: Sequence[str] = ()
    cost: Decimal | None = None
    currency: str | None = None
    stock: int | None = None
    delivery_days: int | None = None
    is_active: bool | None = None


@dataclass(frozen=True, slots=True)
class Walk:
    """What a sync wants: its type, at most so many products, and which."""

    sync_type: str
    limit: int = 1000
    category: str | None = None
    in_stock_only: bool = False
    known: Sequence[str] = ()
    """The supplier's ids of products already linked, for suppliers that list nothing."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its items, records that could not be read (key, code, message), and where to go on (None: the end).

    `counts` says whether the items count as fetched: a walk over several lists of the same products counts them once.
    `creates` says whether an unknown item may become a product.
    """

    items: Sequence[Item]
    rejected: Sequence[tuple[str, str, str]] = ()
    next: Mapping[str, Any] | None = None
    counts: bool = True
    creates: bool = True


class Source(Gateway, Protocol):
    """One connection, opened. Raises Transient (with the wait that the supplier asked for) and Terminal.

    Terminal `credentials_rejected` means what it says, wherever it is raised.
    """

    def check(self) -> None:
        """Ask the supplier whether the credentials are good."""
        ...

    def begin(self, walk: Walk) -> Mapping[str, Any]:
        """Return the cursor of the first page; raise Terminal for what this kind cannot do."""
        ...

    def page(self, cursor: Mapping[str, Any]) -> Page:
        """Read one page."""
        ...

    def progress(self, references: Sequence[str]) -> dict[str, Placed]:
        """Return how our supplier orders stand, by our reference; unknown ones are left out."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """Credentials and configuration of a connection, unsealed for one use."""

    supplier_id: str
    secrets: Mapping[str, str] = field(repr=False)
    config: Mapping[str, Any] = field(default_factory=dict)
