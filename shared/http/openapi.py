"""The OpenAPI 3.1 document of some routers, derived from the declarations. Loaded by `make docs` and tests only."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from shared.core.exports import PAGING, ExportQuery
from shared.core.page import Page, PageQuery
from shared.core.version import NAME, VERSION
from shared.http.router import MULTIPART, Operation, Raw, Reply, Router
from shared.http.table import Table

__all__ = ["document"]

Json = dict[str, Any]
Mode = Literal["validation", "serialization"]

_REF = "#/components/schemas/{model}"
_PROBLEM = {"$ref": "#/components/responses/Problem"}
_UNSAFE_STATUSES = (409, 412)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes repeating this request safe: equal keys have one effect and one answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_FORM: Json = {
    "required": True,
    "content": {
        MULTIPART: {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
                "additionalProperties": {"type": "string"},
            }
        }
    },
}
_EXPORT: Json = {
    "text/csv": {"schema": {"type": "string"}},
    "application/x-ndjson": {"schema": {"type": "string"}},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "Tag of your last GET; the change is refused with 412 when the resource has moved on.",
    "schema": {"type": "string"},
}


def document(routers: Iterable[Router]) -> Json:
    """Return the document of all operations that are not internal."""
    table = Table(routers)
    shown = [operation for operation in table.operations if operation.access != "internal"]
    schemas = _Schemas(shown)
    paths: Json = {}
    for pattern, place in sorted(table.places.items()):
        for method, operation in sorted(place.operations.items()):
            if operation in shown:
                paths.setdefault(pattern, {})[method.lower()] = _operation(operation, pattern, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": NAME, "version": VERSION, "description": "Orders stuck for want of stock, and what to do."},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"basic": []}],
        "tags": [{"name": name} for name in sorted({tag for operation in shown for tag in operation.tags})],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "basic": {"type": "http", "scheme": "basic"},
            },
            "responses": {
                "Problem": {
                    "description": "A problem; `type` names it.",
                    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                }
            },
            "schemas": {**schemas.components(), "Problem": _problem()},
        },
    }


class _Schemas:
    """JSON schemas of everything that the operations take and give, with shared definitions."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        wanted: list[tuple[str, Mode, TypeAdapter[Any]]] = []
        for operation in operations:
            for part, mode, kind in _kinds(operation):
                wanted.append((f"{operation.method} {operation.name} {part}", mode, TypeAdapter(kind)))
        found, definitions = TypeAdapter.json_schemas(wanted, ref_template=_REF)
        self._found = found
        self._definitions: Json = dict(definitions.get("$defs", {}))
        self._close_inputs()

    def of(self, operation: Operation, part: str, mode: Mode) -> Json:
        """Return the schema of one part of an operation."""
        return self._found[f"{operation.method} {operation.name} {part}", mode]

    def resolved(self, schema: Json) -> Json:
        """Follow one reference."""
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        found: Json = self._definitions.get(name, schema)
        return found

    def components(self) -> Json:
        """Return the definitions that something refers to besides query strings."""
        roots = [schema for (key, _), schema in self._found.items() if not key.endswith(" query")]
        for (key, _), schema in self._found.items():
            if key.endswith(" query"):
                roots += list(self.resolved(schema).get("properties", {}).values())
        return {name: self._definitions[name] for name in sorted(self._reached(roots))}

    def _close_inputs(self) -> None:
        """Say of what is only ever sent to us that unknown keys are refused."""
        given = self._reached([schema for (_, mode), schema in self._found.items() if mode == "serialization"])
        taken = self._reached([schema for (key, _), schema in self._found.items() if key.endswith(" body")])
        for name in taken - given:
            if "properties" in self._definitions[name]:
                self._definitions[name].setdefault("additionalProperties", False)

    def _reached(self, roots: Iterable[Any]) -> set[str]:
        names: set[str] = set()
        waiting = list(roots)
        while waiting:
            new = {name for name in _references(waiting.pop()) if name not in names}
            names |= new
            waiting += [self._definitions[name] for name in new]
        return names


def _kinds(operation: Operation) -> Iterable[tuple[str, Mode, Any]]:
    if operation.query is not None:
        yield "query", "validation", operation.query
    if operation.body is not None:
        yield "body", "validation", operation.body
    result = _shown_result(operation.result)
    if result is not None:
        yield "result", "serialization", result


def _shown_result(result: Any) -> Any:
    """Return the type of JSON an operation answers with (of a page: of its items), None where nothing is known."""
    if get_origin(result) is Page:
        return get_args(result)[0]
    if isinstance(result, type) and issubclass(result, Raw | Reply | Page):
        return None
    members = [member for member in get_args(result) if member not in {Raw, Reply, type(None)}]
    is_union = get_origin(result) is not None and any(each in {Raw, Reply} for each in get_args(result))
    if is_union:
        return members[0] if members else None
    return None if result in {None, type(None), Any} else result


