"""Transfer orders as the store operations demo knows them: what its paths take, and how they show an order."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, Field

from shared.core.errors import ValidationFailed
from shared.core.page import MOST_OFFSET
from shared.core.quantities import Version
from shared.core.text import Id, Search
from shared.core.times import Day, From, To
from shared.orders.decision_models import NewTransfer, Notes, StatusBody, TransferPatch, Why
from shared.orders.figure_models import AnalyticsQuery, DemandQuery, SummaryQuery
from shared.orders.models import Ids, Names, TransferFilter, Units
from shared.orders.rules import Status

__all__ = [
    "DemoAnalytics",
    "DemoDemand",
    "DemoNewOrder",
    "DemoOrderFilter",
    "DemoOrderPatch",
    "DemoStatus",
    "DemoSummary",
    "demo_order",
]

_FROM = AliasChoices("date_from", "dateFrom")
_TO = AliasChoices("date_to", "dateTo")
_LATE = AliasChoices("expired_sla_only", "expiredSlaOnly")


class DemoOrderFilter(BaseModel, defer_build=True):
    """Which orders are wanted."""

    status: Annotated[list[Status] | None, Field(max_length=10)] = None
    region: Names = None
    category: Names = None
    store_id: Annotated[Ids, Field(validation_alias=AliasChoices("store_id", "storeId"))] = None
    search: Annotated[Search | None, Field(validation_alias=AliasChoices("search", "search_term", "searchTerm"))] = None
    expired_sla_only: Annotated[bool | None, Field(validation_alias=_LATE)] = None
    date_from: Annotated[From | None, Field(validation_alias=_FROM)] = None
    date_to: Annotated[To | None, Field(validation_alias=_TO)] = None
    page: Annotated[int, Field(ge=1, le=10_000)] = 1
    limit: Annotated[int, Field(ge=1, le=1000)] = 20

    def canonical(self) -> TransferFilter:
        """Return what the canonical list would be asked; `expired_sla_only=false` is no filter here.

        Raise ValidationFailed for a page beyond the offsets that the canonical list allows.
        """
        if (self.page - 1) * self.limit > MOST_OFFSET:
            raise ValidationFailed.at("query:page", "offset_too_large", f"Offsets end at {MOST_OFFSET}.")
        same = ("status", "region", "category", "store_id", "search", "page", "limit")
        asked = {name: getattr(self, name) for name in same}
        times = {"created_from": self.date_from, "created_to": self.date_to}
        return TransferFilter.model_validate(asked | times | {"sla_expired": self.expired_sla_only or None})


class DemoNewOrder(BaseModel, defer_build=True):
    """Units wanted in a store; two names of one value agree."""

    store_id: Id | None = None
    to_store_id: Id | None = None
    from_store_id: Id | None = None
    product_id: Id
    quantity: Units | None = None
    quantity_cases: Units | None = None
    notes: Notes | None = None

    def canonical(self) -> NewTransfer:
        """Return the order meant; raise ValidationFailed when store or quantity are missing or told twice differently."""
        store_id = _told(self, ("to_store_id", "store_id"))
        quantity = _told(self, ("quantity", "quantity_cases"))
        for name, value in (("to_store_id", store_id), ("quantity", quantity)):
            if value is None:
                raise ValidationFailed.at(f"/{name}", "missing", "This key is needed.")
        if store_id == self.from_store_id:
            raise ValidationFailed.at("/to_store_id", "same_store", "The stores must differ.")
        return NewTransfer(
            from_store_id=self.from_store_id,
            to_store_id=store_id,
            product_id=self.product_id,
            quantity=quantity,
            notes=self.notes,
        )


class DemoOrderPatch(BaseModel, defer_build=True):
    """What may change of an order; `quantity` and `quantity_cases` are one value."""

    quantity: Units | None = None
    quantity_cases: Units | None = None
    notes: Notes | None = None
    version: Version | None = None

    def canonical(self, present: int) -> TransferPatch:
        """Return the change meant; of two names of one value the one that differs from the present wins."""
        given = self.model_fields_set
        asked: dict[str, Any] = {name: getattr(self, name) for name in ("notes", "version") if name in given}
        said = {getattr(self, name) for name in ("quantity", "quantity_cases") if name in given} - {present, None}
        if len(said) > 1:
            raise _differ("quantity", "quantity_cases")
        return TransferPatch.model_validate(asked | ({"quantity": said.pop()} if said else {}))


class DemoStatus(BaseModel, defer_build=True):
    """The state an order is to have, by body or query."""

    status: Status | None = None
    reason: Why | None = None
    version: Version | None = None

    def over(self, query: "DemoStatus") -> StatusBody:
        """Return what body and query say together, the body first; raise ValidationFailed when no state is named."""
        status, reason = self.status or query.status, self.reason or query.reason
        if status is None:
            raise ValidationFailed.at("/status", "missing", "Say which state the order is to have.")
        if status is Status.CANCELLED and reason is None:
            raise ValidationFailed.at("/reason", "missing", "Say why the order is cancelled.")
        return StatusBody(status=status, reason=reason, version=self.version)


class DemoSummary(SummaryQuery):
    """Which orders are summed up."""

    date_from: Annotated[Day | None, Field(validation_alias=_FROM)] = None
    date_to: Annotated[Day | None, Field(validation_alias=_TO)] = None


class DemoAnalytics(AnalyticsQuery):
    """Which orders are looked at."""

    date_from: Annotated[Day | None, Field(validation_alias=_FROM)] = None
    date_to: Annotated[Day | None, Field(validation_alias=_TO)] = None


class DemoDemand(DemandQuery):
    """How far a forecast looks back and forward."""


def demo_order(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return an order as the demo shows it."""
    same = ("from_store_id", "to_store_id", "product_id")
    later = ("notes", "version", "to_store_name", "to_store_region", "from_store_name", "product_name", "brand")
    return {
        "id": order["id"],
        "order_id": order["id"],
        "order_number": order["order_number"],
        "store_id": order["to_store_id"],
        **{name: order[name] for name in same},
        "quantity": order["quantity"],
        "quantity_cases": order["quantity"],
        "status": order["status"],
        "order_status": order["status"],
        "requested_by": order["requested_by"],
        "approved_by": order["approved_by"],
        "created_at": order["created_at"],
        "order_date": order["created_at"],
        "approved_at": order["approved_at"],
        "approved_date": order["approved_at"],
        "fulfilled_at": order["fulfilled_at"],
        "fulfilled_date": order["fulfilled_at"],
        **{name: order[name] for name in later},
        **{name: order[name] for name in ("category", "requester_name", "approver_name")},
    }


def _told(body: BaseModel, names: tuple[str, str]) -> Any:
    """Return the value that one of two names gives; raise ValidationFailed when they differ."""
    said = {getattr(body, name) for name in names} - {None}
    if len(said) > 1:
        raise _differ(*names)
    return next(iter(said), None)


def _differ(first: str, second: str) -> ValidationFailed:
    return ValidationFailed.at(f"/{second}", "conflict", f"{first} and {second} are one value and differ.")
