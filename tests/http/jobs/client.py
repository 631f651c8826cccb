"""The functions `jobs` and `worker` behind the real kernel, in this process, with a kind of job made for the test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from functions.jobs import routes as jobs
from functions.worker import routes as worker
from shared.adapters.local_queue import Claimed, Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.app import App
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.serve import as_wsgi, serve
from shared.identity.tokens import Realm, TokenMint
from shared.jobs.kinds import Continue, Done, Step
from shared.jobs.models import Job
from tests.unit.jobs.world import OPERATOR, a_kind

__all__ = ["Api"]

ENVIRONMENT = {
    "STORE_URL": "sqlite:///:memory:",
    "SHIPBOB_API_TOKEN": "token",
    **dict.fromkeys(("RATE_LIMIT_IP", "RATE_LIMIT_USER", "RATE_LIMIT_LOGIN"), "0"),
}


class Api:
    """A client of both functions, and what stands behind them."""

    def __init__(self, folder: Path, handler: Callable[[Step], Done | Continue] = lambda _: Done({"ok": True})) -> None:
        """Start empty, with the job type `count`."""
        self.clock = ManualClock()
        self.app = App(Settings.from_env(ENVIRONMENT | {"DATA_DIR": str(folder)}), self.clock)
        vars(self.app)["job_kinds"] = {**self.app.job_kinds, "count": a_kind(handler)}
        self._client = Client(as_wsgi(serve([jobs.router, worker.router], lambda: self.app)))

    def send(self, method: str, path: str, who: str | None = "operator", **options: Any) -> TestResponse:
        """Send one request as a demo user (or `queue`, or nobody)."""
        headers = options.pop("headers", {})
        if who:
            headers = {"Authorization": f"Bearer {self._token(who)}"} | headers
        return self._client.open(path, method=method, headers=headers, **options)

    def start(self, subject: str = "one", **given: Any) -> Job:
        """Start a job of the type `count`."""
        return self.app.jobs.start("count", subject, given, OPERATOR).job

    def run(self) -> list[TestResponse]:
        """Deliver what is due through the worker's route; return its answers."""
        answers: list[TestResponse] = []

        def deliver(claimed: Claimed) -> Called:
            path = f"/internal/tasks/{claimed.task.kind}"
            answers.append(self.send("POST", path, "queue", json=dict(claimed.task.payload)))
            wait = answers[-1].headers.get("Retry-After")
            return Called(answers[-1].status_code, float(wait) if wait else None)

        Dispatcher(self.app.local_tasks, deliver, self.clock).run_due()
        return answers

    def _token(self, who: str) -> str:
        if who == "queue":
            return self.app.local_invoker.token()
        mint = TokenMint(lambda: self.app.signing_key, Realm(), self.clock, self.app.ids)
        return mint.mint(Caller(user_id=f"usr_{who}", username=who, role=Role(who)))