def _operation(operation: Operation, pattern: str, schemas: _Schemas) -> Json:
    is_legacy = pattern != operation.paths[0] and not pattern.startswith("/api/v1")
    made: Json = {
        "operationId": _operation_id(operation, pattern),
        "summary": operation.summary,
        "tags": list(operation.tags),
        "parameters": [*_path_parameters(operation, pattern), *_query_parameters(operation, schemas)],
        "responses": _responses(operation, schemas),
        "x-access": operation.access,
    }
    if operation.description:
        made["description"] = operation.description
    if operation.idempotent:
        made["parameters"].append(_KEY)
    if operation.is_unsafe and "{" in pattern:
        made["parameters"].append(_IF_MATCH)
    if operation.body is not None:
        schema = schemas.of(operation, "body", "validation")
        required = bool(schemas.resolved(schema).get("required")) and not operation.merge_query
        content = {media: {"schema": schema} for media in operation.accepts}
        made["requestBody"] = {"required": required, "content": content}
    elif MULTIPART in operation.accepts:
        made["requestBody"] = _FORM
    if operation.access == "public":
        made["security"] = []
    else:
        made["x-role"] = operation.access
    if operation.successor or (is_legacy and operation.paths[0].startswith("/api/v1")):
        made["deprecated"] = True
    return made


def _operation_id(operation: Operation, pattern: str) -> str:
    """Return a unique name: the operation's own on its first path, told apart by verb and path elsewhere."""
    name = f"{operation.name}.{operation.method.lower()}"
    place = operation.paths.index(pattern)
    return name if place == 0 else f"{name}.{place + 1}"


def _path_parameters(operation: Operation, pattern: str) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": _word_schema(operation.arguments[name])}
        for name in re.findall(r"\{([a-z_]+)\}", pattern)
    ]


def _word_schema(annotation: Any) -> Json:
    schema = TypeAdapter(annotation).json_schema()
    return {"type": "string", "enum": schema["enum"]} if "enum" in schema else {"type": "string"}


def _query_parameters(operation: Operation, schemas: _Schemas) -> list[Json]:
    if operation.query is None:
        return _merged_parameters(operation, schemas)
    found = schemas.resolved(schemas.of(operation, "query", "validation"))
    needed = found.get("required", [])
    refused = PAGING if issubclass(operation.query, ExportQuery) else ()
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _parameter(name, schema, operation.query)}
        for name, schema in found.get("properties", {}).items()
        if name not in refused
    ]


def _merged_parameters(operation: Operation, schemas: _Schemas) -> list[Json]:
    """Return the members of a body that the query string may say instead: none is needed there, and a password is not shown."""
    if not operation.merge_query or operation.body is None:
        return []
    found = schemas.resolved(schemas.of(operation, "body", "validation"))
    return [
        {"name": name, "in": "query", "required": False, "schema": _parameter(name, schema, operation.body)}
        for name, schema in found.get("properties", {}).items()
        if name != "password"
    ]


def _parameter(name: str, schema: Json, model: type[BaseModel]) -> Json:
    """Return a parameter's schema: never null, and the sort with its closed set of words."""
    if name == "sort" and issubclass(model, PageQuery):
        fields = [each.removeprefix("-") for each in model.SORTS]
        words = [word for each in fields for word in (each, f"-{each}")]
        return {"type": "string", "enum": words, "default": model.SORTS[0]}
    plain = {key: value for key, value in schema.items() if key not in {"title", "default"} or value is not None}
    plain.pop("title", None)
    members = [each for each in plain.get("anyOf", []) if each != {"type": "null"}]
    if len(members) == 1:
        del plain["anyOf"]
        plain |= members[0]
    elif members:
        plain["anyOf"] = members
    return plain


def _responses(operation: Operation, schemas: _Schemas) -> Json:
    success: Json = {"description": HTTPStatus(operation.status).phrase}
    if operation.status != HTTPStatus.NO_CONTENT and _shown_result(operation.result) is not None:
        success["content"] = {"application/json": {"schema": _result_schema(operation, schemas)}}
    if operation.query is not None and issubclass(operation.query, ExportQuery):
        success["content"] = _EXPORT
    made = {str(operation.status): success}
    if operation.status == HTTPStatus.CREATED and Reply in get_args(operation.result):
        made["200"] = {**success, "description": "OK: it was there already, and this is what it is now"}
    if operation.etag:
        made["304"] = {"description": "Not Modified"}
    statuses = [400, 422]
    statuses += [] if operation.access == "public" else [401, 403]
    statuses += [404] if operation.arguments else []
    statuses += [413, 415, *_UNSAFE_STATUSES] if operation.is_unsafe else []
    statuses += [] if operation.policy == "none" else [429]
    return made | {str(status): _PROBLEM for status in sorted(statuses)} | {"default": _PROBLEM}


def _result_schema(operation: Operation, schemas: _Schemas) -> Json:
    schema = schemas.of(operation, "result", "serialization")
    if get_origin(operation.result) is not Page:
        return schema
    whole = {"type": "integer", "minimum": 0}
    return {
        "type": "object",
        "required": ["items", "next_cursor"],
        "properties": {
            "items": {"type": "array", "items": schema},
            "next_cursor": {"type": ["string", "null"]},
            **dict.fromkeys(("total", "skip", "page", "limit", "total_pages"), whole),
        },
    }


def _references(schema: Any) -> Iterable[str]:
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref" and isinstance(value, str):
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _problem() -> Json:
    text = {"type": "string"}
    error = {"type": "object", "properties": dict.fromkeys(("pointer", "code", "message"), text)}
    named = dict.fromkeys(("type", "title", "error", "detail", "instance", "request_id"), text)
    return {
        "type": "object",
        "required": [*named, "status"],
        "properties": {**named, "status": {"type": "integer"}, "errors": {"type": "array", "items": error}},
    }
