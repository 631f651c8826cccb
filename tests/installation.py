"""A whole installation in one process on virtual time: the real application, real simulators on sockets, no waiting.

Tasks are carried out in the caller's thread by the real dispatcher; HTTP goes through the real kernel.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from local import gateway
from local.simulators import Options, ShipBob, Simulator, Stord
from shared.adapters.local_queue import Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.tasks import Claimed
from shared.app import App
from shared.core.caller import SYSTEM
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.oos.rules import line_id

__all__ = ["Installation", "installed"]

PASSWORD = "demo-password-1"
_RETRIES_S = 40_000.0
_STEP_S = 30.0


class Installation:
    """One merchant's Onhand with both 3PLs."""

    def __init__(self, folder: Path, clock: ManualClock, simulators: dict[str, Simulator], **variables: str) -> None:
        """Wire it; nothing has been refreshed yet."""
        self.clock, self.simulators = clock, simulators
        self.shipbob, self.stord = simulators["shipbob"], simulators["stord"]
        given = {"DATA_DIR": str(folder), "BASIC_AUTH_USERNAME": "demo", "BASIC_AUTH_PASSWORD": PASSWORD}
        for simulator in simulators.values():
            given |= simulator.settings()
        given["FETCH_ALLOW_HOSTS"] = ",".join(f"127.0.0.1:{simulator.port}" for simulator in simulators.values())
        limits = dict.fromkeys(("IP", "USER", "LOGIN", "REFRESH", "COSTLY"), "0")
        given |= {f"RATE_LIMIT_{name}": value for name, value in limits.items()}
        self.app = App(Settings.from_env(given | variables), clock)
        self.http = Client(gateway.wsgi(lambda: self.app))
        self._dispatcher = Dispatcher(self.app.local_tasks, self._deliver, clock)

    def refresh(self, source: str, *, accept_drop: bool = False) -> dict[str, Any]:
        """Refresh a source to its end, retries and all; return the run."""
        started = self.app.refreshes.start(source, SYSTEM, accept_drop=accept_drop)[0]
        self.finish(started.job.id)
        run = self.app.refreshes.run("run_" + started.job.id.partition("_")[2])
        return run.model_dump(mode="json")

    def finish(self, job_id: str) -> None:
        """Let a job come to its end, moving time on while it waits for another attempt."""
        waited = 0.0
        while waited < _RETRIES_S:
            self._dispatcher.run_due()
            if self.app.jobs.get(job_id).finished_at is not None:
                return
            self.clock.advance(_STEP_S)
            waited += _STEP_S
        message = f"job {job_id} does not end"
        raise AssertionError(message)

    def get(self, path: str, **headers: str) -> Any:
        """Read a path as the Basic pair."""
        return self.http.get(path, auth=("demo", PASSWORD), headers=headers)

    def held(self, source: str) -> set[tuple[str, str]]:
        """Return the published open set: grain and reason of every held line."""
        return {(line["line_id"], line["reason"]) for row in self._open(source) for line in row["lines"]}

    def open_ids(self, source: str) -> set[str]:
        """Return the ids of the open orders."""
        return {row["order_id"] for row in self._open(source)}

    def truth(self, source: str) -> set[tuple[str, str]]:
        """Return what the simulator's world says is held, at the same grain."""
        return {
            (line_id(source, entry["order_id"], entry["shipment_id"].strip("-"), entry["item"]), entry["reason"])
            for entry in self.simulators[source].truth()
        }

    def _open(self, source: str) -> list[dict[str, Any]]:
        current = self.app.snapshots.current(source)
        return [row for row in current.loaded.rows if row["state"] == "open"] if current.loaded else []

    def _deliver(self, claimed: Claimed) -> Called:
        answer = self.app.job_runner.deliver(claimed.task.kind, dict(claimed.task.payload))
        wait = answer.headers.get("Retry-After")
        return Called(answer.status, float(wait) if wait else None)


@contextmanager
def installed(folder: Path, *, size: int = 400, seed: int = 5, **variables: str) -> Iterator[Installation]:
    """Run an installation with small simulators."""
    clock = ManualClock()
    options = Options(seed=seed, size=size)
    with ShipBob(clock, options) as shipbob, Stord(clock, options) as stord:
        made = Installation(folder, clock, {"shipbob": shipbob, "stord": stord}, **variables)
        try:
            yield made
        finally:
            made.app.close()
