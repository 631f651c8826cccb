"""H02: schemathesis holds every operation against the OpenAPI document, in process, over a store with demo data.

Each operation gets inputs that fit its schema and inputs that do not. Checked: no status of 500 or more, only declared statuses,
media types and headers, answers that fit their schema, and bad input refused. Input that fits the schema may be refused for a
rule that JSON Schema cannot state; those rules are listed here, so that a schema which forgets something is seen.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from pydantic import BaseModel, Field, WithJsonSchema
from schemathesis.checks import CHECKS
from schemathesis.core.failures import Failure, FailureGroup

from local.demo.load import load
from local.gateway import routers
from shared.core.errors import ValidationFailed
from shared.http.context import Context
from shared.http.openapi import document
from shared.http.router import Raw, Reply, Router
from shared.http.serve import as_wsgi, serve
from tests.client import Client
from tests.faults.jobs.volume import sized
from tests.http.builders import FakeApp
from tests.http.product import an_app, tokens

SEED = 20260115
EXAMPLES = sized(5, 170)
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
)
RULES = {
    "control_character": "texts hold no control characters but newline and tab",
    "wrong_type": "JSON Schema takes 5.0 for an integer; the contract does not",
    "missing": "one of several names is needed, or a value that another one asks for",
    "conflicting_parameters": "only one of cursor, skip and page",
    "offset_too_large": "page times limit is bounded",
    "too_short": "lengths count without the blanks around a text",
    "stale": "a tag or a version comes from an answer",
    "too_long": "elements of a list count one by one",
    "bad_cursor": "a cursor comes from an answer",
    "reused": "a key belongs to its first payload",
    "end_before_start": "two values are compared",
    "before_start": "two values are compared",
    "too_many_decimals": "money has two decimals",
    "unknown": "a body names an object that does not exist",
    "unknown_field": "an object that is shown and taken is open in answers, closed in bodies",
    "not_allowed": "a value that fits only with another one",
    "required": "a patch cannot clear what a resource must have",
    "bad_credentials": "older clients know 422",
    "not_form": "each part of a form has a name",
    "taken": "a name is another one's; older clients know 422",
    "wrong_current": "a password is not the present one",
    "zero": "a change of nothing",
    "same_store": "two values must differ",
    "conflict": "two values must agree",
    "invalid": "a word out of a list that is longer than a schema should be",
    "common": "a password out of the list of common ones",
}
AT = {"/until": "out_of_range", "/ends_at": "out_of_range", "/redirect_uri": "bad_url"}
"""A time to come, compared with now; an address that is https unless it is local."""
FORMS = ("unknown_time_zone", "naive_time", "lone_surrogate")
PREFIXES = ("invalid_", "unknown_", "https_", "password_")
"""Formats that are said in words: e-mails, addresses, dates, currencies, countries, slugs, names of scopes and zones."""
NOWHERE = "http://127.0.0.1:9"
"""An address that the guard of outbound calls refuses, so that no socket is opened."""
NAMED = {"UrlNotAllowed", "IdempotencyKeyReused", "InsufficientData", "CredentialsRejected"}


class Held:
    """What a run saw."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []


def held(routers_: list[Router], app: Any, token: str, known: dict[str, str], examples: int) -> Held:
    """Send this many generated requests to each operation and return what did not fit the document."""
    schema = schemathesis.openapi.from_dict({**document(routers_), "security": []})
    schema.app = as_wsgi(serve(routers_, lambda: app))
    schema.config.base_url = "http://127.0.0.1"
    seen = Held()
    operations: list[Any] = list(schema.get_all_operations())
    for found in operations:
        _hold(found.ok(), {"Authorization": f"Bearer {token}"}, known, examples, seen)
    print(f"schemathesis: seed {SEED}, {dict(sorted(seen.statuses.items()))}, {len(seen.faults)} faults")
    return seen


def _hold(operation: Any, headers: dict[str, str], known: dict[str, str], examples: int, seen: Held) -> None:
    fitting = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    bending = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
    cases = fitting | bending if _takes_anything(operation) else fitting
    numbers: Iterator[int] = iter(range(10**6))

    @seed(SEED)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def send(case: Any) -> None:
        if next(numbers) % 2 and operation.path in known:
            case.path_parameters = {**case.path_parameters, "id": known[operation.path]}
        response = case.call(headers=headers)
        seen.statuses[response.status_code] += 1
        seen.faults += faults_of(operation.label, case, response)

    send()


