"""Baskets: what customers put together, before any 3PL has seen it.

A few goods sell all the time and many hardly ever; most baskets are small and a few are large. Both simulators make their
orders of these, and the real invoices of `retail` take the same form. Everything follows from the seed.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from local.demo.chance import Weighted, chance
from shared.core.values import dataclass

__all__ = ["Basket", "Good", "Person", "baskets", "catalogue", "person"]

_STEMS = (
    ("TEE", "Organic tee"),
    ("CAP", "Canvas cap"),
    ("MUG", "Stoneware mug"),
    ("BAG", "Tote bag"),
    ("SOCK", "Merino socks"),
    ("LAMP", "Desk lamp"),
    ("BOOK", "Dotted notebook"),
    ("SCARF", "Wool scarf"),
    ("SOAP", "Olive soap"),
    ("TEA", "Green tea tin"),
    ("CANDLE", "Soy candle"),
    ("BELT", "Leather belt"),
    ("GLOVE", "Touch gloves"),
    ("PRINT", "Art print"),
    ("PLANT", "Indoor plant"),
    ("BRUSH", "Bamboo brush"),
    ("TOWEL", "Linen towel"),
    ("FLASK", "Steel flask"),
    ("GAME", "Card game"),
    ("SPICE", "Spice blend"),
)
_SHADES = ("black", "white", "navy", "sand", "moss", "rust", "sky", "plum", "olive", "clay")
_FIRST = (
    "Ada",
    "Bo",
    "Chloé",
    "Dmitri",
    "Eun-ji",
    "Fátima",
    "Grace",
    "Håkon",
    "Inés",
    "Jürgen",
    "Kofi",
    "Łucja",
    "美咲",
)
_LAST = (
    "Example",
    "Sample",
    "Núñez",
    "O'Neill",
    "Müller",
    "Smith",
    "Åkesson",
    "Đặng",
    "Jones",
    "García",
    "田中",
    "Khan",
)
_COUNTRIES = Weighted((("US", 70.0), ("CA", 10.0), ("GB", 8.0), ("DE", 6.0), ("AU", 4.0), ("JP", 2.0)))
_SIZES = Weighted(
    ((1, 35.0), (2, 22.0), (3, 14.0), (4, 8.0), (5, 6.0), (6, 4.0), (8, 4.0), (11, 3.0), (15, 2.0), (20, 2.0))
)
_QUANTITIES = Weighted(((1, 78.0), (2, 13.0), (3, 5.0), (6, 3.0), (12, 1.0)))
_BUNDLE_EVERY = 33
_SKEW = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Good:
    """Something sold: its number (the inventory item id), SKU, name, price in cents, and the parts when it is a bundle."""

    number: int
    sku: str
    name: str | None
    cents: int
    parts: tuple[tuple["Good", int], ...] = ()

    def items(self) -> tuple[tuple["Good", int], ...]:
        """Return what lies on a shelf for one piece of it: itself, or its parts."""
        return self.parts or ((self, 1),)


@dataclass(frozen=True, slots=True)
class Person:
    """Who ordered."""

    name: str
    email: str | None
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class Basket:
    """One purchase: its number in the data set, label, time, lines, person, and whether it was called off."""

    number: int
    label: str
    at: datetime
    lines: tuple[tuple[Good, int], ...]
    person: Person
    cancelled: bool = False


def catalogue(seed: int, size: int = 400) -> list[Good]:
    """Return the goods, most popular first; `TEE-1`, `TEE-10` and `CAP-2` are always among them."""
    rng = chance("goods", seed)
    goods: list[Good] = []
    for number in range(size):
        stem, title = _STEMS[number % len(_STEMS)]
        rank = number // len(_STEMS) + 1
        name = f"{title} {_SHADES[rng.randrange(len(_SHADES))]} {rank}"
        goods.append(Good(88 + number, f"{stem}-{rank}", name, rng.randrange(350, 9500, 50)))
    return _with_bundles(goods, rng)


def _with_bundles(goods: list[Good], rng: random.Random) -> list[Good]:
    """Replace every so many goods by a bundle of two or three others."""
    singles = [good for index, good in enumerate(goods) if index % _BUNDLE_EVERY != _BUNDLE_EVERY - 1]
    for index in range(_BUNDLE_EVERY - 1, len(goods), _BUNDLE_EVERY):
        parts = tuple((part, rng.choice((1, 1, 2))) for part in rng.sample(singles, rng.choice((2, 3))))
        cents = sum(part.cents * count for part, count in parts) * 9 // 10
        goods[index] = Good(goods[index].number, f"KIT-{index // _BUNDLE_EVERY + 1}", "Gift set", cents, parts)
    return goods


def baskets(seed: int, count: int, goods: Sequence[Good], until: datetime, days: float = 60.0) -> Iterator[Basket]:
    """Yield `count` baskets in the order of their times, spread over the days before `until`."""
    rng = chance("baskets", seed)
    shelf = Weighted([(good, 1 / (rank + 2) ** _SKEW) for rank, good in enumerate(goods)])
    span = int(days * 86_400)
    ages = sorted((rng.randrange(60, span) for _ in range(count)), reverse=True)
    for number, age in enumerate(ages):
        at = (until - timedelta(seconds=age)).replace(microsecond=0)
        yield one_basket(rng, shelf, number, at)


def one_basket(rng: random.Random, shelf: Weighted[Good], number: int, at: datetime) -> Basket:
    """Return one basket of goods from the shelf; no good stands in it twice."""
    wanted: dict[Good, int] = {}
    for _ in range(min(_SIZES.pick(rng), len(shelf))):
        wanted.setdefault(shelf.pick(rng), _QUANTITIES.pick(rng))
    return Basket(number, f"{100_000 + number}", at, tuple(wanted.items()), person(rng), rng.randrange(20) == 0)


def person(rng: random.Random) -> Person:
    """Return someone; about one in twelve orders more than once."""
    first, last = rng.choice(_FIRST), rng.choice(_LAST)
    number = rng.randrange(4000)
    country = _COUNTRIES.pick(rng)
    return Person(f"{first} {last}", f"customer{number}@example.com", f"Town {number % 97}", country)
