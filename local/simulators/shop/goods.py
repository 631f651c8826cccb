"""What the shop sells, and the world around it: prices and stock that tests may change."""

import random
from collections.abc import Iterable, Mapping
from typing import Any

from local.simulators.stock import Stock
from local.simulators.world import Dataset, Setting, UnknownChange, World
from shared.catalog.barcodes import check_digit
from shared.core.values import dataclass

__all__ = ["Article", "ShopWorld", "articles"]


@dataclass(slots=True)
class Article:
    """One product: its page's name, prices in cents, units in stock."""

    number: int
    slug: str
    title: str
    category: str
    brand: str
    cents: int
    stock: int
    description: str

    @property
    def sku(self) -> str:
        """Return the SKU."""
        return f"SHOP-{self.number:03d}"

    @property
    def barcode(self) -> str:
        """Return an EAN-13 of a range for use within shops, which no product of the demo data has."""
        body = f"29910000{self.number:04d}"
        return body + check_digit(body)

    @property
    def price(self) -> str:
        """Return the price with a point."""
        return f"{self.cents // 100}.{self.cents % 100:02d}"


_GOODS = (
    ("linen-shirt", "Linen shirt", "Clothing", "Nordfaden", 4990, 25, "A shirt of washed linen."),
    ("clay-mug", "Clay mug", "Kitchen", "Tonwerk", 1450, 60, "Thrown by hand, glazed inside."),
    ("oak-stool", "Oak stool", "Furniture", "Holzhof", 12900, 4, "Solid oak, oiled."),
    ("wool-scarf", "Wool scarf", "Clothing", "Nordfaden", 3900, 18, "Woven from merino wool."),
    ("glass-vase", "Glass vase", "Home", "Klarblick", 2750, 9, "Mouth-blown, 24 cm."),
    ("desk-lamp-secret", "Desk lamp", "Home", "Lichtung", 7900, 0, "Not shown to crawlers."),
    ("canvas-bag", "Canvas bag", "Clothing", "Nordfaden", 2490, 40, "Holds a week of shopping."),
    ("steel-pan", "Steel pan", "Kitchen", "Pfannenbau", 8950, 12, "28 cm, for every stove."),
    ("the-a-ete", "Thé d'été", "Kitchen", "Maison Verte", 1190, 75, "Thé vert, pêche & fleurs d'été."),
    ("pine-shelf", "Pine shelf", "Furniture", "Holzhof", 123456, 2, 'Shelf, 2 m; with "hidden" hooks.'),
    ("cotton-socks", "Cotton socks, 3 pairs", "Clothing", "Nordfaden", 1299, 110, "Three pairs, one size."),
    ("bee-candle", "Beeswax candle", "Home", "Wachsfein", 950, 33, "Burns for 30 hours."),
)


def articles() -> list[Article]:
    """Return the twelve products as the shop starts."""
    return [Article(number, *told) for number, told in enumerate(_GOODS, 1)]


class ShopWorld(World[Any]):
    """The articles; `set_price`, `set_stock` and `remove` change them."""

    changes = frozenset({"set_price", "set_stock", "remove"})

    def __init__(self, setting: Setting) -> None:
        """Start with the twelve."""
        super().__init__(Dataset([], [], Stock([], 1, 1), 1, setting.clock.now()), setting)
        self.articles = articles()

    def set_price(self, sku: str, cents: int) -> None:
        """Let an article cost so many cents."""
        self._article(sku).cents = cents
        self.version += 1

    def set_stock(self, sku: str, units: int) -> None:
        """Let there be so many units of an article."""
        self._article(sku).stock = units
        self.version += 1

    def remove(self, sku: str) -> None:
        """Sell an article no more."""
        self.articles.remove(self._article(sku))
        self.version += 1

    def happen(self, rng: random.Random, tick: int) -> None:
        """Change nothing by itself."""

    def truth(self, statuses: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return nothing: a shop holds no orders here."""
        return []

    def apply(self, change: Mapping[str, Any]) -> Any:
        """Make one change."""
        return super().apply(change)

    def _article(self, sku: str) -> Article:
        found = next((article for article in self.articles if article.sku == sku), None)
        if found is None:
            message = f"no article has the SKU {sku!r}"
            raise UnknownChange(message)
        return found
