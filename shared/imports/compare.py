"""Comparing staged rows with the catalogue: which product a row means, and what of it would change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from shared.catalog.record import PRODUCTS, attributes_of, claims_of, product_key, stock_key
from shared.core.caller import Caller
from shared.core.errors import ValidationFailed
from shared.core.values import dataclass, field
from shared.imports.models import Action
from shared.imports.numbers import IN_STOCK
from shared.imports.staging import DUPLICATE
from shared.inventory.keys import level_key
from shared.inventory.rules import new_stock
from shared.ports.documents import Key, Query, Stored

if TYPE_CHECKING:
    from shared.catalog.barcodes import Code
    from shared.imports.record import Data
    from shared.ports.store import Store

__all__ = ["Compared", "Comparer", "Desk", "Options", "caller_of"]

_MANY_URLS = 10
_TEXTS = (
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
)
_AMOUNTS = ("sale_price", "unit_cost")
_COMPARED = (*_TEXTS, *_AMOUNTS, "category", "images", "tags")
_ARCHIVED, _DRAFT = "archived", "draft"


class Desk(Protocol):
    """What imports need of the catalogue (`shared.catalog.products.Products`)."""

    def code(self, barcode: str | None, pointer: str = "/barcode") -> Code | None:
        """Read a barcode that is to be kept."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """How one import compares."""

    update_existing: bool = True
    by_page: bool = False
    """Whether a row is found by its page even though it has a SKU: a scraped page is one product."""
    currency: str = "EUR"


@dataclass(slots=True)
class Compared:
    """A row of the diff.

    `base` is the product's version and, when stock changes, its stock_version, as they were; `units` the difference to
    book.
    """

    row: int
    action: Action
    product_id: str | None = None
    sku: str | None = None
    fields: Data = field(default_factory=dict)
    code: str | None = None
    base: tuple[int, int | None] | None = None
    units: int = 0
    provenance: dict[str, str] | None = None
    error: tuple[str | None, str, str] | None = None

    def packed(self) -> list[Any]:
        """Return the row as it is kept."""
        return [
            self.row,
            self.action.value,
            self.product_id,
            self.sku,
            self.fields,
            self.code,
            self.base,
            self.units,
            self.provenance,
        ]

    @classmethod
    def of(cls, kept: Sequence[Any]) -> Compared:
        """Read a kept row."""
        row, action, product_id, sku, fields, code, base, units, provenance = kept
        return cls(row, Action(action), product_id, sku, fields, code, tuple(base) if base else None, units, provenance)


@dataclass(frozen=True, slots=True)
class _Found:
    """The products that rows may mean, with their stock."""

    claims: Mapping[Key, str]
    products: Mapping[str, Stored]
    stocks: Mapping[str, Data]
    pages: Mapping[str, str]


class Comparer:
    """Compares a batch of staged rows at a time."""

    def __init__(self, store: Store, products: Desk, default_store: Any) -> None:
        """Take the store, the catalogue, and what returns the id of the default store."""
        self._store, self._products, self._default_store = store, products, default_store

    def batch(self, staged: Sequence[Sequence[Any]], superseded: set[int], options: Options) -> list[Compared]:
        """Return the diff rows of staged rows, in order."""
        wanted = [row for row in staged if row[2] is None and row[0] not in superseded]
        claims = {row[0]: self._claims(row[1]) for row in wanted}
        found = self._found(wanted, claims, options)
        return [self._compared(row, superseded, (claims.get(row[0], {}), found), options) for row in staged]

    def _compared(
        self,
        staged: Sequence[Any],
        superseded: set[int],
        found: tuple[Mapping[str, Key], _Found],
        options: Options,
    ) -> Compared:
        number, fields, error, code, provenance = staged
        if error is not None:
            return Compared(number, Action.ERROR, code=error[1], error=tuple(error))
        if number in superseded:
            return Compared(number, Action.SKIP, sku=fields.get("sku"), code=DUPLICATE)
        try:
            made = self._difference(number, fields, found, options)
        except ValidationFailed as refused:
            return _refused(number, fields, ("barcode", refused.errors[0].code, refused.detail))
        made.code = made.code or code
        made.provenance = provenance
        return made

    def _difference(
        self, number: int, fields: Data, found: tuple[Mapping[str, Key], _Found], options: Options
    ) -> Compared:
        claims, known = found
        product = self._meant(fields, claims, known, options)
        barcode = self._products.code(fields["barcode"]) if "barcode" in fields else None
        if product is None:
            return _creation(number, fields, barcode.kept if barcode else None, options)
        if not options.update_existing:
            return Compared(number, Action.SKIP, product.key.id, product.data["sku"], code="exists")
        owner = known.claims.get(claims["barcode"]) if "barcode" in claims else None
        if owner is not None and owner != product.key.id:
            return _refused(number, fields, ("barcode", "barcode_taken", "Another product has this barcode."))
        other = barcode.kept if barcode is not None and owner is None else None
        return self._change(number, fields, (product, known.stocks[product.key.id]), other)

    def _change(self, number: int, fields: Data, present: tuple[Stored, Data], barcode: str | None) -> Compared:
        product, stock = present
        data = product.data
        changes = {
            name: {"before": data[name], "after": fields[name]}
            for name in _COMPARED
            if name in fields and fields[name] != data[name]
        }
        if barcode is not None:
            changes["barcode"] = {"before": data["barcode"], "after": barcode}
        if "attributes" in fields and (
            whole := attributes_of(data["attributes"]) | fields["attributes"]
        ) != attributes_of(data["attributes"]):
            changes["attributes"] = {"before": attributes_of(data["attributes"]), "after": whole}
        if data["status"] == _ARCHIVED:
            changes["status"] = {"before": _ARCHIVED, "after": _DRAFT}
        wanted = _units(fields.get("stock"), stock)
        units = 0 if wanted is None else wanted - stock["current_stock"]
        if units:
            if units < 0 and not self._covers(product.key.id, units):
                sentence = "The default store does not hold as many units as would have to go."
                return _refused(number, fields, ("stock", "insufficient_stock", sentence))
            changes["stock"] = {"before": stock["current_stock"], "after": wanted}
        action = Action.UPDATE if changes else Action.UNCHANGED
        base = (data["version"], stock["stock_version"] if units else None)
        return Compared(number, action, product.key.id, data["sku"], changes, base=base, units=units)

    def _covers(self, product_id: str, units: int) -> bool:
        level = self._store.get(level_key(self._default_store(), product_id))
        return level is not None and (bool(level.data["allow_negative"]) or level.data["on_hand"] + units >= 0)

    def _meant(self, fields: Data, claims: Mapping[str, Key], known: _Found, options: Options) -> Stored | None:
        """Return the product a row means: by SKU, supplier's id, barcode, else by its page."""
        ids = [known.claims.get(claims[name]) for name in ("sku", "supplier", "barcode") if name in claims]
        page = fields.get("source_url")
        if page is not None and (options.by_page or "sku" not in fields):
            ids.insert(0 if options.by_page else len(ids), known.pages.get(page))
        product_id = next((each for each in ids if each is not None), None)
        return None if product_id is None else known.products.get(product_id)

    def _claims(self, fields: Data) -> dict[str, Key]:
        """Return where it is said which product has a row's SKU, supplier's id and barcode."""
        try:
            code = self._products.code(fields.get("barcode"))
        except ValidationFailed:
            code = None
        told = {"sku": fields.get("sku", ""), "supplier_id": fields.get("supplier_id")}
        told["supplier_product_id"] = fields.get("supplier_product_id")
        places = {name: key for key, name in claims_of(told, code.claim if code else None).items()}
        named = {"sku": places.get("sku"), "barcode": places.get("barcode")}
        named["supplier"] = places.get("supplier_product_id")
        if "sku" not in fields:
            named["sku"] = None
        return {name: key for name, key in named.items() if key is not None}

    def _found(
        self, rows: Sequence[Sequence[Any]], claims: Mapping[int, Mapping[str, Key]], options: Options
    ) -> _Found:
        keys = list({key for places in claims.values() for key in places.values()})
        told = {key: stored.data["product_id"] for key, stored in self._store.get_many(keys).items()} if keys else {}
        pages = self._pages(row[1] for row in rows if options.by_page or "sku" not in row[1])
        ids = list(dict.fromkeys([*told.values(), *pages.values()]))
        places = [*map(product_key, ids), *map(stock_key, ids)]
        read = self._store.get_many(places) if places else {}
        products = {each: read[product_key(each)] for each in ids if product_key(each) in read}
        stocks = {each: _stock_of(each, read.get(stock_key(each))) for each in ids}
        return _Found(told, products, stocks, pages)

    def _pages(self, rows: Iterable[Data]) -> dict[str, str]:
        """Return the products that came from these pages, the oldest of each."""
        addresses = list(dict.fromkeys(row["source_url"] for row in rows if "source_url" in row))
        found: dict[str, str] = {}
        for start in range(0, len(addresses), _MANY_URLS):
            some = tuple(addresses[start : start + _MANY_URLS])
            query = Query(PRODUCTS, (("source_url", some if len(some) > 1 else some[0]),), limit=1000)
            for stored in self._store.query(query):
                found.setdefault(stored.data["source_url"], stored.key.id)
        return found


