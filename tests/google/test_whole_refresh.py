"""A whole refresh through the real clients at once: Firestore, BigQuery and Cloud Tasks, each against its stand-in."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from shared.adapters.cloud_tasks import CloudTasks, Target
from shared.core.clock import ManualClock
from shared.oos.source import Fate
from shared.oos.warehouse import oos_tables
from shared.ports.documents import Documents
from shared.ports.warehouse import Named
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


def _refreshed(world: World, engine: CloudTasksEngine) -> str:
    """Run one refresh by what the queue delivers; return how it ended."""
    job_id = world.trigger()
    for _ in range(50):
        if (due := engine.next_due()) is None:
            break
        world.clock.advance(max(0.0, (due - world.clock.now()).total_seconds()))
        engine.run_due()
    assert engine.next_due() is None
    return world.refreshes.run("run_" + job_id.partition("_")[2]).status


def _history(world: World, folder: Path) -> dict[str, bool]:
    """Return which orders the warehouse holds, and whether each is resolved."""
    path = folder / "history.sql"
    path.write_text(
        "SELECT order_id AS order_id, resolved_at IS NOT NULL AS resolved FROM {lines} "
        "WHERE opened_at >= TIMESTAMP '2000-01-01 00:00:00+00' ORDER BY order_id, resolved"
    )
    rows = world.warehouse.query(Named(path, {"lines": oos_tables().lines["shipbob"]}), {}).rows
    assert len(rows) == len({row["order_id"] for row in rows})
    return {row["order_id"]: row["resolved"] for row in rows}


@on_stores("firestore-server", "firestore-emulator")
def test_refreshes_on_google_alone_are_published_kept_and_resolved(documents: Documents, tmp_path: Path) -> None:
    clock, worlds, source = ManualClock(), list[World](), ScriptedSource(page_size=2)
    source.orders = {f"o{number}": an_order(f"o{number}") for number in range(5)}
    engine = CloudTasksEngine(clock, lambda _, __: "token")
    with BigQueryServer().running() as bigquery, _worker(worlds) as url, running_cloud_tasks(engine) as client:
        tasks = CloudTasks(PARENT, Target(url, url, "invoker@test"), client)
        warehouse = a_warehouse(bigquery, clock)
        world = World(documents, source=source, warehouse=warehouse, clock=clock, tasks=tasks)  # type: ignore[arg-type]
        worlds.append(world)
        ends = [_refreshed(world, engine)]
        first = set(world.seen() or {}), _history(world, tmp_path)
        del source.orders["o0"]
        source.fates["o0"] = Fate.SHIPPED
        clock.advance(900)
        ends.append(_refreshed(world, engine))
        second = set(world.seen() or {}), _history(world, tmp_path)
        warehouse.close()

    assert ends == ["succeeded", "succeeded"]
    assert first == ({"o0", "o1", "o2", "o3", "o4"}, {f"o{number}": False for number in range(5)})
    assert second == ({"o1", "o2", "o3", "o4"}, {f"o{number}": number == 0 for number in range(5)})
