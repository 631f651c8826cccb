"""Firestore's typed values in their REST form: what reads return, and what filters and cursors send.

Three things of JSON that Firestore refuses are carried in disguise: a list inside a list (a map with the single key `[]`),
an empty key and a key like `__x__` inside a map (both with a backslash in front).
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["LIST", "REVISION", "decoded", "hidden", "rest_value"]

REVISION = "_rev"
"""A field of ours in every conditionally replaced document: the version it replaced. Without it a write of equal content
would keep the old version, and two workers taking a lease with equal words would both believe they hold it."""

LIST = "[]"
_ESCAPE = "\\"
_WHOLE_SECONDS = len("2026-01-15T10:30:00Z")


def decoded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain document of REST fields, without our own field, its members by name.

    Firestore promises no order of members, and an answer that shows some as they are stored has to keep its tag.
    """
    data = {}
    for name in sorted(fields):
        for kind, raw in fields[name].items():
            data[name] = raw if kind in _AS_IS else _DECODERS[kind](raw)
    data.pop(REVISION, None)
    return data


def rest_value(value: object, *, expiring: bool = False) -> dict[str, Any]:
    """Return the REST form of a scalar or of alternatives; an expiring field's text becomes a timestamp."""
    if isinstance(value, tuple):
        return {"arrayValue": {"values": [rest_value(item, expiring=expiring) for item in value]}}
    if isinstance(value, str) and expiring:
        return {"timestampValue": value}
    name = _KINDS[type(value)]
    return {name: str(value) if name == "integerValue" else value}


def hidden(key: str) -> str:
    """Return the form in which Firestore takes a key of a map."""
    return _ESCAPE + key if not key or key.startswith(("__", _ESCAPE, LIST)) else key


def _value(value: Mapping[str, Any]) -> Any:
    for kind, raw in value.items():
        return raw if kind in _AS_IS else _DECODERS[kind](raw)
    return None


def _map(raw: Mapping[str, Any]) -> Any:
    fields = raw.get("fields", {})
    if LIST in fields:
        return _value(fields[LIST])
    return {key[1:] if key.startswith(_ESCAPE) else key: _value(fields[key]) for key in sorted(fields)}


def _list(raw: Mapping[str, Any]) -> list[Any]:
    return [_value(value) for value in raw.get("values", [])]


def _instant(raw: str) -> str:
    """Return the text that `shared.core.clock.instant` wrote: always six digits of a second."""
    whole = raw[: _WHOLE_SECONDS - 1]
    fraction = raw[_WHOLE_SECONDS:-1] if "." in raw else ""
    return f"{whole}.{fraction[:6]:0<6}Z"


_AS_IS = frozenset({"stringValue", "booleanValue", "nullValue"})
_KINDS: dict[type, str] = {
    str: "stringValue",
    bool: "booleanValue",
    int: "integerValue",
    float: "doubleValue",
    type(None): "nullValue",
}
_DECODERS: dict[str, Callable[[Any], Any]] = {
    "integerValue": int,
    "doubleValue": float,
    "bytesValue": base64.b64decode,
    "timestampValue": _instant,
    "arrayValue": _list,
    "mapValue": _map,
}
