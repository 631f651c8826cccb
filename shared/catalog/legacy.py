"""Products and categories as two older backends name them: the store operations demo (001) and the shop backend (002)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.catalog.category_models import NewCategory, Slug
from shared.catalog.change_models import NewProduct
from shared.catalog.models import CategoryName, Description, Label, Name, Names, ProductFilter, Sku
from shared.core.conditions import Projection
from shared.core.money import Money
from shared.core.page import MOST_OFFSET
from shared.core.text import Id, Search

__all__ = [
    "CategoriesAsked",
    "LegacyProductFilter",
    "NamedProducts",
    "NewCategory2",
    "NewProduct1",
    "NewProduct2",
    "Product1",
    "ProductAsked",
    "ProductsAsked",
    "category2",
    "product1",
    "product2",
]

Data = dict[str, Any]


class Product1(BaseModel, defer_build=True):
    """A product of 001."""

    id: str
    product_id: str
    name: str
    product_name: str
    sku: str
    brand: str | None
    category: str | None
    package_size: str | None
    unit_price: Money | None
    currency: str
    created_at: datetime


class LegacyProductFilter(BaseModel, defer_build=True):
    """Which products 001 wants."""

    category: Names = None
    brand: Names = None
    search: Search | None = Field(None, validation_alias=AliasChoices("search", "searchTerm", "search_term"))
    limit: Annotated[int, Field(ge=1, le=1000)] = 100

    def canonical(self) -> ProductFilter:
        """Return the same of the canonical list."""
        return ProductFilter(
            category=self.category, brand=self.brand, search=self.search, limit=self.limit, include_total=True
        )


class NamedProducts(BaseModel, defer_build=True):
    """The products meant."""

    ids: Annotated[list[Id], Field(max_length=1000)]


class NewProduct1(BaseModel, defer_build=True):
    """A product to make, as 001 names things."""

    name: Name | None = None
    product_name: Name | None = None
    brand: Label | None = None
    category: CategoryName | None = None
    package_size: Label | None = None
    unit_price: Money | None = None
    sku: Sku | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.name is None and self.product_name is None:
            raise PydanticCustomError("missing", "A product needs a name.", {"at": "name"})
        if None not in (self.name, self.product_name) and self.name != self.product_name:
            raise PydanticCustomError("conflict", "name and product_name are one value and differ.", {"at": "name"})
        return self

    def canonical(self) -> NewProduct:
        """Return the product to make."""
        return NewProduct(
            name=self.name or self.product_name,
            brand=self.brand,
            category=self.category or None,
            package_size=self.package_size,
            sale_price=self.unit_price,
            sku=self.sku,
        )


class NewCategory2(BaseModel, defer_build=True):
    """A category to make, as 002 names things."""

    category_name: CategoryName
    category_slug: Slug

    def canonical(self) -> NewCategory:
        """Return the category to make."""
        return NewCategory(name=self.category_name, slug=self.category_slug)


class NewProduct2(BaseModel, defer_build=True):
    """A product to make, as 002 names things."""

    product_name: Name
    category_id: Id
    price: Money
    description: Description | None = None
    is_active: bool = True

    def canonical(self) -> NewProduct:
        """Return the product to make."""
        return NewProduct(
            name=self.product_name,
            category_id=self.category_id,
            sale_price=self.price,
            description=self.description,
            is_active=self.is_active,
        )


class _Asked2(BaseModel, defer_build=True):
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    per_page: Annotated[int, Field(ge=1, le=1000)] = 10
    order: Literal["asc", "desc"] = "asc"

    @model_validator(mode="after")
    def _near(self) -> Self:
        if (self.page - 1) * self.per_page > MOST_OFFSET:
            raise PydanticCustomError("offset_too_large", f"Offsets end at {MOST_OFFSET}.", {"at": "page"})
        return self


class CategoriesAsked(_Asked2):
    """Which categories 002 wants, in which order; ids rise with time, so their order is that of making."""

    order_by: Literal["id", "category_name", "created_at"] = "id"


class ProductsAsked(_Asked2):
    """Which products 002 wants, in which order."""

    order_by: Literal["id", "product_name", "price", "created_at"] = "id"
    category_ids: Annotated[list[Id] | None, Field(max_length=10)] = None

    def canonical(self) -> ProductFilter:
        """Return the same of the canonical list; ids rise with time, so their order is that of making."""
        field = {"product_name": "name", "price": "sale_price"}.get(self.order_by, "created_at")
        return ProductFilter(
            category_id=self.category_ids,
            sort=f"-{field}" if self.order == "desc" else field,
            page=self.page,
            limit=self.per_page,
        )


class ProductAsked(BaseModel, defer_build=True):
    """Which product 002 wants."""

    product_id: Id


def product1(product: Mapping[str, Any]) -> Data:
    """Return a shown product as 001 shows it."""
    shown = {
        "id": product["id"],
        "product_id": product["id"],
        "name": product["name"],
        "product_name": product["name"],
        **{name: product[name] for name in ("sku", "brand", "category", "package_size")},
        "unit_price": product["sale_price"],
        "currency": product["currency"],
        "created_at": product["created_at"],
    }
    return Projection(shown, product["version"])


def category2(category: Mapping[str, Any]) -> Data:
    """Return a shown category as 002 shows it."""
    return {
        "id": category["id"],
        "category_name": category["name"],
        "category_slug": category["slug"],
        "created_at": category["created_at"],
    }


def product2(product: Mapping[str, Any]) -> Data:
    """Return a shown product as 002 shows it: money as decimal text."""
    price = product["sale_price"]
    return {
        "id": product["id"],
        "product_name": product["name"],
        "description": product["description"],
        "category_id": product["category_id"],
        "price": None if price is None else f"{price:.2f}",
        "is_active": product["is_active"],
        "quantity": product["current_stock"],
        "created_at": product["created_at"],
        "updated_at": product["updated_at"],
    }
