"""Spacing of calls to one vendor account, so that its rate limit is not met.

Two rules work together. Of the calls made here, never more than the limit start within the window. And the vendor's own
count of what is left, when it gives one, says how far apart they are: not at all while half of the allowance is left, an
even share below that, and ever further apart near the end. Without a count, calls keep the even share, which is within
the limit even when another process has called a moment ago.
"""

import threading
from collections import OrderedDict, deque

from shared.core.clock import Clock

__all__ = ["HostPace", "Pace"]

_LOW = 0.2
_PLENTY = 0.5
_LONGEST_GAP_S = 5.0
_MOST_HOSTS = 1000


class Pace:
    """The waiting of one account; safe to share between threads, each of which waits its own turn."""

    def __init__(self, clock: Clock, limit: int, window_s: float = 60.0) -> None:
        """Allow `limit` calls in any `window_s`."""
        self._clock, self._limit, self._window_s = clock, limit, window_s
        self._turns: deque[float] = deque(maxlen=limit)
        self._remaining: int | None = None
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until the next call may start, and count it."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._earliest())
            self._turns.append(turn)
            if self._remaining is not None:
                self._remaining = max(0, self._remaining - 1)
        self._clock.sleep(turn - now)

    def ahead_s(self) -> float:
        """Return how long a call would have to wait now, without counting it."""
        with self._lock:
            return max(0.0, self._earliest() - self._clock.monotonic())

    def told(self, remaining: int | None) -> None:
        """Take the vendor's count of calls left in its window; None: it gave none."""
        with self._lock:
            self._remaining = remaining

    def _earliest(self) -> float:
        if not self._turns:
            return 0.0
        free = self._turns[0] + self._window_s if len(self._turns) == self._limit else 0.0
        return max(free, self._turns[-1] + self._gap_s())

    def _gap_s(self) -> float:
        even = self._window_s / self._limit
        if self._remaining is None:
            return even
        if self._remaining > self._limit * _PLENTY:
            return 0.0
        scarce = self._limit * _LOW / max(self._remaining, 1)
        return min(even * max(1.0, scarce), max(even, _LONGEST_GAP_S))


class HostPace:
    """Spacing of calls to hosts of outside origin, each for itself; hosts not called for long are forgotten."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        """Allow so many calls a minute to each host, evenly spaced."""
        self._clock, self._per_minute = clock, per_minute
        self._paces: OrderedDict[str, Pace] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, host: str) -> None:
        """Sleep until the next call to a host may start."""
        with self._lock:
            pace = self._paces.setdefault(host.lower(), Pace(self._clock, self._per_minute))
            self._paces.move_to_end(host.lower())
            if len(self._paces) > _MOST_HOSTS:
                self._paces.popitem(last=False)
        pace.wait()
