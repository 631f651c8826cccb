"""Stock as the store operations demo and the shop backend know it: what their paths take, and how they show it."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, Field

from shared.core.errors import ValidationFailed
from shared.core.page import MOST_OFFSET
from shared.core.quantities import Count, Positive, Quantity, Version
from shared.core.text import Id, Search
from shared.inventory.change_models import LevelPatch
from shared.inventory.figure_models import TrendFilter
from shared.inventory.list_models import LowStockFilter, WarehouseFilter
from shared.inventory.models import Ids, LevelFilter, Names

__all__ = [
    "AddInventory",
    "DemoFigures",
    "DemoLevelFilter",
    "DemoLevelPatch",
    "DemoLowFilter",
    "DemoQuantity",
    "DemoWarehouseFilter",
    "LowProducts",
    "demo_level",
    "demo_warehouse_row",
    "shop_product",
    "told",
]

Limit = Annotated[int, Field(ge=1, le=1000)]
Found = Annotated[Search | None, Field(validation_alias=AliasChoices("search", "search_term", "searchTerm"))]
Stores = Annotated[Ids, Field(validation_alias=AliasChoices("store_id", "storeId"))]
Products = Annotated[Ids, Field(validation_alias=AliasChoices("product_id", "productId"))]
_LOW = AliasChoices("low_stock", "low_stock_only", "lowStockOnly", "lowStock")


class DemoLevelFilter(BaseModel, defer_build=True):
    """Which levels are wanted."""

    region: Names = None
    category: Names = None
    low_stock: Annotated[bool | None, Field(validation_alias=_LOW)] = None
    store_id: Stores = None
    product_id: Products = None
    search: Found = None
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    limit: Limit = 50

    def canonical(self) -> LevelFilter:
        """Return what the canonical list would be asked; `low_stock=false` is no filter here.

        Raise ValidationFailed for a page beyond the offsets that the canonical list allows.
        """
        if (self.page - 1) * self.limit > MOST_OFFSET:
            raise ValidationFailed.at("query:page", "offset_too_large", f"Offsets end at {MOST_OFFSET}.")
        asked = self.model_dump(exclude={"low_stock"}) | {"low_stock": self.low_stock or None}
        return LevelFilter.model_validate(asked)


class DemoFigures(BaseModel, defer_build=True):
    """Which levels and days figures cover."""

    region: Names = None
    category: Names = None
    store_id: Stores = None
    days: Annotated[int, Field(ge=1, le=365)] = 30

    def canonical(self) -> TrendFilter:
        """Return what the canonical figures would be asked."""
        return TrendFilter.model_validate(self.model_dump())


class DemoLowFilter(BaseModel, defer_build=True):
    """Which levels that run low are wanted."""

    region: Names = None
    category: Names = None
    limit: Limit = 50

    def canonical(self) -> LowStockFilter:
        """Return what the canonical list would be asked, its number of rows included."""
        return LowStockFilter.model_validate({**self.model_dump(), "include_total": True})


class DemoWarehouseFilter(BaseModel, defer_build=True):
    """Which products in warehouses are wanted."""

    category: Names = None
    search: Found = None
    limit: Limit = 50

    def canonical(self) -> WarehouseFilter:
        """Return what the canonical list would be asked, its number of rows included."""
        return WarehouseFilter.model_validate({**self.model_dump(), "include_total": True})


class DemoLevelPatch(BaseModel, defer_build=True):
    """What may change of a level; `current_stock` and `quantity_cases` are one value."""

    current_stock: Quantity | None = None
    quantity_cases: Quantity | None = None
    reserved_cases: Any = None
    reorder_level: Count | None = None
    max_stock: Count | None = None
    expected_quantity: Quantity | None = None
    version: Version | None = None

    def canonical(self, present: Mapping[str, Any]) -> LevelPatch:
        """Return the change meant.

        Raise ValidationFailed when two names of one value disagree, when units are to be reserved, and for fewer than none,
        which these paths call a mistake of the request.
        """
        given = self.model_fields_set
        if "reserved_cases" in given and self.reserved_cases != present["reserved"]:
            raise ValidationFailed.at("/reserved_cases", "read_only", "Units are reserved by reservations only.")
        same = ("max_stock", "expected_quantity", "version")
        asked: dict[str, Any] = {name: getattr(self, name) for name in same if name in given}
        counted = told(self, ("current_stock", "quantity_cases"), present["on_hand"])
        if counted is not None and counted < 0:
            name = "quantity_cases" if self.quantity_cases == counted else "current_stock"
            raise ValidationFailed.at(f"/{name}", "out_of_range", "There are no fewer than 0 units.")
        if "reorder_level" in given and self.reorder_level != present["effective_reorder_level"]:
            asked["reorder_level"] = self.reorder_level
        return LevelPatch.model_validate(asked | ({} if counted is None else {"on_hand": counted}))


class DemoQuantity(BaseModel, defer_build=True):
    """Some units, under either name."""

    quantity: Positive | None = None
    quantity_cases: Positive | None = None

    def units(self) -> int:
        """Return how many; raise ValidationFailed when none are named, or two numbers."""
        units = told(self, ("quantity", "quantity_cases"), None)
        if units is None:
            raise ValidationFailed.at("/quantity", "missing", "Say how many units.")
        return int(units)


class AddInventory(BaseModel, defer_build=True):
    """Units to add at the default store, by body or query."""

    product_id: Id | None = None
    quantity: Positive | None = None


class LowProducts(BaseModel, defer_build=True):
    """Up to how many units a product counts as low, by body or query."""

    quantity_threshold: Quantity | None = None


def told(body: BaseModel, names: tuple[str, str], present: Any) -> Any:
    """Return the value that one of two names gives and that is not the present one; None when both say nothing new."""
    said = {getattr(body, name) for name in names if name in body.model_fields_set} - {present, None}
    if len(said) > 1:
        message = f"{names[0]} and {names[1]} are one value and differ."
        raise ValidationFailed.at(f"/{names[1]}", "conflict", message)
    return next(iter(said), None)


def demo_level(level: Mapping[str, Any]) -> dict[str, Any]:
    """Return a level as the demo shows it."""
    same = ("max_stock", "last_updated", "version", "store_name", "product_name", "brand", "category", "stock_status")
    return {
        "id": level["id"],
        "inventory_id": level["id"],
        "product_id": level["product_id"],
        "store_id": level["store_id"],
        "current_stock": level["on_hand"],
        "quantity_cases": level["on_hand"],
        "reserved_cases": level["reserved"],
        "available_cases": level["available"],
        "reorder_level": level["effective_reorder_level"],
        **{name: level[name] for name in same},
    }


def demo_warehouse_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the warehouse view as the demo shows it."""
    return {
        **row,
        "total_quantity_cases": row["total_quantity"],
        "total_reserved_cases": row["total_reserved"],
        "available_cases": row["available"],
    }


def shop_product(product_id: str, product: Mapping[str, Any], units: int) -> dict[str, Any]:
    """Return a product as the shop backend shows it; its price is text with two decimals."""
    return {
        "id": product_id,
        "product_name": product["name"],
        "description": product.get("description"),
        "category_id": product.get("category_id"),
        "price": product["sale_price"],
        "is_active": product["status"] == "active",
        "quantity": units,
        "created_at": product.get("created_at"),
        "updated_at": product.get("updated_at"),
    }
