"""The one shape of every error: RFC 9457 plus `error`, `request_id`, `errors` and the problem's own keys."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from shared.core.errors import FieldError, Problem, ValidationFailed

__all__ = ["MEDIA_TYPE", "field_errors", "pointer", "problem_body", "query_pointer", "validation_failed"]

MEDIA_TYPE = "application/problem+json"
_MOST_ERRORS = 100
_MOST_POINTER = 200
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DETAIL = "The request has values that are not accepted; see errors."

# What pydantic calls an error, and what we call it. A type that is not here passes as it is when it is our own
# (PydanticCustomError), else it is "invalid".
_CODES: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "enum": "not_allowed",
    "literal_error": "not_allowed",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "too_long": "too_long",
    "too_short": "too_short",
    "greater_than": "out_of_range",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "less_than_equal": "out_of_range",
    "finite_number": "out_of_range",
    "multiple_of": "out_of_range",
    "string_pattern_mismatch": "invalid",
    "value_error": "invalid",
    "assertion_error": "invalid",
}
_MESSAGES: Mapping[str, str] = {
    "unknown_field": "This field is not known here.",
    "unknown_parameter": "This parameter is not known here.",
    "missing": "This field is required.",
    "invalid": "This value is not accepted.",
}


def problem_body(problem: Problem, path: str, request_id: str) -> dict[str, Any]:
    """Return the body of a problem as a JSON-ready dict."""
    body: dict[str, Any] = {
        "type": f"/problems/{problem.name}",
        "title": problem.title,
        "error": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": path,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = [
            {"pointer": each.pointer, "code": each.code, "message": each.message} for each in problem.errors
        ]
    return body | problem.extra


def validation_failed(errors: Sequence[FieldError]) -> ValidationFailed:
    """Return one refusal for all refused values."""
    detail = errors[0].message if len(errors) == 1 else _DETAIL
    return ValidationFailed(detail, errors=tuple(errors[:_MOST_ERRORS]))


def field_errors(refused: ValidationError, body: bytes | None) -> list[FieldError]:
    """Translate pydantic's errors; `body` is the JSON they point into, None for query parameters.

    Values of the request never appear, only names of keys (in pointers, shortened).
    """
    found = refused.errors(include_url=False, include_input=False)
    content = from_json(body or b"{}") if body is not None else None
    return [_field_error(each, content, in_query=body is None) for each in found]


def _field_error(error: Mapping[str, Any], content: Any, *, in_query: bool) -> FieldError:
    kind, at = str(error["type"]), error.get("ctx", {}).get("at")
    location = tuple(error["loc"])
    code = _code(kind, in_query=in_query)
    if in_query:
        return FieldError(query_pointer(str(at or (location[0] if location else ""))), code, _message(code, error))
    kept = (*_real(location, content, named=False), at) if at else _real(location, content, named=kind == "missing")
    return FieldError(pointer(kept), code, _message(code, error))


def pointer(location: Iterable[str | int]) -> str:
    """Return a JSON Pointer (RFC 6901), shortened and without invisible characters."""
    return "".join(f"/{_visible(str(part)).replace('~', '~0').replace('/', '~1')}" for part in location)


def query_pointer(name: str) -> str:
    """Return the pointer of a query parameter."""
    return f"query:{_visible(name)}"


def _code(kind: str, *, in_query: bool) -> str:
    code = _CODES.get(kind)
    if code is None:
        code = "wrong_type" if kind.endswith("_type") else kind
    return "unknown_parameter" if in_query and code == "unknown_field" else code


def _message(code: str, error: Mapping[str, Any]) -> str:
    return _MESSAGES.get(code) or str(error["msg"])


def _real(location: tuple[str | int, ...], content: Any, *, named: bool) -> list[str | int]:
    """Leave out what pydantic adds to a location besides keys and indexes of the content (members of unions)."""
    kept: list[str | int] = []
    for number, part in enumerate(location):
        if _has(content, part):
            content = content[part]
        elif not (named and number == len(location) - 1):
            continue
        kept.append(part)
    return kept


def _has(content: Any, part: str | int) -> bool:
    if isinstance(content, list):
        return isinstance(part, int) and part < len(content)
    return isinstance(content, dict) and part in content


def _visible(name: str) -> str:
    return _INVISIBLE.sub("?", name[:_MOST_POINTER])
