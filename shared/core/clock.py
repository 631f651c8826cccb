"""Time as an argument: the one module that may read the machine's clocks."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock", "instant", "parse_instant"]


class Clock(Protocol):
    """Where the product reads time and where it waits."""

    def now(self) -> datetime:
        """Return the present time, timezone-aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, for durations and deadlines."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds; not at all when they are not positive."""
        ...


class SystemClock:
    """The machine's clock, movable forward by an offset for the local run."""

    def __init__(self, offset: Callable[[], float] = lambda: 0.0) -> None:
        """Take a function giving the seconds by which the product's time runs ahead."""
        self._offset = offset

    def now(self) -> datetime:
        """Return the machine's time plus the offset, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._offset())

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds plus the offset."""
        return time.monotonic() + self._offset()

    def sleep(self, seconds: float) -> None:
        """Block this thread for real."""
        if seconds > 0:
            time.sleep(seconds)


class ManualClock:
    """A clock that moves only when told to; sleeping moves it. Part of the product: tests and simulators use it."""

    def __init__(self, start: datetime = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)) -> None:
        """Start at a given aware time."""
        self._now = start
        self._ticks = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the time last set."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds advanced since the start."""
        return self._ticks

    def sleep(self, seconds: float) -> None:
        """Record the wait and advance by it."""
        if seconds > 0:
            self.slept.append(seconds)
            self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move forward."""
        self._now += timedelta(seconds=seconds)
        self._ticks += seconds


def instant(moment: datetime) -> str:
    """Write a time as fixed-width RFC 3339 UTC with microseconds, so that texts sort as times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def parse_instant(text: str) -> datetime:
    """Read what `instant` wrote (or any RFC 3339 time with a zone); raise ValueError otherwise."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "a time needs a zone"
        raise ValueError(message)
    return moment.astimezone(UTC)
