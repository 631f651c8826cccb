"""Queue, schedule calls, kernel and jobs together over real sockets, in threads, as in the local run."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from functions.jobs import routes as jobs
from functions.worker import routes as worker
from shared.adapters.local_queue import Dispatcher, HttpCalls
from shared.app import App
from shared.core.clock import SystemClock
from shared.core.settings import Settings
from shared.http.serve import as_wsgi, serve
from shared.jobs.kinds import Continue, Done, Step
from shared.ports.schedules import Schedule
from tests.http.jobs.client import ENVIRONMENT
from tests.unit.jobs.world import OPERATOR, a_kind


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Compose the application over files, with a job type that takes three deliveries."""
    environment = ENVIRONMENT | {"DATA_DIR": str(tmp_path), "STORE_URL": f"sqlite:///{tmp_path}/onhand.db"}
    app = App(Settings.from_env(environment), SystemClock())
    vars(app)["job_kinds"] = {**app.job_kinds, "count": a_kind(_in_three)}
    return app


@pytest.fixture
def calls(app: App) -> Iterator[HttpCalls]:
    """Serve both functions on a free port; give what calls them."""
    server = make_server("127.0.0.1", 0, as_wsgi(serve([jobs.router, worker.router], lambda: app)), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield HttpCalls(f"http://127.0.0.1:{server.port}", app.local_invoker.token)
    server.shutdown()
    thread.join()
    server.server_close()


def test_jobs_run_to_their_end_over_http(app: App, calls: HttpCalls) -> None:
    dispatcher = Dispatcher(app.local_tasks, calls.task, app.clock)
    dispatcher.start()
    started = [app.jobs.start("count", str(number), {}, OPERATOR).job for number in range(12)]

    drained = dispatcher.drain(20)
    dispatcher.stop()

    ends = [app.jobs.get(job.id) for job in started]
    assert drained
    assert {(end.status, end.items_processed) for end in ends} == {("succeeded", 3)}


def test_a_slot_reaches_the_worker_and_starts_its_job_once(app: App, calls: HttpCalls) -> None:
    slot = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)

    answers = [calls.slot(Schedule("refresh", "*/15 * * * *"), slot).status for _ in range(3)]

    assert answers == [202, 202, 202]
    assert app.jobs.stats().by_type == {"refresh-source": {"queued": 1}}


def _in_three(step: Step) -> Done | Continue:
    done = (step.cursor or 0) + 1
    step.checkpoint(cursor=done, progress=(done, 3, None))
    return Done() if done == 3 else Continue()
