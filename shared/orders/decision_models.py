"""The wire shapes of making, changing and deciding transfer orders, and of what is told about them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from shared.core.quantities import Version
from shared.core.text import Id, Text
from shared.orders.models import TransferOrder, Units
from shared.orders.rules import Status

__all__ = [
    "Attention",
    "BulkBody",
    "Bulked",
    "CancelBody",
    "CancelPatch",
    "NewTransfer",
    "NoteBody",
    "NotePatch",
    "StatusBody",
    "TransferPatch",
]


Notes = Annotated[Text, Field(max_length=2000)]


Why = Annotated[Text, Field(min_length=1, max_length=500)]


class NewTransfer(BaseModel, defer_build=True):
    """Units wanted in a store, from another one or (without `from_store_id`) from outside."""

    from_store_id: Id | None = None
    to_store_id: Id
    product_id: Id
    quantity: Units
    notes: Notes | None = None

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if self.from_store_id == self.to_store_id:
            raise PydanticCustomError("same_store", "The stores must differ.", {"at": "to_store_id"})
        return self


class TransferPatch(BaseModel, defer_build=True):
    """What may change of an order; keys of a GET answer that are no input are ignored while they are equal."""

    quantity: Units | None = None
    notes: Notes | None = None
    version: Version | None = None
    id: Any = None
    order_number: Any = None
    from_store_id: Any = None
    to_store_id: Any = None
    product_id: Any = None
    status: Any = None
    requested_by: Any = None
    requester_name: Any = None
    approved_by: Any = None
    approver_name: Any = None
    fulfilled_by: Any = None
    cancelled_by: Any = None
    cancel_reason: Any = None
    from_store_name: Any = None
    to_store_name: Any = None
    to_store_region: Any = None
    product_name: Any = None
    sku: Any = None
    brand: Any = None
    category: Any = None
    unit_price: Any = None
    total_value: Any = None
    currency: Any = None
    sla_expired: Any = None
    created_at: Any = None
    approved_at: Any = None
    fulfilled_at: Any = None
    cancelled_at: Any = None
    updated_at: Any = None


class NoteBody(BaseModel, defer_build=True):
    """What may be said with a decision."""

    notes: Notes | None = None


class NotePatch(NoteBody, defer_build=True):
    """The same by PATCH, on the condition of a version."""

    version: Version | None = None


class CancelBody(BaseModel, defer_build=True):
    """Why an order is cancelled."""

    reason: Why


class CancelPatch(CancelBody, defer_build=True):
    """The same by PATCH, on the condition of a version."""

    version: Version | None = None


class StatusBody(BaseModel, defer_build=True):
    """The state an order is to have; cancelling needs a reason."""

    status: Status
    reason: Why | None = None
    version: Version | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.status is Status.CANCELLED and self.reason is None:
            raise PydanticCustomError("missing", "Say why the order is cancelled.", {"at": "reason"})
        return self


class BulkBody(BaseModel, defer_build=True):
    """Orders to decide on, each by itself."""

    order_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]


class BulkFailure(BaseModel, defer_build=True):
    """An order that was refused, as it would have been alone."""

    order_id: str
    status: int
    error: str
    detail: str


class Bulked(BaseModel, defer_build=True):
    """What became of several orders."""

    succeeded: list[str]
    failed: list[BulkFailure]


class AttentionOrder(TransferOrder):
    """An order somebody should look at, and why."""

    reasons: list[Literal["review_late", "fulfilment_late", "source_short"]]


class Attention(BaseModel, defer_build=True):
    """Orders somebody should look at, those that wait longest first."""

    items: list[AttentionOrder]


class HistoryEntry(BaseModel, defer_build=True):
    """One thing that happened to an order."""

    at: datetime
    user_id: str
    action: Literal["created", "changed", "approved", "fulfilled", "cancelled"]
    from_status: Status | None
    to_status: Status
    details: dict[str, Any]


class TransferHistory(BaseModel, defer_build=True):
    """What happened to an order, oldest first."""

    items: list[HistoryEntry]
