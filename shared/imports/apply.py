"""Writing what a diff says, and taking it back: each row whole or not at all, on the base it was compared with."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from shared.catalog.change_models import NewProduct
from shared.catalog.record import claims_of, kept_attributes, product_key, stock_key
from shared.core.caller import Caller
from shared.core.errors import BaseMoved, Problem
from shared.core.values import dataclass
from shared.imports.compare import Compared
from shared.imports.models import Action
from shared.imports.record import Data
from shared.inventory.ledger import Change, Ledger
from shared.inventory.words import MovementType
from shared.ports.documents import Key, Stored
from shared.ports.store import Store

__all__ = ["Applied", "Applier", "Catalogue", "as_many_as_fit", "is_moved", "moved"]

T = TypeVar("T")

_NEW = (
    "name",
    "description",
    "brand",
    "package_size",
    "currency",
    "seo_title",
    "seo_description",
    "source_url",
    "supplier_id",
    "supplier_product_id",
    "sale_price",
    "unit_cost",
    "category",
    "images",
    "tags",
    "barcode",
    "sku",
    "attributes",
)
_WORDS = {
    "AlreadyExists": "already_exists",
    "InsufficientStock": "insufficient_stock",
    "InvalidState": "invalid_state",
    "BaseMoved": "base_moved",
    "NotFound": "not_found",
}
_SECONDARY = ("category", "stock")


class Catalogue(Protocol):
    """What applying needs of products."""

    @property
    def categories(self) -> Any:
        """Return the categories."""
        ...

    def get(self, product_id: str) -> Stored:
        """Return a product's document; raise NotFound."""
        ...

    def create_many(self, caller: Caller, wanted: Sequence[NewProduct]) -> list[Stored]:
        """Make products, all or none."""
        ...

    def apply(self, caller: Caller, stored: Stored, changes: Any, *, reason: str | None = None) -> Stored:
        """Write changes of stored fields."""
        ...

    def archive(self, caller: Caller, product_id: str) -> None:
        """Take a product out of all lists."""
        ...

    def code(self, barcode: str | None, pointer: str = "/barcode") -> Any:
        """Read a barcode."""
        ...


@dataclass(frozen=True, slots=True)
class Applied:
    """A row that was written: what it takes to see that nobody touched the product since, and to take it back."""

    row: int
    action: Action
    product_id: str
    version: int
    stock_version: int | None
    store_id: str | None
    units: int
    before: Data

    def packed(self) -> list[Any]:
        """Return the row as it is kept."""
        names = ("row", "action", "product_id", "version", "stock_version", "store_id", "units", "before")
        return [getattr(self, name) for name in names]

    @classmethod
    def of(cls, kept: Sequence[Any]) -> "Applied":
        """Read a kept row."""
        row, action, *rest = kept
        return cls(row, Action(action), *rest)