def _takes_anything(operation: Any) -> bool:
    return bool(operation.path_parameters or operation.query or operation.headers or operation.body)


def faults_of(label: str, case: Any, response: Any) -> list[str]:
    try:
        case.validate_response(response, checks=CHECKS.get_by_names(list(CHECKED)))
    except (Failure, FailureGroup) as raised:
        failures = raised.exceptions if isinstance(raised, FailureGroup) else [raised]
        told = f"{response.status_code} {response.text[:500]}"
        return [f"{label}: {failure} {told}" for failure in failures if not _is_explained(failure, label, response)]
    return []


def _is_explained(failure: Any, label: str, response: Any) -> bool:
    """Say whether input that fits was refused for a listed rule, or input that does not fit for its length or by an older path."""
    name = type(failure).__name__
    if name == "AcceptedNegativeData":
        return response.status_code in {413, 414} or "/api/v1" not in label
    if name != "RejectedPositiveData":
        return False
    problem = response.json()
    if str(problem.get("type", "")).rpartition("/")[2] in NAMED:
        return True
    errors = problem.get("errors", problem.get("data", {}).get("errors", []))
    return bool(errors) and all(_is_a_rule(each["pointer"], each["code"]) for each in errors)


def _is_a_rule(pointer: str, code: str) -> bool:
    return code in RULES or code in FORMS or code.startswith(PREFIXES) or AT.get(pointer) == code


def known_ids(client: Client) -> dict[str, str]:
    """Return the id of something that exists, for each path that ends its first part with {id}."""
    paths = document(routers())["paths"]
    found: dict[str, str] = {}
    for path in paths:
        above, mark, _ = path.partition("/{id}")
        listed = client.get(above, limit=1) if mark and "{" not in above and "get" in paths.get(above, {}) else None
        rows = listed.json.get("items", []) if listed is not None and isinstance(listed.json, dict) else []
        if rows and "id" in rows[0]:
            found[path] = rows[0]["id"]
    return found


class Loose(BaseModel):
    """A query whose schema is narrower than what it takes."""

    count: Annotated[Any, WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 5})] = 0


class Told(BaseModel):
    """What the document says of an answer, and of a query."""

    count: int = Field(default=0, ge=0, le=5)


LIES = ("another-shape", "another-status", "another-type", "refused", "taken", "bugs")


def lying() -> Router:
    """Return one operation for each way not to keep what the document says."""
    router = Router("lies")

    @router.get("/api/v1/another-shape")
    def another_shape(ctx: Context[FakeApp]) -> Told:
        """Answer another type."""
        return Raw(b'{"count": "many"}')  # type: ignore[return-value]  # the lie

    @router.get("/api/v1/another-status")
    def another_status(ctx: Context[FakeApp]) -> Told:
        """Answer another status."""
        return Reply({"count": 1}, status=203)  # type: ignore[return-value]  # the lie

    @router.get("/api/v1/another-type")
    def another_type(ctx: Context[FakeApp]) -> Told:
        """Answer another media type."""
        return Raw(b"count", content_type="text/plain")  # type: ignore[return-value]  # the lie

    @router.get("/api/v1/refused")
    def refused(ctx: Context[FakeApp], query: Told) -> Told:
        """Refuse what fits the schema."""
        raise ValidationFailed.at("query:count", "odd", "Not today.")

    @router.get("/api/v1/taken")
    def taken(ctx: Context[FakeApp], query: Loose) -> Told:
        """Take what does not fit the schema."""
        return Told()

    @router.get("/api/v1/bugs")
    def bugs(ctx: Context[FakeApp]) -> Told:
        """Fail."""
        raise RuntimeError("a bug")

    return router


@pytest.mark.serial
def test_every_operation_keeps_what_the_document_says(tmp_path: Path) -> None:
    app = an_app(tmp_path, BIGBUY_BASE_URL=NOWHERE, ALIEXPRESS_BASE_URL=NOWHERE)
    app.identity.seed_demo_users("demo-password-1")
    load(app)
    token = tokens(app)["admin"]
    known = known_ids(Client(serve(routers(), lambda: app)).as_(f"Bearer {token}"))
    assert "/api/v1/products/{id}" in known

    assert held(routers(), app, token, known, EXAMPLES).faults == []


def test_control_a_document_that_says_something_else_is_seen() -> None:
    seen = held([lying()], FakeApp(), "viewer", {}, 6)

    assert {fault.partition(":")[0] for fault in seen.faults} == {f"GET /api/v1/{each}" for each in LIES}
