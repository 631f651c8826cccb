"""The whole product behind its real composition, with a client for each kind of caller."""

from pathlib import Path

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
from tests.http.roles import ANYBODY

__all__ = ["a_product"]


def a_product(folder: Path) -> dict[str, Client]:
    """Return a client for each kind of caller, over the whole product on an empty store."""
    clock = ManualClock()
    environment = {
        **UNLIMITED,
        "RATE_LIMIT_REFRESH": "0",
        "STORE_URL": "sqlite:///:memory:",
        "WAREHOUSE_URL": f"duckdb:///{folder}/warehouse.duckdb",
        "DATA_DIR": str(folder),
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
