"""The whole product behind its real composition, with a client for each kind of caller."""

from pathlib import Path
from typing import cast

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

__all__ = ["a_product", "an_app", "tokens"]


def an_app(folder: Path, **environment: str) -> App:
    """Return the product's application on an empty store in memory, without limits."""
    settings = {
        **UNLIMITED,
        "RATE_LIMIT_REFRESH": "0",
        "STORE_URL": "sqlite:///:memory:",
        "WAREHOUSE_URL": f"duckdb:///{folder}/warehouse.duckdb",
        "DATA_DIR": str(folder),
        **environment,
    }
    return App(Settings.from_env(settings), ManualClock())


def tokens(app: App) -> dict[str, str]:
    """Return an access token of the demo user of each role."""
    realm = Realm(app.settings.auth_issuer, app.settings.auth_audience)
    mint = TokenMint(lambda: app.signing_key, realm, app.clock, app.ids)
    users = [
        Caller(user.key.id, user.data["username"], Role(user.data["role"])) for user in app.store.query(Query("users"))
    ]
    return {user.role.value: mint.mint(user) for user in users if user.role is not None}


def a_product(folder: Path) -> dict[str, Client]:
    """Return a client for each kind of caller, over the whole product on an empty store."""
    app = an_app(folder)
    app.identity.seed_demo_users("demo-password-1")
    expired = tokens(app)["admin"]
    cast("ManualClock", app.clock).advance(LIFE_S + 60)
    handle = serve(routers(), lambda: app)
    tokens_ = tokens(app) | {"expired": expired}
    anybody = Client(handle)
    return {who: anybody.as_(f"Bearer {tokens_[who]}") if who in tokens_ else anybody for who in ANYBODY}
