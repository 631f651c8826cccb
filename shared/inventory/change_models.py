"""The wire shapes of what changes stock."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.quantities import Count, Positive, Quantity, Version
from shared.core.text import Id, Text
from shared.inventory.models import Movement, Reference

__all__ = [
    "AdjustBody",
    "Adjusted",
    "BulkBody",
    "CloseBody",
    "LevelPatch",
    "LotCount",
    "Moves",
    "NewLevel",
    "NewReservation",
    "TransferBody",
]


def _not_zero(quantity: int) -> int:
    if quantity == 0:
        raise PydanticCustomError("zero", "A change is at least one unit.")
    return quantity


Reason = Annotated[Text, Field(max_length=255)]


Signed = Annotated[Quantity, AfterValidator(_not_zero)]


LotCode = Annotated[Text, Field(min_length=1, max_length=50)]


class OfLot(BaseModel, defer_build=True):
    """What names a lot; an expiry needs one."""

    lot: LotCode | None = None
    expiry: date | None = None

    @model_validator(mode="after")
    def _names_the_lot(self) -> Self:
        if self.expiry is not None and self.lot is None:
            raise PydanticCustomError("missing", "Name the lot that expires then.", {"at": "lot"})
        return self


class NewLevel(OfLot):
    """A level to make."""

    store_id: Id
    product_id: Id
    on_hand: Quantity = 0
    reorder_level: Count | None = None
    max_stock: Count | None = None


class LevelPatch(BaseModel, defer_build=True):
    """What may change of a level; keys of a GET answer that are no input are ignored while they are equal."""

    on_hand: Quantity | None = None
    expected_quantity: Quantity | None = None
    reorder_level: Count | None = None
    max_stock: Count | None = None
    allow_negative: bool | None = None
    reason: Reason | None = None
    version: Version | None = None
    id: Any = None
    store_id: Any = None
    product_id: Any = None
    sku: Any = None
    product_name: Any = None
    brand: Any = None
    category: Any = None
    store_name: Any = None
    region: Any = None
    reserved: Any = None
    available: Any = None
    effective_reorder_level: Any = None
    stock_status: Any = None
    value: Any = None
    currency: Any = None
    last_updated: Any = None
    incoming: Any = None
    lots: Any = None
    expired: Any = None
    threshold_rule: Any = None


class AdjustBody(OfLot):
    """A change of one level by so many units."""

    product_id: Id | None = None
    sku: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    quantity: Signed
    store_id: Id | None = None
    reason: Reason | None = None
    expected_quantity: Quantity | None = None
    reference: Reference | None = None

    @model_validator(mode="after")
    def _names_a_product(self) -> Self:
        if self.product_id is None and self.sku is None:
            raise PydanticCustomError("missing", "Give product_id or sku.", {"at": "product_id"})
        return self


class BulkBody(BaseModel, defer_build=True):
    """Several changes."""

    items: Annotated[list[AdjustBody], Field(min_length=1, max_length=100)]
    mode: Literal["all_or_nothing", "partial"] = "all_or_nothing"


class Adjusted(BaseModel, defer_build=True):
    """The movements made, and the items that were refused."""

    movements: list[Movement]
    failed_items: list[dict[str, Any]]


class TransferBody(BaseModel, defer_build=True):
    """Units to move between two stores."""

    product_id: Id
    from_store_id: Id
    to_store_id: Id
    quantity: Positive
    reason: Reason | None = None
    lot: LotCode | None = None

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.from_store_id == self.to_store_id:
            raise PydanticCustomError("same_store", "The stores must differ.", {"at": "to_store_id"})
        return self


class Moves(BaseModel, defer_build=True):
    """Movements made together."""

    movements: list[Movement]


class NewReservation(BaseModel, defer_build=True):
    """Units to hold."""

    product_id: Id
    store_id: Id | None = None
    quantity: Positive
    ttl_seconds: Annotated[int, Field(ge=10, le=86_400)] | None = 900
    reference: Reference | None = None


class CloseBody(BaseModel, defer_build=True):
    """Why a reservation ends."""

    reason: Reason | None = None


class Counted(OfLot):
    """What was counted of one lot; without a lot, of the units that have none."""

    quantity: Count


class LotCount(BaseModel, defer_build=True):
    """A count of some lots of a level."""

    items: Annotated[list[Counted], Field(min_length=1, max_length=100)]
    reason: Reason | None = None
