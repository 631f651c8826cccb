"""Schedules: POSTs to `/internal/schedules/{name}` on a cron rule. Adapters: the local cron loop, `.cloud_scheduler`.

Each slot fires at least once; the worker makes the effect single by the slot (schedule name + slot time, which the call
names in `X-CloudScheduler-ScheduleTime`). A slot the worker did not take (not 2xx) is tried again until a later one replaces
it. Downtime yields one catch-up. A rule that names hours is about local times: one skipped by a clock change fires at the
first valid minute, a repeated one fires once. A rule for every hour goes by elapsed time through any change.
"""

from typing import Protocol

from shared.core.values import dataclass

__all__ = ["Schedule", "Schedules"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A named cron rule (five fields) in an IANA time zone."""

    name: str
    cron: str
    time_zone: str = "UTC"
    deadline_s: int = 600


class Schedules(Protocol):
    """A set of cron rules. Every method raises `shared.core.errors.Transient` when the service is in trouble."""

    def put(self, schedule: Schedule) -> None:
        """Create or replace the schedule of that name; raise ValueError for a bad rule or zone."""
        ...

    def delete(self, name: str) -> None:
        """Remove a schedule; an unknown name is fine."""
        ...

    def list(self) -> list[Schedule]:
        """Return all schedules by name."""
        ...

    def ping(self) -> None:
        """Do one cheap round trip; raise Transient when the service does not answer."""
        ...
