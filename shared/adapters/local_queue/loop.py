"""The cron loop: fire what is due, remember it once the worker has taken it."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from shared.adapters.local_queue.dispatcher import Called
from shared.adapters.local_queue.schedules import SqliteSchedules
from shared.core.clock import Clock
from shared.core.errors import Transient
from shared.ports.schedules import Schedule

__all__ = ["CronLoop"]

_LOG = logging.getLogger("onhand.queue")
_POLL_S = 0.5
_PATIENCE_S = 10.0


class CronLoop:
    """Fires slots, in a thread of its own (`start`) or in the caller's (`tick`)."""

    def __init__(
        self,
        schedules: SqliteSchedules,
        fire: Callable[[Schedule, datetime], Called],
        clock: Clock,
        chores: Sequence[Callable[[], object]] = (),
    ) -> None:
        """Take the rules, how to tell the worker, time, and what else to do at every turn (sweeping the outbox)."""
        self._schedules, self._fire, self._clock, self._chores = schedules, fire, clock, chores
        self._not_before: dict[str, float] = {}
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tick(self) -> list[tuple[str, datetime]]:
        """Fire each due schedule's latest slot once; return those the worker has taken.

        A slot that was not taken is tried again ten seconds later, until it is taken or a later slot replaces it. Two threads
        take turns.
        """
        with self._turn:
            return self._fired()

    def _fired(self) -> list[tuple[str, datetime]]:
        taken = []
        for schedule, slot in self._schedules.due():
            if self._clock.monotonic() < self._not_before.get(schedule.name, 0.0):
                continue
            if self._fire(schedule, slot).taken:
                self._schedules.fired(schedule, slot)
                self._not_before.pop(schedule.name, None)
                taken.append((schedule.name, slot))
            else:
                self._not_before[schedule.name] = self._clock.monotonic() + _PATIENCE_S
        return taken

    def start(self) -> None:
        """Begin firing in a thread."""
        self._thread = threading.Thread(target=self._run, name="cron", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Fire no more, and wait for the call being made."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_POLL_S):
            for turn in (self.tick, *self._chores):
                self._survive(turn)

    @staticmethod
    def _survive(turn: Callable[[], object]) -> None:
        try:
            turn()
        except Transient as trouble:
            _LOG.warning("a turn of the cron loop failed: %s", trouble.detail)
        except Exception:  # noqa: BLE001 - the loop outlives whatever a turn or a call does
            _LOG.exception("a turn of the cron loop failed")
