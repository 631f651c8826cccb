"""Schedule calls: one effect per slot, however often the slot is delivered."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from shared.core.clock import Clock, instant, parse_instant
from shared.core.values import dataclass
from shared.jobs.service import JobService
from shared.ports.documents import Create, Key
from shared.ports.store import Store

__all__ = ["SLOTS", "Duty", "ScheduleRunner"]

SLOTS = "schedule_slots"
_KEPT = timedelta(days=7)
_LOG = logging.getLogger("onhand.jobs")


@dataclass(frozen=True, slots=True)
class Duty:
    """What a schedule does when its time comes: `run` returns the ids of the jobs it started.

    An `atomic` one only writes through the store: its effect and the mark of the slot are one commit. The other kind runs
    first and is marked afterwards, so it must be harmless to repeat.
    """

    run: Callable[[], Sequence[str]]
    atomic: bool = True


class ScheduleRunner:
    """The worker's side of schedules."""

    def __init__(self, store: Store, jobs: JobService, clock: Clock, duties: Mapping[str, Duty]) -> None:
        """Take the store for the marks of slots, the jobs to look after, time, and what each schedule does."""
        self._store, self._jobs, self._clock, self._duties = store, jobs, clock, duties

    def fire(self, name: str, slot: str | None) -> list[str] | None:
        """Do what a schedule does for one slot, once; return its job ids, or None for an unknown schedule.

        `slot` is the time the scheduler names; without one it is the present minute. Every call also sends the tasks and
        wakes the jobs that a crash has left lying.
        """
        known = self._duties.get(name)
        if known is None:
            _LOG.error("there is no schedule of that name; the call is dropped")
            return None
        self._jobs.sweep()
        key = Key(SLOTS, f"{name}@{instant(self._moment(slot))}")
        if known.atomic:
            return self._store.atomically(lambda: self._once(key, known), lock=[key])
        if (marked := self._store.get(key)) is not None:
            return list(marked.data["job_ids"])
        done = known.run()
        return self._store.atomically(lambda: self._once(key, Duty(lambda: done)))

    def _once(self, key: Key, duty: Duty) -> list[str]:
        marked = self._store.get(key)
        if marked is not None:
            return list(marked.data["job_ids"])
        job_ids = list(duty.run())
        gone = instant(self._clock.now() + _KEPT)
        self._store.write([Create(key, {"job_ids": job_ids, "delete_at": gone})])
        return job_ids

    def _moment(self, slot: str | None) -> datetime:
        """Read the slot's time; one that cannot be read counts as the present minute."""
        try:
            return parse_instant(slot) if slot else self._minute()
        except ValueError:
            return self._minute()

    def _minute(self) -> datetime:
        return self._clock.now().replace(second=0, microsecond=0)
