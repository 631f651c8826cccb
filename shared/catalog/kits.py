"""Kits: products that are sold as one and taken from the shelf as their components.

A kit has no stock of its own: of what its components have in a store, so many kits can be put together there. Its bill lies in
the product itself (`kit`), because every purchase reads that anyway. Kits do not nest. `kits/{product_id}` says of every product
that takes part whether it is one and which kits use it; whoever makes a kit writes those of all its components, so that of two
requests that would nest kits in each other one loses the race and is refused.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.catalog.kit_models import NewKit
from shared.catalog.products import Products
from shared.catalog.record import claim_of_sku, product_key
from shared.core.caller import Caller
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import InvalidState, NotFound, ValidationFailed
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Put, Stored, Write

__all__ = ["Kits"]

Data = dict[str, Any]

_MOST_KITS = 1000


@dataclass(frozen=True)
class Kits:
    """The kits among the products."""

    products: Products

    def view(self, product_id: str) -> Data:
        """Return a kit as shown, with what can be put together now; raise NotFound."""
        stored = self.products.get(product_id)
        if not stored.data.get("kit"):
            raise NotFound("This product is no kit.", resource="kit")
        return self.shown(stored)

    def shown(self, stored: Stored) -> Data:
        """Return a kit as shown."""
        bill: list[Data] = stored.data["kit"]
        units = self._units(part["product_id"] for part in bill)
        places = sorted({store_id for found in units.values() for store_id in found})
        stores = [{"store_id": place, "available": _whole(bill, units, place)} for place in places]
        found = self.products.store.get_many([product_key(part["product_id"]) for part in bill])
        names = {key.id: {"sku": one.data["sku"], "name": one.data["name"]} for key, one in found.items()}
        return {
            "id": stored.key.id,
            "sku": stored.data["sku"],
            "name": stored.data["name"],
            "components": [
                {
                    "product_id": part["product_id"],
                    **names[part["product_id"]],
                    "quantity": part["quantity"],
                    "available": sum(units[part["product_id"]].values()),
                }
                for part in bill
            ],
            "available": sum(one["available"] for one in stores),
            "stores": [one for one in stores if one["available"]],
            "version": stored.data["version"],
        }

    def define(self, caller: Caller, product_id: str, wanted: NewKit, condition: Precondition = NO_CONDITION) -> Data:
        """Make a product a kit, or a kit another one; return it as shown.

        Raise NotFound for a product, ValidationFailed for a component that cannot be one, InvalidState where the product has
        stock, open orders or kits that use it.
        """
        self.products.store.atomically(lambda: self._defined(caller, product_id, wanted, condition))
        return self.view(product_id)

    def dissolve(self, caller: Caller, product_id: str, condition: Precondition = NO_CONDITION) -> None:
        """Make a kit a product like others; raise NotFound when it is none."""
        self.products.store.atomically(lambda: self._dissolved(caller, product_id, condition))

    def _defined(self, caller: Caller, product_id: str, wanted: NewKit, condition: Precondition) -> None:
        stored = self.products.get(product_id)
        bill = self._bill(wanted)
        condition.check(product_id, stored.data["version"], wanted.version)
        before: list[Data] = stored.data.get("kit") or []
        if bill == before:
            return
        marks = self._marks([product_id, *_names(before), *_names(bill)])
        _check_components(product_id, bill, marks)
        if not before:
            self._check_free(stored, marks[product_id])
        self.products.apply(caller, stored, {"kit": bill})
        self._keep(product_id, marks, before, bill)

    def _dissolved(self, caller: Caller, product_id: str, condition: Precondition) -> None:
        stored = self.products.get(product_id)
        before: list[Data] = stored.data.get("kit") or []
        if not before:
            raise NotFound("This product is no kit.", resource="kit")
        condition.check(product_id, stored.data["version"])
        marks = self._marks([product_id, *_names(before)])
        self.products.apply(caller, stored, {"kit": None})
        self._keep(product_id, marks, before, [])

    def _bill(self, wanted: NewKit) -> list[Data]:
        """Return the components by id; raise NotFound for an unknown one."""
        store = self.products.store
        claims = [claim_of_sku(item.sku) for item in wanted.components if item.product_id is None and item.sku]
        by_sku = store.get_many(claims) if claims else {}
        ids: list[str] = []
        for item in wanted.components:
            claim = None if item.product_id is not None else by_sku.get(claim_of_sku(item.sku or ""))
            ids.append(item.product_id or (claim.data["product_id"] if claim else ""))
        found = store.get_many([product_key(each) for each in dict.fromkeys(ids) if each])
        for at, each in enumerate(ids):
            if product_key(each) not in found:
                raise NotFound(f"Component {at} names a product that is not there.", resource="product")
        pairs = zip(ids, wanted.components, strict=True)
        return [{"product_id": each, "quantity": item.quantity} for each, item in pairs]

    def _check_free(self, stored: Stored, mark: Data) -> None:
        """Raise InvalidState for a product that cannot become a kit now."""
        sums = self.products.sums.of([stored.key.id])[stored.key.id]
        if mark["used_in"]:
            raise InvalidState("Another kit uses this product, and kits do not nest.", current="component", allowed=[])
        if sums["current_stock"] or sums["reserved_stock"]:
            detail = "This product has stock of its own, which a kit has not; take it out first."
            raise InvalidState(detail, current="stocked", allowed=[])
        if self.products.has_open_orders(stored.key.id):
            raise InvalidState("Open transfer orders name this product.", current="ordered", allowed=[])

    def _marks(self, product_ids: Iterable[str]) -> dict[str, Data]:
        """Return what is kept of products that take part, and with which version it was read."""
        keys = [_key(each) for each in dict.fromkeys(product_ids)]
        found = self.products.store.get_many(keys)
        none: Data = {"is_kit": False, "used_in": []}
        return {key.id: {**(found[key].data if key in found else none), "stored": found.get(key)} for key in keys}

    def _keep(self, product_id: str, marks: Mapping[str, Data], before: list[Data], bill: list[Data]) -> None:
        """Write, of every product that takes or took part, whether it is a kit and which kits use it."""
        writes: list[Write] = []
        wanted, dropped = _names(bill), set(_names(before)) - set(_names(bill))
        for name, mark in marks.items():
            others = [each for each in mark["used_in"] if each != product_id]
            used_in = [*others, product_id] if name in wanted else others if name in dropped else mark["used_in"]
            data = {"is_kit": bool(bill) if name == product_id else mark["is_kit"], "used_in": used_in}
            stored: Stored | None = mark["stored"]
            writes.append(Create(_key(name), data) if stored is None else Put(_key(name), data, stored.version))
        self.products.store.write(writes)

    def _units(self, product_ids: Iterable[str]) -> dict[str, dict[str, int]]:
        """Return the units that may be taken of products, by store."""
        sums, ledger = self.products.sums, self.products.ledger
        found: dict[str, dict[str, int]] = {each: {} for each in product_ids}
        pairs = [(each, one.data["store_id"]) for each in found for one in sums.levels_of(each)]
        booking = ledger.open(pairs)
        for product_id, store_id in pairs:
            found[product_id][store_id] = booking.available(product_id, store_id)
        return found


def _key(product_id: str) -> Key:
    return Key("kits", product_id)


def _names(bill: Iterable[Mapping[str, Any]]) -> list[str]:
    return [part["product_id"] for part in bill]


def _whole(bill: Iterable[Mapping[str, Any]], units: Mapping[str, Mapping[str, int]], store_id: str) -> int:
    """Return how many kits the components in a store make: the scarcest decides."""
    made: list[int] = [units.get(part["product_id"], {}).get(store_id, 0) // part["quantity"] for part in bill]
    return max(0, min(made))


def _check_components(product_id: str, bill: Iterable[Mapping[str, Any]], marks: Mapping[str, Data]) -> None:
    """Raise ValidationFailed for a component that is the kit itself, another kit, or named twice."""
    seen: set[str] = set()
    for at, name in enumerate(_names(bill)):
        pointer = f"/components/{at}"
        if name == product_id:
            raise ValidationFailed.at(pointer, "own_component", "A kit is not a component of itself.")
        if marks[name]["is_kit"]:
            raise ValidationFailed.at(pointer, "nested_kit", "This component is a kit itself, and kits do not nest.")
        if name in seen:
            raise ValidationFailed.at(pointer, "duplicate", "Name each component once, with the sum of its units.")
        if len(marks[name]["used_in"]) >= _MOST_KITS and product_id not in marks[name]["used_in"]:
            raise ValidationFailed.at(pointer, "too_many_kits", f"At most {_MOST_KITS} kits share a component.")
        seen.add(name)
