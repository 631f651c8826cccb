"""Records of a supplier into the catalogue: matched, made or changed, many in one commit, safe to repeat.

A link carries what the supplier said last: a fingerprint of the record (but for stock, which the link says itself) with the
version of the product that came of it, and a digest of each text. A record with the same fingerprint that meets the same
version is not looked at again; a digest tells a text that people edited since from one that is still the supplier's.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from shared.catalog.categories import category_key
from shared.catalog.change_models import NewProduct
from shared.core.caller import Caller
from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import AlreadyExists, Problem
from shared.core.values import dataclass
from shared.inventory.keys import product_key, stock_key
from shared.ports.documents import Delete, Key, Stored
from shared.ports.store import Store
from shared.purchasing.links import FINGERPRINT, link_key
from shared.purchasing.models import LinkBody
from shared.suppliers.port import Item

__all__ = ["Catalogue", "Fate", "Links", "Upsert"]

Data = dict[str, Any]
_TEXTS = ("name", "description", "images")
_FORM = "1"  # raise it when a record is to be looked at anew although its supplier says the same
_BARE = (None, None, None, None, None, None, (), "None", None)
_SEEN_AGAIN = timedelta(days=1)
_ROOM, _MOST = 380, 495  # writes of one commit, which takes 500: from where on no record is begun, and where it is full
_SERVER_ERROR = 500


class Catalogue(Protocol):
    """What a sync needs of products."""

    def create(self, caller: Caller, wanted: NewProduct) -> Stored:
        """Make a product."""
        ...

    def apply(self, caller: Caller, stored: Stored, changes: Mapping[str, Any], *, reason: str | None = None) -> Stored:
        """Write changes of stored fields."""
        ...


class Links(Protocol):
    """What a sync needs of links."""

    def told(self, link: Stored | None, names: tuple[str, str], body: LinkBody, marks: Data) -> tuple[Stored, bool]:
        """Return a link as its supplier tells of it now, and whether anything is new."""
        ...

    def keep(self, link: Stored) -> None:
        """Write a link."""
        ...

    def of_supplier_products(self, supplier_id: str, their_ids: Sequence[str]) -> dict[str, Stored]:
        """Return the links of a supplier by its own product ids."""
        ...


class _FullError(Exception):
    """A record needs more writes than the commit has left; the next one takes it."""


class Fate(NamedTuple):
    """What became of a record: created, updated, unchanged, unknown (and not to be made), or failed and why."""

    key: str
    what: str
    code: str = ""
    message: str = ""


class _Met(NamedTuple):
    """What a record met: the link that names it, and the product it is about, or the category of a product to make."""

    link: Stored | None = None
    product: Stored | None = None
    category_id: str | None = None


@dataclass(frozen=True)
class Upsert:
    """Takes records of suppliers."""

    store: Store
    clock: Clock
    products: Catalogue
    links: Links
    find_skus: Callable[[Sequence[str]], Mapping[str, str]]
    categories: Callable[[tuple[str, ...]], Sequence[Stored]]
    """Return the categories with one of at most ten names, oldest first."""
    currency: str

    def take(self, caller: Caller, supplier_id: str, items: Sequence[Item], *, creates: bool) -> list[Fate]:
        """Bring records in, the first so many of them that one commit takes; return what became of each of those.

        For use inside `atomically`. A record that the catalogue refuses has failed and nothing of it is written; trouble of
        the store itself is raised.
        """
        met = self._met(supplier_id, items)
        if creates:
            met |= self._shelved([item for item in items if item.supplier_product_id not in met])
        fates: list[Fate] = []
        touched: set[str] = set()
        for item in items:
            found = met.get(item.supplier_product_id, _Met())
            names = {item.supplier_product_id, found.product.key.id if found.product else ""} - {""}
            if names & touched or (fates and self.store.decided() >= _ROOM):
                break  # what was just decided about it is to be committed before it is read again
            touched |= names
            if found.product is None and not creates:
                fates.append(Fate(item.supplier_product_id, "unknown"))
                continue
            before = self.store.decided()
            work = partial(self._fitting, partial(self._fate, caller, supplier_id, item, found), alone=not before)
            try:
                fates.append(self.store.atomically(work))
            except _FullError:
                break
        return fates

    def _fitting(self, decide: Callable[[], Fate], *, alone: bool) -> Fate:
        """Decide on a record; take it back where the commit would not hold it with the others."""
        fate = decide()
        if not alone and self.store.decided() > _MOST:
            raise _FullError
        return fate

    def _met(self, supplier_id: str, items: Sequence[Item]) -> dict[str, _Met]:
        """Return what each record meets, matched by the supplier's id, then by SKU."""
        links = self.links.of_supplier_products(supplier_id, [item.supplier_product_id for item in items])
        skus = [item.sku for item in items if item.sku and item.supplier_product_id not in links]
        by_sku = self.find_skus(skus) if skus else {}
        ids = {item.supplier_product_id: by_sku[item.sku] for item in items if item.sku and item.sku in by_sku}
        ids |= {their: link.data["product_id"] for their, link in links.items()}
        products = self.store.get_many([product_key(product_id) for product_id in ids.values()]) if ids else {}
        return {their: _Met(links.get(their), products.get(product_key(ids[their]))) for their in ids}

    def _shelved(self, items: Sequence[Item]) -> dict[str, _Met]:
        """Return the categories of new products, those of them that exist."""
        names = list(dict.fromkeys(item.category[:100] for item in items if item.category))
        found = [one for at in range(0, len(names), 10) for one in self.categories(tuple(names[at : at + 10]))]
        ids = {one.data["name"]: one.key.id for one in reversed(found)}
        self.store.foresee([category_key(category_id) for category_id in ids.values()])
        return {
            item.supplier_product_id: _Met(category_id=ids.get(item.category[:100])) for item in items if item.category
        }

    def _fate(self, caller: Caller, supplier_id: str, item: Item, met: _Met) -> Fate:
        fingerprint = _fingerprint(item)
        as_known = _is_as_known(fingerprint, met)
        if as_known and self._is_current(item, met):
            return Fate(item.supplier_product_id, "unchanged")
        try:
            what = self.store.atomically(
                lambda: (
                    self._restocked(supplier_id, item, met) if as_known else self._taken(caller, supplier_id, item, met)
                )
            )
        except Problem as refused:
            if refused.status >= _SERVER_ERROR:
                raise
            return Fate(item.supplier_product_id, "failed", refused.name, refused.detail)
        except ValidationError as refused:
            return Fate(item.supplier_product_id, "failed", "invalid", refused.errors()[0]["msg"])
        return Fate(item.supplier_product_id, what)

    def _is_current(self, item: Item, met: _Met) -> bool:
        """Say whether a link says of stock what the record does, and said so not long ago."""
        link: Data = met.link.data if met.link is not None else {}
        told = {"supplier_stock": item.stock, "delivery_days": item.delivery_days, "is_active": item.is_active}
        if any(value is not None and link[name] != value for name, value in told.items()):
            return False
        return link["last_seen_at"] is not None and self.clock.now() - parse_instant(link["last_seen_at"]) < _SEEN_AGAIN

    def _restocked(self, supplier_id: str, item: Item, met: _Met) -> str:
        """Tell the link of stock alone: the product knows all else already."""
        product_id = "" if met.product is None else met.product.key.id
        return self._linked(met.link, (product_id, supplier_id), item, {})

    def _taken(self, caller: Caller, supplier_id: str, item: Item, met: _Met) -> str:
        if met.product is None:
            product, link = self._made(caller, supplier_id, item, met.category_id), None
        else:
            self.store.foresee([stock_key(met.product.key.id)])
            link = met.link or self.store.get(link_key(met.product.key.id, supplier_id))
            said = self._said(supplier_id, item, link)
            product = self._retold(caller, supplier_id, met.product, (item, said))
        last = {} if link is None else link.data.get("said") or {}
        marks = {
            FINGERPRINT: _fingerprint(item),
            "met_version": product.data["version"],
            "said": {**last, **_digests(_texts(item))},
        }
        what = self._linked(link, (product.key.id, supplier_id), item, marks)
        if met.product is None:
            return "created"
        return "updated" if product.data["version"] != met.product.data["version"] else what

    def _linked(self, link: Stored | None, names: tuple[str, str], item: Item, marks: Data) -> str:
        """Write what is known of a product at a supplier."""
        seen = {**marks, "last_seen_at": instant(self.clock.now())}
        after, moved = self.links.told(link, names, _link_of(item, self.currency), seen)
        self.links.keep(after)
        return "updated" if moved else "unchanged"

    def _made(self, caller: Caller, supplier_id: str, item: Item, category_id: str | None) -> Stored:
        told = {
            **_texts(item),
            "sku": item.sku,
            "name": (item.name or _stand_in(item))[:255],
            "barcode": item.barcode,
            "brand": (item.brand or "")[:100] or None,
            "category": (item.category or "")[:100] or None,
            "category_id": category_id,
            "unit_cost": str(item.cost) if item.cost is not None else None,
            "currency": item.currency,
            "status": "draft",
            "supplier_id": supplier_id,
            "supplier_product_id": item.supplier_product_id,
        }
        given = {name: value for name, value in told.items() if value is not None}
        return self.products.create(caller, NewProduct.model_validate(given))

    def _retold(self, caller: Caller, supplier_id: str, stored: Stored, told: tuple[Item, Mapping[str, str]]) -> Stored:
        """Change what the supplier says anew; texts that people edited since stay."""
        item, said = told
        changes: Data = {}
        unnamed = "name" not in said and stored.data["name"] == _stand_in(item)
        for name, value in _texts(item).items():
            present = stored.data.get(name)
            ours = not present or said.get(name) == _digest(present) or (name == "name" and unnamed)
            if ours and value != present:
                changes[name] = value
        if (
            item.cost is not None
            and stored.data.get("supplier_id") == supplier_id
            and stored.data["currency"] == (item.currency or self.currency)
        ):
            changes |= {"unit_cost": str(item.cost)} if stored.data["unit_cost"] != str(item.cost) else {}
        changes |= {"brand": item.brand[:100]} if item.brand and not stored.data.get("brand") else {}
        return self._applied(caller, stored, changes, item.barcode)

    def _applied(self, caller: Caller, stored: Stored, changes: Data, barcode: str | None) -> Stored:
        """Write changes; a product without a barcode gets the supplier's, unless another product has that."""
        if barcode and not stored.data.get("barcode"):
            both = {**changes, "barcode": barcode}
            try:
                return self.store.atomically(lambda: self.products.apply(caller, stored, both, reason="supplier sync"))
            except AlreadyExists:
                pass  # it stays where it is
        return self.products.apply(caller, stored, changes, reason="supplier sync")

    def _said(self, supplier_id: str, item: Item, link: Stored | None) -> Mapping[str, str]:
        """Return the digests of what the supplier said last; those of links older than digests are in a document apart."""
        if link is None or link.data["supplier_product_id"] != item.supplier_product_id:
            return {}
        said: Mapping[str, str] | None = link.data.get("said")
        if said is not None:
            return said
        older = self.store.get(_older_key(supplier_id, item.supplier_product_id))
        if older is None:
            return {}
        self.store.write([Delete(older.key, older.version)])
        return _digests({name: older.data.get(name) for name in _TEXTS})


