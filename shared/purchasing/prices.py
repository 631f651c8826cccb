"""What vendors ask: one row per vendor and product, its history, and the comparison of a product's vendors."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from shared.core.caller import Caller
from shared.core.clock import instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import NotFound
from shared.core.money import number, rounded
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.inventory.keys import product_key
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write
from shared.purchasing.models import Comparison, ComparisonRow, NewVendorPrice, PricesFilter, VendorPricePatch
from shared.purchasing.rules import Landed, cheapest_first, compared, recommended
from shared.purchasing.vendors import VENDOR_PRICES, Vendors, vendor_key

__all__ = ["VENDOR_PRICE_CHANGES", "VendorPrices"]

Data = dict[str, Any]

VENDOR_PRICE_CHANGES = "vendor_price_changes"
_TERMS = ("unit_price", "currency", "lead_time_days", "minimum_order_quantity", "pack_size", "delivery_cost")
_VOLATILE = ("is_recommended", "vendor_name", "vendor_email", "vendor_phone")
_MANY = 10
_MOST = 1000


@dataclass(frozen=True)
class VendorPrices:
    """Prices of vendors."""

    vendors: Vendors
    currency: str
    """The default currency."""

    def put(self, caller: Caller, vendor_id: str, wanted: NewVendorPrice) -> tuple[Data, bool]:
        """Keep a vendor's price in place of the present one; return it and whether it is new. Raise NotFound."""
        self.vendors.get(vendor_id)
        self._product(wanted.product_id)
        terms = wanted.model_dump(mode="python", exclude={"product_id"})
        terms["currency"] = wanted.currency or self.currency
        key = _key(vendor_id, wanted.product_id)
        row_id = self.vendors.ids.new("vpr")
        stored = self.vendors.store.get(key)
        if stored is None:
            data = {"id": row_id, "vendor_id": vendor_id, "product_id": wanted.product_id, **_kept(terms), "version": 1}
            made = Stored(key, data | {"last_updated": instant(self.vendors.clock.now())}, "")
            self.vendors.store.write([Create(key, made.data), self._change(caller, made, None)])
            return self._shown(made), True
        return self._shown(self._changed(caller, stored, _kept(terms))), False

    def update(
        self,
        caller: Caller,
        pair: tuple[str, str],
        patch: VendorPricePatch,
        condition: Precondition = NO_CONDITION,
    ) -> Data:
        """Change some terms of a vendor (first of the pair) for a product; raise NotFound, PreconditionFailed, ..."""
        stored = self.get(*pair)
        condition.check(stored.data["id"], stored.data["version"], patch.version)
        given = _kept(patch.model_dump(mode="python", exclude_unset=True))
        present = {**self._shown(stored), **{name: stored.data[name] for name in _TERMS}}
        changes = changes_of(given, present, inputs=_TERMS, required=_TERMS, volatile=_VOLATILE)
        return self._shown(self._changed(caller, stored, changes))

    def delete(self, caller: Caller, pair: tuple[str, str], condition: Precondition = NO_CONDITION) -> None:
        """Remove a vendor's price of a product; raise NotFound or PreconditionFailed."""
        stored = self.get(*pair)
        condition.check(stored.data["id"], stored.data["version"])
        gone = self._row(caller, stored, _terms(stored.data), None)
        self.vendors.store.write([Delete(stored.key, stored.version), gone])

    def get(self, vendor_id: str, product_id: str) -> Stored:
        """Return a vendor's price of a product; raise NotFound for either, or when there is none."""
        self.vendors.get(vendor_id)
        found = self.vendors.store.get(_key(vendor_id, product_id))
        if found is None:
            raise NotFound("This vendor has no price of this product.", resource="vendor_price")
        return found

    def of_vendor(self, vendor_id: str, wanted: PricesFilter) -> Query:
        """Return the query for all prices of a vendor; raise NotFound."""
        self.vendors.get(vendor_id)
        return _ranged(VENDOR_PRICES, (("vendor_id", vendor_id),), wanted)

    def history(self, vendor_id: str, product_id: str, wanted: PricesFilter) -> Query:
        """Return the query for the changes of a vendor's price of a product; raise NotFound for the vendor."""
        self.vendors.get(vendor_id)
        return _ranged(VENDOR_PRICE_CHANGES, (("pair", _key(vendor_id, product_id).id),), wanted)

    def shown_change(self, stored: Stored) -> Data:
        """Return a change of a vendor's terms as shown."""
        return _change_view(stored)

    def shown(self, rows: Sequence[Stored]) -> list[Data]:
        """Return prices as shown, each with whether it is the recommended one of its product."""
        products = sorted({row.data["product_id"] for row in rows})
        best = {product_id: self._best(product_id, found) for product_id, found in self._rows_of(products).items()}
        return [_view(row.data, recommended_id=best.get(row.data["product_id"])) for row in rows]

    def of_product(self, product_id: str, quantity: int | None) -> list[Data]:
        """Return the prices of a product's vendors, cheapest first, with their vendors; raise NotFound."""
        product = self._product(product_id)
        rows = cheapest_first(self._rows_of([product_id])[product_id])
        best = recommended(rows, product.data["currency"], quantity)
        best_id = best["id"] if best else None
        told = ("vendor_name", "vendor_email", "vendor_phone")
        return [{**_view(row, recommended_id=best_id), **{name: row[name] for name in told}} for row in rows]

    def compare(self, product_id: str, quantity: int) -> Comparison:
        """Return a product's vendors by what a whole order costs, and the reason for the first; raise NotFound."""
        product = self._product(product_id)
        currency = product.data["currency"]
        orders, reason = compared(self._rows_of([product_id])[product_id], currency, quantity)
        return Comparison(
            product_id=product_id,
            quantity=quantity,
            currency=currency,
            recommended_vendor_id=orders[0].row["vendor_id"] if orders else None,
            reason=reason,
            rows=[_compared(order, place, reason) for place, order in enumerate(orders)],
        )

    def _product(self, product_id: str) -> Stored:
        found = self.vendors.store.get(product_key(product_id))
        if found is None:
            raise NotFound("No product has this id.", resource="product")
        return found

    def _shown(self, stored: Stored) -> Data:
        """Return one price as shown, as it stands in this commit."""
        product_id = stored.data["product_id"]
        vendor = self.vendors.get(stored.data["vendor_id"])
        others = [row for row in self._rows_of([product_id])[product_id] if row["id"] != stored.data["id"]]
        rows = [*others, {**stored.data, "vendor_name": vendor.data["name"]}]
        return _view(stored.data, recommended_id=self._best(product_id, rows))

    def _best(self, product_id: str, rows: Sequence[Mapping[str, Any]]) -> str | None:
        product = self.vendors.store.get(product_key(product_id))
        best = None if product is None else recommended(rows, product.data["currency"], None)
        return best["id"] if best else None

    def _rows_of(self, product_ids: Sequence[str]) -> dict[str, list[Data]]:
        """Return the prices of products by product, each with its vendor's name and contact."""
        rows: dict[str, list[Data]] = {product_id: [] for product_id in product_ids}
        found: list[Stored] = []
        for begin in range(0, len(product_ids), _MANY):
            some = tuple(product_ids[begin : begin + _MANY])
            equals = ("product_id", some[0] if len(some) == 1 else some)
            found += self.vendors.store.walk(Query(VENDOR_PRICES, (equals,)), step=_MOST)
        keys = list({vendor_key(row.data["vendor_id"]) for row in found})
        vendors = self.vendors.store.get_many(keys)
        for row in found:
            vendor = vendors.get(vendor_key(row.data["vendor_id"]))
            if vendor is not None:
                rows[row.data["product_id"]].append({**row.data, **_contact(vendor.data)})
        return rows

    def _changed(self, caller: Caller, stored: Stored, terms: Data) -> Stored:
        """Write other terms and their history; the same terms change nothing."""
        changes = {name: value for name, value in terms.items() if value != stored.data[name]}
        if not changes:
            return stored
        stamps = {"last_updated": instant(self.vendors.clock.now()), "version": stored.data["version"] + 1}
        after = replace(stored, data={**stored.data, **changes, **stamps})
        self.vendors.store.write([Put(stored.key, after.data, stored.version), self._change(caller, after, stored)])
        return after

    def _change(self, caller: Caller, after: Stored, before: Stored | None) -> Write:
        return self._row(caller, after, None if before is None else _terms(before.data), _terms(after.data))

    def _row(self, caller: Caller, stored: Stored, old: Data | None, new: Data | None) -> Write:
        data = {
            "pair": stored.key.id,
            "vendor_id": stored.data["vendor_id"],
            "product_id": stored.data["product_id"],
            "old": old,
            "new": new,
            "user_id": caller.user_id,
            "last_updated": instant(self.vendors.clock.now()),
        }
        return Create(Key(VENDOR_PRICE_CHANGES, self.vendors.ids.new("vpc")), data)


