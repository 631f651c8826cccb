"""The use cases around stores."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import AlreadyExists, BadRequest, FieldError, InvalidState, NotFound
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.core.words import matches, words
from shared.ports.documents import Create, Delete, Key, Position, Put, Query, Stored, Write
from shared.stores.models import (
    NewStore,
    RegionOption,
    RegionSummary,
    Store,
    StoreFilter,
    StoreOption,
    StorePatch,
    StoreType,
)
from shared.stores.options import region_options, region_summary, store_options

if TYPE_CHECKING:
    from shared.core.caller import Caller
    from shared.core.ids import Ids
    from shared.ports.store import Store as Documents

__all__ = ["STORES", "Dependents", "Place", "StoreService", "store_key", "view"]

STORES = "stores"
_DEFAULT = Key("store_settings", "default")
_STEP = 500
_INPUTS = tuple(NewStore.model_fields)
_REQUIRED = ("name", "code", "region", "store_type", "timezone", "is_default", "is_active")
_LABELS = ("name", "region", "store_type")

Place = tuple[str, str]
"""Where a store stands in an order: the sorted value, and the id that decides ties."""
Data = dict[str, Any]


def store_key(store_id: str) -> Key:
    """Return where a store lies."""
    return Key(STORES, store_id)


def _code_key(code: str) -> Key:
    return Key("store_codes", code.casefold().encode().hex())


def view(stored: Stored) -> Store:
    """Return a store as the wire shows it."""
    return Store(id=stored.key.id, **{name: stored.data[name] for name in Store.model_fields if name != "id"})


@dataclass(frozen=True, slots=True)
class Dependents:
    """What else changes with a store.

    `relabel` is told inside the commit when a name, region or type changed: levels repeat them. `in_use` says whether stock or
    open orders name a store; `clear` takes away what is empty and would be left behind.
    """

    relabel: Callable[[str, Data], None] = lambda _id, _data: None
    in_use: Callable[[str], bool] = lambda _id: False
    clear: Callable[[str], None] = lambda _id: None


class StoreService:
    """Stores of one merchant: few, so lists read them all and filter here; any filters combine without an index."""

    def __init__(
        self,
        documents: Documents,
        clock: Clock,
        ids: Ids,
        dependents: Dependents | None = None,
    ) -> None:
        """Take the store of documents, time, ids, and what else changes with a store."""
        self._documents, self._clock, self._ids = documents, clock, ids
        self._dependents = dependents or Dependents()
        self._last_default: str | None = None

    def ensure_default(self) -> str:
        """Return the id of the default store; make the first store of a fresh deployment."""
        found = self._documents.get(_DEFAULT)
        if found is not None:
            self._last_default = str(found.data["store_id"])
            return self._last_default
        return self._documents.change([_DEFAULT, _code_key("MAIN")], self._first)

    def default_for(self, caller: Caller) -> str:
        """Return the store an operation means that names none: an operator's own, else the default one."""
        return caller.store_id or self.ensure_default()

    def likely_default(self, caller: Caller) -> tuple[Sequence[Key], str | None]:
        """Return the keys that `default_for` will read, and what it answered last time (None: never asked)."""
        return ([], caller.store_id) if caller.store_id else ([_DEFAULT], self._last_default)

    def get(self, store_id: str) -> Store:
        """Return a store; raise NotFound."""
        return view(self.stored(store_id))

    def stored(self, store_id: str) -> Stored:
        """Return a store's document; raise NotFound."""
        found = self._documents.get(store_key(store_id))
        if found is None:
            raise NotFound("No store has this id.", resource="store")
        return found

    def all(self) -> list[Store]:
        """Return every store by name; a fresh deployment's first one is made when nobody has needed it before."""
        return self._all() or [self.get(self.ensure_default())]

    def _all(self) -> list[Store]:
        found: list[Stored] = []
        after: Position | None = None
        while True:
            rows = self._documents.query(Query(STORES, order_by="name", limit=_STEP, after=after))
            found += rows
            if len(rows) < _STEP:
                return [view(stored) for stored in found]
            after = Position(rows[-1].data["name"], rows[-1].key.id)

    def matching(self, wanted: StoreFilter) -> list[Store]:
        """Return all stores that match, in the order asked for."""
        found = [store for store in self.all() if _fits(store, wanted)]
        field, descending = wanted.order
        return sorted(found, key=lambda store: (getattr(store, field), store.id), reverse=descending)

    def options(self, regions: Sequence[str] | None) -> list[StoreOption]:
        """Return the stores of some regions (all without) to choose from, by name."""
        return store_options(self.all(), regions)

    def region_options(self) -> list[RegionOption]:
        """Return all regions, and each, to choose from."""
        return region_options(self.all())

    def region_summary(self) -> list[RegionSummary]:
        """Return how many stores of which type each region has."""
        return region_summary(self.all())

    def page(self, wanted: StoreFilter, after: Sequence[Any] | None) -> tuple[list[Store], Place | None, int]:
        """Return one page behind the place a cursor names, the place to go on from, and the exact total."""
        found = self.matching(wanted)
        field, descending = wanted.order
        places = [(getattr(store, field), store.id) for store in found]
        begin = wanted.offset
        if after is not None:
            last = _checked(after)
            begin = sum(place >= last if descending else place <= last for place in places)
        end = begin + wanted.size
        return found[begin:end], places[end - 1] if end < len(found) else None, len(found)

    def create(self, wanted: NewStore) -> Store:
        """Make a store; raise AlreadyExists for a taken code, NotFound for an unknown manager."""
        self.ensure_default()
        self._check_manager(wanted.manager_id)
        code = wanted.code or self._free_code(wanted.name)
        key = store_key(self._ids.new("sto"))
        moment = instant(self._clock.now())
        stamps = {"created_at": moment, "updated_at": moment, "version": 1}
        data = wanted.model_dump(mode="json") | {"code": code} | stamps
        claim = _code_key(code)

        def decide(found: Mapping[Key, Stored]) -> tuple[Store, list[Write]]:
            if claim in found:
                raise AlreadyExists("Another store has this code.", field="code")
            writes: list[Write] = [Create(key, data), Create(claim, {"store_id": key.id})]
            if data["is_default"]:
                writes += self._moved_default(key.id, found)
            return view(Stored(key, data, "")), writes

        return self._documents.change([claim, *self._default_keys(wanted=wanted.is_default)], decide)

    def update(self, store_id: str, patch: StorePatch, precondition: Precondition = NO_CONDITION) -> Store:
        """Change a store; raise NotFound, PreconditionFailed, AlreadyExists, or InvalidState without a default store."""
        key = store_key(store_id)
        self.stored(store_id)
        claim = _code_key(patch.code) if patch.code else _DEFAULT
        keys = list(dict.fromkeys([key, claim, *self._default_keys(wanted=bool(patch.is_default))]))

        def decide(found: Mapping[Key, Stored]) -> tuple[tuple[Store, Data], list[Write]]:
            stored = found.get(key)
            if stored is None:
                raise NotFound("No store has this id.", resource="store")
            precondition.check(store_id, stored.data["version"], patch.version)
            changes = self._changes(stored, patch)
            if not changes:
                return (view(stored), {}), []
            return self._changed(stored, changes, found)

        store, labels = self._documents.change(keys, decide)
        if labels:
            self._dependents.relabel(store_id, store.model_dump(mode="json"))
        return store

    def delete(self, store_id: str, precondition: Precondition = NO_CONDITION) -> None:
        """Remove a store; raise NotFound, or InvalidState for the default store, stock or open orders."""
        key = store_key(store_id)
        stored = self.stored(store_id)
        precondition.check(store_id, stored.data["version"])
        if stored.data["is_default"]:
            detail = "The default store stays; make another store the default first."
            raise InvalidState(detail, current="default", allowed=[])
        if self._dependents.in_use(store_id):
            detail = "Stock or open orders name this store."
            raise InvalidState(detail, current="in_use", allowed=[])
        self._dependents.clear(store_id)
        self._documents.change([key], lambda found: (None, _gone(found.get(key), store_id, precondition)))

    def _first(self, found: Mapping[Key, Stored]) -> tuple[str, list[Write]]:
        if _DEFAULT in found:
            return found[_DEFAULT].data["store_id"], []
        key, moment = store_key(self._ids.new("sto")), instant(self._clock.now())
        first = NewStore(name="Main", code="MAIN", region="Main", store_type=StoreType.WAREHOUSE, is_default=True)
        data = first.model_dump(mode="json") | {"created_at": moment, "updated_at": moment, "version": 1}
        writes: list[Write] = [Create(key, data), Create(_DEFAULT, {"store_id": key.id})]
        if _code_key("MAIN") not in found:
            writes.append(Create(_code_key("MAIN"), {"store_id": key.id}))
        return key.id, writes

    def _changes(self, stored: Stored, patch: StorePatch) -> Data:
        given = patch.model_dump(mode="json", exclude_unset=True)
        present = view(stored).model_dump(mode="json")
        changes = changes_of(given, present, inputs=_INPUTS, required=_REQUIRED)
        if changes.get("is_default") is False:
            detail = "One store is the default; make another one the default instead."
            raise InvalidState(detail, current="default", allowed=[])
        if changes.get("manager_id"):
            self._check_manager(changes["manager_id"])
        return changes

    def _changed(
        self, stored: Stored, changes: Data, found: Mapping[Key, Stored]
    ) -> tuple[tuple[Store, Data], list[Write]]:
        stamps = {"updated_at": instant(self._clock.now()), "version": stored.data["version"] + 1}
        data = {**stored.data, **changes, **stamps}
        writes: list[Write] = [Put(stored.key, data, stored.version)]
        old, new = _code_key(stored.data["code"]), _code_key(data["code"])
        if new != old:
            if new in found:
                raise AlreadyExists("Another store has this code.", field="code")
            writes += [Create(new, {"store_id": stored.key.id}), Delete(old)]
        if changes.get("is_default"):
            writes += self._moved_default(stored.key.id, found)
        labels = {name: changes[name] for name in _LABELS if name in changes}
        return (view(Stored(stored.key, data, "")), labels), writes

    def _default_keys(self, *, wanted: bool) -> list[Key]:
        return [_DEFAULT, store_key(self.ensure_default())] if wanted else []

    def _moved_default(self, store_id: str, found: Mapping[Key, Stored]) -> list[Write]:
        """Take the mark from the store that had it; a lost race reruns with the store that has it then."""
        pointer = found[_DEFAULT]
        holder = store_key(pointer.data["store_id"])
        old = found.get(holder) or self._documents.get(holder)
        writes: list[Write] = [Put(_DEFAULT, {"store_id": store_id}, pointer.version)]
        if old is not None and old.key.id != store_id:
            stamps = {"updated_at": instant(self._clock.now()), "version": old.data["version"] + 1}
            writes.append(Put(old.key, {**old.data, "is_default": False, **stamps}, old.version))
        return writes

    def _check_manager(self, user_id: str | None) -> None:
        if user_id is not None and self._documents.get(Key("users", user_id)) is None:
            raise NotFound("No user has this id.", resource="user")

    def _free_code(self, name: str) -> str:
        """Return a code made of a name that no store has."""
        plain = "".join(c for c in unicodedata.normalize("NFKD", name) if c.isascii())
        base = re.sub("[^A-Z0-9]+", "-", plain.upper()).strip("-")[:16] or "STORE"
        for number in range(1, 1000):
            code = base if number == 1 else f"{base}-{number}"
            if self._documents.get(_code_key(code)) is None:
                return code
        raise AlreadyExists("No code is left for this name; give one.", field="code")


def _gone(stored: Stored | None, store_id: str, precondition: Precondition) -> list[Write]:
    """Return the writes that remove a store, as it is now."""
    if stored is None:
        return []
    precondition.check(store_id, stored.data["version"])
    return [Delete(stored.key, stored.version), Delete(_code_key(stored.data["code"]))]


def _fits(store: Store, wanted: StoreFilter) -> bool:
    return (
        (wanted.region is None or store.region in wanted.region)
        and (wanted.store_type is None or store.store_type in wanted.store_type)
        and (wanted.is_active is None or store.is_active is wanted.is_active)
        and (wanted.search is None or matches(words(wanted.search), (store.name, store.code, store.city)))
    )


def _checked(after: Sequence[Any]) -> Place:
    match after:
        case [str() as value, str() as last]:
            return value, last
        case _:
            detail = "This cursor is not one of this list."
            raise BadRequest(detail, errors=(FieldError("query:cursor", "bad_cursor", detail),))
