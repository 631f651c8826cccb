"""H01: a seeded fuzzer of structured and byte-level requests against any routers, in process.

    seen = fuzz([router, ...], Client(handle), seed=1, count=10_000)
    assert seen.faults == []

Each request takes a declared operation and bends what it declares: path variables, parameters, headers, credentials, body.
A fault is a status of 500 or more, an error without its shape, or an answer that took longer than two seconds.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from shared.core.clock import Clock, SystemClock
from shared.http.router import Operation, Router
from shared.http.table import Table
from tests.client import Answered, Client

__all__ = ["Fault", "Seen", "fuzz"]

SLOWEST_S = 2.0
_TEXTS = (
    "",
    " ",
    "a",
    "all",
    "null",
    "0",
    "-1",
    "1",
    "5.0",
    "1e309",
    "NaN",
    "true",
    "'; DROP TABLE things; --",
    '" OR 1=1',
    "../../etc/passwd",
    "%00",
    "\x00",
    "\x7f",
    "\u202e",
    "\u00e9\u0301",
    "\ufeff",
    "\U0001f4e6",
    "__proto__",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "x" * 64,
    "x" * 201,
    "x" * 3000,
    "2026-01-15",
    "2026-01-15T10:30:00Z",
    "2026-01-15T10:30:00",
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59",
    "stord",
    "shipbob",
    "https://169.254.169.254/",
    "1.005",
    "99999999.99",
    "\u0661",
)
_LIKELY = {"date-time": "2026-01-15T10:30:00Z", "date": "2026-01-15"}
_NUMBERS: tuple[Any, ...] = (0, 1, -1, 5.0, 1e100, 2**31, 2**63, -(2**63) - 1, 10**30, 0.1, 1.005)
_BYTES = (
    b"",
    b"{",
    b"[]",
    b"null",
    b"\xff\xfe",
    b"[" * 5000,
    b'{"a":' * 200,
    b'{"a":1,"a":2}',
    b'{"a":"\\ud800"}',
    b'{"a":NaN}',
    b"1" * 5000,
    b'"' + b"x" * 5000,
    b"\x00" * 10,
    b'{"__proto__": {}}',
)
_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json; charset=utf-16",
    "text/plain",
    "",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/xml",
    ";;;",
)
_HEADERS = (
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "X-Request-ID",
    "X-Forwarded-For",
    "traceparent",
    "X-Cloud-Trace-Context",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Origin",
    "Content-Encoding",
    "Authorization",
    "Range",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
)
_VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that was answered wrongly."""

    number: int
    reason: str
    request: str
    answer: str


