"""One record of a supplier into the catalogue: matched, made or changed, in one commit, safe to repeat."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from shared.catalog.change_models import NewProduct
from shared.core.caller import Caller
from shared.core.errors import AlreadyExists
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Put, Stored, Write
from shared.ports.store import Store
from shared.purchasing.models import LinkBody
from shared.suppliers.port import Item

__all__ = ["Catalogue", "Upsert"]

Data = dict[str, Any]
_TEXTS = ("name", "description", "images")


class Catalogue(Protocol):
    """What a sync needs of products."""

    def get(self, product_id: str) -> Stored:
        """Return a product's document; raise NotFound."""
        ...

    def create(self, caller: Caller, wanted: NewProduct) -> Stored:
        """Make a product."""
        ...

    def apply(self, caller: Caller, stored: Stored, changes: Mapping[str, Any], *, reason: str | None = None) -> Stored:
        """Write changes of stored fields."""
        ...


class Links(Protocol):
    """What a sync needs of links."""

    def put(self, product_id: str, supplier_id: str, body: LinkBody, *, seen: bool = False) -> Data:
        """Say what is known of a product at a supplier."""
        ...

    def of_supplier_products(self, supplier_id: str, their_ids: Sequence[str]) -> dict[str, Stored]:
        """Return the links of a supplier by its own product ids."""
        ...


@dataclass(frozen=True)
class Upsert:
    """Takes records of one supplier."""

    store: Store
    products: Catalogue
    links: Links
    find_skus: Callable[[Sequence[str]], Mapping[str, str]]
    image_allowed: Callable[[str], bool]
    currency: str

    def known(self, supplier_id: str, items: Sequence[Item]) -> dict[str, str]:
        """Return the product of each item that is matched: by the supplier's id, then by SKU."""
        links = self.links.of_supplier_products(supplier_id, [item.supplier_product_id for item in items])
        found = {their: link.data["product_id"] for their, link in links.items()}
        skus = [item.sku for item in items if item.sku and item.supplier_product_id not in found]
        by_sku = self.find_skus(skus) if skus else {}
        named = {item.supplier_product_id: by_sku[item.sku] for item in items if item.sku and item.sku in by_sku}
        return {**named, **found}

    def take(self, caller: Caller, supplier_id: str, item: Item, product_id: str | None) -> tuple[str, str]:
        """Bring one record in; return what happened (created, updated or unchanged) and the product's id.

        Raise a Problem for a record that the catalogue does not take; nothing of it is written then.
        """
        return self.store.atomically(lambda: self._taken(caller, supplier_id, item, product_id))

    def _taken(self, caller: Caller, supplier_id: str, item: Item, product_id: str | None) -> tuple[str, str]:
        made = product_id is None
        stored = self._made(caller, supplier_id, item) if product_id is None else self.products.get(product_id)
        changed = False if made else self._retold(caller, supplier_id, stored, item)
        before = self._link(supplier_id, item.supplier_product_id)
        shown = self.links.put(stored.key.id, supplier_id, _link_of(item, self.currency), seen=True)
        moved = before is None or any(
            shown[name] != before.get(name) for name in shown if name not in {"last_seen_at", "cost"}
        )
        moved = moved or (item.cost is not None and (before or {}).get("cost") != str(item.cost))
        self._remember(supplier_id, item)
        return "created" if made else "updated" if changed or moved else "unchanged", stored.key.id

    def _made(self, caller: Caller, supplier_id: str, item: Item) -> Stored:
        told = {
            "sku": item.sku,
            "name": (item.name or _stand_in(item))[:255],
            "description": item.description,
            "barcode": item.barcode,
            "brand": (item.brand or "")[:100] or None,
            "category": (item.category or "")[:100] or None,
            "images": self._images(item),
            "unit_cost": str(item.cost) if item.cost is not None else None,
            "currency": item.currency,
            "status": "draft",
            "supplier_id": supplier_id,
            "supplier_product_id": item.supplier_product_id,
        }
        given = {name: value for name, value in told.items() if value is not None}
        return self.products.create(caller, NewProduct.model_validate(given))

    def _retold(self, caller: Caller, supplier_id: str, stored: Stored, item: Item) -> bool:
        """Change what the supplier says anew; texts that people edited since stay."""
        last = self._last(supplier_id, item.supplier_product_id)
        told: Data = {"name": item.name[:255] if item.name else None, "description": item.description}
        told["images"] = self._images(item) or None
        changes: Data = {}
        unnamed = last.get("name") is None and stored.data["name"] == _stand_in(item)
        for name, value in told.items():
            present = stored.data.get(name)
            ours = not present or (name in last and last[name] == present) or (name == "name" and unnamed)
            if value is not None and ours and value != present:
                changes[name] = value
        if (
            item.cost is not None
            and stored.data.get("supplier_id") == supplier_id
            and stored.data["currency"] == (item.currency or self.currency)
        ):
            changes |= {"unit_cost": str(item.cost)} if stored.data["unit_cost"] != str(item.cost) else {}
        changes |= {name: told for name, told in (("brand", item.brand),) if told and not stored.data.get(name)}
        if changes:
            stored = self.products.apply(caller, stored, changes, reason="supplier sync")
        return self._with_barcode(caller, stored, item) or bool(changes)

    def _with_barcode(self, caller: Caller, stored: Stored, item: Item) -> bool:
        """Give a product without a barcode the supplier's; one that another product has stays there."""
        if not item.barcode or stored.data.get("barcode"):
            return False
        change = {"barcode": item.barcode}
        try:
            self.store.atomically(lambda: self.products.apply(caller, stored, change, reason="supplier sync"))
        except AlreadyExists:
            return False
        return True

    def _images(self, item: Item) -> list[str]:
        return [image for image in item.images if self.image_allowed(image)][:50]

    def _link(self, supplier_id: str, their_id: str) -> Data | None:
        found = self.links.of_supplier_products(supplier_id, [their_id]).get(their_id)
        return found.data if found is not None else None

    def _last(self, supplier_id: str, their_id: str) -> Data:
        stored = self.store.get(_texts_key(supplier_id, their_id))
        return stored.data if stored is not None else {}

    def _remember(self, supplier_id: str, item: Item) -> None:
        """Keep what the supplier said, so that an edit by a person can be told from a change by the supplier."""
        key = _texts_key(supplier_id, item.supplier_product_id)
        stored = self.store.get(key)
        told = {
            "name": item.name[:255] if item.name else None,
            "description": item.description,
            "images": self._images(item) or None,
        }
        said = {name: value for name, value in told.items() if value is not None}
        after = {**(stored.data if stored else dict.fromkeys(_TEXTS)), **said}
        if stored is None or after != stored.data:
            write: Write = Create(key, after) if stored is None else Put(key, after, stored.version)
            self.store.write([write])


def _stand_in(item: Item) -> str:
    """Return how a product is called whose name the supplier has not told yet."""
    return item.sku or item.supplier_product_id


def _texts_key(supplier_id: str, their_id: str) -> Key:
    return Key("supplier_texts", f"{supplier_id}.{their_id.encode().hex()}"[:1400])


def _link_of(item: Item, currency: str) -> LinkBody:
    given = {
        "supplier_product_id": item.supplier_product_id,
        "supplier_sku": item.sku,
        "cost": item.cost,
        "currency": item.currency or (currency if item.cost is not None else None),
        "supplier_stock": item.stock,
        "delivery_days": item.delivery_days,
        "is_active": item.is_active,
    }
    return LinkBody.model_validate({name: value for name, value in given.items() if value is not None})
