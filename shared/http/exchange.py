"""One request on its way: what has been found out about it so far."""

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request

from shared.core.caller import ANONYMOUS, Caller
from shared.core.errors import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    Problem,
    UnsupportedMediaType,
    UriTooLong,
)
from shared.core.values import dataclass, field
from shared.http.context import Numbers
from shared.http.guard import Refusal, Served
from shared.http.origin import Trace
from shared.http.router import FORM, JSON, MOST_JSON, Operation
from shared.http.table import Found

if TYPE_CHECKING:
    from shared.http.uploads import Upload

__all__ = ["Exchange", "first_refusal"]

A = TypeVar("A", bound=Served)

MOST_URI = 8 * 1024
_CHUNK = 64 * 1024
_MOST_SWALLOWED = 64 * 2**20
_UTF8 = frozenset({"", "utf-8", "utf8"})


@dataclass(slots=True)
class Exchange(Generic[A]):
    """A request with its place in the table, its caller and its body."""

    app: A
    request: Request
    path: str
    found: Found | None
    operation: Operation | None
    request_id: str
    trace: Trace
    numbers: Numbers
    address: str = ""
    caller: Caller = ANONYMOUS
    refusal: Refusal | None = None
    body: bytes = b""
    upload: "Upload | None" = None
    """The parts of a multipart body, once they have been read."""
    unread: bool = False
    """Whether the body was refused without being read."""
    limit_headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_legacy(self) -> bool:
        """Say whether the path is one of an older backend: unknown keys and parameters are ignored there."""
        return not self.path.startswith("/api/v1")

    @property
    def method(self) -> str:
        """Return the request's verb."""
        return self.request.method


def first_refusal(exchange: Exchange[Any]) -> Problem | None:
    """Read the body within its limits; return what speaks against the request before anything is known of the caller."""
    try:
        _check_place(exchange)
        _check_length(exchange.request)
        _read_body(exchange)
    except Problem as problem:
        return problem
    except HTTPException:
        return BadRequest("The body ended before its announced length.")
    return None


def _check_place(exchange: Exchange[Any]) -> None:
    if exchange.found is None:
        raise NotFound("There is nothing at this path.", resource="path")
    if exchange.operation is None and exchange.method != "OPTIONS":
        allow = exchange.found.place.allow
        raise MethodNotAllowed(f"This path answers {allow}.", headers={"Allow": allow})


def _check_length(request: Request) -> None:
    environ = request.environ
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    length = max(len(raw), len(environ.get("PATH_INFO", "")) + len(environ.get("QUERY_STRING", "")))
    if length > MOST_URI:
        raise UriTooLong(f"Path and query together have at most {MOST_URI} bytes.")


def _read_body(exchange: Exchange[Any]) -> None:
    """Read the body of an operation that takes one; over its limit nothing more is read."""
    operation, request = exchange.operation, exchange.request
    if operation is None or not (operation.is_unsafe or operation.body is not None):
        return
    most = operation.most_bytes
    length = request.content_length
    if length is not None and length > most:
        exchange.unread = True
        _swallow(request, length)
        raise _too_large(most)
    if length is None:
        exchange.body = _read_chunked(exchange, most)
    elif length:
        exchange.body = request.get_data(cache=True)
    if exchange.body and not operation.raw:
        _check_media_type(operation, request)


def _swallow(request: Request, length: int) -> None:
    """Let a client that will close finish sending: a connection closed over unread bytes is reset, its answer lost.

    Where the connection is kept the server reads on by itself. Nothing is kept; a body over 64 MiB is not waited for.
    """
    if request.headers.get("Connection", "").lower() != "close" or length > _MOST_SWALLOWED:
        return
    stream = request.environ["wsgi.input"]
    while length > 0 and (piece := stream.read(min(_CHUNK, length))):
        length -= len(piece)


def _read_chunked(exchange: Exchange[Any], most: int) -> bytes:
    pieces, size, stream = [], 0, exchange.request.stream
    while piece := stream.read(_CHUNK):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            exchange.unread = True
            raise _too_large(most)
    return b"".join(pieces)


def _too_large(most: int) -> PayloadTooLarge:
    unit, name = (2**20, "MiB") if most >= MOST_JSON else (2**10, "KiB")
    return PayloadTooLarge(f"A body has at most {most // unit} {name} here.")


def _check_media_type(operation: Operation, request: Request) -> None:
    environ = request.environ
    if environ.get("CONTENT_TYPE") == JSON and "HTTP_CONTENT_ENCODING" not in environ and JSON in operation.accepts:
        return
    given = request.mimetype
    charset = request.mimetype_params.get("charset", "").lower()
    encoded = request.headers.get("Content-Encoding", "identity").lower() != "identity"
    if given not in operation.accepts or encoded or (given in {JSON, FORM} and charset not in _UTF8):
        accepted = " or ".join(operation.accepts)
        raise UnsupportedMediaType(f"Send {accepted} in UTF-8, not compressed.", headers={"Accept": accepted})
