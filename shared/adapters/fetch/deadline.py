"""The time budget of one call: connecting, waiting for bytes, and everything together, also over redirects."""

from contextvars import ContextVar

from shared.core.clock import Clock
from shared.ports.fetch import Request

__all__ = ["Deadline", "current_deadline"]


class Deadline:
    """Counts down from the moment it is made."""

    def __init__(self, clock: Clock, request: Request) -> None:
        """Start the countdown of a request's budgets."""
        self._clock = clock
        self._end = clock.monotonic() + request.total_s
        self._connect_s, self._read_s = request.connect_s, request.read_s

    def connect_left(self) -> float:
        """Return the seconds a connection attempt may take; raise TimeoutError when the call's time is over."""
        return min(self._connect_s, self._left())

    def read_left(self) -> float:
        """Return the seconds to wait for the next bytes; raise TimeoutError when the call's time is over."""
        return min(self._read_s, self._left())

    def _left(self) -> float:
        left = self._end - self._clock.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


# The connection classes are made by urllib3, which has no place for a budget over the whole call: it travels here.
current_deadline: ContextVar[Deadline] = ContextVar("current_deadline")
