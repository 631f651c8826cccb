"""The configuration checked in Python alone, for machines without terraform: every resource against the provider's schema.

It finds less than terraform does (no references, no types of expressions), and says so: see `terraform.NOT_HERE`.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2

__all__ = ["complaints", "schema"]

_META = {"for_each", "count", "provider", "depends_on", "lifecycle", "dynamic", "provisioner", "connection"}
HERE = Path(__file__).parent


def schema(version: str) -> dict[str, Any]:
    """Return a committed provider schema."""
    read: dict[str, Any] = json.loads(gzip.decompress((HERE / f"google-{version}.schema.json.gz").read_bytes()))
    return read


def complaints(text: str, known: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the provider's schema does not allow in one file; raise on what is no HCL."""
    for entry in hcl2.loads(text).get("resource", []):
        for kind, named in _pairs(entry):
            for name, body in _pairs(named):
                where = f"{kind}.{name}"
                found = known["resource_schemas"].get(kind)
                if found is None:
                    yield f"{where}: no such resource"
                else:
                    yield from _block(found["block"], body, where)


def _block(block: Mapping[str, Any], body: Mapping[str, Any], where: str) -> Iterator[str]:
    given = {name: value for name, value in _pairs(body) if name not in _META}
    blocks = dict(_blocks(body))
    for name, value in given.items():
        if name not in blocks:
            yield from _argument(block, name, value, where)
    for name, items in blocks.items():
        yield from _nested(block, name, items, where)
    required = {name for name, attribute in block["attributes"].items() if attribute.get("required")}
    required |= {name for name, nested in block["block_types"].items() if nested.get("min_items")}
    yield from (f"{where}.{name}: it is required" for name in sorted(required - set(given) - set(blocks)))


def _argument(block: Mapping[str, Any], name: str, value: Any, where: str) -> Iterator[str]:
    attribute = block["attributes"].get(name)
    if attribute is None:
        known = "a block written as an argument" if name in block["block_types"] else "no such argument"
        yield f"{where}.{name}: {known}"
    elif attribute.get("computed") and not attribute.get("optional"):
        yield f"{where}.{name}: it is only read"
    else:
        yield from _constant(block, name, value, where)


def _nested(
    block: Mapping[str, Any], name: str, items: list[tuple[bool, Mapping[str, Any]]], where: str
) -> Iterator[str]:
    nested = block["block_types"].get(name)
    if nested is None:
        yield f"{where}.{name}: {'an argument written as a block' if name in block['attributes'] else 'no such block'}"
        return
    if nested.get("max_items") and sum(not dynamic for dynamic, _ in items) > nested["max_items"]:
        yield f"{where}.{name}: at most {nested['max_items']}"
    for _, item in items:
        yield from _block(nested["block"], item, f"{where}.{name}")


def _constant(block: Mapping[str, Any], name: str, value: Any, where: str) -> Iterator[str]:
    allowed = block.get("enums", {}).get(name)
    text = value.strip('"') if isinstance(value, str) and value.startswith('"') and "${" not in value else None
    if allowed and text is not None and text not in allowed:
        yield f"{where}.{name}: {text} is none of {allowed}"


def _blocks(body: Mapping[str, Any]) -> Iterator[tuple[str, list[tuple[bool, Mapping[str, Any]]]]]:
    """Yield the nested blocks by name: whether each is dynamic, and its content."""
    found: dict[str, list[tuple[bool, Mapping[str, Any]]]] = {}
    for name, value in _pairs(body):
        if name == "dynamic":
            for made, inner in (pair for entry in value for pair in _pairs(entry)):
                found.setdefault(made, []).extend((True, content) for content in inner.get("content", [{}]))
        elif name != "lifecycle" and _is_block(value):
            found.setdefault(name, []).extend((False, each) for each in value)
    yield from found.items()


def _is_block(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) and "__is_block__" in v for v in value)


def _pairs(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from ((str(name).strip('"'), each) for name, each in value.items() if not str(name).startswith("__"))
