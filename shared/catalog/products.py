"""Making, changing and archiving products; their stock is booked in the ledger, in the same commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from shared.catalog.barcodes import Code, read_code
from shared.catalog.changes import asked_changes, new_fields, refuse_empty
from shared.catalog.history import HISTORIC, Changed, change_write
from shared.catalog.record import (
    claims_of,
    first_stock,
    product_key,
    refuse_too_large,
    stock_facts,
    stock_key,
    with_finders,
    with_thresholds,
)
from shared.catalog.states import ProductStatus
from shared.catalog.views import product_view
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import AlreadyExists, FieldError, InvalidState, NotFound, PreconditionFailed, ValidationFailed
from shared.core.values import dataclass
from shared.inventory.ledger import Change, Ledger
from shared.inventory.words import MovementType
from shared.ports.documents import Create, Delete, Key, Put, Stored, Write
from shared.stores.scope import check_scope

if TYPE_CHECKING:
    from shared.catalog.categories import Categories
    from shared.catalog.change_models import NewProduct, ProductPatch
    from shared.core.caller import Caller
    from shared.core.ids import Ids
    from shared.inventory.sums import Sums
    from shared.ports.store import Store

__all__ = ["COPIED", "PRICE_CHANGES", "PRICE_FIELDS", "Products", "Rules", "Stores", "price_row"]

Data = dict[str, Any]

PRICE_CHANGES = "price_changes"
PRICE_FIELDS = {"sale_price": "sale_price", "unit_cost": "cost_price"}
"""Stored prices, and what their history calls them."""
COPIED = frozenset(
    {
        "sku",
        "name",
        "brand",
        "category",
        "package_size",
        "status",
        "reorder_threshold",
        "follows_category_threshold",
        "category_id",
        "sale_price",
        "unit_cost",
        "currency",
    }
)
"""What levels repeat of their product."""
_TOGETHER = 100
"""Products whose making is one row of history."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What this deployment has settled about products."""

    currency: str = "EUR"
    strict_barcodes: bool = False
    image_hosts: tuple[str, ...] = ()
    """`host:port` pairs whose images may come over plain http."""


class Stores(Protocol):
    """What products need of stores."""

    def default_for(self, caller: Caller) -> str:
        """Return the store an operation means that names none."""
        ...

    def stored(self, store_id: str) -> Stored:
        """Return a store's document; raise NotFound."""
        ...