def _change_view(stored: Stored) -> Data:
    """Return a change of a vendor's terms as shown."""
    data = {name: value for name, value in stored.data.items() if name != "pair"}
    return {"id": stored.key.id, **data, "old": _amounts(data["old"]), "new": _amounts(data["new"])}


def _amounts(terms: Data | None) -> Data | None:
    if terms is None:
        return None
    return {**terms, **{name: number(Decimal(terms[name])) for name in ("unit_price", "delivery_cost")}}


def _view(row: Mapping[str, Any], *, recommended_id: str | None) -> Data:
    terms = _amounts({name: row[name] for name in _TERMS}) or {}
    ids = {name: row[name] for name in ("id", "vendor_id", "product_id")}
    stamps = {name: row[name] for name in ("last_updated", "version")}
    return {**ids, **terms, "is_recommended": row["id"] == recommended_id, **stamps}


def _compared(order: Landed, place: int, reason: str) -> ComparisonRow:
    row = order.row
    why = reason if place == 0 else "Costs more in all, or as much and later."
    return ComparisonRow(
        vendor_id=row["vendor_id"],
        vendor_name=row["vendor_name"],
        unit_price=Decimal(row["unit_price"]),
        currency=row["currency"],
        order_quantity=order.order_quantity,
        surplus=order.surplus,
        goods_cost=float(rounded(order.goods_cost)),
        delivery_cost=Decimal(row["delivery_cost"]),
        total_cost=float(rounded(order.total_cost)),
        landed_unit_cost=float(rounded(order.unit_cost)),
        lead_time_days=row["lead_time_days"],
        is_recommended=place == 0,
        reason=why,
    )


def _contact(vendor: Mapping[str, Any]) -> Data:
    return {
        "vendor_name": vendor["name"],
        "vendor_email": vendor["contact_email"],
        "vendor_phone": vendor["contact_phone"],
    }


def _terms(row: Mapping[str, Any]) -> Data:
    return {name: row[name] for name in _TERMS}


def _kept(terms: Mapping[str, Any]) -> Data:
    """Return terms as they are stored: amounts as decimal text."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in terms.items()}


def _key(vendor_id: str, product_id: str) -> Key:
    digest = hashlib.blake2b(f"{vendor_id}\n{product_id}".encode("utf-8", "surrogatepass"), digest_size=16)
    return Key(VENDOR_PRICES, digest.hexdigest())


def _ranged(collection: str, equals: Iterable[tuple[str, Any]], wanted: PricesFilter) -> Query:
    low, high = (instant(each) if each else None for each in (wanted.created_from, wanted.created_to))
    return Query(collection, tuple(equals), at_least=low, at_most=high)
