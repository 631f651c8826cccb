"""Every route of the product behind its real composition: H01 by fuzzing, T02 by the role matrix, T03 by a key too many."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from local.gateway import routers
from shared.app import App
from shared.http import bodies
from shared.http.bodies import read
from shared.http.openapi import document
from shared.http.serve import serve
from tests.client import Client
from tests.http.fuzz import fuzz
from tests.http.product import a_product, an_app, tokens
from tests.http.roles import matrix, wrong

SEED = 20260115
COUNT = 20_000
# Operations that check more than their declared access: METRICS_TOKEN, and accounts that are one's own.
OWN_CHECKS = {"meta.metrics_text", "auth.permissions", "auth.legacy_user", "auth.user"}


@pytest.fixture
def product(tmp_path: Path) -> dict[str, Client]:
    """Return a client for each kind of caller."""
    return a_product(tmp_path)


def test_no_input_makes_a_failure_of_ours(product: dict[str, Client]) -> None:
    clients = [product["none"], product["expired"], product["viewer"], *[product["admin"]] * 6]

    assert fuzz(routers(), clients, seed=SEED, count=COUNT).faults == []


def test_every_operation_answers_every_role_as_declared(product: dict[str, Client]) -> None:
    cells = list(matrix(routers(), product))

    print(f"{len(cells)} calls of {len({cell.operation for cell in cells})} operations")
    assert {cell.operation for cell in wrong(cells)} - OWN_CHECKS == set()


def test_knowing_the_caller_and_his_limits_reads_no_document(tmp_path: Path) -> None:
    app = an_app(tmp_path, RATE_LIMIT_USER="600", RATE_LIMIT_IP="100")
    app.identity.seed_demo_users("demo-password-1")
    anybody = Client(serve(routers(), lambda: app))
    admin = anybody.as_(f"Bearer {tokens(app)['admin']}")
    before = app.documents.counts.reads, app.documents.counts.writes

    statuses = [admin.get("/api/v1/auth/me").status for _ in range(20)]

    assert statuses == [200] * 20
    shown = 20  # the account itself, once for each answer
    assert (app.documents.counts.reads, app.documents.counts.writes) == (before[0] + shown, before[1])


def test_no_list_fails_at_a_page_beyond_the_offsets(product: dict[str, Client]) -> None:
    paged = {
        path: "per_page" if "per_page" in names and "limit" not in names else "limit"
        for path, place in document(routers())["paths"].items()
        if "page" in (names := {each["name"] for each in place.get("get", {}).get("parameters", [])})
    }

    seen = {
        path: product["admin"].get(f"{path.replace('{source}', 'stord')}?page=10000&{size}=1000").status
        for path, size in paged.items()
    }

    assert {"/api/orders", "/api/inventory", "/api/v1/products"} <= seen.keys()
    assert {path: status for path, status in seen.items() if status >= 500} == {}
    assert (seen["/api/orders"], seen["/api/inventory"]) == (422, 422)


def writing() -> list[tuple[str, str]]:
    """Return verb and path of every documented operation under /api/v1 that takes JSON."""
    return [
        (method.upper(), path)
        for path, place in document(routers())["paths"].items()
        for method, operation in place.items()
        if path.startswith("/api/v1") and "application/json" in operation.get("requestBody", {}).get("content", {})
    ]


def taken(app: App) -> list[tuple[str, str]]:
    """Send a key nobody names to every writing route; return the routes that do not refuse it for that."""
    app.identity.seed_demo_users("demo-password-1")
    admin = Client(serve(routers(), lambda: app)).as_(f"Bearer {tokens(app)['admin']}")
    sent = {
        (method, path): admin.send(method, path.replace("{source}", "stord"), {"owns_it_all": True})
        for method, path in writing()
    }
    return [
        route
        for route, answer in sent.items()
        if answer.status != 422 or ("/owns_it_all", "unknown_field") not in answer.codes
    ]


def test_no_route_takes_a_key_it_does_not_name(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.identity.seed_demo_users("demo-password-1")
    before = app.documents.counts.writes

    found = taken(app)

    print(f"{len(writing())} writing routes")
    assert found == []
    assert app.documents.counts.writes == before


def test_control_bodies_that_ignore_unknown_keys_are_found_on_every_route(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lax(model: type[BaseModel], body: bytes, *, legacy: bool) -> BaseModel:
        """Read every body as older paths do."""
        return read(model, body, legacy=True)

    monkeypatch.setattr(bodies, "read", lax)

    assert taken(an_app(tmp_path)) == writing()
