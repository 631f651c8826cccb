"""The port's queries as Firestore's structured queries."""

from collections.abc import Collection
from typing import Any

from shared.adapters.firestore.values import rest_value
from shared.ports.documents import Query

__all__ = ["counted", "structured"]


def structured(query: Query, database: str, expiring: Collection[str]) -> dict[str, Any]:
    """Return the body of `runQuery`: filters, the ordered field, then the id in the same direction."""
    way = "DESCENDING" if query.descending else "ASCENDING"
    names = [*([query.order_by] if query.order_by else []), "__name__"]
    body = {
        **_filtered(query, expiring),
        "orderBy": [{"field": {"fieldPath": name}, "direction": way} for name in names],
        "limit": query.limit,
    }
    if query.offset:
        body["offset"] = query.offset
    if query.after:
        values = [{"referenceValue": f"{database}/documents/{query.collection}/{query.after.id}"}]
        if query.order_by:
            values.insert(0, rest_value(query.after.value, expiring=query.order_by in expiring))
        body["startAt"] = {"values": values, "before": False}
    return {"structuredQuery": body}


def counted(query: Query, expiring: Collection[str]) -> dict[str, Any]:
    """Return the body of `runAggregationQuery` that counts as `n` what matches."""
    count = {"alias": "n", "count": {}}
    return {"structuredAggregationQuery": {"structuredQuery": _filtered(query, expiring), "aggregations": [count]}}


def _filtered(query: Query, expiring: Collection[str]) -> dict[str, Any]:
    filters = [_equal(name, value, expiring) for name, value in query.equals]
    if query.contains:
        filters.append(_compared(query.contains[0], "ARRAY_CONTAINS", query.contains[1], expiring))
    bounds = (
        ("GREATER_THAN_OR_EQUAL", query.at_least),
        ("LESS_THAN_OR_EQUAL", query.at_most),
        ("LESS_THAN", query.below),
    )
    ordered = query.order_by
    filters += [_compared(ordered, sign, bound, expiring) for sign, bound in bounds if ordered and bound is not None]
    body: dict[str, Any] = {"from": [{"collectionId": query.collection}]}
    if filters:
        body["where"] = {"compositeFilter": {"op": "AND", "filters": filters}}
    return body


def _equal(name: str, value: object, expiring: Collection[str]) -> dict[str, Any]:
    if value is None:
        return {"unaryFilter": {"op": "IS_NULL", "field": {"fieldPath": name}}}
    return _compared(name, "IN" if isinstance(value, tuple) else "EQUAL", value, expiring)


def _compared(name: str, sign: str, value: object, expiring: Collection[str]) -> dict[str, Any]:
    operand = rest_value(value, expiring=name in expiring)
    return {"fieldFilter": {"field": {"fieldPath": name}, "op": sign, "value": operand}}
