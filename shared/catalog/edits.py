"""Edits of many products in one commit: which products, and everything that is written with them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic_core import to_json

from shared.catalog.history import Changed, change_write
from shared.catalog.listing import ProductLists
from shared.catalog.models import ProductFilter
from shared.catalog.price_models import BulkEdit, BulkFilter
from shared.catalog.products import COPIED, Products
from shared.catalog.record import product_key
from shared.core.caller import Caller
from shared.core.errors import FieldError, InvalidState, NotFound, ValidationFailed
from shared.core.values import dataclass
from shared.inventory.keys import LEVELS
from shared.inventory.rules import follows_category
from shared.ports.documents import Query, Stored, Write

__all__ = ["Edits"]

Data = dict[str, Any]
Changes = Mapping[str, Mapping[str, Any]]

_FOLLOWS = "follows_category_threshold"
_MOST = 200
_MOST_WRITES = 480
_MOST_BYTES = 8_000_000
_REQUIRED = ("status", "reorder_threshold", _FOLLOWS, "currency", "tags")


@dataclass(frozen=True)
class Edits:
    """Writing one edit of many products."""

    products: Products
    lists: ProductLists
    later: Callable[[Sequence[str]], None]
    """Lets levels repeat these products, after the commit and for certain."""

    def edit(self, caller: Caller, wanted: BulkEdit) -> tuple[list[Data], int]:
        """Give many products the same values; return what changes of each, and how many stay as they are.

        With `dry_run` nothing is written. Raise NotFound, ValidationFailed, or InvalidState where a product is to be archived
        that is reserved or ordered.
        """
        if wanted.product_ids is not None:
            self.refuse_repeated(wanted.product_ids, "/product_ids/{}")
            found = self.found(wanted.product_ids, "/product_ids/{}")
        else:
            found = self._matching(wanted.filter or BulkFilter())
        fields = self._fields(wanted)
        changes: dict[str, Data] = {}
        for stored in found:
            present = {**stored.data, _FOLLOWS: follows_category(stored.data)}
            differing = {name: value for name, value in fields.items() if value != present.get(name)}
            if differing:
                changes[stored.key.id] = differing
        self._refuse_archiving(changes)
        changed = [stored for stored in found if stored.key.id in changes]
        if not wanted.dry_run:
            self.write(caller, changed, changes, reason="bulk edit")
        items = [_item(stored, changes[stored.key.id]) for stored in changed]
        return items, len(found) - len(changed)

    def write(self, caller: Caller, found: Sequence[Stored], changes: Changes, *, reason: str) -> None:
        """Write changed fields of products with their history; levels repeat them in the same commit when they fit."""
        writes: list[Write] = []
        rows: list[Changed] = []
        after: dict[str, Stored] = {}
        for stored in found:
            mine = changes[stored.key.id]
            differing = {name: value for name, value in mine.items() if value != stored.data.get(name)}
            if differing:
                after[stored.key.id], made = self.products.planned(caller, stored, differing, reason=reason)
                writes += made
                rows.append(Changed(stored.key.id, stored.data["version"] + 1, stored.data, differing))
        if not rows:
            return
        _refuse_too_large(after.values())
        said = self.products.said(caller, reason)
        self.products.store.write([*writes, change_write(self.products.ids.new("chg"), said, rows)])
        copied = [row.product_id for row in rows if not COPIED.isdisjoint(row.after)]
        self._repeat(copied, after, len(writes) + 1)

    def found(self, product_ids: Sequence[str], where: str) -> list[Stored]:
        """Return products by id, in order; raise NotFound that names every unknown one."""
        keys = [product_key(product_id) for product_id in product_ids]
        present = self.products.store.get_many(keys)
        unknown = [number for number, key in enumerate(keys) if key not in present]
        if unknown:
            detail = "No product has this id."
            errors = tuple(FieldError(where.format(number), "unknown", detail) for number in unknown)
            raise NotFound(f"{len(unknown)} of the products do not exist.", errors=errors, resource="product")
        return [present[key] for key in keys]

    def refuse_repeated(self, product_ids: Sequence[str], where: str) -> None:
        """Raise ValidationFailed when a product is named twice."""
        seen: set[str] = set()
        errors = []
        for number, product_id in enumerate(product_ids):
            if product_id in seen:
                errors.append(FieldError(where.format(number), "duplicate", "This product is named twice."))
            seen.add(product_id)
        if errors:
            raise ValidationFailed(errors[0].message, errors=tuple(errors))

    def _repeat(self, product_ids: Sequence[str], after: Mapping[str, Stored], written: int) -> None:
        """Let levels repeat their products now, or right after the commit when it would grow too large."""
        if not product_ids:
            return
        levels = 0
        for begin in range(0, len(product_ids), 10):
            some = tuple(product_ids[begin : begin + 10])
            levels += self.products.store.count(Query(LEVELS, (("product_id", some),)))
        if written + levels + len(product_ids) <= _MOST_WRITES:
            for product_id in product_ids:
                self.products.sums.relabel_product(product_id, after[product_id].data)
        else:
            self.later(product_ids)

    def _matching(self, wanted: BulkFilter) -> list[Stored]:
        said = {name: [value] for name, value in wanted.model_dump(exclude={"search"}).items() if value is not None}
        found: list[Stored] = []
        for row in self.lists.found(ProductFilter.model_validate({**said, "search": wanted.search})):
            if len(found) == _MOST:
                detail = f"More than {_MOST} products fit; narrow the filter."
                raise ValidationFailed.at("/filter", "too_many", detail)
            found.append(row.product)
        return found

    def _fields(self, wanted: BulkEdit) -> Data:
        """Return the stored fields an edit gives; raise ValidationFailed or NotFound."""
        given = wanted.changes.model_dump(mode="json", exclude_unset=True)
        for name in _REQUIRED:
            if name in given and given[name] is None:
                raise ValidationFailed.at(f"/changes/{name}", "required", "This key cannot be cleared.")
        told = {name: given.pop(name) for name in ("category", "category_id") if name in given}
        if told:
            made = not wanted.dry_run
            given |= self.products.category_told(told.get("category_id"), told.get("category"), make=made)
        return {name: None if value == "" else value for name, value in given.items()}

    def _refuse_archiving(self, changes: Changes) -> None:
        going = [product_id for product_id, mine in changes.items() if mine.get("status") == "archived"]
        sums = self.products.sums.of(going)
        for product_id in going:
            if sums[product_id]["reserved_stock"] or self.products.has_open_orders(product_id):
                detail = "A product with reserved units or open orders cannot be archived."
                raise InvalidState(detail, current="in_use", allowed=[], product_id=product_id)


def _refuse_too_large(after: Iterable[Stored]) -> None:
    """Raise ValidationFailed when products are so long that no store takes all of them in one commit."""
    if sum(len(to_json(stored.data)) for stored in after) > _MOST_BYTES:
        raise ValidationFailed.at("", "too_large", "These products are too long for one change; name fewer.")


def _item(stored: Stored, mine: Mapping[str, Any]) -> Data:
    pairs = [{"field": name, "before": stored.data.get(name), "after": value} for name, value in mine.items()]
    return {"product_id": stored.key.id, "sku": stored.data["sku"], "name": stored.data["name"], "changes": pairs}
