"""Declaring operations: one typed function per operation, everything else follows from its declaration.

    router = Router("jobs")

    @router.post("/api/v1/jobs/{id}/cancel", access="operator")
    def cancel_job(ctx: Context[App], id: str) -> Job:
        \"\"\"Cancel a job.\"\"\"
        return ctx.app.jobs.cancel(id, ctx.caller)

Parameters: `ctx`, the path's variables by name, `query: Model` and `body: Model`. The result is a model, a list, a dict, a
`Page` (JSON), None (204), or a `Reply` or `Raw`. Further paths of an operation follow the first; a path outside `/api/v1` is
legacy and ignores unknown keys and parameters.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypedDict, TypeVar, Unpack, get_type_hints

from pydantic import BaseModel

from shared.core.values import dataclass, field

__all__ = ["Access", "Operation", "Options", "Policy", "Raw", "Reply", "Router"]

Access = Literal["public", "viewer", "operator", "manager", "admin", "internal"]
Policy = Literal["user", "login", "refresh", "costly", "none"]
Handler = Callable[..., Any]
H = TypeVar("H", bound=Handler)

_VARIABLE = re.compile(r"\{([a-z_]+)\}")
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# Sessions are not for caches and not for idempotency records.
_SIGN_IN = re.compile(r"/api/v1/auth(/|$)|/token(/|$)|/ecommerce/v1/(login_user|register_user)$")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
MOST_JSON = 2**20
MOST_UPLOAD = 25 * 2**20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose status or headers differ from what the operation declares."""

    body: Any = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer of prepared bytes (or of pieces, streamed). `etag` is the tag without quotes."""

    data: bytes | Iterable[bytes]
    content_type: str = JSON
    etag: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


class Options(TypedDict, total=False):
    """What a declaration may say besides its paths.

    access: who may call, at least ("viewer"). status: of success (200). policy: the rate limit besides the caller's own.
    idempotent: whether Idempotency-Key is heeded (unsafe verbs that are neither public nor internal). needs_key: the key
    is demanded when REQUIRE_IDEMPOTENCY_KEY is on. atomic: whether everything the handler changes is one commit (unsafe
    verbs); such a handler may run again and does no I/O but the store's. etag: whether the answer carries a tag (GET of
    one resource). accepts: media types of the body. cache: the Cache-Control. successor: the canonical path (with
    variables) that answers on legacy paths point to, when it is not the first path. tags: groups in the API document.
    raw: the body is no JSON of ours; the handler takes the bytes from `ctx.body`, of whatever media type.
    reshape: turns the problem body of legacy paths into the shape their clients know. merge_query: whether the query string
    may say what the body does not (legacy paths that take either, on every verb; the body wins).
    """

    access: Access
    status: int
    policy: Policy
    idempotent: bool
    needs_key: bool
    atomic: bool
    etag: bool
    accepts: tuple[str, ...]
    cache: str
    successor: str
    tags: tuple[str, ...]
    raw: bool
    reshape: Callable[[dict[str, Any]], dict[str, Any]]
    merge_query: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One declared operation."""

    name: str
    method: str
    paths: tuple[str, ...]
    handler: Handler
    access: Access
    status: int
    policy: Policy
    idempotent: bool
    needs_key: bool
    atomic: bool
    etag: bool
    accepts: tuple[str, ...]
    cache: str
    successor: str | None
    tags: tuple[str, ...]
    raw: bool
    reshape: Callable[[dict[str, Any]], dict[str, Any]] | None
    merge_query: bool
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    arguments: Mapping[str, Any]
    result: Any
    summary: str
    description: str

    @property
    def is_unsafe(self) -> bool:
        """Say whether the operation may change something."""
        return self.method in _UNSAFE

    @property
    def canonical_path(self) -> str:
        """Return the path that names what is done, also where an older path does it: a key is used for it once."""
        return self.successor or self.paths[0]

    @property
    def most_bytes(self) -> int:
        """Return how long a body may be."""
        return MOST_UPLOAD if MULTIPART in self.accepts else MOST_JSON


