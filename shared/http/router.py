"""Declaring operations: one typed function per operation, everything else follows from its declaration.

    router = Router("jobs")

    @router.post("/api/v1/jobs/{id}/cancel", access="operator")
    def cancel_job(ctx: Context[App], id: str) -> Job:
        \"\"\"Cancel a job.\"\"\"
        return ctx.app.jobs.cancel(id, ctx.caller)

Parameters: `ctx`, the path's variables by name, `query: Model` and `body: Model`. The result is a model, a list, a dict, a
`Page` (JSON), None (204), or a `Reply` or `Raw`. Further paths of an operation follow the first; a path outside `/api/v1` is
legacy and ignores unknown keys and parameters.

Annotations may be texts (`from __future__ import annotations`) and name models that are imported for type checkers only: the
router finds those in the modules it is told, when the operation is first asked for. A function of forty operations thus starts
without the models of thirty-nine.

    router = Router("jobs", "shared.jobs.models")
"""

import builtins
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any, Literal, NamedTuple, TypedDict, TypeVar, Unpack, get_type_hints

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


class Signature(NamedTuple):
    """What a handler takes, the models of query and body, and whether it returns one model."""

    query: type[BaseModel] | None
    body: type[BaseModel] | None
    is_single: bool


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
    accepts: tuple[str, ...]
    cache: str
    successor: str | None
    tags: tuple[str, ...]
    raw: bool
    reshape: Callable[[dict[str, Any]], dict[str, Any]] | None
    merge_query: bool
    arguments: Mapping[str, Any]
    signature: Callable[[], Signature]
    annotations: Callable[[], Mapping[str, Any]]
    tagged: bool | None
    """Whether the answer carries a tag, where the declaration says so."""

    @property
    def summary(self) -> str:
        """Return what it does: the first line of the handler's docstring."""
        return _told(self.handler)[0].rstrip(".")

    @property
    def description(self) -> str:
        """Return the rest of the handler's docstring."""
        return _told(self.handler)[2].strip()

    @property
    def query(self) -> type[BaseModel] | None:
        """Return the model of the query string."""
        return self.signature().query

    @property
    def body(self) -> type[BaseModel] | None:
        """Return the model of the body."""
        return self.signature().body

    @property
    def result(self) -> Any:
        """Return the annotation of the result."""
        return self.annotations().get("return")

    @property
    def etag(self) -> bool:
        """Say whether the answer carries a tag: as declared, else when one resource is read."""
        return self.method == "GET" and self.signature().is_single if self.tagged is None else self.tagged

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

    def __init__(self, name: str, *types: str) -> None:
        """Take the function's name, which leads the names of its operations, and the modules of what only annotations name."""
        self.name = name
        self._types = types
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
            names = _Names(handler, self._types)
            self.operations.append(_operation(self.name, method, paths, names, options))
            return handler

        return declare


class _Names(dict[str, Any]):
    """The names of a handler's annotations that its own module does not hold, found when they are asked for."""

    def __init__(self, handler: Handler, modules: Sequence[str]) -> None:
        super().__init__()
        self.handler, self._modules = handler, modules

    def __missing__(self, name: str) -> Any:
        if name in self.handler.__globals__ or hasattr(builtins, name):
            raise KeyError(name)
        for module in map(import_module, self._modules):
            if hasattr(module, name):
                return getattr(module, name)
        raise KeyError(name)

    def one(self, parameter: str) -> Any:
        """Return the annotation of a parameter; a parameter without one is a text."""
        given = self.handler.__annotations__.get(parameter, str)
        return eval(given, self.handler.__globals__, self) if isinstance(given, str) else given  # noqa: S307 - our own source

    def outer(self, parameter: str) -> Any:
        """Return the annotation, or of a text as `Page[Row]` what stands outside: rows need no model on their way out."""
        given = self.handler.__annotations__.get(parameter)
        if not isinstance(given, str):
            return given
        outer = eval(given.partition("[")[0], self.handler.__globals__, self) if given.endswith("]") else Any  # noqa: S307 - our own source
        return self.one(parameter) if outer is Any or _is_model(outer) else outer

    def all(self) -> Mapping[str, Any]:
        """Return every annotation."""
        return get_type_hints(self.handler, localns=self, include_extras=True)


def _operation(group: str, method: str, paths: tuple[str, ...], names: _Names, options: Options) -> Operation:
    handler = names.handler
    name = f"{group}.{handler.__name__}"
    arguments = _arguments(name, paths, names)
    if not (handler.__doc__ or "").strip():
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
        accepts=options.get("accepts", (JSON,)),
        cache=options.get("cache", "no-store" if sign_in else "private, no-cache"),
        successor=options.get("successor"),
        tags=options.get("tags", (group,)),
        raw=options.get("raw", False),
        reshape=options.get("reshape"),
        merge_query=options.get("merge_query", False),
        arguments=arguments,
        signature=cache(lambda: _signature(name, names)),
        annotations=names.all,
        tagged=options.get("etag"),
    )


def _told(handler: Handler) -> tuple[str, str, str]:
    """Return a docstring as its first line, the break and the rest."""
    return (inspect.getdoc(handler) or "").partition("\n")


def _arguments(name: str, paths: tuple[str, ...], names: _Names) -> dict[str, Any]:
    """Return the annotations of the paths' variables; refuse paths that cannot be served by this handler."""
    code = names.handler.__code__
    taken = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    arguments = {each: names.one(each) for each in taken if each not in {"query", "body"}}
    if not paths or not all(path.startswith("/") and path == (path.rstrip("/") or "/") for path in paths):
        raise TypeError(f"{name}: a path starts with a slash and does not end with one")
    for path in paths:
        if set(_VARIABLE.findall(path)) != set(arguments):
            raise TypeError(f"{name}: the variables of {path} are not the arguments {sorted(arguments)} of its handler")
    return arguments


def _signature(name: str, names: _Names) -> Signature:
    """Return what a handler takes and returns; refuse what cannot be read from a request."""
    taken = names.handler.__annotations__
    query, body = (names.one(each) if each in taken else None for each in ("query", "body"))
    for model in (query, body):
        if model is not None and not _is_model(model):
            raise TypeError(f"{name}: query and body are annotated with pydantic models")
    return Signature(query, body, _is_model(names.outer("return")))


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
