"""What this instance has answered: counts and latencies, for /metrics."""

import threading
from collections import deque

__all__ = ["Numbers"]

_KEPT = 2048


class Numbers:
    """Counts answers; latencies of the last 2,048 of them."""

    def __init__(self) -> None:
        """Start at zero."""
        self.count = 0
        self.errors = 0
        self.started = 0.0
        """When the application was made, on its monotonic clock."""
        self._latencies: deque[float] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, status: int, latency_ms: float) -> None:
        """Count one answer; errors are those of ours (5xx)."""
        with self._lock:
            self.count += 1
            self.errors += status >= 500  # noqa: PLR2004 - the first status of our own failures
            self._latencies.append(latency_ms)

    def percentile(self, share: float) -> float | None:
        """Return the latency that this share of the kept answers stayed within; None when there are none."""
        with self._lock:
            ordered = sorted(self._latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
