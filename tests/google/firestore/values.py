"""Firestore's order of values, and what it refuses to store; on the protocol's own messages."""

from collections.abc import Callable
from typing import Any

__all__ = ["comparable", "refusal", "same_kind"]

_RANKS = {
    "null_value": 0,
    "boolean_value": 1,
    "integer_value": 2,
    "double_value": 2,
    "timestamp_value": 3,
    "string_value": 4,
    "bytes_value": 5,
    "reference_value": 6,
    "geo_point_value": 7,
    "array_value": 8,
    "map_value": 9,
}
_ORDERS: dict[str, Callable[[Any], Any]] = {
    "null_value": lambda _: 0,
    "timestamp_value": lambda raw: (raw.seconds, raw.nanos),
    "string_value": lambda raw: raw.encode(),
    "reference_value": lambda raw: [part.encode() for part in raw.split("/")],
    "array_value": lambda raw: [comparable(item) for item in raw.values],
    "map_value": lambda raw: sorted((key.encode(), comparable(item)) for key, item in raw.fields.items()),
}
_MAX_DEPTH = 20
_MAX_BYTES = 1_048_576


def comparable(value: Any) -> tuple[Any, ...]:
    """Return what sorts values as Firestore does: null, bool, number, time, text by UTF-8, bytes, reference, list, map."""
    kind = value.WhichOneof("value_type")
    raw = getattr(value, kind)
    return (_RANKS[kind], _ORDERS[kind](raw) if kind in _ORDERS else raw)


def same_kind(left: Any, right: Any) -> bool:
    """Say whether a range on one value may find the other: ranges stay within a type."""
    return bool(comparable(left)[0] == comparable(right)[0])


def refusal(document: Any) -> str | None:
    """Return why Firestore does not store this document, or None."""
    if document.ByteSize() > _MAX_BYTES:
        return "The document is larger than 1,048,576 bytes."
    for name, value in document.fields.items():
        reason = _bad_key(name) or _bad_value(value, 1)
        if reason:
            return reason
    return None


def _bad_key(key: str) -> str | None:
    if not key or (key.startswith("__") and key.endswith("__")):
        return f"field name '{key}' is reserved."
    return None


def _bad_value(value: Any, depth: int, *, in_array: bool = False) -> str | None:
    if depth > _MAX_DEPTH:
        return "The document is nested deeper than 20 levels."
    match value.WhichOneof("value_type"):
        case None:
            return "A value without a type."
        case "array_value" if in_array:
            return "Cannot convert an array value in an array value."
        case "array_value":
            found = (_bad_value(item, depth + 1, in_array=True) for item in value.array_value.values)
        case "map_value":
            fields = value.map_value.fields.items()
            found = (_bad_key(key) or _bad_value(item, depth + 1) for key, item in fields)
        case _:
            return None
    return next((reason for reason in found if reason), None)
