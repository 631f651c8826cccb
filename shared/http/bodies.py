"""Reading JSON bodies strictly: one pass over the bytes for what a parser would let through, then pydantic, strict.

Refused with 400: not UTF-8, not JSON (NaN included), nested deeper than 32, a key twice in one object. The depth is
counted before anything recursive looks at the bytes.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from shared.core.errors import BadRequest, FieldError, ValidationFailed
from shared.http.problems import field_errors, pointer, validation_failed

__all__ = ["Nothing", "canonical", "examine", "form", "read"]

M = TypeVar("M", bound=BaseModel)
Path = tuple[str | int, ...]

MOST_DEPTH = 32
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_CONTEXTS = {False: {"legacy": False}, True: {"legacy": True}}


class Nothing(BaseModel, defer_build=True):
    """The body of an operation that takes none: `{}`."""


class _Twice(Exception):
    """A key came twice in one object."""


def examine(body: bytes) -> Any:
    """Return what the bytes say as plain JSON; refuse what is not one well-formed, unambiguous text."""
    if not body:
        return {}
    if body.count(b"[") + body.count(b"{") > MOST_DEPTH and _is_too_deep(body):
        _refuse("too_deep", f"The body is nested deeper than {MOST_DEPTH} levels.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("not_utf8", "The body is not UTF-8.")
    try:
        content = _UNAMBIGUOUS.decode(text)
    except ValueError:
        _refuse("not_json", "The body is not JSON.")
    except _Twice:
        _refuse("duplicate_key", "A key comes twice in one object.", _where_twice(text))
    if _ESCAPED_SURROGATE.search(body):
        _refuse_halves(content)
    return content


def read(model: type[M], body: bytes, *, legacy: bool) -> M:
    """Return the body as a model; raise ValidationFailed. Unknown keys are refused, on legacy paths ignored."""
    extra: Any = "ignore" if legacy else "forbid"
    try:
        return model.model_validate_json(body or b"{}", strict=True, extra=extra, context=_CONTEXTS[legacy])
    except ValidationError as refused:
        raise validation_failed(field_errors(refused, body or b"{}")) from None


def form(body: bytes) -> bytes:
    """Return the fields of an urlencoded form as a JSON object of texts."""
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        _refuse("not_form", "The body is not a form in UTF-8.")
    if len(dict(fields)) != len(fields):
        _refuse("duplicate_key", "A field comes twice in the form.")
    return to_json(dict(fields))


def canonical(content: Any) -> bytes:
    """Return equal bytes for equal JSON, whatever its spacing and order of keys."""
    return _CANONICAL.encode(content).encode()


def _refuse(code: str, detail: str, where: Path = ()) -> NoReturn:
    raise BadRequest(detail, errors=(FieldError(pointer(where), code, detail),))


def _is_too_deep(body: bytes) -> bool:
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MOST_DEPTH:
            return True
    return False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Twice
    return made


def _constant(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _decoder(hook: Callable[[list[tuple[str, Any]]], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=hook, parse_constant=_constant)


class _Object(list[tuple[str, Any]]):
    """The pairs of an object, told apart from an array."""


_UNAMBIGUOUS = _decoder(_once)
_PAIRS = _decoder(_Object)


def _where_twice(text: str) -> Path:
    """Return where the first repeated key stands; asked only for texts that have one."""
    for path, content in _walk(_PAIRS.decode(text), ()):
        if isinstance(content, _Object):
            names = [name for name, _ in content]
            for name in names:
                if names.count(name) > 1:
                    return (*path, name)
    return ()


def _refuse_halves(content: Any) -> None:
    for path, each in _walk(content, ()):
        names = [path[-1]] if path and isinstance(path[-1], str) else []
        texts = [*names, each] if isinstance(each, str) else names
        if any(_SURROGATE.search(text) for text in texts):
            detail = "Half a character (a lone surrogate) is not allowed."
            raise ValidationFailed(detail, errors=(FieldError(pointer(path), "lone_surrogate", detail),))


def _walk(content: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, content
    members: Any = ()
    if isinstance(content, dict):
        members = content.items()
    elif isinstance(content, _Object):
        members = content
    elif isinstance(content, list):
        members = enumerate(content)
    for name, member in members:
        yield from _walk(member, (*path, name))