def caller_of(user_id: str | None) -> Caller:
    """Return on whose behalf an import writes."""
    return Caller(user_id or "", user_id or "import", None, "internal")


def _stock_of(product_id: str, stored: Stored | None) -> Data:
    return stored.data if stored is not None else new_stock(product_id)


def _units(told: Any, stock: Data) -> int | None:
    """Return the total a row wants; `in stock` means 1 where nothing is known, and nothing elsewhere."""
    if told != IN_STOCK:
        return None if told is None else int(told)
    return 1 if stock["stock_version"] == 0 and stock["current_stock"] == 0 else None


def _creation(number: int, fields: Data, barcode: str | None, options: Options) -> Compared:
    if "name" not in fields:
        return _refused(number, fields, ("name", "missing_name", "A new product needs a name."))
    told = {name: fields[name] for name in (*_COMPARED, "attributes") if name in fields}
    if barcode is not None:
        told["barcode"] = barcode
    if "sku" in fields:
        told["sku"] = fields["sku"]
    told.setdefault("currency", options.currency)
    units = _units(fields.get("stock"), new_stock("")) or 0
    if fields.get("stock") is not None:
        told["stock"] = units
    changes = {name: {"before": None, "after": value} for name, value in told.items()}
    return Compared(number, Action.CREATE, None, fields.get("sku"), changes, units=units)


def _refused(number: int, fields: Data, error: tuple[str | None, str, str]) -> Compared:
    return Compared(number, Action.ERROR, sku=fields.get("sku"), code=error[1], error=error)
