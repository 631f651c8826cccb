"""Emptying the local queue: take what is due, call the worker, settle by its answer."""

import logging
import math
import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from shared.adapters.local_queue.tasks import Claimed, SqliteTasks
from shared.core.clock import Clock
from shared.core.errors import Transient
from shared.core.values import dataclass

__all__ = ["Called", "Deliver", "Dispatcher"]

_LOG = logging.getLogger("onhand.queue")
_LIMITS = {"refresh": 2, "sync": 2}
_LIMIT = 4
_THREADS = 16
_MAX_DELIVERIES = 12
_BASE_S, _CAP_S = 30.0, 600.0
_POLL_S = 0.2
_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Called:
    """What the worker answered: its status (0 for no answer at all) and the wait it asked for."""

    status: int
    retry_after_s: float | None = None

    @property
    def taken(self) -> bool:
        """Say whether the task is done with."""
        return 200 <= self.status < 300  # noqa: PLR2004 - 2xx


Deliver = Callable[[Claimed], Called]


class Dispatcher:
    """The one that empties a queue: in threads of its own (`start`), or in the caller's (`run_due`)."""

    def __init__(
        self,
        tasks: SqliteTasks,
        deliver: Deliver,
        clock: Clock,
        *,
        limits: Mapping[str, int] | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Take the queue, how to call the worker, time, how many tasks of a queue may run at once, and jitter."""
        self._tasks, self._deliver, self._clock = tasks, deliver, clock
        self._limits = _LIMITS | dict(limits or {})
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret
        self._running: Counter[str] = Counter()
        self._change = threading.Condition()
        self._stopping = False
        self._feeder: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._tasks.release()

    def run_due(self, at_most: int = 1_000_000) -> int:
        """Deliver what is due now, one after the other in this thread; return how many deliveries were made."""
        count = 0
        while count < at_most and (claimed := self._tasks.claim()) is not None:
            self._carry_out(claimed)
            count += 1
        return count

    def start(self) -> None:
        """Begin delivering in threads."""
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="task")
        self._tasks.on_change = self._wake
        self._feeder = threading.Thread(target=self._feed, name="dispatcher", daemon=True)
        self._feeder.start()

    def stop(self) -> None:
        """Take no more tasks and wait for those being delivered."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        if self._feeder is not None and self._pool is not None:
            self._feeder.join()
            self._pool.shutdown(wait=True)

    def drain(self, timeout_s: float) -> bool:
        """Wait until no task is due and none is being delivered; say whether that came about in time."""
        end = self._clock.monotonic() + timeout_s
        while True:
            state = self._tasks.state()
            if state.due == 0 and state.running == 0:
                return True
            if self._clock.monotonic() >= end:
                return False
            with self._change:
                self._change.wait(_POLL_S)

    def _feed(self) -> None:
        while not self._stopping:
            try:
                claimed = self._claim()
            except Transient as trouble:
                _LOG.warning("the queue cannot be read: %s", trouble.detail)
                claimed = None
            if claimed is None:
                with self._change:
                    if not self._stopping:
                        self._change.wait(_POLL_S)
            elif self._pool is not None:
                self._pool.submit(self._carry_out_counted, claimed)

    def _claim(self) -> Claimed | None:
        with self._change:
            full = [queue for queue, number in self._running.items() if number >= self._limits.get(queue, _LIMIT)]
            claimed = self._tasks.claim(full)
            if claimed is not None:
                self._running[claimed.task.queue] += 1
        return claimed

    def _carry_out_counted(self, claimed: Claimed) -> None:
        try:
            self._carry_out(claimed)
        except Transient as trouble:
            _LOG.warning("task %s stays taken until the next start: %s", claimed.task.name, trouble.detail)
        finally:
            with self._change:
                self._running[claimed.task.queue] -= 1
                self._change.notify_all()

    def _carry_out(self, claimed: Claimed) -> None:
        try:
            called = self._deliver(claimed)
        except Exception:  # noqa: BLE001 - the thread outlives whatever a call does
            _LOG.exception("task %s could not be delivered", claimed.task.name)
            called = Called(_NO_ANSWER)
        if called.taken:
            self._tasks.done(claimed)
        elif claimed.retries + 1 >= _MAX_DELIVERIES:
            _LOG.error("task %s is given up after %d deliveries", claimed.task.name, _MAX_DELIVERIES)
            self._tasks.done(claimed)
        else:
            self._tasks.again(claimed, self._clock.now() + timedelta(seconds=self._wait_s(claimed, called)))

    def _wait_s(self, claimed: Claimed, called: Called) -> float:
        """Return the wait the worker asked for, else a doubling one with jitter."""
        if called.retry_after_s is not None:
            return called.retry_after_s
        return float(min(_CAP_S, _BASE_S * math.exp2(claimed.retries)) * self._rng.uniform(0.8, 1.2))

    def _wake(self) -> None:
        with self._change:
            self._change.notify_all()
