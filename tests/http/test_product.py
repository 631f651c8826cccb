"""Every route of the product behind its real composition: H01 by fuzzing, T02 by the role matrix, the API document."""

from pathlib import Path

import pytest

from local.gateway import routers
from shared.app import App
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.serve import serve
from shared.identity.tokens import LIFE_S, Realm, TokenMint
from shared.ports.documents import Query
from tests.client import Client
from tests.http.builders import UNLIMITED
from tests.http.fuzz import fuzz
from tests.http.roles import ANYBODY, matrix, wrong

SEED = 20260115
COUNT = 10_000
# Operations that check more than their declared access: METRICS_TOKEN, and accounts that are one's own.
OWN_CHECKS = {"meta.metrics_text", "auth.permissions", "auth.legacy_user", "auth.user"}


@pytest.fixture
def product(tmp_path: Path) -> dict[str, Client]:
    """Return a client for each kind of caller."""
    clock = ManualClock()
    environment = {
        **UNLIMITED,
        "RATE_LIMIT_REFRESH": "0",
        "STORE_URL": "sqlite:///:memory:",
        "WAREHOUSE_URL": f"duckdb:///{tmp_path}/warehouse.duckdb",
        "DATA_DIR": str(tmp_path),
    }
    app = App(Settings.from_env(environment), clock)
    realm = Realm(app.settings.auth_issuer, app.settings.auth_audience)
    mint = TokenMint(lambda: app.signing_key, realm, clock, app.ids)
    app.identity.seed_demo_users("demo-password-1")
    callers = {
        user.data["role"]: Caller(user.key.id, user.data["username"], Role(user.data["role"]))
        for user in app.store.query(Query("users"))
    }
    expired = mint.mint(callers["admin"])
    clock.advance(LIFE_S + 60)
    handle = serve(routers(), lambda: app)
    tokens = {role: mint.mint(caller) for role, caller in callers.items()} | {"expired": expired}
    anybody = Client(handle)
    return {who: anybody.as_(f"Bearer {tokens[who]}") if who in tokens else anybody for who in ANYBODY}


def test_no_input_makes_a_failure_of_ours(product: dict[str, Client]) -> None:
    clients = [product["none"], product["expired"], product["viewer"], *[product["admin"]] * 6]

    assert fuzz(routers(), clients, seed=SEED, count=COUNT).faults == []


def test_every_operation_answers_every_role_as_declared(product: dict[str, Client]) -> None:
    cells = list(matrix(routers(), product))

    print(f"{len(cells)} calls of {len({cell.operation for cell in cells})} operations")
    assert {cell.operation for cell in wrong(cells)} - OWN_CHECKS == set()
