"""What Google publishes of the REST services that our servers speak: the members of every answer and their types.

Trimmed from the discovery documents inside the package google-api-python-client (Apache 2.0), to the answers in use:

    pip download --no-deps google-api-python-client==2.202.0 && python -m tests.google.published google_api_python_client-*.whl

The gRPC servers need none of this: they answer with the official clients' own messages.
"""

import gzip
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["complaints", "main", "published"]

FILE = Path(__file__).with_name("published.json.gz")
_INSIDE = "googleapiclient/discovery_cache/documents/{}.json"
_ANSWERS = {
    "bigquery.v2": ("Dataset", "GetQueryResultsResponse", "Job", "Table"),
    "secretmanager.v1": ("AccessSecretVersionResponse", "ListSecretVersionsResponse"),
}
_KEPT = ("$ref", "type", "format", "enum", "items", "properties", "additionalProperties")
_WHOLE = frozenset({"int64", "uint64", "fixed64"})
_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@cache
def published(api: str) -> Mapping[str, Any]:
    """Return the schemas of an API (`bigquery.v2`) by name."""
    read: Mapping[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))["schemas"][api]
    return read


def complaints(api: str, name: str, answer: Any) -> list[str]:
    """Return what of an answer is not as published: unknown members, wrong types, words outside an enumeration."""
    return list(_wrong(published(api), {"$ref": name}, answer, name))


def _wrong(schemas: Mapping[str, Any], schema: Mapping[str, Any], value: Any, at: str) -> Iterator[str]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "any" or value is None:
        return
    if not _is(value, kind):
        yield f"{at}: {type(value).__name__} where {kind} is published"
    elif kind == "string":
        yield from _wrong_text(schema, value, at)
    elif kind == "array":
        for number, each in enumerate(value):
            yield from _wrong(schemas, schema["items"], each, f"{at}[{number}]")
    elif kind == "object":
        yield from _wrong_members(schemas, schema, value, at)


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _KINDS[kind]) and not (kind == "integer" and isinstance(value, bool))


def _wrong_text(schema: Mapping[str, Any], value: str, at: str) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is none of {', '.join(schema['enum'])}"
    if schema.get("format") in _WHOLE and not value.lstrip("-").isdigit():
        yield f"{at}: {value!r} is no whole number"


def _wrong_members(
    schemas: Mapping[str, Any], schema: Mapping[str, Any], value: Mapping[str, Any], at: str
) -> Iterator[str]:
    known, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, each in value.items():
        if name in known:
            yield from _wrong(schemas, known[name], each, f"{at}.{name}")
        elif others is None:
            yield f"{at}.{name}: not a published member"
        else:
            yield from _wrong(schemas, others, each, f"{at}.{name}")


def main(arguments: list[str]) -> int:
    """Write the trimmed file from the wheel named."""
    wheel = Path(arguments[0])
    with zipfile.ZipFile(wheel) as archive:
        documents = {api: json.loads(archive.read(_INSIDE.format(api))) for api in _ANSWERS}
    found: dict[str, Any] = {
        "source": f"members and types from the discovery documents in {wheel.name.split('-py3')[0]} (Apache 2.0)",
        "schemas": {api: _reachable(documents[api]["schemas"], names) for api, names in _ANSWERS.items()},
    }
    packed = gzip.compress(json.dumps(found, separators=(",", ":"), sort_keys=True).encode(), mtime=0)
    FILE.write_bytes(packed)
    print(f"{FILE.name}: {len(packed)} bytes, {sum(map(len, found['schemas'].values()))} schemas")
    return 0


def _reachable(schemas: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the named schemas and those they refer to, without descriptions."""
    found: dict[str, Any] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _bare(schemas[name])
            waiting += _refers(found[name])
    return found


def _bare(schema: Any) -> Any:
    kept = {name: schema[name] for name in _KEPT if name in schema}
    if "properties" in kept:
        kept["properties"] = {name: _bare(each) for name, each in kept["properties"].items()}
    for name in ("items", "additionalProperties"):
        if name in kept:
            kept[name] = _bare(kept[name])
    return kept


def _refers(schema: Any) -> Iterator[str]:
    if "$ref" in schema:
        yield schema["$ref"]
    for each in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if each:
            yield from _refers(each)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
