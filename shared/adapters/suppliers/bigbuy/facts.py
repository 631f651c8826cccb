"""What the lists of one category tell of each product, joined by id: put down row by row, read back by a later delivery.

Each list has an order of its own, so a product is complete only when the last list names it; until then what the others said
is kept as short rows of JSON (`Rows`), in notes.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.adapters.sources.reading import identifier, items, text
from shared.adapters.suppliers.reading import cents, pictures, plain, quantity
from shared.suppliers.port import Item

__all__ = ["Facts", "days_of", "units_of"]

Row = Mapping[str, Any]
Rows = list[list[Any]]
_CURRENCY = "EUR"
_NOTHING: Sequence[Any] = (None, None, None, None)


class Facts:
    """What is known of the products of one category."""

    def __init__(self) -> None:
        """Know nothing."""
        self.stock: dict[str, tuple[int | None, int | None]] = {}
        self.variant_stock: dict[str, tuple[int | None, int | None]] = {}
        self._parents: set[str] = set()
        self._kin: dict[str, dict[str, list[Any]]] = {}
        self._prices: dict[str, list[Any]] = {}
        self._pictures: dict[str, list[str]] = {}
        self._told: set[str] = set()

    def read(self, kind: str, rows: Sequence[Row], left: int | None, *, in_stock_only: bool) -> Rows:
        """Return, as short rows, what a page of a list tells of the products that are wanted; `left`: at most so many."""
        if kind in {"variant_stock", "stock"}:
            return list(self._chosen(kind, rows, left, in_stock_only=in_stock_only))
        short = {"variants": _variant, "prices": _price, "pictures": _picture, "texts": _named}[kind]
        told = [short(row) for row in rows]
        return [row for row in told if row is not None and (kind == "variants" or self._wants(row[0]))]

    def keep(self, kind: str, rows: Rows) -> None:
        """Add short rows of a list."""
        for row in rows:
            self._keep_one(kind, row)

    def count(self) -> int:
        """Return how many products were chosen."""
        return len(self.stock) + sum(map(len, self._kin.values()))

    def has_chosen(self) -> bool:
        """Say whether any product was chosen."""
        return bool(self.stock or self._kin)

    def of(self, row: Row, category: str | None) -> Iterator[Item]:
        """Return the product that a row of texts is about, or each variation of it; nothing for one that is not wanted."""
        number = identifier(row.get("id"))
        if number is not None:
            name, description = text(row.get("name")), plain(row.get("description"))
            yield from self._items(number, text(row.get("sku")), (name, description), category)

    def untold(self, category: str | None) -> list[Item]:
        """Return the products of which no text is known in this language."""
        numbers = [number for number in (*self.stock, *self._kin) if number not in self._told]
        return [item for number in numbers for item in self._items(number, None, (None, None), category)]

    def _chosen(self, kind: str, rows: Sequence[Row], left: int | None, *, in_stock_only: bool) -> Iterator[list[Any]]:
        room = None if left is None else left - len(self.stock) - len(self.variant_stock)
        before = self.stock if kind == "stock" else self.variant_stock
        fresh: set[str] = set()
        for row in rows:
            number, units = identifier(row.get("id")), units_of(row)
            if number is None or number in self._parents or (in_stock_only and not units):
                continue
            known = number in before or number in fresh
            if known or room is None or len(fresh) < room:
                fresh |= set() if known else {number}
                yield [number, units, days_of(row)]

    def _wants(self, number: str) -> bool:
        return number in self.stock or number in self._kin

    def _keep_one(self, kind: str, row: list[Any]) -> None:
        match kind:
            case "stock" | "variant_stock":
                number, units, days = row
                (self.stock if kind == "stock" else self.variant_stock)[number] = (units, days)
            case "variants":
                number, parent, *told = row
                self._parents.add(parent)
                if number in self.variant_stock:
                    self._kin.setdefault(parent, {})[number] = told
            case "prices":
                self._prices[row[0]] = row[1:]
            case "pictures":
                self._pictures[row[0]] = row[1]
            case _:
                self._told.add(row[0])

    def _items(
        self, number: str, sku: str | None, words: tuple[str | None, str | None], category: str | None
    ) -> Iterator[Item]:
        name, description = words
        price = self._prices.get(number, _NOTHING)
        images, active = tuple(self._pictures.get(number, ())), price[3]
        if number in self.stock:
            units, days = self.stock[number]
            told = [sku or price[0], name, description, price[1], category, images, price[2], units, days, active]
            yield _item(number, told)
        for variation, (its_sku, ean, cost) in self._kin.get(number, {}).items():
            units, days = self.variant_stock[variation]
            called = f"{name[:200]} ({its_sku})" if name else None
            told = [its_sku, called, description, ean, category, images, cost, units, days, active]
            yield _item(f"{number}#{variation}", told)


def _item(number: str, told: Sequence[Any]) -> Item:
    sku, name, description, ean, category, images, cost, units, days, active = told
    return Item(
        number,
        sku=sku,
        name=name,
        description=description,
        barcode=ean,
        category=category,
        images=images,
        cost=None if cost is None else Decimal(cost),
        currency=_CURRENCY,
        stock=units,
        delivery_days=days,
        is_active=active,
    )


def _variant(row: Row) -> list[Any] | None:
    number, parent = identifier(row.get("id")), identifier(row.get("product"))
    if number is None or parent is None:
        return None
    return [number, parent, text(row.get("sku")) or number, text(row.get("ean13")), _cost(row)]


def _price(row: Row) -> list[Any] | None:
    number, active = identifier(row.get("id")), row.get("active")
    if number is None:
        return None
    is_active = None if active is None else str(active) not in {"0", "False", "false"}
    return [number, text(row.get("sku")), text(row.get("ean13")), _cost(row), is_active]


def _picture(row: Row) -> list[Any] | None:
    number = identifier(row.get("id"))
    listed = sorted(items(row.get("images")), key=lambda picture: not picture.get("isCover"))
    return None if number is None else [number, list(pictures([picture.get("url") for picture in listed]))]


def _named(row: Row) -> list[Any] | None:
    number = identifier(row.get("id"))
    return None if number is None else [number]


def _cost(row: Row) -> str | None:
    cost = cents(row.get("wholesalePrice"))
    return None if cost is None else str(cost)


def units_of(row: Row) -> int | None:
    """Return the units of a stock row over all its warehouses, None when none is told."""
    parts = [quantity(one.get("quantity")) for one in items(row.get("stocks"))]
    known = [part for part in parts if part is not None]
    return sum(known) if known or row.get("stocks") == [] else None


def days_of(row: Row) -> int | None:
    """Return in how many days a stock row can be sent at the earliest, None when none is told."""
    days = [quantity(one.get("maxHandlingDays")) for one in items(row.get("stocks")) if quantity(one.get("quantity"))]
    return min((day for day in days if day is not None), default=None)