@dataclass(frozen=True)
class Applier:
    """Writes rows through the catalogue and the ledger, inside the unit of work of a job's step."""

    store: Store
    products: Catalogue
    ledger: Ledger
    default_store: Callable[[], str]

    def rows(self, caller: Caller, import_id: str, rows: Sequence[Compared]) -> list[Applied]:
        """Write rows; one that is refused, or whose product has moved, becomes an error and leaves nothing behind."""
        wanted = [row for row in rows if row.action in {Action.CREATE, Action.UPDATE}]
        try:
            return self.store.atomically(partial(self._together, caller, import_id, wanted))
        except Problem:  # some row is refused: which, shows one by one
            return self._one_by_one(caller, import_id, wanted)

    def _one_by_one(self, caller: Caller, import_id: str, rows: Sequence[Compared]) -> list[Applied]:
        made = []
        for row in rows:
            try:
                made += self.store.atomically(partial(self._together, caller, import_id, [row]))
            except Problem as refused:
                code = _WORDS.get(refused.name, "refused")
                row.action, row.code, row.error = Action.ERROR, code, (None, code, refused.detail)
        return made

    def undo(self, caller: Caller, import_id: str, rows: Sequence[Applied]) -> list[Compared]:
        """Take rows back; return those that could not be, as errors."""
        try:
            self.store.atomically(partial(self._undone, caller, import_id, rows))
        except Problem:  # some row is refused: which, shows one by one
            return self._undone_one_by_one(caller, import_id, rows)
        return []

    def _undone_one_by_one(self, caller: Caller, import_id: str, rows: Sequence[Applied]) -> list[Compared]:
        failed = []
        for row in rows:
            try:
                self.store.atomically(partial(self._undone, caller, import_id, [row]))
            except Problem as refused:
                code = _WORDS.get(refused.name, "refused")
                told = (None, code, refused.detail)
                failed.append(Compared(row.row, Action.ERROR, row.product_id, code=code, error=told))
        return failed

    def _together(self, caller: Caller, import_id: str, rows: Sequence[Compared]) -> list[Applied]:
        """Write rows whole: the products first, then what of their stock has to be booked, in one booking."""
        self.store.foresee(key for row in rows for key in _touched(self.products, row))
        stored = self._products_of(caller, rows)
        store_id = self.default_store() if any(row.units for row in rows) else None
        pairs = zip(rows, stored, strict=True)
        units = [(product.key.id, store_id, row.units) for row, product in pairs if store_id and row.units]
        self._book(caller, import_id, units)
        pairs = zip(rows, stored, strict=True)
        return [self._noted(row, product, store_id if row.units else None) for row, product in pairs]

    def _products_of(self, caller: Caller, rows: Sequence[Compared]) -> list[Stored]:
        """Return the products of rows once they are written: the new ones together."""
        new = [row for row in rows if row.action is Action.CREATE]
        made = iter(self.products.create_many(caller, [_wanted(row) for row in new]) if new else ())
        return [next(made) if row.action is Action.CREATE else self._updated(caller, row) for row in rows]

    def _noted(self, row: Compared, stored: Stored, store_id: str | None) -> Applied:
        """Say in the row what it has become, and return what it takes to take it back."""
        row.product_id, row.sku = stored.key.id, stored.data["sku"]
        stock_version = self._stock_version(stored.key.id) if row.units or row.action is Action.CREATE else None
        before = {name: told["before"] for name, told in row.fields.items() if name not in _SECONDARY}
        if "category" in row.fields:
            before["category_id"] = row.fields["category"].get("id")
            before["category"] = row.fields["category"]["before"]
        version = stored.data["version"]
        return Applied(row.row, row.action, stored.key.id, version, stock_version, store_id, row.units, before)

    def _updated(self, caller: Caller, row: Compared) -> Stored:
        assert row.product_id is not None
        assert row.base is not None
        stored = self.products.get(row.product_id)
        version, stock_version = row.base
        if stored.data["version"] != version:
            raise _moved_on(row.product_id)
        if stock_version is not None and self._stock_version(row.product_id) != stock_version:
            raise _moved_on(row.product_id)
        changes = _stored({name: told["after"] for name, told in row.fields.items() if name not in _SECONDARY})
        if "category" in row.fields:
            found = self.products.categories.ensure(row.fields["category"]["after"])
            changes |= {"category_id": found.key.id, "category": found.data["name"]}
            row.fields["category"]["id"] = stored.data["category_id"]
        return self.products.apply(caller, stored, changes, reason="import")

    def _undone(self, caller: Caller, import_id: str, rows: Sequence[Applied]) -> None:
        """Take rows back whole: first what was booked, in one booking, then the products."""
        self.store.foresee(key for row in rows for key in _places(row.product_id, 0))
        gone = is_moved(self.store, rows)
        if gone:
            raise _moved_on(gone[0])
        self._book(caller, import_id, [(row.product_id, row.store_id, -row.units) for row in rows if row.store_id])
        for row in rows:
            self._product_undone(caller, row)

    def _product_undone(self, caller: Caller, row: Applied) -> None:
        if row.action is Action.CREATE:
            self.products.archive(caller, row.product_id)
        else:
            self.products.apply(caller, self.products.get(row.product_id), _stored(row.before), reason="import undone")

    def _book(self, caller: Caller, import_id: str, units: Sequence[tuple[str, str, int]]) -> None:
        told: Data = {"kind": MovementType.IMPORT, "reference": import_id, "user_id": caller.user_id or None}
        if units:
            self.ledger.book([Change(*each, **told) for each in units])

    def _stock_version(self, product_id: str) -> int:
        stored = self.store.get(stock_key(product_id))
        return 0 if stored is None else int(stored.data["stock_version"])


