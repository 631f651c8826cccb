"""The API document as one HTML page: every operation and model, searchable with the browser, without scripts or assets.

Everything on the page comes from the document, so it cannot say anything else; there is nothing to fetch, so it works
offline and under the strictest content security policy.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

__all__ = ["POLICY", "reference"]

Json = Mapping[str, Any]

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0;color:#1c2430;display:grid;grid-template-columns:17rem 1fr}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;box-sizing:border-box;background:#f4f6f8}
nav ul{list-style:none;padding:0}main{padding:1rem 2rem;max-width:70rem;min-width:0}a{color:#0b57d0;text-decoration:none}
details{border:1px solid #d8dee6;border-radius:6px;margin:.4rem 0}summary{padding:.45rem .7rem;cursor:pointer}
summary code{font-weight:600}details>div{padding:0 .9rem .7rem;overflow-x:auto}table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;border-top:1px solid #e4e8ee;padding:.3rem .6rem .3rem 0}
.verb{display:inline-block;min-width:4.2rem;font:600 12px monospace}.get{color:#0b6b3a}.post{color:#0b57d0}
.put,.patch{color:#8a5a00}.delete{color:#b3261e}.note{color:#5b6675}h2{margin-top:2.2rem}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_SEE_ALSO = (
    '<p class="note">The same as data: <a href="/openapi.json">/openapi.json</a>. '
    'Errors: <a href="/problems">/problems</a>. A star marks what is required.</p>'
)
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of the page: its one style block, and nothing else."""


def reference(document: Json) -> bytes:
    """Return the page of an OpenAPI 3.1 document."""
    groups = _grouped(document["paths"])
    info, schemas = document["info"], document["components"]["schemas"]
    title = f"{escape(info['title'])} {escape(info['version'])}"
    pieces = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{title}: API</title><style>{_STYLE}</style></head><body>",
        _navigation(groups, schemas),
        f"<main><h1>{title}</h1><p>{escape(info.get('description', ''))}</p>",
        _SEE_ALSO,
        *(_group(tag, found) for tag, found in groups.items()),
        '<h2 id="models">Models</h2>',
        *(_model(name, schema) for name, schema in sorted(schemas.items())),
        "</main></body></html>",
    ]
    return "".join(pieces).encode()


def _grouped(paths: Json) -> dict[str, list[tuple[str, str, Json]]]:
    """Return the operations of each tag by path."""
    groups: dict[str, list[tuple[str, str, Json]]] = {}
    for path, verbs in sorted(paths.items()):
        for verb, operation in verbs.items():
            groups.setdefault(operation["tags"][0], []).append((path, verb, operation))
    return dict(sorted(groups.items()))


def _navigation(groups: Mapping[str, Iterable[object]], schemas: Json) -> str:
    tags = "".join(f'<li><a href="#tag-{escape(tag)}">{escape(tag)}</a></li>' for tag in groups)
    return f'<nav><b>Operations</b><ul>{tags}</ul><b><a href="#models">Models</a></b> ({len(schemas)})</nav>'


def _group(tag: str, operations: Iterable[tuple[str, str, Json]]) -> str:
    return f'<h2 id="tag-{escape(tag)}">{escape(tag)}</h2>' + "".join(_operation(*each) for each in operations)


def _operation(path: str, verb: str, operation: Json) -> str:
    name = escape(f"{verb}-{path}")
    return (
        f'<details id="{name}"><summary><span class="verb {verb}">{verb.upper()}</span><code>{escape(path)}</code> '
        f"{escape(operation.get('summary', ''))}</summary><div>"
        f"<p>{escape(operation.get('description', ''))}</p>{_access(operation)}"
        f"{_parameters(operation.get('parameters', ()))}{_body(operation)}{_responses(operation['responses'])}"
        "</div></details>"
    )


def _access(operation: Json) -> str:
    known = operation.get("x-access")
    return f'<p class="note">Access: {escape(str(known))}</p>' if known else ""


def _parameters(parameters: Iterable[Json]) -> str:
    rows = [
        (
            f"<code>{escape(each['name'])}</code>{'*' if each.get('required') else ''}",
            escape(each["in"]),
            _kind(each.get("schema", {})),
            escape(each.get("description", "")),
        )
        for each in parameters
        if "name" in each
    ]
    return _table(("Parameter", "In", "Type", ""), rows) if rows else ""


def _body(operation: Json) -> str:
    content = operation.get("requestBody", {}).get("content", {})
    return "".join(f"<p>Body {escape(kind)}: {_kind(each.get('schema', {}))}</p>" for kind, each in content.items())


def _responses(responses: Json) -> str:
    rows = []
    for status, answer in responses.items():
        kinds = (_kind(each["schema"]) for each in answer.get("content", {}).values() if "schema" in each)
        told = answer.get("description", "") or ("A problem" if "$ref" in answer else "")
        rows.append((escape(str(status)), escape(told), ", ".join(kinds)))
    return _table(("Status", "", "Answer"), rows)


def _model(name: str, schema: Json) -> str:
    required = set(schema.get("required", ()))
    rows = [
        (
            f"<code>{escape(key)}</code>{'*' if key in required else ''}",
            _kind(each),
            escape(each.get("description", "")),
        )
        for key, each in schema.get("properties", {}).items()
    ]
    inner = _table(("Key", "Type", ""), rows) if rows else f"<p>{_kind(schema)}</p>"
    told = escape(schema.get("description", ""))
    return (
        f'<details id="model-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<div><p>{told}</p>{inner}</div></details>"
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{each}</th>" for each in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _kind(schema: Json) -> str:
    """Say a schema in words: a link for a model, alternatives with bars, bounds behind the type."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#model-{name}">{name}</a>'
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " | ".join(dict.fromkeys(_kind(each) for each in schema[word]))
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    words = " ".join([str(schema.get("format") or schema.get("type") or "anything"), *_bounds(schema)])
    return escape(words)


def _bounds(schema: Json) -> Iterator[str]:
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
        if low in schema or high in schema:
            yield f"{schema.get(low, '')}..{schema.get(high, '')}"
    if schema.get("default") is not None:
        yield f"= {schema['default']}"