@dataclass(slots=True)
class Seen:
    """What a run saw: statuses and faults."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    path: str
    body: bytes
    headers: dict[str, str]


def fuzz(
    routers: Iterable[Router],
    clients: Sequence[Client],
    *,
    seed: int,
    count: int,
    clock: Clock | None = None,
    known_ids: Sequence[str] = (),
) -> Seen:
    """Send `count` requests as one client or another; print the seed and the counts, return what was seen."""
    rng, time = random.Random(seed), clock or SystemClock()
    operations = Table(routers).operations
    seen = Seen()
    for number in range(count):
        request = _Bender(rng, known_ids).request(rng.choice(operations))
        started = time.monotonic()
        answer = rng.choice(clients).send(request.method, request.path, request.body, headers=request.headers)
        reason = _reason(request, answer, time.monotonic() - started)
        seen.statuses[answer.status] += 1
        if reason:
            told = answer.body[:300].decode(errors="replace")
            seen.faults.append(Fault(number, reason, repr(request)[:600], f"{answer.status} {told}"))
    print(f"fuzz: seed {seed}, {count} requests, {dict(sorted(seen.statuses.items()))}, {len(seen.faults)} faults")
    return seen


def _reason(request: _Request, answer: Answered, took_s: float) -> str | None:
    if answer.status >= 500:
        return "a failure of ours"
    if took_s > SLOWEST_S:
        return f"took {took_s:.1f} s"
    if answer.status < 400 or request.method == "HEAD":
        return None
    return None if _has_shape(answer) else "an error without its shape"


def _has_shape(answer: Answered) -> bool:
    if answer.headers.get("Content-Type") != "application/problem+json":
        return False
    body = json.loads(answer.body)
    texts = ("type", "title", "error", "detail", "instance", "request_id")
    return all(isinstance(body.get(name), str) for name in texts) and body["status"] == answer.status


class _Bender:
    """Makes requests out of declarations, right in most parts and wrong in some."""

    def __init__(self, rng: random.Random, known_ids: Sequence[str]) -> None:
        self._rng, self._ids = rng, known_ids

    def request(self, operation: Operation) -> _Request:
        method = operation.method if self._mostly() else self._rng.choice(_VERBS)
        path = self._path(operation)
        query = self._query(operation)
        headers = {name: self._header() for name in self._rng.sample(_HEADERS, self._rng.choice((0, 0, 0, 1, 2)))}
        body = self._body(operation) if operation.is_unsafe or operation.body is not None else b""
        if body and not self._mostly():
            headers["Content-Type"] = self._rng.choice(_TYPES)
        return _Request(method, f"{path}?{query}" if query else path, body, headers)

    def _mostly(self) -> bool:
        return self._rng.random() < 0.9

    def _text(self) -> str:
        if self._ids and self._rng.random() < 0.3:
            return self._rng.choice(self._ids)
        return self._rng.choice(_TEXTS)

    def _header(self) -> str:
        """Return a value as a server would pass it on: no line ends, latin-1."""
        text = self._rng.choice((self._text(), '"abc"', "*", "Bearer x", "Basic eDp5", "gzip", "bytes=0-1", "1, 2, 3"))
        return text.replace("\x00", "").encode().decode("latin-1")

    def _path(self, operation: Operation) -> str:
        path = self._rng.choice(operation.paths)
        for name in operation.arguments:
            path = path.replace(f"{{{name}}}", self._text() or "x")
        return path if self._mostly() else path + self._rng.choice(("/", "//", "/x", "%2F", ";a=b"))

    def _query(self, operation: Operation) -> str:
        names = list(operation.query.model_fields) if operation.query is not None else []
        chosen = self._rng.sample(names, min(len(names), self._rng.choice((0, 1, 1, 2, 3))))
        if not self._mostly():
            chosen.append(self._text())
        return "&".join(f"{name}={self._text()}" for name in chosen)

    def _body(self, operation: Operation) -> bytes:
        if not self._mostly():
            return self._rng.choice(_BYTES)
        content = self._object(operation.body, 3) if operation.body is not None else {}
        made = json.dumps(content, ensure_ascii=self._mostly()).encode("utf-8", "surrogatepass")
        return made if self._mostly() else self._cut(made)

    def _cut(self, made: bytes) -> bytes:
        """Flip, drop or double a byte."""
        at = self._rng.randrange(len(made))
        bend: Callable[[], bytes] = self._rng.choice(
            (
                lambda: made[:at],
                lambda: made[:at] + bytes([self._rng.randrange(256)]) + made[at + 1 :],
                lambda: made[:at] + made[at : at + 1] * 2 + made[at + 1 :],
            )
        )
        return bend()

    def _object(self, model: type[BaseModel], depth: int) -> dict[str, Any]:
        properties = model.model_json_schema().get("properties", {})
        made = {name: self._like(schema, depth) for name, schema in properties.items() if self._mostly()}
        if not self._mostly():
            made[self._text()] = self._any(depth)
        return made

    def _like(self, schema: dict[str, Any], depth: int) -> Any:
        """Return something that mostly fits a schema."""
        if not self._mostly():
            return self._any(depth)
        if "enum" in schema:
            return self._rng.choice(schema["enum"])
        if "anyOf" in schema:
            return self._like(self._rng.choice(schema["anyOf"]), depth)
        makers: dict[str, Callable[[], Any]] = {
            "string": lambda: self._text() if self._rng.random() < 0.4 else _LIKELY.get(str(schema.get("format")), "a"),
            "integer": lambda: self._rng.choice((0, 1, 2, 50, -1)),
            "number": lambda: self._rng.choice((0, 1, 9.99, -1)),
            "boolean": lambda: self._rng.random() < 0.5,
            "array": lambda: [
                self._like(schema.get("items", {}), depth - 1) for _ in range(self._rng.choice((0, 1, 2)))
            ],
            "null": lambda: None,
        }
        maker = makers.get(str(schema.get("type")))
        return maker() if maker and depth > 0 else self._any(depth)

    def _any(self, depth: int) -> Any:
        """Return any JSON."""
        kind = self._rng.randrange(6 if depth > 0 else 4)
        if kind == 0:
            return self._text()
        if kind == 1:
            return self._rng.choice(_NUMBERS)
        if kind == 2:
            return self._rng.choice((True, False, None))
        if kind == 3:
            return "\ud800"
        if kind == 4:
            return [self._any(depth - 1) for _ in range(self._rng.choice((0, 1, 3)))]
        return {self._text(): self._any(depth - 1) for _ in range(self._rng.choice((0, 1, 2)))}
