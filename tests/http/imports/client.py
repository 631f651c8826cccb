"""Imports over HTTP against the simulated shop, in this process, on virtual time."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

from local import gateway
from local.simulators import Options, Shop
from shared.adapters.local_queue import Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.tasks import Claimed
from shared.app import App
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.ports.documents import Query, Stored

__all__ = ["Imports", "importing"]

PASSWORD = "demo-password-1"
_LIMITS = dict.fromkeys(("IP", "USER", "LOGIN", "REFRESH", "COSTLY"), "0")


class Imports:
    """An installation that imports, and the shop it imports from."""

    def __init__(self, folder: Path, shop: Shop, clock: ManualClock, **variables: str) -> None:
        """Wire it; nothing has been imported."""
        self.shop, self.clock = shop, clock
        given = {
            "DATA_DIR": str(folder),
            "BASIC_AUTH_USERNAME": "demo",
            "BASIC_AUTH_PASSWORD": PASSWORD,
            "BASIC_AUTH_ROLE": "manager",
            **{f"RATE_LIMIT_{name}": value for name, value in _LIMITS.items()},
            **shop.settings(),
        }
        self.app = App(Settings.from_env(given | variables), clock)
        self.http = Client(gateway.wsgi(lambda: self.app))
        self._dispatcher = Dispatcher(self.app.local_tasks, self.deliver, clock)

    def post(self, path: str, **options: Any) -> TestResponse:
        """Send a request below /api/v1."""
        return self.http.post(f"/api/v1{path}", auth=("demo", PASSWORD), **options)

    def get(self, path: str) -> Any:
        """Return what a path below /api/v1 answers."""
        return self.http.get(f"/api/v1{path}", auth=("demo", PASSWORD)).json

    def upload(self, data: bytes, name: str = "feed.csv", **fields: str) -> dict[str, Any]:
        """Upload a file and carry it out; return the import."""
        return self.carried_out(self.send(data, name, **fields))

    def send(self, data: bytes, name: str = "feed.csv", **fields: str) -> TestResponse:
        """Upload a file."""
        return self.post("/imports", data={"file": (io.BytesIO(data), name), **fields})

    def feed(self, path: str, **options: Any) -> dict[str, Any]:
        """Import a file of the shop; return the import."""
        return self.scrape("feed", feed_url=self.shop.origin + path, **options)

    def scrape(self, what: str, **options: Any) -> dict[str, Any]:
        """Start a scraping operation and carry it out; return the import."""
        return self.carried_out(self.post(f"/scraping/{what}", json=options))

    def carried_out(self, answer: TestResponse) -> dict[str, Any]:
        """Let an accepted import come to its end; return it."""
        assert answer.status_code == 202, answer.json
        assert answer.json is not None
        self.finish(answer.json["job_id"])
        found: dict[str, Any] = self.get(f"/imports/{answer.json['import_id']}")
        return found

    def act(self, run: dict[str, Any], verb: str) -> dict[str, Any]:
        """Apply or undo an import to the end; return it."""
        return self.carried_out(self.post(f"/imports/{run['id']}/{verb}"))

    def finish(self, job_id: str) -> dict[str, Any]:
        """Let a job come to its end, moving time on while it waits."""
        for _ in range(2000):
            self._dispatcher.run_due()
            job: dict[str, Any] = self.get(f"/jobs/{job_id}")
            if job["finished_at"] is not None:
                return job
            self.clock.advance(30)
            self.app.jobs.sweep()
        message = f"job {job_id} does not end"
        raise AssertionError(message)

    def diff(self, run: dict[str, Any], query: str = "limit=1000") -> list[dict[str, Any]]:
        """Return the rows of a diff."""
        rows: list[dict[str, Any]] = self.get(f"/imports/{run['id']}/diff?{query}")["items"]
        return rows

    def products(self) -> dict[str, dict[str, Any]]:
        """Return every product by SKU, as stored, with its stock."""
        found: list[Stored] = self.app.store.query(Query("products", limit=1000))
        sums = self.app.sums.of(stored.key.id for stored in found)
        return {
            stored.data["sku"]: {**stored.data, "id": stored.key.id, "stock": sums[stored.key.id]["current_stock"]}
            for stored in found
        }

    def movements(self) -> list[dict[str, Any]]:
        """Return the whole ledger."""
        return [stored.data for stored in self.app.store.query(Query("movements", limit=5000))]

    def deliver(self, claimed: Claimed) -> Called:
        """Carry out one task."""
        answer = self.app.job_runner.deliver(claimed.task.kind, dict(claimed.task.payload))
        wait = answer.headers.get("Retry-After")
        return Called(answer.status, float(wait) if wait else None)


@contextmanager
def importing(folder: Path, **variables: str) -> Iterator[Imports]:
    """Run an installation with its shop."""
    clock = ManualClock()
    with Shop(clock, Options(slow_s=0.2)) as shop:
        made = Imports(folder, shop, clock, **variables)
        try:
            yield made
        finally:
            made.app.close()
