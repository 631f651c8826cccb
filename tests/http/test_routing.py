"""Paths, verbs, and the headers every answer has."""

from dataclasses import replace

import pytest

from shared.http.context import Context
from shared.http.router import Router
from shared.http.serve import serve
from shared.http.table import Table
from tests.http.builders import FakeApp, a_kernel, a_router, seed

EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Authorization, Origin",
}


def test_a_slash_at_the_end_is_ignored_without_redirect() -> None:
    client = a_kernel().as_("viewer")

    assert [client.get(path).status for path in ("/api/v1/things", "/api/v1/things/")] == [200, 200]
    assert client.get("/api/v1/things/special/").json == {"id": "special"}


def test_literal_segments_win_over_variables() -> None:
    assert a_kernel().as_("viewer").get("/api/v1/things/special").json == {"id": "special"}


def test_paths_are_case_sensitive() -> None:
    assert a_kernel().as_("viewer").get("/api/v1/Things").problem == "NotFound"


def test_a_variable_with_a_closed_set_of_words_makes_other_words_unknown_paths() -> None:
    client = a_kernel().client

    assert client.get("/api/v1/sources/stord").json["source"] == "stord"
    assert client.get("/api/v1/sources/other").problem == "NotFound"


def test_head_is_get_without_its_body() -> None:
    client = a_kernel().as_("viewer")
    whole, head = client.get("/api/v1/things/special"), client.send("HEAD", "/api/v1/things/special")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == whole.headers["Content-Length"] == str(len(whole.body))


def test_options_names_the_verbs() -> None:
    answer = a_kernel().client.send("OPTIONS", "/api/v1/things")

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert "Content-Type" not in answer.headers


def test_a_known_path_with_another_verb_is_405_with_allow() -> None:
    answer = a_kernel().client.put("/api/v1/things")

    assert (answer.status, answer.problem) == (405, "MethodNotAllowed")
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_an_unknown_path_is_404_for_every_verb() -> None:
    client = a_kernel().client

    assert [client.send(verb, "/nothing").problem for verb in ("GET", "POST", "OPTIONS", "BREW")] == ["NotFound"] * 4


@pytest.mark.parametrize("path", ["/", "/nothing", "/health", "/api/v1/things", "/api/v1/bytes"])
def test_every_answer_has_the_common_headers(path: str) -> None:
    answer = a_kernel().client.get(path)

    assert {name: answer.headers[name][: len(value)] for name, value in EVERYWHERE.items()} == EVERYWHERE
    assert answer.headers["X-Request-ID"].startswith("req_")
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_in_the_cloud_browsers_are_told_to_stay_with_tls_and_locally_not() -> None:
    kernel, sent = a_kernel(), []
    for in_cloud in (False, True):
        kernel.app.settings = replace(kernel.app.settings, in_cloud=in_cloud)
        answers = [kernel.client.get(path) for path in ("/health", "/nothing", "/api/v1/things")]
        sent += [answer.headers.get("Strict-Transport-Security") for answer in answers]

    assert sent == [None] * 3 + ["max-age=31536000"] * 3


def test_sign_in_is_never_stored_by_caches() -> None:
    assert a_kernel().client.post("/api/v1/auth/login").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"X-Request-ID": "abc.DEF_1-2"}, "abc.DEF_1-2"),
        ({"X-Correlation-ID": "corr-1"}, "corr-1"),
        ({"X-Request-ID": "one", "X-Correlation-ID": "two"}, "one"),
        ({"X-Request-ID": "not allowed", "X-Correlation-ID": "two"}, "two"),
    ],
)
def test_a_well_formed_request_id_is_echoed(sent: dict[str, str], expected: str) -> None:
    answer = a_kernel().client.get("/nothing", headers=sent)

    assert answer.headers["X-Request-ID"] == answer.json["request_id"] == expected


@pytest.mark.parametrize("sent", ["", "x" * 65, "a b", 'a"b', "\u00e9"])
def test_another_request_id_is_replaced(sent: str) -> None:
    assert a_kernel().client.get("/nothing", headers={"X-Request-ID": sent}).headers["X-Request-ID"].startswith("req_")


def test_a_trace_is_continued() -> None:
    client = a_kernel().client
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"

    assert client.get("/api/v1/sources/stord", headers={"traceparent": parent}).json["trace"] == parent
    cloud = client.get("/api/v1/sources/stord", headers={"X-Cloud-Trace-Context": f"{'ab' * 16}/255;o=1"})
    assert cloud.json["trace"] == f"00-{'ab' * 16}-{255:016x}-01"
    assert len(client.get("/api/v1/sources/stord", headers={"traceparent": "nonsense"}).json["trace"]) == len(parent)


