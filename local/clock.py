"""The local run's movable time: an offset kept with the data, so that a second start goes on from the same time."""

import json
import threading
from pathlib import Path

from shared.core.clock import SystemClock

__all__ = ["LocalClock"]


class LocalClock(SystemClock):
    """The machine's clock plus the seconds it has been advanced by; waits sleep for real but end when time is moved."""

    def __init__(self, kept_in: Path) -> None:
        """Take the file the offset is kept in."""
        self._file = kept_in
        self._moved = threading.Condition()
        self._ahead = self._read()
        super().__init__(lambda: self._ahead)

    def advance(self, seconds: float) -> None:
        """Move everything that reads this clock forward; raise ValueError for a step back."""
        if seconds < 0:
            message = "time never goes back"
            raise ValueError(message)
        with self._moved:
            self._ahead += seconds
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(json.dumps({"ahead_seconds": self._ahead}))
            self._moved.notify_all()

    def sleep(self, seconds: float) -> None:
        """Wait until the product's time has passed, by itself or by being moved."""
        end = self.monotonic() + seconds
        with self._moved:
            while (left := end - self.monotonic()) > 0:
                self._moved.wait(min(left, 3600.0))

    def _read(self) -> float:
        if not self._file.exists():
            return 0.0
        return float(json.loads(self._file.read_text())["ahead_seconds"])
