"""What the wire takes of a product, whether it is made or changed; reading products needs none of it."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.catalog.models import (
    Attributes,
    Barcode,
    CategoryName,
    Description,
    Images,
    Label,
    Name,
    Sku,
    SupplierRef,
    Tags,
    Url,
)
from shared.catalog.states import PAIRS, ProductStatus
from shared.core.money import Currency, Money
from shared.core.quantities import Count, Quantity, Version
from shared.core.text import Id, Text

__all__ = ["NewProduct", "ProductPatch"]


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