def test_a_legacy_path_points_to_its_successor() -> None:
    kernel = a_kernel()
    seed(kernel, 3)
    client = kernel.as_("viewer")

    one = client.get("/api/things/thg_0001")
    page = client.get("/api/things", limit=1)
    refused = client.get("/api/things/nope")

    successor = '<{}>; rel="successor-version"'
    assert one.headers["Link"] == successor.format("/api/v1/things/thg_0001")
    assert page.headers["Link"].endswith(", " + successor.format("/api/v1/things"))
    assert refused.headers["Link"] == successor.format("/api/v1/things/nope")
    assert "Link" not in client.get("/api/v1/things/thg_0001").headers


def test_allowed_origins_may_read_and_others_get_no_cors_header() -> None:
    client = a_kernel(CORS_ORIGINS="https://shop.example").client

    mine = client.get("/health", headers={"Origin": "https://shop.example"})
    others = client.get("/health", headers={"Origin": "https://evil.example"})

    assert mine.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert mine.headers["Access-Control-Allow-Credentials"] == "true"
    assert "ETag" in mine.headers["Access-Control-Expose-Headers"]
    assert "Authorization" not in mine.headers["Access-Control-Expose-Headers"]
    assert [name for name in others.headers.keys() if name.startswith("Access-Control")] == []  # noqa: SIM118


def test_a_preflight_is_answered_with_what_is_allowed() -> None:
    client = a_kernel(CORS_ORIGINS="https://shop.example").client
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PATCH"}

    answer = client.send("OPTIONS", "/api/v1/things", headers=asked)

    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]


def test_two_operations_on_one_verb_and_path_are_refused() -> None:
    router = Router("twice")

    @router.get("/api/v1/a")
    @router.get("/api/v1/a")
    def handler(ctx: Context[FakeApp]) -> None:
        """Answer."""

    with pytest.raises(ValueError, match=r"GET /api/v1/a is declared twice: twice.handler and twice.handler"):
        serve([router], FakeApp)


def test_a_declaration_that_cannot_be_served_names_its_fault() -> None:
    router = Router("bad")

    with pytest.raises(TypeError, match=r"variables of /api/v1/a/\{other\}"):

        @router.get("/api/v1/a/{other}")
        def handler(ctx: Context[FakeApp], id: str) -> None:  # noqa: A002
            """Answer."""

    with pytest.raises(TypeError, match="docstring"):

        @router.get("/api/v1/b")
        def silent(ctx: Context[FakeApp]) -> None:
            pass

    with pytest.raises(TypeError, match="does not end with one"):

        @router.get("/api/v1/c/")
        def slash(ctx: Context[FakeApp]) -> None:
            """Answer."""

    @router.get("/api/v1/d")
    def query_of_text(ctx: Context[FakeApp], query: str) -> None:
        """Answer."""

    with pytest.raises(TypeError, match="pydantic models"):
        _ = router.operations[-1].query


def test_annotations_are_looked_up_in_the_named_modules_when_they_are_needed() -> None:
    router = Router("late", "shared.jobs.models")

    @router.get("/api/v1/late/{id}")
    def late(ctx: "Context[FakeApp]", id: "str", query: "WaitQuery") -> "Job":  # type: ignore[name-defined]  # noqa: A002, F821
        """Answer."""

    @router.get("/api/v1/unknown")
    def unknown(ctx: "Context[FakeApp]", query: "NoSuchModel") -> None:  # type: ignore[name-defined]  # noqa: F821
        """Answer."""

    known, other = router.operations
    assert known.arguments == {"id": str}
    assert [known.query and known.query.__name__, known.etag] == ["WaitQuery", True]
    with pytest.raises(NameError, match="NoSuchModel"):
        _ = other.query


def test_trace_is_refused_and_echoes_nothing() -> None:
    answer = a_kernel().as_("viewer").send("TRACE", "/api/v1/things", headers={"Cookie": "canary"})

    assert (answer.status, answer.problem) == (405, "MethodNotAllowed")
    assert b"canary" not in answer.body


def test_a_path_with_variables_is_matched_by_rules_that_build_nothing() -> None:
    """Werkzeug compiles two functions per rule to build paths; a start that needs one path made hundreds of them."""
    table = Table([a_router()])
    before = vars(table).copy()

    assert table.find("/api/v1/things") is not None
    assert "_dynamic" not in before
    assert "_dynamic" not in vars(table)
    found = table.find("/api/v1/things/one")
    assert found is not None
    assert found.arguments == {"thing_id": "one"}
    rules = list(table._dynamic.map.iter_rules())
    assert rules
    for rule in rules:
        with pytest.raises(NotImplementedError, match="only matched"):
            rule.build(dict.fromkeys(rule.arguments, "one"))
