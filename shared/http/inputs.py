"""A handler's inputs from a request: first what cannot be read (400), then every refused value at once (422).

What reads bodies, forms and keys is loaded with the first request that has one: a cold start waits for none of it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_json

from shared.core.errors import BadRequest, FieldError, ValidationFailed
from shared.core.once import Recent
from shared.http.exchange import Exchange
from shared.http.queries import Pairs, QueryReader, pairs, texts_of, unknown_parameters
from shared.http.router import FORM, JSON, MULTIPART, Operation

__all__ = ["Inputs", "inputs_of"]

_MOST_REMEMBERED = 512
_read_before: Recent[tuple[type[BaseModel], bytes, bool], BaseModel] = Recent(256)


class Inputs:
    """What a handler is called with, and what names the request for idempotency."""

    __slots__ = ("_content", "_exchange", "arguments", "key")

    def __init__(self, exchange: Exchange[Any], arguments: Mapping[str, Any], key: str | None, content: Any) -> None:
        """Take the arguments by name, the Idempotency-Key, and the body as plain JSON."""
        self._exchange, self._content = exchange, content
        self.arguments, self.key = arguments, key

    def fingerprint(self) -> str:
        """Return the same text for the same path, parameters and body, however the body is spelled."""
        from shared.http.bodies import canonical

        given = sorted(pairs(self._exchange.request.query_string))
        named = canonical([self._exchange.path, given, self._content])
        return hashlib.sha256(named).hexdigest()


def inputs_of(exchange: Exchange[Any], operation: Operation) -> Inputs:
    """Read all inputs; raise BadRequest, then ValidationFailed with the errors of query and body together."""
    if not (operation.is_unsafe or operation.body or exchange.body) and operation.query is not None:
        return Inputs(exchange, {**_found(exchange), "query": _query(exchange, operation.query)}, None, None)
    given = pairs(exchange.request.query_string)
    key = _key(exchange, operation)
    body, content = (b"", None) if operation.raw else _readable(exchange)
    if operation.merge_query and operation.body is not None and isinstance(content, dict):
        body = to_json({**texts_of(operation.body, given), **content})
    arguments = _found(exchange)
    errors: list[FieldError] = []
    try:
        _add_query(arguments, operation, given, legacy=exchange.is_legacy)
    except ValidationFailed as refused:
        errors += refused.errors
    try:
        _add_body(arguments, operation, body, legacy=exchange.is_legacy)
    except ValidationFailed as refused:
        errors += refused.errors
    if errors:
        raise _refusal(errors)
    return Inputs(exchange, arguments, key, content)


def _found(exchange: Exchange[Any]) -> dict[str, Any]:
    return dict(exchange.found.arguments) if exchange.found else {}


def _query(exchange: Exchange[Any], model: type[BaseModel]) -> BaseModel:
    """Return what the query string says: as it was read before, because lists are asked the same things again and again.

    Nobody changes what a query was read as; long ones (a cursor of another list, a search) are not worth remembering.
    """
    text, legacy = exchange.request.query_string, exchange.is_legacy
    if len(text) > _MOST_REMEMBERED:
        return _reader(model).read(pairs(text), legacy=legacy)
    name = (model, text, legacy)
    return _read_before.get(name) or _read_before.keep(name, _reader(model).read(pairs(text), legacy=legacy))


def _key(exchange: Exchange[Any], operation: Operation) -> str | None:
    if not operation.idempotent:
        return None
    from shared.http.idempotency import read_key

    key = read_key(exchange.request.headers.get("Idempotency-Key"))
    if key is None and operation.needs_key and exchange.app.settings.require_idempotency_key:
        detail = "This deployment wants an Idempotency-Key here."
        raise BadRequest(detail, errors=(FieldError("header:Idempotency-Key", "missing", detail),))
    return key


def _readable(exchange: Exchange[Any]) -> tuple[bytes, Any]:
    """Return the body as JSON bytes and as plain content; other media types are the handler's own business."""
    if not exchange.body:
        return b"", {}
    from shared.http.bodies import examine, form

    media = exchange.request.mimetype
    if media == MULTIPART:
        from shared.http.uploads import upload_of

        exchange.upload = upload_of(exchange.request, exchange.body)
        return b"", exchange.upload.canonical()
    if media == JSON:
        return exchange.body, examine(exchange.body)
    if media == FORM:
        made = form(exchange.body)
        return made, examine(made)
    return b"", hashlib.sha256(exchange.body).hexdigest()


def _add_query(arguments: dict[str, Any], operation: Operation, given: Pairs, *, legacy: bool) -> None:
    if operation.query is not None:
        arguments["query"] = _reader(operation.query).read(given, legacy=legacy)
    elif given and not legacy:
        raise _refusal(unknown_parameters(given))


def _add_body(arguments: dict[str, Any], operation: Operation, body: bytes, *, legacy: bool) -> None:
    if operation.body is None and not body:
        return
    from shared.http.bodies import Nothing, read

    given = read(operation.body or Nothing, body, legacy=legacy)
    if operation.body is not None:
        arguments["body"] = given


def _refusal(errors: Sequence[FieldError]) -> ValidationFailed:
    from shared.http.problems import validation_failed

    return validation_failed(errors)


@cache
def _reader(model: type[BaseModel]) -> QueryReader:
    return QueryReader(model)
