"""The function `auth` behind its real kernel, in this process, on a database in memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from werkzeug.test import Client

from functions.auth import legacy, routes
from shared.app import App
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.serve import as_wsgi, serve
from shared.identity.passwords import Passwords
from tests.unit.identity.builders import CHEAP, PASSWORD

__all__ = ["PASSWORD", "Api"]

ENVIRONMENT = {
    "STORE_URL": "sqlite:///:memory:",
    "BASIC_AUTH_USERNAME": "feed",
    "BASIC_AUTH_PASSWORD": "feed-password-of-old",
    **dict.fromkeys(("RATE_LIMIT_IP", "RATE_LIMIT_USER", "RATE_LIMIT_LOGIN"), "0"),
}


class Api:
    """A client of the function, and what stands behind it."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Start with the demo users; hashing is cheap, everything else as composed."""
        self.clock = ManualClock()
        settings = Settings.from_env(ENVIRONMENT | {"DATA_DIR": str(folder)} | environment)
        self.app = App(settings, self.clock)
        vars(self.app)["identity"] = replace(self.app.identity, passwords=Passwords(CHEAP))
        self.app.identity.seed_demo_users(PASSWORD)
        self._client = Client(as_wsgi(serve([routes.router, legacy.router], lambda: self.app)))

    def send(self, method: str, path: str, token: str | None = None, **options: Any) -> Any:
        """Send one request, as the bearer of a token; return the test response (any, for its JSON is)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._client.open(path, method=method, headers=headers | options.pop("headers", {}), **options)

    def login(self, name: str = "operator", password: str = PASSWORD) -> dict[str, Any]:
        """Sign in and return the pair."""
        answer = self.send("POST", "/api/v1/auth/login", json={"username": name, "password": password})
        assert answer.status_code == 200, answer.text
        return cast("dict[str, Any]", answer.json)

    def token(self, name: str = "operator") -> str:
        """Sign in and return the access token."""
        return str(self.login(name)["access_token"])
