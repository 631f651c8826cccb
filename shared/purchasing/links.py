"""Supplier links: a product as a connected supplier has it, with what it costs and how much there is."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from shared.core.errors import NotFound, ValidationFailed
from shared.core.money import number
from shared.core.values import dataclass
from shared.inventory.keys import product_key
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored
from shared.ports.store import Store
from shared.purchasing.models import LinkBody

__all__ = ["FINGERPRINT", "SUPPLIER_LINKS", "SupplierLinks", "link_key", "link_view"]

Data = dict[str, Any]

SUPPLIER_LINKS = "supplier_links"
FINGERPRINT = "fingerprint"
"""What a sync knows an unchanged record by; a link that people changed has none."""
_TOLD = (
    "supplier_product_id",
    "supplier_sku",
    "cost",
    "currency",
    "supplier_stock",
    "delivery_days",
    "is_active",
)
_TOLD_SET = set(_TOLD)
_FIRM = ("currency", "is_active")
_MOST = 1000


def link_key(product_id: str, supplier_id: str) -> Key:
    """Return where the link of a product and a supplier is."""
    digest = hashlib.blake2b(f"{product_id}\n{supplier_id}".encode("utf-8", "surrogatepass"), digest_size=16)
    return Key(SUPPLIER_LINKS, digest.hexdigest())


@dataclass(frozen=True)
class SupplierLinks:
    """The links; syncs write them too, with marks of their own."""

    store: Store
    currency: str
    """The default currency."""
    has_supplier: Callable[[str], bool]

    def put(self, product_id: str, supplier_id: str, body: LinkBody) -> Data:
        """Say what is known of a product at a supplier; what is not said stays. Raise NotFound for either."""
        self._require(product_id, supplier_id)
        given = body.model_dump(mode="python", exclude_unset=True, include=set(_TOLD))
        given = {name: value for name, value in given.items() if not (value is None and name in _FIRM)}
        told = {name: str(value) if isinstance(value, Decimal) else value for name, value in given.items()}
        key = link_key(product_id, supplier_id)
        stored = self.store.get(key)
        _refuse_other(body, {"product_id": product_id, "supplier_id": supplier_id}, stored)
        if stored is None:
            blank = {**dict.fromkeys(_TOLD), "currency": self.currency, "is_active": True, "last_seen_at": None}
            stored = Stored(key, {"product_id": product_id, "supplier_id": supplier_id, **blank, **told}, "")
            self.store.write([Create(key, stored.data)])
            return link_view(stored)
        after = replace(stored, data={**stored.data, **told})
        if after.data != stored.data:
            after.data.pop(FINGERPRINT, None)  # the next sync looks closely
            self.store.write([Put(key, after.data, stored.version)])
        return link_view(after)

    def told(self, link: Stored | None, names: tuple[str, str], body: LinkBody, marks: Data) -> tuple[Stored, bool]:
        """Return a link as its supplier tells of it now, and whether anything is new; of `names` the product exists.

        What is not said stays. `marks` are what a sync keeps beside. Nothing is written: see `keep`.
        """
        said = body.model_dump(mode="python", exclude_unset=True, include=_TOLD_SET)
        told = {name: str(value) if name == "cost" and value is not None else value for name, value in said.items()}
        product_id, supplier_id = names
        if link is None:
            blank = {**dict.fromkeys(_TOLD), "currency": self.currency, "is_active": True, "last_seen_at": None}
            data = {"product_id": product_id, "supplier_id": supplier_id, **blank, **told, **marks}
            return Stored(link_key(product_id, supplier_id), data, ""), True
        moved = any(link.data[name] != value for name, value in told.items())
        return replace(link, data={**link.data, **told, **marks}), moved

    def keep(self, link: Stored) -> None:
        """Write a link that `told` returned."""
        self.store.write([Put(link.key, link.data, link.version) if link.version else Create(link.key, link.data)])

    def delete(self, product_id: str, supplier_id: str) -> None:
        """Remove a link; raise NotFound when there is none."""
        stored = self.store.get(link_key(product_id, supplier_id))
        if stored is None:
            raise NotFound("This product has no link to this supplier.", resource="supplier_link")
        self.store.write([Delete(stored.key, stored.version)])

    def of_product(self, product_id: str) -> list[Stored]:
        """Return the links of a product by supplier; raise NotFound."""
        if self.store.get(product_key(product_id)) is None:
            raise NotFound("No product has this id.", resource="product")
        found = self.store.query(Query(SUPPLIER_LINKS, (("product_id", product_id),), limit=_MOST))
        return sorted(found, key=lambda link: link.data["supplier_id"])

    def shown(self, product_id: str) -> list[Data]:
        """Return the links of a product as shown, by supplier; raise NotFound."""
        return [link_view(stored) for stored in self.of_product(product_id)]

    def of_supplier_products(self, supplier_id: str, their_ids: Sequence[str]) -> dict[str, Stored]:
        """Return the links of a supplier by its own product ids, those of them that exist (ten to a query)."""
        found: dict[str, Stored] = {}
        for begin in range(0, len(their_ids), 10):
            some = tuple(their_ids[begin : begin + 10])
            equals = (("supplier_id", supplier_id), ("supplier_product_id", some[0] if len(some) == 1 else some))
            for link in self.store.query(Query(SUPPLIER_LINKS, equals, limit=_MOST)):
                found[link.data["supplier_product_id"]] = link
        return found

    def _require(self, product_id: str, supplier_id: str) -> None:
        if self.store.get(product_key(product_id)) is None:
            raise NotFound("No product has this id.", resource="product")
        if not self.has_supplier(supplier_id):
            raise NotFound("No supplier has this id.", resource="supplier")


def _refuse_other(body: LinkBody, path: Data, stored: Stored | None) -> None:
    """Refuse keys that a link shows and that cannot be said, unless they say what is so anyway."""
    present = {**path, "last_seen_at": stored.data["last_seen_at"] if stored else None}
    for name, value in present.items():
        if name in body.model_fields_set and getattr(body, name) != value:
            raise ValidationFailed.at(f"/{name}", "unknown_field", "This key cannot be changed here.")


def link_view(stored: Stored) -> Data:
    """Return a link as shown."""
    data = stored.data
    cost = None if data["cost"] is None else number(Decimal(data["cost"]))
    return {
        name: cost if name == "cost" else data[name] for name in ("product_id", "supplier_id", *_TOLD, "last_seen_at")
    }
