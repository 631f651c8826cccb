"""One refresh of one source in a process of its own: `python -m bench.one_refresh DATA_DIR`, the vendor's settings on stdin.

Prints what it took as JSON: seconds in all, seconds spent waiting for the source (its answers, and the pace it asks for),
seconds of CPU, the peak of memory, and the run's counts.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from shared.adapters.local_queue import Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.tasks import Claimed
from shared.app import App
from shared.core.caller import SYSTEM
from shared.core.clock import SystemClock
from shared.core.settings import Settings
from shared.ports.fetch import Fetch, Request, Response

__all__ = ["main"]


class Watch:
    """Counts the seconds spent inside it."""

    def __init__(self) -> None:
        """Begin at none."""
        self.seconds = 0.0
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began


class TimedResponse:
    """An answer whose reading counts as waiting."""

    def __init__(self, inner: Response, watch: Watch) -> None:
        """Take the answer."""
        self._inner, self._watch = inner, watch
        self.status, self.url, self.headers = inner.status, inner.url, inner.headers

    def read(self) -> bytes:
        """Return the whole body."""
        with self._watch:
            return self._inner.read()

    def stream(self, size: int = 65536) -> Iterator[bytes]:
        """Yield the body in pieces."""
        return self._inner.stream(size)

    def close(self) -> None:
        """Give the connection back."""
        self._inner.close()


class TimedFetch:
    """The real way out, watched."""

    def __init__(self, inner: Fetch, watch: Watch) -> None:
        """Take what sends."""
        self._inner, self._watch = inner, watch

    def send(self, request: Request) -> Response:
        """Make the call."""
        with self._watch:
            answer = self._inner.send(request)
        return TimedResponse(answer, self._watch)


class TimedClock(SystemClock):
    """The machine's time; sleeping (for the vendor's pace) counts as waiting."""

    def __init__(self, watch: Watch) -> None:
        """Take the watch."""
        super().__init__()
        self._watch = watch

    def sleep(self, seconds: float) -> None:
        """Wait."""
        with self._watch:
            super().sleep(seconds)


def main(folder: str, vendor: Mapping[str, str]) -> dict[str, Any]:
    """Refresh the one source the settings configure, to its end."""
    watch = Watch()
    app = App(Settings.from_env({"DATA_DIR": folder, **vendor}), TimedClock(watch))
    vars(app)["fetch"] = TimedFetch(app.fetch, watch)

    def deliver(claimed: Claimed) -> Called:
        return Called(app.job_runner.deliver(claimed.task.kind, dict(claimed.task.payload)).status)

    began, cpu = time.perf_counter(), time.process_time()
    job_id = app.refreshes.start("all", SYSTEM)[0].job.id
    while app.jobs.get(job_id).finished_at is None:
        Dispatcher(app.local_tasks, deliver, app.clock).run_due()
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    job = app.jobs.get(job_id)
    app.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = {name: (job.result or {}).get(name) for name in ("pages", "fetched", "held", "rejected")}
    return {
        "status": job.status,
        "wall_s": took,
        "waiting_s": watch.seconds,
        "cpu_s": spent,
        "peak_mib": peak,
        **counts,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], json.load(sys.stdin))))
