"""Serving routers: one callable from a request to an answer, the same for one function and for all of them in one process.

Order of checks (the contract's): 404/405, 413/414/415, rate limit, 401, 403, 400, 422, idempotency, then the handler.
Credentials are looked at first, because the rate limit wants to know whose request it is; their 401 is answered after it.

    handle = serve([router], App.from_env, older)   # a function's main.py: return handle(request)
    wsgi = as_wsgi(serve(routers, lambda: app))     # the local run: any WSGI server
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from flask import Request, Response
from werkzeug.datastructures import Headers
from werkzeug.wsgi import ClosingIterator

from shared.core.conditions import matches
from shared.core.errors import InternalError, Problem, Transient, Unavailable
from shared.core.log import bind
from shared.core.once import once
from shared.http.answers import Answer, refusal
from shared.http.context import Numbers
from shared.http.exchange import Exchange
from shared.http.guard import Served, identify
from shared.http.origin import client_address, cross_origin, request_id, trace
from shared.http.ratelimit import Limits
from shared.http.router import Operation, Router
from shared.http.run import respond
from shared.http.table import Found, Table

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from shared.http.idempotency import Idempotency

__all__ = ["Handler", "as_wsgi", "serve"]

A = TypeVar("A", bound=Served)

_log = logging.getLogger("onhand.request")
_BUG = "Something went wrong on our side; it was logged under this request_id."
_LATER = "A part of the service does not answer now; try again."
_MOST_WAIT_S = 600
_ALWAYS_TLS = f"max-age={365 * 24 * 3600}"
_CACHE = "private, no-cache"
_VARY = "Authorization, Origin"
_READING = frozenset({"GET", "HEAD"})
_BODILESS = frozenset({204, 304})


class _Ready(Generic[A]):
    """What one process needs besides the table, built once from the application."""

    def __init__(self, app: A) -> None:
        self.app = app
        self.limits = Limits(app.settings, app.clock, lambda: app.store)
        self.records = lambda: self._records

    @once
    def _records(self) -> "Idempotency":
        """Return the records of keys; few requests have one."""
        from shared.http.idempotency import Idempotency

        return Idempotency(lambda: self.app.store, self.app.clock)


class Handler(Generic[A]):
    """Answers requests. Building it reads no setting; the application is made with the first request, or by `warm`."""

    def __init__(
        self, routers: Iterable[Router], app: Callable[[], A], older: Callable[[], Router] | None = None
    ) -> None:
        """Take the routers, what makes the application, and what loads the paths of older backends."""
        self.routers = list(routers)
        self.table = Table(self.routers)
        self.numbers = Numbers()
        self._older = older
        self._make = app
        self._ready: _Ready[A] | None = None
        self._lock = threading.Lock()

    def warm(self) -> A:
        """Make the application if that has not happened yet, and return it."""
        return self._built().app

    def __call__(self, request: Request) -> Response:
        """Answer one request; nothing escapes as an exception."""
        ready = self._built()
        started = ready.app.clock.monotonic()
        exchange = self._received(ready.app, request)
        told = exchange.trace
        facts = {"logging.googleapis.com/trace": told.trace_id, "spanId": told.span_id}
        with bind(request_id=exchange.request_id, **facts):
            answer = self._answer(exchange, ready)
            latency_ms = round((ready.app.clock.monotonic() - started) * 1000, 3)
            self.numbers.add(answer.status, latency_ms)
            _log_answer(exchange, answer, latency_ms)
        return _response(exchange, answer)

    def _built(self) -> _Ready[A]:
        if self._ready is None:
            with self._lock:
                if self._ready is None:
                    ready = _Ready(self._make())
                    self.numbers.started = ready.app.clock.monotonic()
                    self._ready = ready
        return self._ready

    def _received(self, app: A, request: Request) -> Exchange[A]:
        """Find the request's place and its caller."""
        path = request.path.rstrip("/") or "/"
        method = "GET" if request.method == "HEAD" else request.method
        found, operation = self._sought(path, method)
        environ = request.environ
        named = request_id(environ, app.ids)
        exchange = Exchange(app, request, path, found, operation, named, trace(environ, named), self.numbers)
        forwarded = environ.get("HTTP_X_FORWARDED_FOR")
        exchange.address = client_address(request.remote_addr, forwarded, app.settings.trusted_proxy_hops)
        return exchange

    def _sought(self, path: str, method: str) -> tuple[Found | None, Operation | None]:
        """Return a request's place and operation; the older paths are loaded when the others do not know both."""
        found = self.table.find(path)
        operation = None if found is None else found.place.operations.get(method)
        if operation is None and self._older is not None:
            self.complete()
            return self._sought(path, method)
        return found, operation

    def complete(self) -> Table:
        """Load the older paths too, if that has not happened yet; return the whole table."""
        with self._lock:
            if self._older is not None:
                self.table = Table([*self.routers, self._older()])
                self._older = None
        return self.table

    def _answer(self, exchange: Exchange[A], ready: _Ready[A]) -> Answer:
        problem: Problem
        try:
            credentials = exchange.request.environ.get("HTTP_AUTHORIZATION")
            exchange.caller, exchange.refusal = identify(
                exchange.app.access, exchange.operation, credentials, exchange.method
            )
            return respond(exchange, ready.limits, ready.records)
        except Problem as refused:
            problem = refused
        except Transient as trouble:
            _log.warning("a backend is in trouble: %s", trouble.code, exc_info=True)
            problem = Unavailable(_LATER, retry_after=min(_MOST_WAIT_S, max(1, ceil(trouble.wait_s or 1))))
        except Exception:  # noqa: BLE001 - the edge: whatever it was is logged once, and the caller gets an answer
            _log.exception("a request ended in a bug")
            problem = InternalError(_BUG)
        answer = refusal(problem, exchange.path, exchange.request_id, exchange.operation)
        if answer.status == 401:  # noqa: PLR2004 - the status that must come with a challenge
            answer.headers.setdefault("WWW-Authenticate", exchange.app.access.challenge())
        return answer


