"""Whether the backends answer: every check in a thread of its own, one second each, the answer kept for five."""

import threading
from collections.abc import Callable, Mapping
from typing import Literal

from shared.core.clock import Clock
from shared.core.values import dataclass

__all__ = ["Check", "Outcome", "Readiness"]

Check = Callable[[], str | None]
"""Returns None when all is well, a sentence when degraded; raises when failed."""

PATIENCE_S = 1.0
KEPT_S = 5.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check found."""

    status: Literal["ok", "degraded", "failed"]
    message: str
    latency_ms: float


class _Probe:
    """One run of a check, in the background so that a backend that hangs holds up nobody."""

    def __init__(self, check: Check, clock: Clock) -> None:
        self._check, self._clock = check, clock
        self._outcome: Outcome | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        started = self._clock.monotonic()
        status: Literal["ok", "degraded", "failed"]
        try:
            message = self._check()
            status = "ok" if message is None else "degraded"
        except Exception as error:  # noqa: BLE001 - whatever a backend does wrong, the answer is: it failed
            status, message = "failed", f"does not answer ({type(error).__name__})"
        latency_ms = round((self._clock.monotonic() - started) * 1000, 1)
        self._outcome = Outcome(status, message or "", latency_ms)

    def outcome(self, patience_s: float) -> Outcome:
        """Return what was found, or that nothing came back in time."""
        self._thread.join(patience_s)
        return self._outcome or Outcome("failed", "does not answer in time", patience_s * 1000)

    @property
    def is_running(self) -> bool:
        """Say whether the check has not come back."""
        return self._thread.is_alive()


class Readiness:
    """All checks of a deployment. A check that hangs is not started again before it has come back."""

    def __init__(self, checks: Mapping[str, Check], clock: Clock, *, patience_s: float = PATIENCE_S) -> None:
        """Take the checks by name and the clock that the kept answer ages on."""
        self._checks, self._clock, self._patience_s = checks, clock, patience_s
        self._lock = threading.Lock()
        self._probes: dict[str, _Probe] = {}
        self._kept: dict[str, Outcome] = {}
        self._until = float("-inf")

    def outcomes(self) -> Mapping[str, Outcome]:
        """Return what each check found, at most five seconds ago."""
        with self._lock:
            if self._clock.monotonic() >= self._until:
                for name, check in self._checks.items():
                    if name not in self._probes or not self._probes[name].is_running:
                        self._probes[name] = _Probe(check, self._clock)
                self._kept = {name: probe.outcome(self._patience_s) for name, probe in self._probes.items()}
                self._until = self._clock.monotonic() + KEPT_S
            return self._kept
