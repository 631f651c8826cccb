"""Jobs: starting, watching and carrying them out, and what schedules call for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app.platform import Platform
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.jobs.kinds import JobKind
    from shared.jobs.runner import JobRunner
    from shared.jobs.service import JobService
    from shared.jobs.slots import Duty, ScheduleRunner

__all__ = ["JobParts"]


class JobParts(Platform):
    """The services of jobs."""

    @once
    def job_kinds(self) -> Mapping[str, JobKind]:
        """Return the kinds of jobs this deployment knows."""
        return {kind.name: kind for kind in self.kinds()}

    @once
    def jobs(self) -> JobService:
        """Return starting and watching jobs."""
        from shared.jobs.service import JobService

        return JobService(self.store, self.tasks, self.clock, self.ids, self.job_kinds)

    @once
    def job_runner(self) -> JobRunner:
        """Return carrying jobs out."""
        from shared.jobs.runner import JobRunner

        return JobRunner(self.jobs, self.clock, self.ids)

    @once
    def schedule_runner(self) -> ScheduleRunner:
        """Return doing what schedules call for, once per slot."""
        from shared.jobs.slots import ScheduleRunner

        return ScheduleRunner(self.store, self.jobs, self.clock, self.duties())

    def duties(self) -> Mapping[str, Duty]:
        """Add the daily cleanup."""
        from shared.jobs.slots import Duty

        return {**super().duties(), "cleanup": Duty(self._cleanup, atomic=False)}

    def chores(self) -> Sequence[Callable[[], None]]:
        """Add forgetting old jobs and expired records of the platform."""
        return (*super().chores(), self._forget_jobs)

    def _cleanup(self) -> list[str]:
        for chore in self.chores():
            chore()
        return []

    def _forget_jobs(self) -> None:
        from shared.jobs.cleanup import clean_expired, clean_jobs

        clean_jobs(self.documents, self.clock)
        for collection in ("idempotency", "rate_counters"):
            clean_expired(self.documents, self.clock, collection)
