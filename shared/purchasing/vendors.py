"""Vendors: making, changing and removing whom we buy from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import NotFound
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.core.words import matches, words
from shared.inventory.rules import search_tokens
from shared.ports.documents import Create, Delete, Key, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.core.ids import Ids
    from shared.ports.store import Store
    from shared.purchasing.models import NewVendor, VendorFilter, VendorPatch

__all__ = ["VENDORS", "VENDOR_PRICES", "Asked", "Vendors", "vendor_key"]

Data = dict[str, Any]

VENDORS = "vendors"
VENDOR_PRICES = "vendor_prices"
_INPUTS = ("name", "contact_email", "contact_phone", "address")
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, and the condition it could not hold."""

    query: Query
    keep: Callable[[Stored], bool] | None = None


def vendor_key(vendor_id: str) -> Key:
    """Return where a vendor is."""
    return Key(VENDORS, vendor_id)


@dataclass(frozen=True)
class Vendors:
    """The vendors."""

    store: Store
    clock: Clock
    ids: Ids

    def get(self, vendor_id: str) -> Stored:
        """Return a vendor's document; raise NotFound."""
        found = self.store.get(vendor_key(vendor_id))
        if found is None:
            raise _unknown()
        return found

    def view(self, stored: Stored) -> Data:
        """Return a vendor as shown, with the number of its prices."""
        stamps = {name: stored.data[name] for name in ("created_at", "updated_at", "version")}
        count = self.store.count(_prices_of(stored.key.id))
        told = {name: stored.data[name] for name in _INPUTS}
        return {"id": stored.key.id, **told, "product_count": count, **stamps}

    def asked(self, wanted: VendorFilter) -> Asked:
        """Return what a list of vendors asks."""
        low, high = (instant(each) if each else None for each in (wanted.created_from, wanted.created_to))
        by_time = wanted.order.field == "created_at"
        query = Query(VENDORS, at_least=low if by_time else None, at_most=high if by_time else None)
        said = None if wanted.search is None else words(wanted.search)
        if said is not None:
            beginning = max(search_tokens([max(said, key=len, default=None)]), key=len, default="-")
            query = replace(query, contains=("words", beginning))

        def keep(stored: Stored) -> bool:
            made, name = stored.data["created_at"], stored.data["name"]
            in_time = (low is None or low <= made) and (high is None or made <= high)
            return in_time and (said is None or (bool(said) and matches(said, [name])))

        sifts = said is not None or (not by_time and (low or high) is not None)
        return Asked(query, keep if sifts else None)

    def create(self, wanted: NewVendor) -> Stored:
        """Make a vendor."""
        now = instant(self.clock.now())
        told = wanted.model_dump(mode="json")
        data = _findable({**told, "created_at": now, "updated_at": now, "version": 1})
        key = vendor_key(self.ids.new("vnd"))
        self.store.write([Create(key, data)])
        return Stored(key, data, "")

    def update(self, vendor_id: str, patch: VendorPatch, condition: Precondition = NO_CONDITION) -> Stored:
        """Change a vendor; raise NotFound, PreconditionFailed or ValidationFailed."""
        given = patch.model_dump(mode="json", exclude_unset=True)
        shown, key = self.view(self.get(vendor_id)), vendor_key(vendor_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[Stored, list[Write]]:
            stored = found.get(key)
            if stored is None:
                raise _unknown()
            condition.check(vendor_id, stored.data["version"], patch.version)
            present = shown | {name: stored.data[name] for name in (*_INPUTS, "updated_at", "version")}
            volatile = ("product_count",)
            changes = changes_of(given, present, inputs=_INPUTS, required=("name",), volatile=volatile)
            if not changes:
                return stored, []
            stamps = {"updated_at": instant(self.clock.now()), "version": stored.data["version"] + 1}
            after = replace(stored, data=_findable({**stored.data, **changes, **stamps}))
            return after, [Put(key, after.data, stored.version)]

        return self.store.change([key], decide)

    def delete(self, vendor_id: str, condition: Precondition = NO_CONDITION) -> None:
        """Remove a vendor and its prices; raise NotFound or PreconditionFailed.

        More prices than fit one commit go before it, so that a crash leaves a vendor with fewer prices, to be removed again.
        """
        stored = self.get(vendor_id)
        condition.check(vendor_id, stored.data["version"])
        while len(found := self.store.query(replace(_prices_of(vendor_id), limit=_AT_ONCE))) == _AT_ONCE:
            self.store.documents.commit([Delete(price.key) for price in found])
        gone = [Delete(price.key, price.version) for price in found]
        self.store.write([Delete(stored.key, stored.version), *gone])


def _prices_of(vendor_id: str) -> Query:
    return Query(VENDOR_PRICES, (("vendor_id", vendor_id),))


def _findable(data: Data) -> Data:
    return {**data, "words": search_tokens([data["name"]])}


def _unknown() -> NotFound:
    return NotFound("No vendor has this id.", resource="vendor")
