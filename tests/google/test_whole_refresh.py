"""A whole refresh through the real clients at once: Firestore, BigQuery and Cloud Tasks, each against its stand-in."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from shared.adapters.cloud_tasks import CloudTasks, Target
from shared.core.clock import ManualClock
from shared.ports.documents import Documents
from tests.faults.refresh.harness import ScriptedSource, World
from tests.google.bigquery.server import BigQueryServer
from tests.google.bigquery.talking import a_warehouse
from tests.google.tasks.engine import PARENT, CloudTasksEngine, running_cloud_tasks
from tests.stores import on_stores
from tests.unit.oos.builders import an_order


@contextmanager
def _worker(worlds: list[World]) -> Iterator[str]:
    """Serve the task route of the first world on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = worlds[0].runner.deliver(self.path.rpartition("/")[2], body)
            self.send_response(answer.status)
            for name, value in {"Content-Length": "0", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@on_stores("firestore-server", "firestore-emulator")
def test_a_refresh_on_google_alone_is_published_and_kept(documents: Documents) -> None:
    clock, worlds, source = ManualClock(), list[World](), ScriptedSource(page_size=2)
    source.orders = {f"o{number}": an_order(f"o{number}") for number in range(5)}
    engine = CloudTasksEngine(clock, lambda _, __: "token")
    with BigQueryServer().running() as bigquery, _worker(worlds) as url, running_cloud_tasks(engine) as client:
        tasks = CloudTasks(PARENT, Target(url, url, "invoker@test"), client)
        warehouse = a_warehouse(bigquery, clock)
        world = World(documents, source=source, warehouse=warehouse, clock=clock, tasks=tasks)  # type: ignore[arg-type]
        worlds.append(world)
        job_id = world.trigger()
        for _ in range(50):
            if (due := engine.next_due()) is None:
                break
            clock.advance(max(0.0, (due - clock.now()).total_seconds()))
            engine.run_due()
        run = world.refreshes.run("run_" + job_id.partition("_")[2]).model_dump(mode="json")
        seen = world.seen()
        warehouse.close()

    assert run["status"] == "succeeded"
    assert set(seen or {}) == {f"o{number}" for number in range(5)}
    assert engine.next_due() is None
