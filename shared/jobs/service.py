"""Starting, watching, cancelling and repeating jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant, parse_instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import InvalidState, NotFound
from shared.core.values import dataclass
from shared.jobs.listing import JobList
from shared.jobs.outbox import Outbox
from shared.jobs.record import JOBS, Record, job_key, lock_key
from shared.jobs.rules import RESCUE_S, cancelled_or_asked
from shared.jobs.states import JobStatus
from shared.jobs.tasks import end_writes, rescue_task, step_task
from shared.ports.documents import Create, Key, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.core.caller import Caller
    from shared.core.ids import Ids
    from shared.jobs.kinds import JobKind, Kinds
    from shared.jobs.models import Job
    from shared.ports.store import Store
    from shared.ports.tasks import Tasks

__all__ = ["JobService", "Started"]

_POLL_S = 0.25
_MANY = 100
_Decided = tuple["Started", list[Write]]


@dataclass(frozen=True, slots=True)
class Started:
    """A job that was started, or the equal live one that was found."""

    job: Job
    joined: bool


class JobService(JobList):
    """The use cases around jobs; carrying them out is the runner's."""

    def __init__(self, store: Store, tasks: Tasks, clock: Clock, ids: Ids, kinds: Kinds) -> None:
        """Take the store, the queue, time, ids and the kinds of jobs this deployment knows."""
        super().__init__(store, kinds)
        self._clock, self._ids = clock, ids
        self.outbox = Outbox(store, tasks, clock)

    def start(  # noqa: PLR0913 - what a job is, who wants it, and two options by keyword
        self,
        kind: str,
        subject: str | None,
        input: dict[str, Any],  # noqa: A002 - the word of the contract
        caller: Caller,
        *,
        single_flight: bool = True,
        request_trace: str | None = None,
    ) -> Started:
        """Start a job, or join the live one of the same kind and subject.

        The job, its claim to be the only one, and the task's outbox row are one commit; the queue is told after it.
        Inside `Store.atomically` they join that commit. Of n parallel calls one starts, all others join it.
        """
        known = self.kinds[kind]
        record = Record(
            id=self._ids.new("job"),
            kind=kind,
            queue=known.queue,
            name=f"{known.label}: {subject}" if subject else known.label,
            subject=subject,
            input=input,
            status=JobStatus.QUEUED,
            created_by=caller.user_id or None,
            created_at=instant(self._clock.now()),
            max_attempts=known.max_attempts,
            single_flight=single_flight,
            trace=request_trace,
            due_at=instant(self._clock.now() + timedelta(seconds=RESCUE_S)),
        )
        lock = lock_key(kind, subject)
        return self.store.change([lock], lambda found: self._join_or_start(known, record, found.get(lock)))

    def get(self, job_id: str) -> Job:
        """Return a job; raise NotFound."""
        return self.record(job_id).view()

    def record(self, job_id: str) -> Record:
        """Return a job as stored, for services of other domains; raise NotFound."""
        stored = self.store.get(job_key(job_id))
        if stored is None:
            raise _no_such_job()
        return Record.of(stored)

    def wait(self, job_id: str, wait_s: float) -> Job:
        """Return a job when it changes or has ended, at the latest after so many seconds; raise NotFound."""
        end = self._clock.monotonic() + wait_s
        first = job = self.get(job_id)
        while job.version == first.version and job.finished_at is None and (left := end - self._clock.monotonic()) > 0:
            self._clock.sleep(min(_POLL_S, left))
            job = self.get(job_id)
        return job

    def cancel(self, job_id: str, condition: Precondition = NO_CONDITION) -> Job:
        """Cancel a job that nobody works on, or ask its worker to stop; raise InvalidState when it has ended."""
        key = job_key(job_id)

        def decide(found: Mapping[Key, Stored]) -> tuple[Job, list[Write]]:
            record = _present(found, key, condition)
            if not record.live:
                raise _ended(record, "cancelled")
            after = cancelled_or_asked(record, self._clock.now())
            if after.live:
                return after.view(), [Put(key, after.data(), found[key].version)]
            return after.view(), end_writes(self.kinds.get(record.kind), after, found[key].version)

        return self.store.change([key], decide)

    def retry(
        self, job_id: str, caller: Caller, *, condition: Precondition = NO_CONDITION, request_trace: str | None = None
    ) -> Started:
        """Start a new job that goes on where a failed or cancelled one ended; a second retry returns the same new job."""
        key = job_key(job_id)

        def decide(found: Mapping[Key, Stored]) -> _Decided:
            old = _present(found, key, condition)
            if old.retried_by is not None:
                return Started(self.get(old.retried_by), joined=True), []
            if old.status not in {JobStatus.FAILED, JobStatus.CANCELLED}:
                raise _ended(old, "retried")
            return self._retry(old, found[key].version, caller, request_trace)

        return self.store.change([key], decide)

    def sweep(self) -> int:
        """Send tasks that a crash left in the outbox and wake jobs whose task was lost; return how many."""
        return self.outbox.sweep() + self._rescue()

    def _join_or_start(self, kind: JobKind, record: Record, lock: Stored | None) -> _Decided:
        if record.single_flight and lock is not None and (live := self._overlaid(lock.data["job_id"])) is not None:
            return Started(live.view(), joined=True), []
        writes = self._start_writes(kind, record, lock)
        return Started(record.view(), joined=False), writes

    def _start_writes(self, kind: JobKind, record: Record, lock: Stored | None) -> list[Write]:
        held: list[Write] = []
        if record.single_flight:
            place, holder = lock_key(record.kind, record.subject), {"job_id": record.id}
            held = [Create(place, holder) if lock is None else Put(place, holder, lock.version)]
        task = self.outbox.add(step_task(record))
        return [Create(job_key(record.id), record.data()), *held, task, *kind.on_start(record)]

    def _overlaid(self, job_id: str) -> Record | None:
        """Read a job that the surrounding unit may itself have started; None when it is gone or has ended."""
        key = job_key(job_id)
        stored = self.store.change([key], lambda found: (found.get(key), ()))
        record = Record.of(stored) if stored else None
        return record if record is not None and record.live else None

    def _retry(self, old: Record, version: str, caller: Caller, trace: str | None) -> _Decided:
        kind = self.kinds[old.kind]
        started = self.start(
            old.kind, old.subject, old.input, caller, single_flight=old.single_flight, request_trace=trace
        )
        if started.joined:
            return started, []
        key = job_key(started.job.id)
        new = self.store.change([key], lambda found: self._inherit(kind, old, found[key]))
        told = replace(old, retried_by=new.id, version=old.version + 1)
        return Started(new.view(), joined=False), [Put(job_key(old.id), told.data(), version)]

    @staticmethod
    def _inherit(kind: JobKind, old: Record, fresh: Stored) -> tuple[Record, list[Write]]:
        """Let a retry know what it repeats and, where the kind allows, how far that came."""
        new = replace(Record.of(fresh), retry_of=old.id)
        if kind.resumes:
            new = replace(new, cursor=old.cursor, counts=old.counts, progress_percent=old.progress_percent)
            new = replace(new, items_total=old.items_total, items_processed=old.items_processed)
        return new, [Put(fresh.key, new.data(), fresh.version)]

    def _rescue(self) -> int:
        """Send a new task for every live job that nobody has looked after for long."""
        now = self._clock.now()
        forgotten = self.store.query(Query(JOBS, order_by="due_at", at_most=instant(now), limit=_MANY))
        return sum(self.store.change([stored.key], self._woken) for stored in forgotten)

    def _woken(self, found: Mapping[Key, Stored]) -> tuple[int, list[Write]]:
        now = self._clock.now()
        for key, stored in found.items():
            record = Record.of(stored)
            if record.live and record.due_at is not None and parse_instant(record.due_at) <= now:
                later = replace(record, due_at=instant(now + timedelta(seconds=RESCUE_S)))
                return 1, [Put(key, later.data(), stored.version), self.outbox.add(rescue_task(record, now))]
        return 0, []


def _present(found: Mapping[Key, Stored], key: Key, condition: Precondition) -> Record:
    if key not in found:
        raise _no_such_job()
    record = Record.of(found[key])
    condition.check(record.id, record.version)
    return record


def _no_such_job() -> NotFound:
    return NotFound("No job has this id.", resource="job")


def _ended(record: Record, verb: str) -> InvalidState:
    detail = f"A job that is {record.status} cannot be {verb}."
    allowed = ["queued", "running"] if verb == "cancelled" else ["failed", "cancelled"]
    return InvalidState(detail, current=record.status, allowed=allowed)
