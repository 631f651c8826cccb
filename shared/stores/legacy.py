"""Stores as the store operations demo knows them: what its paths take, and how they show a store."""

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, Field

from shared.core.conditions import Projection
from shared.core.errors import ValidationFailed
from shared.core.text import Id, Search
from shared.stores.models import Code, Line, Name, NewStore, Place, Region, Store, StorePatch, StoreType, Zip

__all__ = ["DemoNewStore", "DemoStoreFilter", "DemoStorePatch", "demo_store"]

_SAME = ("region", "store_type", "address", "city", "state", "zip_code", "manager_id")


class DemoStoreFilter(BaseModel, defer_build=True):
    """Which stores are wanted."""

    region: list[Region] | None = Field(default=None, max_length=10)
    store_type: Annotated[
        list[StoreType] | None, Field(max_length=10, validation_alias=AliasChoices("store_type", "storeType"))
    ] = None
    search: Annotated[Search | None, Field(validation_alias=AliasChoices("search", "search_term", "searchTerm"))] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 1000


class _Body(BaseModel, defer_build=True):
    """What both writes take; `name` and `store_name` are one value, as are `code` and `store_code`."""

    name: Name | None = None
    store_name: Name | None = None
    region: Region | None = None
    store_type: StoreType | None = None
    address: Line | None = None
    city: Place | None = None
    state: Place | None = None
    zip_code: Zip | None = None
    manager_id: Id | None = None
    store_code: Code | None = None


class DemoNewStore(_Body):
    """A store to make."""

    def canonical(self) -> NewStore:
        """Return the store meant; raise ValidationFailed for what is missing or told twice."""
        if self.name is not None and self.store_name not in (None, self.name):
            raise ValidationFailed.at("/store_name", "conflict", "name and store_name are one value and differ.")
        told = {"name": self.name or self.store_name, "region": self.region, "store_type": self.store_type}
        for name, value in told.items():
            if value is None:
                raise ValidationFailed.at(f"/{name}", "missing", "This key is needed.")
        more = {name: getattr(self, name) for name in ("address", "city", "state", "zip_code", "manager_id")}
        return NewStore.model_validate({**told, **more, "code": self.store_code})


class DemoStorePatch(_Body):
    """What may change of a store."""

    def canonical(self, present: Store) -> StorePatch:
        """Return the change meant; of two names of one value the one that differs from the present wins."""
        given = self.model_fields_set
        told: dict[str, Any] = {name: getattr(self, name) for name in _SAME if name in given}
        names = {getattr(self, name) for name in ("name", "store_name") if name in given} - {present.name}
        if len(names) > 1:
            raise ValidationFailed.at("/store_name", "conflict", "name and store_name are one value and differ.")
        if names:
            told["name"] = names.pop()
        if "store_code" in given:
            told["code"] = self.store_code
        return StorePatch.model_validate(told)


def demo_store(store: Store) -> Projection:
    """Return a store as the demo shows it."""
    shown = {
        "id": store.id,
        "store_id": store.id,
        "name": store.name,
        "store_name": store.name,
        "store_code": store.code,
        "region": store.region,
        "store_type": store.store_type,
        "address": store.address,
        "city": store.city,
        "state": store.state,
        "zip_code": store.zip_code,
        "manager_id": store.manager_id,
        "created_at": store.created_at,
    }
    return Projection(shown, store.version)
