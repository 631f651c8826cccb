"""Pure rules of a purchase: what a basket asks for, what of it can be bought, and what that costs.

A kit draws its parts; everything else draws itself. Units are summed over the whole basket before they are compared with stock.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any

from shared.core.values import dataclass, field

__all__ = [
    "Asked",
    "Decision",
    "Failure",
    "Part",
    "Reason",
    "Sellable",
    "Short",
    "decide",
    "drawn",
    "summed",
    "total_of",
]

Short = Callable[[str, int], int | None]
"""Tells the units available of a known product when fewer than asked, None when there are enough."""


class Reason(StrEnum):
    """Why a product of a basket was not bought."""

    NOT_FOUND = "not_found"
    INACTIVE = "inactive"
    NO_PRICE = "no_price"
    CURRENCY_MISMATCH = "currency_mismatch"
    INSUFFICIENT_STOCK = "insufficient_stock"


@dataclass(frozen=True, slots=True)
class Asked:
    """One product of a basket with the sum of its quantities; without a product, what was named in vain."""

    quantity: int
    product_id: str | None
    sku: str | None = None

    @property
    def name(self) -> tuple[str | None, str | None]:
        """Return what makes two entries the same product."""
        return (self.product_id, None) if self.product_id is not None else (None, (self.sku or "").casefold())


@dataclass(frozen=True, slots=True)
class Part:
    """A product that a kit is made of, and how many units of it go into one kit."""

    product_id: str
    sku: str
    name: str
    active: bool
    units: int


@dataclass(frozen=True, slots=True)
class Sellable:
    """What a product is sold as: its facts at this moment. A kit has parts."""

    product_id: str
    sku: str
    name: str
    active: bool
    price: Decimal | None
    currency: str
    category_id: str | None = None
    category: str | None = None
    parts: tuple[Part, ...] = ()

    def draws(self, quantity: int) -> list[tuple[str, int]]:
        """Return the products whose stock so many units take, and how much of each."""
        if not self.parts:
            return [(self.product_id, quantity)]
        return [(part.product_id, part.units * quantity) for part in self.parts]


@dataclass(frozen=True, slots=True)
class Blame:
    """The product drawn that kept an entry from being bought: units available of it, and asked for by the whole basket."""

    product_id: str
    sku: str
    available: int | None = None
    requested: int | None = None

    def view(self) -> dict[str, Any]:
        """Return it as shown."""
        names = ("product_id", "sku", "available", "requested")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Failure:
    """A product that was not bought, and why; where a kit is involved, with the product that is to blame."""

    asked: Asked
    reason: Reason
    sku: str | None = None
    available: int | None = None
    elsewhere: int | None = None
    component: Blame | None = None

    def view(self) -> dict[str, Any]:
        """Return the entry as shown; `component` stands only where there is one."""
        shown = {
            "product_id": self.asked.product_id,
            "sku": self.sku or self.asked.sku,
            "quantity": self.asked.quantity,
            "reason": self.reason.value,
            "available": self.available,
            "available_elsewhere": self.elsewhere,
        }
        return shown if self.component is None else {**shown, "component": self.component.view()}


@dataclass(slots=True)
class Decision:
    """What is bought, in one currency, and what is not; both as first named in the request."""

    bought: list[tuple[Asked, Sellable]] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    currency: str | None = None


def summed(items: Sequence[Asked]) -> list[Asked]:
    """Return one entry per product with the sum of its quantities, in the order first named."""
    sums: dict[tuple[str | None, str | None], Asked] = {}
    for item in items:
        before = sums.get(item.name)
        quantity = item.quantity + (before.quantity if before else 0)
        sums[item.name] = Asked(quantity, item.product_id, before.sku if before else item.sku)
    return list(sums.values())


def decide(basket: Sequence[Asked], products: Mapping[str, Sellable], short: Short) -> Decision:
    """Say which products of a summed basket can be bought in full.

    First each by itself: what fails there asks for nothing. The currency is that of the first product that passes; amounts of
    another one are not mixed into the sale. Then together: of products that two entries draw (a kit and its part, two kits of
    one part) the units are summed, and every entry that draws one of which there are too few fails.
    """
    made = Decision()
    for asked in basket:
        product = products.get(asked.product_id) if asked.product_id is not None else None
        failure = _failure(asked, product, short, made.currency)
        if failure is not None or product is None:
            made.failed.append(failure or Failure(asked, Reason.NOT_FOUND))
            continue
        made.currency = product.currency
        made.bought.append((asked, product))
    return _together(basket, made, short) if any(product.parts for _, product in made.bought) else made


def drawn(bought: Sequence[tuple[Asked, Sellable]]) -> dict[str, int]:
    """Return how many units of each product leave the shelf for what is bought."""
    units: dict[str, int] = {}
    for asked, product in bought:
        for product_id, quantity in product.draws(asked.quantity):
            units[product_id] = units.get(product_id, 0) + quantity
    return units


def total_of(lines: Sequence[tuple[int, Decimal]]) -> Decimal:
    """Return the exact sum of quantity x price."""
    return sum((price * quantity for quantity, price in lines), Decimal("0.00"))


def _failure(asked: Asked, product: Sellable | None, short: Short, currency: str | None) -> Failure | None:
    if product is None:
        return Failure(asked, Reason.NOT_FOUND)
    idle = next((part for part in product.parts if not part.active), None)
    if not product.active or idle is not None:
        blamed = Blame(idle.product_id, idle.sku) if product.active and idle is not None else None
        return Failure(asked, Reason.INACTIVE, product.sku, component=blamed)
    if product.price is None:
        return Failure(asked, Reason.NO_PRICE, product.sku)
    if currency is not None and product.currency != currency:
        return Failure(asked, Reason.CURRENCY_MISMATCH, product.sku)
    return _too_few(asked, product, dict(product.draws(asked.quantity)), short)


def _together(basket: Sequence[Asked], made: Decision, short: Short) -> Decision:
    """Fail what passes by itself but draws a product of which the basket as a whole asks too many."""
    units = drawn(made.bought)
    bought, failed = [], {failure.asked.name: failure for failure in made.failed}
    for asked, product in made.bought:
        failure = _too_few(asked, product, units, short, by_itself=False)
        if failure is None:
            bought.append((asked, product))
        else:
            failed[asked.name] = failure
    in_order = [failed[asked.name] for asked in basket if asked.name in failed]
    return Decision(bought, in_order, made.currency if bought else None)


def _too_few(
    asked: Asked, product: Sellable, units: Mapping[str, int], short: Short, *, by_itself: bool = True
) -> Failure | None:
    """Return the failure of an entry that draws a product of which fewer than `units` are there; the scarcest is blamed."""
    found = [
        (there // (own // asked.quantity), product_id, there)
        for product_id, own in product.draws(asked.quantity)
        if (there := short(product_id, units[product_id])) is not None
    ]
    if not found:
        return None
    whole, product_id, there = min(found)
    if not product.parts and by_itself:
        return Failure(asked, Reason.INSUFFICIENT_STOCK, product.sku, there)
    sku = next((part.sku for part in product.parts if part.product_id == product_id), product.sku)
    blamed = Blame(product_id, sku, there, units[product_id])
    return Failure(asked, Reason.INSUFFICIENT_STOCK, product.sku, max(0, whole), component=blamed)
