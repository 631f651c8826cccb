"""Pure rules of a purchase: what a basket asks for, what of it can be bought, and what that costs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

__all__ = ["Asked", "Decision", "Failure", "Reason", "Sellable", "decide", "summed", "total_of"]


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
class Sellable:
    """What a product is sold as: its facts at this moment."""

    product_id: str
    sku: str
    name: str
    active: bool
    price: Decimal | None
    currency: str
    category_id: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A product that was not bought, and why."""

    asked: Asked
    reason: Reason
    sku: str | None = None
    available: int | None = None
    elsewhere: int | None = None

    def view(self) -> dict[str, Any]:
        """Return the entry as shown."""
        return {
            "product_id": self.asked.product_id,
            "sku": self.sku or self.asked.sku,
            "quantity": self.asked.quantity,
            "reason": self.reason.value,
            "available": self.available,
            "available_elsewhere": self.elsewhere,
        }


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


def decide(
    basket: Sequence[Asked], products: Mapping[str, Sellable], short: Callable[[str, int], int | None]
) -> Decision:
    """Say which products of a summed basket can be bought in full.

    `short` tells the units available of a known product when fewer than asked, None when there are enough. The currency is that of the first product that can be
    bought; amounts of another one are not mixed into the sale.
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
    return made


def total_of(lines: Sequence[tuple[int, Decimal]]) -> Decimal:
    """Return the exact sum of quantity x price."""
    return sum((price * quantity for quantity, price in lines), Decimal("0.00"))


def _failure(
    asked: Asked, product: Sellable | None, short: Callable[[str, int], int | None], currency: str | None
) -> Failure | None:
    if product is None:
        return Failure(asked, Reason.NOT_FOUND)
    if not product.active:
        return Failure(asked, Reason.INACTIVE, product.sku)
    if product.price is None:
        return Failure(asked, Reason.NO_PRICE, product.sku)
    if currency is not None and product.currency != currency:
        return Failure(asked, Reason.CURRENCY_MISMATCH, product.sku)
    units = short(product.product_id, asked.quantity)
    return None if units is None else Failure(asked, Reason.INSUFFICIENT_STOCK, product.sku, units)
