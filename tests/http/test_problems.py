"""One shape for every error, and the contract's order of checks."""

import pytest

from shared.core import errors
from shared.core.errors import PROBLEMS, FieldError, Problem, Transient, Unauthenticated
from shared.http.context import Context
from shared.http.router import Router
from tests.http.builders import FakeApp, a_kernel

SECRET = "canary-4711"
ROUTER_PATH = "/api/v1/raise/{name}"


def raising(error: Exception) -> Router:
    """Return a route that raises."""
    router = Router("raising")

    @router.get("/api/v1/raise", "/legacy/raise", access="public", reshape=lambda body: {"message": body["detail"]})
    def handler(ctx: Context[FakeApp]) -> None:
        """Raise."""
        raise error

    return router


@pytest.mark.parametrize("name", sorted(PROBLEMS))
def test_every_problem_has_the_one_shape(name: str) -> None:
    problem = PROBLEMS[name]("Some detail.", current="made")

    answer = a_kernel([raising(problem)]).client.get("/api/v1/raise")

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json == {
        "type": f"/problems/{name}",
        "title": problem.title,
        "error": problem.title,
        "status": problem.status,
        "detail": "Some detail.",
        "instance": "/api/v1/raise",
        "request_id": answer.headers["X-Request-ID"],
        "current": "made",
    }
    assert answer.status == problem.status


def test_every_class_of_the_contract_is_known_by_name() -> None:
    members = {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}

    assert members - {"FieldError", "Problem", "Transient", "Terminal"} == set(PROBLEMS)
    assert issubclass(PROBLEMS["NotFound"], Problem)


def test_field_errors_and_headers_of_a_problem_are_sent() -> None:
    refused = Unauthenticated("No.", errors=(FieldError("header:Authorization", "token_reused", "No."),))

    answer = a_kernel([raising(refused)]).client.get("/api/v1/raise")

    assert answer.codes == [("header:Authorization", "token_reused")]
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="onhand"'


def test_a_bug_is_a_500_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    answer = a_kernel([raising(RuntimeError(SECRET))]).client.get("/api/v1/raise")

    assert (answer.status, answer.problem) == (500, "InternalError")
    assert SECRET not in answer.body.decode()
    assert [record.message for record in caplog.records if record.exc_info] == ["a request ended in a bug"]


@pytest.mark.parametrize(("wait_s", "told"), [(None, "1"), (0.2, "1"), (12.5, "13"), (86_400.0, "600")])
def test_trouble_of_a_backend_is_503_with_the_wait(wait_s: float | None, told: str) -> None:
    trouble = Transient("down", SECRET, wait_s=wait_s)

    answer = a_kernel([raising(trouble)]).client.get("/api/v1/raise")

    assert (answer.status, answer.problem, answer.headers["Retry-After"]) == (503, "Unavailable", told)
    assert SECRET not in answer.body.decode()


def test_legacy_paths_may_know_another_shape() -> None:
    client = a_kernel([raising(errors.NotFound("Gone."))]).client

    assert client.get("/legacy/raise").json == {"message": "Gone."}
    assert client.get("/api/v1/raise").json["detail"] == "Gone."


@pytest.mark.parametrize(
    ("method", "path", "token", "body", "status"),
    [
        ("POST", "/api/v1/nothing", "", b"x" * 2_000_000, 404),
        ("PUT", "/api/v1/things", "", b"x" * 2_000_000, 405),
        ("POST", "/api/v1/things", "", b"[" * 2_000_000, 413),
        ("POST", f"/api/v1/things?x={'y' * 9000}", "", b"x", 414),
        ("POST", "/api/v1/things", "", b"not json", 401),
        ("POST", "/api/v1/things", "viewer", b"not json", 403),
        ("POST", "/api/v1/things?unknown=1", "operator", b"not json", 400),
        ("POST", "/api/v1/things?unknown=1", "operator", b"{}", 422),
        ("PATCH", "/api/v1/things/nope", "operator", b'{"name": 1}', 422),
        ("PATCH", "/api/v1/things/nope", "operator", b'{"version": 99}', 404),
    ],
)
def test_the_first_check_that_fails_answers(method: str, path: str, token: str, body: bytes, status: int) -> None:
    kernel = a_kernel()
    client = kernel.as_(token) if token else kernel.client

    answer = client.send(method, path, body)

    assert (answer.status, answer.json["status"]) == (status, status)
    assert kernel.app.documents.counts.writes == 0


def test_the_media_type_is_checked_before_the_caller_is() -> None:
    answer = a_kernel().client.post("/api/v1/things", b"a=1", headers={"Content-Type": "text/plain"})

    assert (answer.status, answer.headers["Accept"]) == (415, "application/json")


def test_the_rate_limit_comes_before_401() -> None:
    client = a_kernel(RATE_LIMIT_IP="1").client

    assert [client.get("/api/v1/things").status for _ in range(2)] == [401, 429]


@pytest.mark.parametrize(
    ("header", "code"), [(None, "missing"), ("Bearer expired", "expired"), ("Bearer nobody", "invalid")]
)
def test_bad_credentials_are_401_with_their_reason(header: str | None, code: str) -> None:
    kernel = a_kernel()
    client = kernel.client if header is None else kernel.client.as_(header)

    answer = client.get("/api/v1/things")

    assert (answer.status, answer.codes) == (401, [("header:Authorization", code)])
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="onhand"'


def test_a_stale_token_does_not_hinder_a_public_operation() -> None:
    assert a_kernel().client.as_("Bearer expired").get("/api/v1/sources/stord").status == 200


def test_internal_operations_take_only_the_platform() -> None:
    client = a_kernel().client
    headers: tuple[dict[str, str], ...] = (
        {},
        {"Authorization": "Bearer admin"},
        {"Authorization": "Bearer other-account"},
    )

    refused = [client.post("/internal/tasks/x", headers=each).status for each in headers]
    passed = client.post("/internal/tasks/x", headers={"Authorization": "Bearer platform"})

    assert refused == [401, 401, 403]
    assert (passed.status, passed.json) == (200, {"caller": "queue"})