def _texts(item: Item) -> Data:
    """Return what is told of a product in words and pictures, as it is stored."""
    images = [image for image in item.images if image.startswith("https://")][:50]
    told = {"name": item.name[:255] if item.name else None, "description": item.description, "images": images or None}
    return {name: value for name, value in told.items() if value is not None}


def _digests(texts: Mapping[str, Any]) -> dict[str, str]:
    return {name: _digest(value) for name, value in texts.items() if value is not None}


def _digest(value: Any) -> str:
    told = value if isinstance(value, str) else "\n".join(value)
    return blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _fingerprint(item: Item) -> str:
    """Return what tells a record from another in all but stock; empty for one that tells of stock alone."""
    told = (
        item.sku,
        item.name,
        item.description,
        item.barcode,
        item.brand,
        item.category,
        tuple(item.images),
        str(item.cost),
        item.currency,
    )
    if told == _BARE:
        return ""
    return _FORM + blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _is_as_known(fingerprint: str, met: _Met) -> bool:
    """Say whether a record that a link names tells nothing new of its product, which is as it was left then."""
    if met.link is None or met.product is None:
        return False
    known, version = met.link.data.get(FINGERPRINT), met.link.data.get("met_version")
    return not fingerprint or (known == fingerprint and version == met.product.data["version"])


def _stand_in(item: Item) -> str:
    """Return how a product is called whose name the supplier has not told yet."""
    return item.sku or item.supplier_product_id


def _older_key(supplier_id: str, their_id: str) -> Key:
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
