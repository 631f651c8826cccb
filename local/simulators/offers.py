"""What the simulated suppliers sell and what is ordered from them: seeded, reproducible, the same for both."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.simulators.world import Setting
from shared.core.clock import instant
from shared.core.values import dataclass, field

__all__ = ["Offer", "OfferWorld", "Order", "Variant", "offers"]

_KINDS = ("Mug", "Lamp", "Chair", "Scarf", "Notebook", "Kettle", "Backpack", "Candle", "Mirror", "Basket")
_LOOKS = ("blue", "green", "oak", "linen", "steel", "glass", "clay", "wool")
_OUT_OF_STOCK, _INACTIVE = 0.05, 0.025
_VARIED = 9
CATEGORIES = ((2399, "Home and kitchen"), (2403, "Garden"), (2491, "Fashion"))


@dataclass(slots=True)
class Offer:
    """One product of a supplier."""

    id: int
    sku: str
    name: str
    description: str
    ean: str
    cost_cents: int
    stock: int
    category: int
    active: bool = True
    variants: tuple["Variant", ...] = ()

    @property
    def cost(self) -> float:
        """Return the price in EUR."""
        return self.cost_cents / 100


@dataclass(slots=True)
class Variant:
    """One variation of a product: what is sold in its place."""

    id: int
    sku: str
    ean: str
    cost_cents: int
    stock: int


@dataclass(slots=True)
class Order:
    """One order a supplier took."""

    number: int
    reference: str
    at: str
    lines: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    tracking: str | None = None


class OfferWorld:
    """Offers and orders of one supplier."""

    def __init__(self, setting: Setting, seed: int, size: int) -> None:
        """Make the offers."""
        self.setting = setting
        self.offers = offers(seed, size)
        self.orders: list[Order] = []
        self._by_key = {str(offer.id): offer for offer in self.offers} | {offer.sku: offer for offer in self.offers}

    def vary(self) -> None:
        """Give one offer in nine three variations of its own price and stock."""
        for offer in self.offers:
            if offer.id % _VARIED == 0:
                offer.variants = tuple(_variant(offer, at) for at in range(1, 4))

    def variant(self, sku: str) -> Variant | None:
        """Return a variation by SKU."""
        return next((one for offer in self.offers for one in offer.variants if one.sku == sku), None)

    def find(self, key: str) -> Offer | None:
        """Return an offer by id or SKU."""
        return self._by_key.get(key)

    def ordered(self, reference: str) -> Order | None:
        """Return the order of a reference."""
        return next((order for order in self.orders if order.reference == reference), None)

    def order(self, reference: str, lines: Sequence[Mapping[str, Any]]) -> Order:
        """Take an order."""
        now: datetime = self.setting.clock.now()
        order = Order(70_000_001 + len(self.orders), reference, instant(now), lines)
        self.orders.append(order)
        return order

    def live(self) -> None:
        """Change nothing: what suppliers offer moves only when somebody says so."""

    def ship(self, reference: str) -> None:
        """Send an order on its way."""
        order = self.ordered(reference)
        if order is not None:
            order.tracking = f"TRK{order.number}"


def offers(seed: int, size: int) -> list[Offer]:
    """Return `size` offers made from a seed; one in twenty is out of stock, one in forty inactive."""
    rng = random.Random(f"offers-{seed}")
    return [_offer(rng, number) for number in range(size)]


def _offer(rng: random.Random, number: int) -> Offer:
    kind, look = rng.choice(_KINDS), rng.choice(_LOOKS)
    category, _ = CATEGORIES[number % len(CATEGORIES)]
    ean = _ean(f"84{rng.randrange(10**10):010d}")
    return Offer(
        id=1200 + number,
        sku=f"S{number:05d}",
        name=f"{kind} {look} {number}",
        description=f"<p>A {look} <b>{kind.lower()}</b> &amp; more.</p><ul><li>Number {number}</li></ul>",
        ean=ean,
        cost_cents=rng.randrange(150, 9000),
        stock=0 if rng.random() < _OUT_OF_STOCK else rng.randrange(1, 200),
        category=category,
        active=rng.random() >= _INACTIVE,
    )


def _variant(offer: Offer, at: int) -> Variant:
    stock = 0 if at == 3 and offer.id % 2 else offer.stock + at  # noqa: PLR2004 (the last of three)
    ean = _ean(f"85{offer.id % 10**8:08d}{at:02d}")
    return Variant(offer.id * 100 + at, f"{offer.sku}-{at}", ean, offer.cost_cents + at * 100, stock)


def _ean(digits: str) -> str:
    """Return twelve digits with their check digit."""
    check = -sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(digits)) % 10
    return f"{digits}{check}"