class Router:
    """The operations of one function."""

    def __init__(self, name: str) -> None:
        """Take the function's name, which leads the names of its operations."""
        self.name = name
        self.operations: list[Operation] = []

    def include(self, *others: "Router") -> None:
        """Take over the operations of other modules of the same function: `routes.py` includes the files beside it."""
        for other in others:
            self.operations += other.operations

    def get(self, *paths: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Declare a reading operation; HEAD comes with it."""
        return self.route("GET", *paths, **options)

    def post(self, *paths: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Declare an operation that makes or does something."""
        return self.route("POST", *paths, **options)

    def put(self, *paths: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Declare a replacing operation."""
        return self.route("PUT", *paths, **options)

    def patch(self, *paths: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Declare a changing operation."""
        return self.route("PATCH", *paths, **options)

    def delete(self, *paths: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Declare a removing operation; it answers 204 unless its status says otherwise."""
        return self.route("DELETE", *paths, **options)

    def route(self, method: str, *paths: str, **options: Unpack[Options]) -> Callable[[H], H]:
        """Declare an operation under a verb; stack declarations for several verbs."""

        def declare(handler: H) -> H:
            self.operations.append(_operation(self.name, method, paths, handler, options))
            return handler

        return declare


def _operation(group: str, method: str, paths: tuple[str, ...], handler: Handler, options: Options) -> Operation:
    name = f"{group}.{handler.__name__}"
    query, body, arguments, result = _signature(name, paths, handler)
    summary, _, description = (inspect.getdoc(handler) or "").partition("\n")
    if not summary:
        raise TypeError(f"{name}: the first line of its docstring is the operation's summary")
    access = options.get("access", "viewer")
    unsafe, sign_in = method in _UNSAFE, _SIGN_IN.match(paths[0]) is not None
    return Operation(
        name=name,
        method=method,
        paths=paths,
        handler=handler,
        access=access,
        status=options.get("status", 204 if method == "DELETE" else 200),
        policy=options.get("policy", "user"),
        idempotent=options.get("idempotent", unsafe and not sign_in and access not in {"public", "internal"}),
        needs_key=options.get("needs_key", False),
        atomic=options.get("atomic", unsafe),
        etag=options.get("etag", method == "GET" and _is_single(result)),
        accepts=options.get("accepts", (JSON,)),
        cache=options.get("cache", "no-store" if sign_in else "private, no-cache"),
        successor=options.get("successor"),
        tags=options.get("tags", (group,)),
        raw=options.get("raw", False),
        reshape=options.get("reshape"),
        merge_query=options.get("merge_query", False),
        body=body,
        query=query,
        arguments=arguments,
        result=result,
        summary=summary.rstrip("."),
        description=description.strip(),
    )


def _signature(
    name: str, paths: tuple[str, ...], handler: Handler
) -> tuple[type[BaseModel] | None, type[BaseModel] | None, dict[str, Any], Any]:
    """Return the query model, the body model, the path arguments and the result; refuse what cannot be served."""
    hints = get_type_hints(handler, include_extras=True)
    names = list(inspect.signature(handler).parameters)
    query, body = hints.get("query"), hints.get("body")
    arguments = {each: hints.get(each, str) for each in names[1:] if each not in {"query", "body"}}
    if not paths or not all(path.startswith("/") and path == (path.rstrip("/") or "/") for path in paths):
        raise TypeError(f"{name}: a path starts with a slash and does not end with one")
    for path in paths:
        if set(_VARIABLE.findall(path)) != set(arguments):
            raise TypeError(f"{name}: the variables of {path} are not the arguments {sorted(arguments)} of its handler")
    for model in (query, body):
        if model is not None and not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"{name}: query and body are annotated with pydantic models")
    return query, body, arguments, hints.get("return")


def _is_single(result: Any) -> bool:
    """Say whether a result is one resource: a model, and not a page or a list."""
    return isinstance(result, type) and issubclass(result, BaseModel)
