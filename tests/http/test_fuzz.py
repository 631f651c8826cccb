"""H01 over the kernel's own routes, with a control that must be seen; H03: what is too large, too deep, too many."""

import tracemalloc

import pytest

from shared.http.context import Context
from shared.http.router import Router
from tests.client import Client
from tests.http.builders import FakeApp, Kernel, a_kernel, a_router, seed
from tests.http.fuzz import fuzz

SEED = 20260115
MIB = 2**20


def clients(kernel: Kernel) -> list[Client]:
    """Return a client of each kind, most of them allowed everything."""
    return [kernel.client, kernel.as_("expired"), kernel.as_("viewer"), *[kernel.as_("admin")] * 6]


def test_no_input_makes_a_failure_of_ours() -> None:
    kernel = a_kernel()
    seed(kernel, 20)
    ids = [f"thg_{number:04d}" for number in range(1, 21)]

    seen = fuzz([a_router()], clients(kernel), seed=SEED, count=3000, known_ids=ids)

    assert seen.faults == []
    assert {200, 201, 400, 401, 403, 404, 405, 409, 412, 415, 422} <= set(seen.statuses)


def test_control_a_route_that_raises_is_seen() -> None:
    router = Router("control")

    @router.post("/api/v1/control", access="public")
    def fragile(ctx: Context[FakeApp]) -> dict[str, int]:
        """Fail for some header."""
        return {"length": int(ctx.header("Accept") or "0")}

    kernel = a_kernel([router])

    seen = fuzz([router], [kernel.client], seed=SEED, count=500)

    assert {fault.reason for fault in seen.faults} == {"a failure of ours"}


class Endless:
    """A body without end or announced length, counting what is read of it."""

    def __init__(self) -> None:
        """Nothing read yet."""
        self.read_bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Return as much as is asked for."""
        size = 65536 if size < 0 else size
        self.read_bytes += size
        return b" " * size

    readline = read


def test_an_announced_body_that_is_too_long_is_refused_unread() -> None:
    kernel = a_kernel()

    answer = kernel.as_("operator").post("/api/v1/things", b"{}", headers={"Content-Length": str(33 * MIB)})

    assert (answer.status, answer.problem) == (413, "PayloadTooLarge")


@pytest.mark.parametrize(
    ("connection", "length", "read"), [("close", 3 * MIB, 3 * MIB), ("keep-alive", 3 * MIB, 0), ("close", 65 * MIB, 0)]
)
def test_a_client_that_closes_may_send_what_is_refused_and_gets_the_answer(
    connection: str, length: int, read: int
) -> None:
    from flask import Request

    kernel, body = a_kernel(), Endless()
    environ = kernel.client._environ("POST", "/api/v1/things", "", b"")
    environ |= {"wsgi.input": body, "CONTENT_TYPE": "application/json"}
    environ |= {"CONTENT_LENGTH": str(length), "HTTP_CONNECTION": connection}

    response = kernel.handle(Request(environ))

    assert (response.status_code, body.read_bytes) == (413, read)


def test_an_endless_body_is_refused_after_a_megabyte() -> None:
    from flask import Request

    kernel, body = a_kernel(), Endless()
    environ = kernel.client._environ("POST", "/api/v1/things", "", b"")
    environ |= {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_TYPE": "application/json"}
    del environ["CONTENT_LENGTH"]
    tracemalloc.start()

    response = kernel.handle(Request(environ))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert response.status_code == 413
    assert response.is_streamed
    assert body.read_bytes <= 2 * MIB
    assert peak < 8 * MIB


def test_a_body_that_ends_early_is_400() -> None:
    answer = a_kernel().as_("operator").post("/api/v1/things", b"{}", headers={"Content-Length": "100"})

    assert (answer.status, answer.problem) == (400, "BadRequest")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/v1/things?search={'x' * 70_000}", 414),
        (f"/api/v1/things/{'x' * 70_000}", 414),
        ("/api/v1/things?" + "&".join(f"a{number}=1" for number in range(10_000)), 414),
        ("/api/v1/things?" + "&".join(f"a{number}=" for number in range(101)), 400),
    ],
)
def test_what_is_too_long_or_too_many_is_refused(path: str, status: int) -> None:
    assert a_kernel().as_("viewer").get(path).status == status


def test_long_headers_are_harmless() -> None:
    client = a_kernel().as_("operator")
    long = "x" * 70_000

    statuses = [
        client.post("/api/v1/things", {}, headers={name: long}).status
        for name in ("Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID", "X-Forwarded-For", "Origin")
    ]

    assert statuses == [400, 400, 201, 201, 201, 201]
    assert client.as_(f"Bearer {long}").get("/api/v1/things").status == 401
