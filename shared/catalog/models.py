"""What the wire shows of products and categories, and what it takes."""

import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from shared.catalog.states import OF_CATEGORY, ProductStatus, StockStatus
from shared.core.money import Money
from shared.core.page import PageQuery
from shared.core.text import Id, Search, Text, clean
from shared.core.times import From, To

__all__ = [
    "PRODUCT_KEYS",
    "Option",
    "Product",
    "ProductFilter",
    "ProductQuery",
    "ProductStats",
]


def _web(text: str) -> str:
    if not text.lower().startswith(("https://", "http://")):
        raise PydanticCustomError("invalid_url", "The address must begin with https:// or http://.")
    return text


def _code(text: str) -> str:
    """Return a code as it is kept: a text that may hold the separator of element strings (FNC1)."""
    clean(text.replace("\x1d", ""))
    return unicodedata.normalize("NFC", text).strip(" \t\r\n")


Name = Annotated[Text, Field(min_length=1, max_length=255)]
Sku = Annotated[Text, Field(min_length=1, max_length=100)]
Label = Annotated[Text, Field(max_length=100)]
Description = Annotated[Text, Field(max_length=20_000)]
CategoryName = Annotated[Text, Field(min_length=1, max_length=100)]
Barcode = Annotated[str, AfterValidator(_code), Field(max_length=512)]
Url = Annotated[Text, Field(max_length=2000), AfterValidator(_web)]
Images = Annotated[list[Annotated[Text, Field(min_length=1, max_length=2000)]], Field(max_length=50)]
Tags = Annotated[list[Annotated[Text, Field(min_length=1, max_length=50)]], Field(max_length=50)]
AttributeName = Annotated[Text, Field(min_length=1, max_length=100)]
Attributes = Annotated[dict[AttributeName, Annotated[Text, Field(max_length=5000)]], Field(max_length=100)]
SupplierRef = Annotated[Text, Field(min_length=1, max_length=200)]


class Product(BaseModel, defer_build=True):
    """Something that is bought, kept and sold. Stock values are sums over all stores."""

    id: str
    sku: str
    name: str
    description: str | None
    category_id: str | None
    category: str | None
    brand: str | None
    package_size: str | None
    barcode: str | None
    current_stock: int
    available_stock: int
    reserved_stock: int
    stock_version: int
    reorder_threshold: int
    unit_cost: Money | None
    sale_price: Money | None
    currency: str
    status: ProductStatus
    is_active: bool
    stock_status: StockStatus
    predicted_depletion_date: date | None
    images: list[str]
    tags: list[str]
    attributes: dict[str, str]
    seo_title: str | None
    seo_description: str | None
    supplier_id: str | None
    supplier_product_id: str | None
    source_url: str | None
    title: str
    stock: int
    cost_price: Money | None
    created_at: datetime
    updated_at: datetime
    version: int
    levels: list[dict[str, Any]] | None = Field(default=None, exclude_if=lambda levels: levels is None)
    vendors: list[dict[str, Any]] | None = Field(default=None, exclude_if=lambda vendors: vendors is None)
    kit: dict[str, Any] | None = Field(default=None, exclude_if=lambda kit: kit is None)
    effective_reorder_threshold: int | None = Field(default=None, exclude_if=lambda units: units is None)
    threshold_rule: str | None = Field(
        default=None,
        exclude_if=lambda rule: rule is None,
        description="Where effective_reorder_threshold is from; both only where the category has thresholds.",
    )
    follows_category_threshold: bool | None = Field(default=None, exclude_if=lambda follows: follows is None)


_SOMETIMES = {"levels", "vendors", "kit", *OF_CATEGORY}
PRODUCT_KEYS = tuple(name for name in Product.model_fields if name not in _SOMETIMES)
"""The keys of every product, in their order."""


StatusFilter = Literal["active", "draft", "paused", "archived", "all"]
Names = Annotated[list[Annotated[Text, Field(max_length=200)]] | None, Field(max_length=10)]
Ids = Annotated[list[Id] | None, Field(max_length=10)]


class ProductFilter(PageQuery):
    """Which products are wanted; without a status, all but archived ones."""

    SORTS: ClassVar[tuple[str, ...]] = ("name", "-created_at", "-updated_at", "sku", "sale_price", "current_stock")

    category: Names = None
    category_id: Ids = None
    brand: Names = None
    status: Annotated[list[StatusFilter] | None, Field(max_length=10)] = None
    stock_status: Annotated[list[StockStatus] | None, Field(max_length=10)] = None
    supplier_id: Ids = None
    barcode: Annotated[Barcode, Field(min_length=1, max_length=200)] | None = None
    search: Search | None = None
    ids: Annotated[list[Id] | None, Field(max_length=100)] = None
    created_from: From | None = None
    created_to: To | None = None


class ProductQuery(BaseModel, defer_build=True):
    """What is shown with a product."""

    include: Annotated[list[Literal["levels", "vendors", "kit"]] | None, Field(max_length=10)] = None


class Option(BaseModel, defer_build=True):
    """One choice with the number of products behind it."""

    value: str
    label: str
    count: int


class ProductStats(BaseModel, defer_build=True):
    """The catalogue in figures. Archived products are counted in `by_status` only; the value is that of all stock."""

    total: int
    by_status: dict[str, int]
    low_stock: int
    out_of_stock: int
    total_value: float
    currency: str
    avg_margin_percent: float | None
    categories: dict[str, int]
    as_of: datetime | None
