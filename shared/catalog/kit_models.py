"""What the wire shows of kits, and what it takes."""

from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.quantities import Version
from shared.core.text import Id, Text

__all__ = ["Kit", "NewKit"]


class BillItem(BaseModel, defer_build=True):
    """A product by id or SKU, and how many units of it go into one kit."""

    product_id: Id | None = None
    sku: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    quantity: Annotated[int, Field(ge=1, le=10_000)]

    @model_validator(mode="after")
    def _names_a_product(self) -> Self:
        if self.product_id is None and self.sku is None:
            raise PydanticCustomError("missing", "Give product_id or sku.", {"at": "product_id"})
        return self


class NewKit(BaseModel, defer_build=True):
    """What a product is put together from."""

    components: Annotated[list[BillItem], Field(min_length=1, max_length=20)]
    version: Version | None = None


class KitComponent(BaseModel, defer_build=True):
    """One component; `available` sums over the stores."""

    product_id: str
    sku: str
    name: str
    quantity: int
    available: int


class KitStore(BaseModel, defer_build=True):
    """A store in which a kit can be put together, and how many times."""

    store_id: str
    available: int


class Kit(BaseModel, defer_build=True):
    """A kit: id, SKU, name and version are the product's; `available` sums over the stores."""

    id: str
    sku: str
    name: str
    components: list[KitComponent]
    available: int
    stores: list[KitStore]
    version: int