@dataclass(frozen=True)
class Products:
    """Products, each with a SKU and a barcode of its own."""

    store: Store
    clock: Clock
    ids: Ids
    ledger: Ledger
    sums: Sums
    stores: Stores
    categories: Categories
    rules: Rules = Rules()
    has_open_orders: Callable[[str], bool] = lambda _: False
    """Whether transfer orders that are neither finished nor cancelled name the product."""

    def get(self, product_id: str) -> Stored:
        """Return a product's document; raise NotFound."""
        found = self.store.get(product_key(product_id))
        if found is None:
            raise NotFound("No product has this id.", resource="product")
        return found

    def view(self, stored: Stored) -> Data:
        """Return a product as shown, with its stock as it is now."""
        return product_view(stored, self.sums.of([stored.key.id])[stored.key.id])

    def views(self, found: Sequence[Stored]) -> list[Data]:
        """Return several products as shown."""
        sums = self.sums.of(stored.key.id for stored in found)
        return [product_view(stored, sums[stored.key.id]) for stored in found]

    def create(self, caller: Caller, wanted: NewProduct) -> Stored:
        """Make a product and book its first stock; raise AlreadyExists, NotFound, Forbidden or ValidationFailed."""
        return self.create_many(caller, [wanted])[0]

    def create_many(self, caller: Caller, wanted: Sequence[NewProduct]) -> list[Stored]:
        """Make products as `create` does, all or none; their history begins in rows of many products."""
        named = [(one, self.ids.new("prd"), one.sku or self._new_sku()) for one in wanted]
        return self.store.atomically(lambda: self._all_created(caller, named))

    def update(
        self, caller: Caller, product_id: str, patch: ProductPatch, condition: Precondition = NO_CONDITION
    ) -> Stored:
        """Change a product; book the difference when its stock is to be another. Nothing new changes nothing."""
        refuse_empty(patch)
        return self.store.atomically(lambda: self._updated(caller, product_id, patch, condition))

    def archive(self, caller: Caller, product_id: str, condition: Precondition = NO_CONDITION) -> None:
        """Take a product out of all lists; raise InvalidState while units are reserved or orders are open."""
        self.store.atomically(lambda: self._archived(caller, product_id, condition))

    def read(self, text: str) -> Code:
        """Read a code as scanned today."""
        return read_code(text, self.clock.now().date())

    def code(self, barcode: str | None, pointer: str = "/barcode") -> Code | None:
        """Read a barcode that is to be kept; with STRICT_BARCODES raise ValidationFailed for a wrong check digit."""
        if barcode is None:
            return None
        code = self.read(barcode)
        if self.rules.strict_barcodes and code.valid_check_digit is False:
            raise ValidationFailed.at(pointer, "bad_check_digit", "The check digit of this barcode is wrong.")
        return code

    def apply(self, caller: Caller, stored: Stored, changes: Mapping[str, Any], *, reason: str | None = None) -> Stored:
        """Write changes of stored fields, with claims, history and everything that repeats them."""
        if not changes:
            return stored
        after, writes = self.planned(caller, stored, changes, reason=reason)
        change = Changed(stored.key.id, after.data["version"], stored.data, changes)
        self.store.write([*writes, change_write(self.ids.new("chg"), self.said(caller, reason), [change])])
        if not COPIED.isdisjoint(changes):
            self.sums.relabel_product(stored.key.id, after.data)
        return after

    def repeat_thresholds(self, product_id: str, category_id: str) -> None:
        """Let a product and its levels repeat the present thresholds of its category; one of another stays as it is."""
        self.store.atomically(lambda: self._repeated(product_id, category_id))

    def said(self, caller: Caller, reason: str | None) -> Data:
        """Return who changes something, when and why, as history keeps it."""
        return {"user_id": caller.user_id, "reason": reason, "created_at": instant(self.clock.now())}

    def category_told(self, category_id: str | None, name: str | None, *, make: bool = True) -> Data:
        """Return the category fields of a product that names it by id or name; without `make` an unknown one has no id yet.

        Raise NotFound for an unknown id, ValidationFailed when both are given and differ.
        """
        if category_id is None:
            if name is not None and not make:
                known = self.categories.named((name,))
                return {"category_id": known[0].key.id if known else None, "category": name}
            found = None if name is None else self.categories.ensure(name)
        else:
            found = self.categories.get(category_id)
            if name is not None and found.data["name"] != name:
                raise _other_category()
        return {"category_id": found.key.id if found else None, "category": found.data["name"] if found else None}

    def planned(
        self, caller: Caller, stored: Stored, changes: Mapping[str, Any], *, reason: str | None = None
    ) -> tuple[Stored, list[Write]]:
        """Return the product after some changes and the writes of its own documents, its prices' history among them."""
        stamps = {"updated_at": instant(self.clock.now()), "version": stored.data["version"] + 1}
        data = {**stored.data, **changes, **stamps}
        if "category_id" in changes:
            data = with_thresholds(data, self.categories.thresholds_of(changes["category_id"]))
        if "reorder_threshold" in changes and "follows_category_threshold" not in changes:
            data["follows_category_threshold"] = False
        after = replace(stored, data=with_finders(data))
        refuse_too_large(after.data)
        writes: list[Write] = [Put(stored.key, after.data, stored.version)]
        writes += self._claim_writes(stored, after)
        writes += [
            self.price_write(caller, after, field, stored.data[field], reason=reason)
            for field in PRICE_FIELDS
            if field in changes
        ]
        return after, [*writes, *self._stock_writes(after)]

    def price_write(
        self, caller: Caller, after: Stored, field: str, old: str | None, *, reason: str | None = None
    ) -> Write:
        """Return the history row of a changed price."""
        row = price_row(after, field, old)
        return Create(Key(PRICE_CHANGES, self.ids.new("prc")), {**row, "reason": reason, "user_id": caller.user_id})

    def _new_sku(self) -> str:
        return self.ids.new("SKU").replace("_", "-").upper()

    def _all_created(self, caller: Caller, named: Sequence[tuple[NewProduct, str, str]]) -> list[Stored]:
        made = [self._created(caller, *one) for one in named]
        said = self.said(caller, "created")
        for at in range(0, len(made), _TOGETHER):
            some = [
                Changed(one.key.id, 1, {}, {name: one.data[name] for name in HISTORIC})
                for one in made[at : at + _TOGETHER]
            ]
            self.store.write([change_write(self.ids.new("chg"), said, some)])
        return made

    def _created(self, caller: Caller, wanted: NewProduct, product_id: str, sku: str) -> Stored:
        fields = new_fields(wanted, sku=sku, currency=self.rules.currency)
        self._check_images(fields["images"])
        code = self.code(fields["barcode"])
        now = instant(self.clock.now())
        stamps = {"created_at": now, "updated_at": now, "version": 1}
        kept = {"barcode": code.kept if code else None}
        category = self.category_told(wanted.category_id, wanted.category)
        thresholds = self.categories.thresholds_of(category["category_id"])
        data = with_thresholds({**fields, **kept, **category, **stamps}, thresholds)
        product = Stored(product_key(product_id), with_finders(data), "")
        refuse_too_large(product.data)
        claims = claims_of(product.data, code.claim if code else None)
        self._refuse_taken(claims)
        writes: list[Write] = [Create(product.key, product.data)]
        writes.append(Create(stock_key(product_id), first_stock(product_id, product.data)))
        writes += [Create(key, {"product_id": product_id}) for key in claims]
        self.store.write(writes)
        if wanted.current_stock is not None:
            store_id = self._store_for(caller, wanted.store_id)
            self._book_first(caller, product_id, store_id, wanted.current_stock)
        return product

    def _updated(self, caller: Caller, product_id: str, patch: ProductPatch, condition: Precondition) -> Stored:
        stored = self.get(product_id)
        shown = self.view(stored)
        moves = any(getattr(patch, name) not in (None, shown["current_stock"]) for name in ("current_stock", "stock"))
        store_id = self._store_for(caller, patch.store_id) if moves else ""
        condition.check(product_id, stored.data["version"], patch.version)
        if moves and patch.stock_version not in (None, shown["stock_version"]):
            raise _stale(shown["current_stock"])
        changes = asked_changes(patch, stored.data, shown)
        wanted = changes.pop("current_stock", None)
        changes |= self._category_changes(patch, stored.data)
        self._check_images(changes.get("images", ()))
        if changes.get("barcode") is not None:
            code = self.code(changes["barcode"])
            changes["barcode"] = code.kept if code else None
        if changes.get("status") == ProductStatus.ARCHIVED.value:
            self._refuse_in_use(product_id)
        after = self.apply(caller, stored, changes)
        if wanted is not None:
            quantity = wanted - shown["current_stock"]
            change = Change(product_id, store_id, quantity, MovementType.CORRECTION, user_id=caller.user_id)
            self.ledger.book([change])
        return after

    def _archived(self, caller: Caller, product_id: str, condition: Precondition) -> None:
        stored = self.get(product_id)
        condition.check(product_id, stored.data["version"])
        archived = ProductStatus.ARCHIVED.value
        if stored.data["status"] == archived:
            return
        self._refuse_in_use(product_id)
        self.apply(caller, stored, {"status": archived})

    def _refuse_in_use(self, product_id: str) -> None:
        """Raise InvalidState for a product that cannot be archived now: units are reserved, or orders are open."""
        reserved = self.sums.of([product_id])[product_id]["reserved_stock"]
        if reserved:
            detail = f"{reserved} units are reserved; release them first."
            raise InvalidState(detail, current="reserved", allowed=[])
        if self.has_open_orders(product_id):
            raise InvalidState("Open transfer orders name this product.", current="ordered", allowed=[])

    def _repeated(self, product_id: str, category_id: str) -> None:
        stored = self.get(product_id)
        if stored.data["category_id"] != category_id:
            return
        after = replace(stored, data=with_thresholds(stored.data, self.categories.thresholds_of(category_id)))
        if after.data != stored.data:
            self.store.write([Put(stored.key, after.data, stored.version), *self._stock_writes(after)])
        self.sums.relabel_product(product_id, after.data, tell=True)

    def _book_first(self, caller: Caller, product_id: str, store_id: str, quantity: int) -> None:
        booking = self.ledger.open([(product_id, store_id)])
        booking.create_level(product_id, store_id)
        if quantity:
            booking.add(Change(product_id, store_id, quantity, MovementType.INITIAL, user_id=caller.user_id))
        booking.write()

    def _store_for(self, caller: Caller, named: str | None) -> str:
        """Return the store whose stock is meant; raise NotFound or Forbidden."""
        store_id = named if named is not None else self.stores.default_for(caller)
        self.stores.stored(store_id)
        check_scope(caller, store_id)
        return store_id

    def _category_changes(self, patch: ProductPatch, present: Mapping[str, Any]) -> Data:
        """Return the category fields that change; of id and name the one that differs from the present wins."""
        given = patch.model_fields_set
        by_id = "category_id" in given and patch.category_id != present["category_id"]
        by_name = "category" in given and patch.category != present["category"]
        if not by_id and not by_name:
            return {}
        if by_id and by_name and (patch.category_id is None) != (patch.category is None):
            raise _other_category()
        told = self.category_told(patch.category_id if by_id else None, patch.category if by_name else None)
        return {name: value for name, value in told.items() if value != present[name]}

    def _check_images(self, images: Iterable[str]) -> None:
        for number, image in enumerate(images):
            if not is_allowed_image(image, self.rules.image_hosts):
                raise ValidationFailed.at(f"/images/{number}", "https_only", "The address must begin with https://.")

    def _refuse_taken(self, claims: Mapping[Key, str]) -> None:
        taken = self.store.get_many(list(claims))
        for key, field in claims.items():
            if key in taken:
                raise AlreadyExists(f"Another product has this {field}.", field=field)

    def _claims(self, product: Mapping[str, Any]) -> dict[Key, str]:
        code = None if product["barcode"] is None else self.read(product["barcode"])
        return claims_of(product, code.claim if code else None)

    def _claim_writes(self, before: Stored, after: Stored) -> list[Write]:
        old, new = self._claims(before.data), self._claims(after.data)
        added = {key: field for key, field in new.items() if key not in old}
        if added:
            self._refuse_taken(added)
        writes: list[Write] = [Delete(key) for key in old if key not in new]
        return writes + [Create(key, {"product_id": after.key.id}) for key in added]

    def _stock_writes(self, after: Stored) -> list[Write]:
        """Return the write of the stock document when the facts it repeats have changed."""
        stock = self.store.get(stock_key(after.key.id))
        if stock is None:
            return []
        facts = stock_facts(after.data, stock.data)
        return [] if facts == stock.data else [Put(stock.key, facts, stock.version)]


def price_row(after: Stored, field: str, old: str | None) -> Data:
    """Return what the history says of a changed price; `field` is the stored one."""
    return {
        "product_id": after.key.id,
        "field": PRICE_FIELDS[field],
        "old_price": old,
        "new_price": after.data[field],
        "currency": after.data["currency"],
        "created_at": after.data["updated_at"],
    }


def is_allowed_image(address: str, http_hosts: Sequence[str]) -> bool:
    """Say whether an image may be at this address: https, or http on a host that is let through."""
    scheme, _, rest = address.partition("://")
    host = rest.partition("/")[0].lower()
    secure = scheme.lower() == "https" and bool(host)
    return secure or (scheme.lower() == "http" and (host in http_hosts or f"{host}:80" in http_hosts))


def _stale(current: int) -> PreconditionFailed:
    detail = "Stock has moved since you read it; read the product again before setting its stock."
    return PreconditionFailed(detail, errors=(FieldError("/stock_version", "stale", detail),), current_quantity=current)


def _other_category() -> ValidationFailed:
    message = "category and category_id are one value and differ."
    return ValidationFailed.at("/category", "conflict", message)
