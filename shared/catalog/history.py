"""Who changed what of a product, and when: one row for each commit, found by every product it changed.

A bulk edit is one row of many products, so that its commit stays small. Values are as stored: money is decimal
text, and of a text over 2,000 characters there is the beginning.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel
from pydantic_core import from_json, to_json

from shared.core.clock import instant
from shared.core.page import PageQuery
from shared.core.times import From, To
from shared.core.values import dataclass
from shared.ports.documents import Create, Key, Query, Stored, Write

__all__ = [
    "HISTORIC",
    "PRODUCT_CHANGES",
    "ChangeFilter",
    "Changed",
    "FieldChange",
    "ProductChange",
    "change_view",
    "change_write",
    "changes_of_product",
]

PRODUCT_CHANGES = "product_changes"
HISTORIC = ("sku", "name", "category", "barcode", "sale_price", "unit_cost", "currency", "status")
"""What the row of a new product names."""
_MOST_TEXT = 2000
_UNSAID = frozenset({"words", "shelf", "price_cents"})


class FieldChange(BaseModel, defer_build=True):
    """One value that became another."""

    field: str
    before: Any
    after: Any


class ProductChange(BaseModel, defer_build=True):
    """What one request changed of one product; `version` is the product's afterwards."""

    id: str
    product_id: str
    version: int
    user_id: str | None
    reason: str | None
    changes: list[FieldChange]
    created_at: datetime


class ChangeFilter(PageQuery):
    """Which changes are wanted."""

    SORTS: ClassVar[tuple[str, ...]] = ("-created_at",)

    created_from: From | None = None
    created_to: To | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """One product of a change: its version afterwards, what was stored, and the fields that differ now."""

    product_id: str
    version: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def change_write(change_id: str, said: Mapping[str, Any], changed: Sequence[Changed]) -> Write:
    """Return the row of a commit; `said` is who, when and why."""
    content = {one.product_id: {"version": one.version, "fields": _fields(one)} for one in changed}
    return Create(
        Key(PRODUCT_CHANGES, change_id), {**said, "product_ids": list(content), "changes": to_json(content).decode()}
    )


def changes_of_product(product_id: str, wanted: ChangeFilter) -> Query:
    """Return the query for the changes of a product."""
    low, high = wanted.created_from, wanted.created_to
    return Query(
        PRODUCT_CHANGES,
        contains=("product_ids", product_id),
        at_least=None if low is None else instant(low),
        at_most=None if high is None else instant(high),
    )


def change_view(stored: Stored, product_id: str) -> dict[str, Any]:
    """Return a row as shown for one of its products."""
    mine = from_json(stored.data["changes"])[product_id]
    return {
        "id": stored.key.id,
        "product_id": product_id,
        "version": mine["version"],
        "user_id": stored.data["user_id"],
        "reason": stored.data["reason"],
        "changes": [{"field": name, "before": pair[0], "after": pair[1]} for name, pair in mine["fields"].items()],
        "created_at": stored.data["created_at"],
    }


def _fields(one: Changed) -> dict[str, list[Any]]:
    return {
        name: [_cut(one.before.get(name)), _cut(value)]
        for name, value in one.after.items()
        if name not in _UNSAID and value != one.before.get(name)
    }


def _cut(value: Any) -> Any:
    """Return a value that a row can hold: of a very long text its beginning."""
    return f"{value[:_MOST_TEXT]}…" if isinstance(value, str) and len(value) > _MOST_TEXT else value
