"""What the wire shows of products and categories, and what it takes."""

import unicodedata
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.catalog.states import OF_CATEGORY, PAIRS, ProductStatus, StockStatus
from shared.core.exports import ExportQuery
from shared.core.money import Currency, Money
from shared.core.page import PageQuery
from shared.core.quantities import Count, Quantity, Version
from shared.core.text import Id, Search, Text, clean
from shared.core.times import From, To

__all__ = [
    "PRODUCT_KEYS",
    "NewProduct",
    "Option",
    "Product",
    "ProductExport",
    "ProductFilter",
    "ProductPatch",
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


class _Told(BaseModel, defer_build=True):
    """What may be said of a product, whether it is made or changed; several names of one value are pairs."""

    sku: Sku | None = None
    name: Name | None = None
    title: Name | None = None
    description: Description | None = None
    category_id: Id | None = None
    category: CategoryName | None = None
    brand: Label | None = None
    package_size: Label | None = None
    barcode: Barcode | None = None
    current_stock: Quantity | None = None
    stock: Quantity | None = None
    store_id: Id | None = None
    unit_cost: Money | None = None
    cost_price: Money | None = None
    sale_price: Money | None = None
    price: Money | None = None
    unit_price: Money | None = None
    is_active: bool | None = None
    seo_title: Annotated[Text, Field(max_length=60)] | None = None
    seo_description: Annotated[Text, Field(max_length=155)] | None = None
    supplier_id: SupplierRef | None = None
    supplier_product_id: SupplierRef | None = None
    source_url: Url | None = None
    follows_category_threshold: bool | None = None


class NewProduct(_Told):
    """A product to make. Two names of one value must agree; `current_stock` is booked at `store_id`."""

    reorder_threshold: Count = 10
    currency: Currency | None = None
    status: ProductStatus | None = None
    images: Images = []
    tags: Tags = []
    attributes: Attributes = {}

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for name, others in PAIRS.items():
            for other in others:
                self._settle(name, other)
        if self.name is None:
            raise PydanticCustomError("missing", "A product needs a name.", {"at": "name"})
        stated = self.is_active is not None and self.status is not None
        if stated and self.is_active != (self.status is ProductStatus.ACTIVE):
            raise PydanticCustomError("conflict", "is_active and status contradict each other.", {"at": "is_active"})
        return self

    def _settle(self, name: str, other: str) -> None:
        """Take the other name's value where the first is not given; refuse two values that differ."""
        kept, given = getattr(self, name), getattr(self, other)
        if given is None:
            return
        if kept is not None and kept != given:
            raise PydanticCustomError("conflict", f"{other} and {name} are one value and differ.", {"at": other})
        setattr(self, name, given)


class ProductPatch(_Told):
    """What to change of a product. A GET answer may be edited and sent back, so its other keys are known too."""

    reorder_threshold: Count | None = None
    currency: Currency | None = None
    status: ProductStatus | None = None
    images: Images | None = None
    tags: Tags | None = None
    attributes: Attributes | None = None
    stock_version: Version | None = None
    version: Version | None = None
    id: Any = None
    available_stock: Any = None
    reserved_stock: Any = None
    stock_status: Any = None
    predicted_depletion_date: Any = None
    created_at: Any = None
    updated_at: Any = None
    levels: Any = None
    vendors: Any = None
    kit: Any = None
    effective_reorder_threshold: Any = None
    threshold_rule: Any = None


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


class ProductExport(ExportQuery, ProductFilter):
    """Which products are to be exported."""


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
    total_value: Money
    currency: str
    avg_margin_percent: float | None
    categories: dict[str, int]
    as_of: datetime | None