class _TooManyError(Exception):
    """Some rows make more writes than one commit takes."""


def as_many_as_fit(store: Store, rows: Sequence[Any], work: Callable[[Sequence[Any]], T]) -> T:
    """Do some work on as many of the first rows as one commit takes, for a product may lie in hundreds of stores; return its result.

    An eighth of a commit is left for what is written beside, and for an undo that writes a little more.
    """
    size, most = len(rows), store.most_writes * 7 // 8

    def within() -> T:
        result = work(rows[:size])
        if size > 1 and store.decided() > most:
            raise _TooManyError
        return result

    while True:
        try:
            return store.atomically(within)
        except _TooManyError:
            size = -(-size // 4)


def _wanted(row: Compared) -> NewProduct:
    told = {name: row.fields[name]["after"] for name in _NEW if name in row.fields}
    return NewProduct.model_validate({**told, "status": "draft"})


def moved(store: Store, products: Catalogue, rows: Iterable[Compared]) -> list[str]:
    """Return the ids of products that are not any more what these rows were compared with.

    For a row that makes a product that is the product which has its SKU or barcode now.
    """
    updates = [row for row in rows if row.action is Action.UPDATE]
    bases = [(row.product_id or "", *(row.base or (0, None))) for row in updates]
    return _not_at(store, bases) + _taken(store, products, rows)


def is_moved(store: Store, rows: Iterable[Applied]) -> list[str]:
    """Return the ids of products that changed since these rows were written."""
    return _not_at(store, [(row.product_id, row.version, row.stock_version) for row in rows])


def _not_at(store: Store, bases: Sequence[tuple[str, int, int | None]]) -> list[str]:
    keys = [key for product_id, _, stock in bases for key in _places(product_id, stock)]
    found = store.get_many(keys) if keys else {}
    gone = []
    for product_id, version, stock_version in bases:
        product, stock = found.get(product_key(product_id)), found.get(stock_key(product_id))
        same = product is not None and product.data["version"] == version
        if same and stock_version is not None:
            same = (0 if stock is None else stock.data["stock_version"]) == stock_version
        if not same:
            gone.append(product_id)
    return gone


def _places(product_id: str, stock_version: int | None) -> list[Key]:
    return [product_key(product_id)] + ([] if stock_version is None else [stock_key(product_id)])


def _touched(products: Catalogue, row: Compared) -> list[Key]:
    """Return what writing a row is going to read."""
    if row.action is Action.CREATE:
        return _claimed(products, row)
    return [product_key(row.product_id or ""), stock_key(row.product_id or "")]


def _claimed(products: Catalogue, row: Compared) -> list[Key]:
    """Return the names a new product is going to claim."""
    told = {name: row.fields.get(name, {}).get("after") for name in ("sku", "supplier_id", "supplier_product_id")}
    code = products.code(row.fields["barcode"]["after"]) if "barcode" in row.fields else None
    claims = claims_of({**told, "sku": told["sku"] or ""}, code.claim if code else None)
    return [key for key, name in claims.items() if name != "sku" or told["sku"]]


def _taken(store: Store, products: Catalogue, rows: Iterable[Compared]) -> list[str]:
    keys = [key for row in rows if row.action is Action.CREATE for key in _claimed(products, row)]
    return [stored.data["product_id"] for stored in store.get_many(keys).values()] if keys else []


def _stored(fields: Data) -> Data:
    """Return fields as the catalogue keeps them."""
    told = fields.get("attributes")
    return fields if told is None else {**fields, "attributes": kept_attributes(told)}


def _moved_on(product_id: str) -> BaseMoved:
    return BaseMoved("The product has changed since the import was analysed.", moved=[product_id])
