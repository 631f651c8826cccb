"""A sliding rate window on the virtual clock."""

import math
from collections import deque

from shared.core.clock import Clock

__all__ = ["RateWindow"]


class RateWindow:
    """Lets `limit` calls through in any `seconds`; refused calls do not count. None lets everything through."""

    def __init__(self, clock: Clock, limit: int | None, seconds: float = 60.0) -> None:
        """Take the clock and the limit; both limit and seconds may be changed later."""
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._calls: deque[float] = deque()

    def enter(self) -> int:
        """Count a call; return 0 when it may pass, else the whole seconds until the next one may."""
        now = self._clock.monotonic()
        while self._calls and self._calls[0] <= now - self.seconds:
            self._calls.popleft()
        if self.limit is not None and len(self._calls) >= self.limit:
            oldest = self._calls[-self.limit] if self.limit else now
            return max(1, math.ceil(round(oldest + self.seconds - now, 6)))
        self._calls.append(now)
        return 0

    @property
    def remaining(self) -> int:
        """Return how many calls may still pass now."""
        return max(0, (self.limit if self.limit is not None else 1_000_000) - len(self._calls))

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
