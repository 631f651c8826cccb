"""What the wire shows of stores, and what it takes."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, Field

from shared.core.page import PageQuery
from shared.core.text import Id, Search, Text, TimeZone

__all__ = [
    "NewStore",
    "OptionFilter",
    "RegionOption",
    "RegionSummary",
    "Store",
    "StoreFilter",
    "StoreOption",
    "StorePatch",
    "StoreType",
]

Name = Annotated[Text, Field(min_length=1, max_length=100)]
Code = Annotated[Text, Field(min_length=1, max_length=20)]
Region = Annotated[Text, Field(min_length=1, max_length=50)]
Line = Annotated[Text, Field(max_length=255)]
Place = Annotated[Text, Field(max_length=100)]
Zip = Annotated[Text, Field(max_length=20)]


class StoreType(StrEnum):
    """What kind of place a store is."""

    WAREHOUSE = "Warehouse"
    URBAN = "Urban"
    SUBURBAN = "Suburban"
    TOURIST = "Tourist"
    BUSINESS = "Business"
    ENTERTAINMENT = "Entertainment"
    SHOPPING = "Shopping"


class Store(BaseModel, defer_build=True):
    """A place where stock lies."""

    id: str
    name: str
    code: str
    region: str
    store_type: StoreType
    address: str | None
    city: str | None
    state: str | None
    zip_code: str | None
    manager_id: str | None
    timezone: str
    is_default: bool
    is_active: bool
    created_at: datetime
    updated_at: datetime
    version: int


class NewStore(BaseModel, defer_build=True):
    """A store to make."""

    name: Name
    code: Code | None = None
    region: Region
    store_type: StoreType
    address: Line | None = None
    city: Place | None = None
    state: Place | None = None
    zip_code: Zip | None = None
    manager_id: Id | None = None
    timezone: TimeZone = "UTC"
    is_default: bool = False
    is_active: bool = True


class StorePatch(BaseModel, defer_build=True):
    """What may change of a store; keys of a GET answer that are no input are ignored while they are equal."""

    name: Name | None = None
    code: Code | None = None
    region: Region | None = None
    store_type: StoreType | None = None
    address: Line | None = None
    city: Place | None = None
    state: Place | None = None
    zip_code: Zip | None = None
    manager_id: Id | None = None
    timezone: TimeZone | None = None
    is_default: bool | None = None
    is_active: bool | None = None
    id: Any = None
    created_at: Any = None
    updated_at: Any = None
    version: Annotated[int, Field(ge=0, le=2**53)] | None = None


class StoreFilter(PageQuery):
    """Which stores are wanted."""

    SORTS = ("name", "region")

    region: list[Region] | None = Field(default=None, max_length=10)
    store_type: list[StoreType] | None = Field(default=None, max_length=10)
    is_active: bool | None = None
    search: Search | None = None


class OptionFilter(BaseModel, defer_build=True):
    """Which stores to choose from."""

    region: list[Region] | None = Field(default=None, max_length=10)


class StoreOption(BaseModel, defer_build=True):
    """A store to choose."""

    value: str
    label: str
    store_id: str
    store_name: str
    store_code: str
    region: str


class RegionOption(BaseModel, defer_build=True):
    """A region to choose; `all` comes first."""

    value: str
    label: str
    store_count: int


class RegionSummary(BaseModel, defer_build=True):
    """How many stores of which type a region has."""

    region: str
    total_stores: int
    warehouse_stores: int
    urban_stores: int
    suburban_stores: int
    tourist_stores: int
    business_stores: int
    entertainment_stores: int
    shopping_stores: int
