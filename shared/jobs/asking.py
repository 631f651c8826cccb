"""Asking for a job on many writes without asking many times."""

import logging
import threading
from collections.abc import Callable

from shared.core.clock import Clock
from shared.core.errors import Transient

__all__ = ["Asker"]

_LOG = logging.getLogger(__name__)


class Asker:
    """Passes a request on at most once in so many seconds; who asks in between is served by the job already asked for."""

    def __init__(self, clock: Clock, rest_s: float) -> None:
        """Take time, and how long to rest; the job must stay at least as long after it has found nothing more to do."""
        self._clock, self._rest_s = clock, rest_s
        self._lock = threading.Lock()
        self._asked_at: float | None = None

    def request(self, start: Callable[[], object]) -> None:
        """Call `start` unless that has happened a moment ago; its trouble waits for the schedule."""
        now = self._clock.monotonic()
        with self._lock:
            if self._asked_at is not None and now - self._asked_at < self._rest_s:
                return
            self._asked_at = now
        try:
            start()
        except Transient as trouble:
            _LOG.warning("a job was not started: %s", trouble.code)
