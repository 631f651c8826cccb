"""What a provider does with values: reading them, finding what is not allowed, and filling what only it can know."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgpack

__all__ = ["UNKNOWN", "Path", "apply", "faults", "pack", "plan", "unpack"]

UNKNOWN = msgpack.ExtType(0, b"\0")
Path = tuple[str | int, ...]
Block = Mapping[str, Any]
_KNOWN: Mapping[str, Callable[[str, Mapping[str, Any]], Any]] = {
    "google_service_account.email": lambda _, v: f"{v['account_id']}@{v['project']}.iam.gserviceaccount.com",
    "google_service_account.member": lambda _, v: (
        f"serviceAccount:{v['account_id']}@{v['project']}.iam.gserviceaccount.com"
    ),
    "google_service_account.name": lambda _, v: (
        f"projects/{v['project']}/serviceAccounts/{v['account_id']}@{v['project']}.iam.gserviceaccount.com"
    ),
    "google_cloudfunctions2_function.url": lambda _, v: f"https://{v['location']}-functions.example/{v['name']}",
    "google_cloudfunctions2_function.uri": lambda _, v: f"https://{v['name']}-hash.run.example",
}


def unpack(data: Any) -> Any:
    """Return the value of a DynamicValue; an absent one is None."""
    return msgpack.unpackb(data.msgpack, strict_map_key=False, raw=False) if data.msgpack else None


def pack(value: Any) -> bytes:
    """Return a value as the protocol carries it."""
    return bytes(msgpack.packb(value))


def faults(block: Block, value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield what the real provider would refuse about a configuration: constants outside an enumeration, read-only values."""
    if not isinstance(value, Mapping):
        return
    for name, attribute in block["attributes"].items():
        given = value.get(name)
        if given is not None and attribute.get("computed") and not attribute.get("optional"):
            yield (*path, name), f'"{name}" is only read, it cannot be set'
        allowed = block.get("enums", {}).get(name)
        wrong = [one for one in _texts(given) if allowed and one not in allowed]
        if wrong:
            yield (*path, name), f"expected {name} to be one of {allowed}, got {wrong[0]}"
    for name, nested in block["block_types"].items():
        for key, item in _items(value.get(name)):
            yield from faults(nested["block"], item, (*path, name, *key))


def plan(block: Block, value: Any) -> Any:
    """Return a proposed value with everything unknown that the provider will decide."""
    if not isinstance(value, Mapping):
        return value
    planned = dict(value)
    for name, attribute in block["attributes"].items():
        if attribute.get("write_only"):
            planned[name] = None
        elif attribute.get("computed") and planned.get(name) is None:
            planned[name] = UNKNOWN
    return planned | {name: _each(planned.get(name), nested, plan) for name, nested in block["block_types"].items()}


def apply(kind: str, block: Block, value: Any, outer: Mapping[str, Any] | None = None) -> Any:
    """Return a planned value with every unknown decided: by rule for what other resources refer to, else invented."""
    if not isinstance(value, Mapping):
        return value
    known = {"project": "project", **(outer or {}), **{k: v for k, v in value.items() if isinstance(v, str)}}
    applied = dict(value)
    for name, attribute in block["attributes"].items():
        if applied.get(name) == UNKNOWN or (applied.get(name) is None and attribute.get("computed")):
            rule = _KNOWN.get(f"{kind}.{name}")
            label = str(known.get("name") or known.get("account_id") or "it")
            applied[name] = rule(name, known) if rule else _invented(attribute["type"], f"{kind}/{label}/{name}")
        if attribute.get("write_only"):
            applied[name] = None
    inner = {name: nested for name, nested in block["block_types"].items()}  # noqa: C416 - a copy while walking
    return applied | {
        name: _each(applied.get(name), nested, lambda b, v: apply(kind, b, v, known)) for name, nested in inner.items()
    }


def _invented(kind: Any, text: str) -> Any:
    if isinstance(kind, str):
        return {"string": text, "number": 1, "bool": False, "dynamic": None}[kind]
    if kind[0] == "object":
        return {name: _invented(inner, f"{text}/{name}") for name, inner in kind[1].items()}
    return {} if kind[0] == "map" else []


def _each(value: Any, nested: Mapping[str, Any], change: Callable[[Block, Any], Any]) -> Any:
    block = nested["block"]
    if isinstance(value, list):
        return [change(block, item) for item in value]
    if nested["nesting_mode"] == "map" and isinstance(value, Mapping):
        return {key: change(block, item) for key, item in value.items()}
    return change(block, value)


def _items(value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, list):
        yield from (((number,), item) for number, item in enumerate(value))
    elif value is not None:
        yield (), value


def _texts(value: Any) -> Sequence[str]:
    if isinstance(value, list):
        return [item for item in value if isinstance(item, str)]
    return [value] if isinstance(value, str) else []