def serve(routers: Iterable[Router], app: Callable[[], A], older: Callable[[], Router] | None = None) -> Handler[A]:
    """Return the callable that answers requests for these routers, and for the older paths loaded when one is asked for."""
    return Handler(routers, app, older)


def as_wsgi(handle: Callable[[Request], Response]) -> "WSGIApplication":
    """Return a WSGI application, for servers and processes without the functions framework."""

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return handle(Request(environ))(environ, start_response)

    return application


def _response(exchange: Exchange[Any], answer: Answer) -> Response:
    """Put the headers every answer has around it; equal tags need no body."""
    operation, request = exchange.operation, exchange.request
    headers = {
        "X-Request-ID": exchange.request_id,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": _CACHE if operation is None else operation.cache,
        "Vary": _VARY,
    }
    if exchange.app.settings.in_cloud:
        headers["Strict-Transport-Security"] = _ALWAYS_TLS
    headers |= exchange.limit_headers
    headers |= answer.headers
    origin = request.environ.get("HTTP_ORIGIN")
    if origin:
        headers |= cross_origin(origin, exchange.app.settings.cors_origins, exchange.path)
    if "Vary" in answer.headers:
        headers["Vary"] = f"{_VARY}, {answer.headers['Vary']}"
    _add_successor(exchange, headers)
    status, body = answer.status, answer.body
    if answer.etag is not None:
        headers["ETag"] = answer.etag
        known = exchange.method in _READING and matches(request.environ.get("HTTP_IF_NONE_MATCH"), answer.etag)
        if known and status == 200:  # noqa: PLR2004 - only a success is compared
            status, body = 304, b""
    return _flask_response(exchange, status, headers, body)


class _Lines(Headers):
    """Headers as they are sent, taken over as they are: names are ours, and no value may break a line."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__()
        self._list = [(name, str(value)) for name, value in values.items()]
        together = "".join([value for _, value in self._list])
        if "\n" in together or "\r" in together:
            raise ValueError("a header's value breaks the line")


class _Sent(Response):
    """A response whose status, headers and body are final; an ordinary one is sent without being looked through again."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Send it."""
        if self.status_code in _BODILESS or environ["REQUEST_METHOD"] == "HEAD" or not self.is_sequence:
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        body: list[bytes] = self.response  # type: ignore[assignment]
        return ClosingIterator(body, self.close) if self._on_close else body


def _flask_response(
    exchange: Exchange[Any], status: int, headers: dict[str, str], body: bytes | Iterable[bytes]
) -> Response:
    if isinstance(body, bytes):
        headers["Content-Length"] = str(len(body))
        # Streamed where the request's body was refused, so that the framework does not read that into memory after the answer.
        body = iter([body]) if exchange.unread else [body]
    response = _Sent(body, status, _Lines(headers))
    if "Content-Type" not in headers or status == 304:  # noqa: PLR2004 - not modified: no body, no type
        response.headers.pop("Content-Type", None)
    return response


def _add_successor(exchange: Exchange[Any], headers: dict[str, str]) -> None:
    """Point from a legacy path to the canonical one."""
    operation, found = exchange.operation, exchange.found
    if operation is None or found is None or not exchange.is_legacy or found.place.pattern == operation.paths[0]:
        successor = None if operation is None or not exchange.is_legacy else operation.successor
    else:
        successor = operation.successor or operation.paths[0]
    if successor is None or found is None or not successor.startswith("/api/v1"):
        return
    values = {name: quote(str(value), safe="") for name, value in found.arguments.items()}
    link = f'<{successor.format(**values)}>; rel="successor-version"'
    headers["Link"] = f"{headers['Link']}, {link}" if "Link" in headers else link


def _log_answer(exchange: Exchange[Any], answer: Answer, latency_ms: float) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    name = exchange.operation.name if exchange.operation is not None else "none"
    facts = {
        "operation": name,
        "status": answer.status,
        "latency_ms": latency_ms,
        "user": exchange.caller.user_id or None,
        "problem": answer.code,
    }
    _log.info("%s %s %d", exchange.method, name, answer.status, extra=facts)
