"""Carrying out a delivery: admit it, run the step, settle what came of it, and tell the queue (api.md, section 4)."""

import logging
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.core.clock import Clock
from shared.core.errors import Problem, Transient
from shared.core.ids import Ids
from shared.core.values import dataclass, field
from shared.jobs import rules
from shared.jobs.kinds import Continue, Done, JobKind
from shared.jobs.record import Record, job_key
from shared.jobs.rules import Admission, Trouble
from shared.jobs.service import JobService
from shared.jobs.states import JobStatus
from shared.jobs.step import Cancelled, LeaseLost, Step, TimeUp, item_writes
from shared.jobs.tasks import end_writes, follow_up
from shared.ports.documents import Conflict, Key, Put, Stored, Write

__all__ = ["Answer", "JobRunner"]

_LOG = logging.getLogger("onhand.jobs")
_STORE_RETRY_S = 30
_EXHAUSTED = Trouble("attempts_exhausted", "Every attempt at this step ended without an answer.", transient=True)
_STUCK = Trouble("no_progress", "The step used its whole time without getting further.", transient=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the queue is told."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


_DROPPED = Answer(200, {"status": "dropped"})


class _Call(BaseModel, defer_build=True):
    """The body of a task."""

    model_config = ConfigDict(strict=True, extra="ignore")

    job_id: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")
    step: int = Field(ge=0)
    lease_epoch: int = Field(default=1, ge=0)
    cursor: Any = None
    payload: dict[str, Any] = Field(default_factory=dict)


class JobRunner:
    """The worker's side of jobs."""

    def __init__(self, jobs: JobService, clock: Clock, ids: Ids, rng: random.Random | None = None) -> None:
        """Take the jobs, time, ids for lease holders, and the source of jitter."""
        self._store, self._outbox, self._kinds = jobs.store, jobs.outbox, jobs.kinds
        self._clock, self._ids = clock, ids
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret

    def deliver(self, kind: str, body: object) -> Answer:
        """Run one delivery of a task of that kind; every outcome is an answer, only a crash is not."""
        known = self._kinds.get(kind)
        try:
            call = _Call.model_validate(body)
        except ValidationError:
            call = None
        if known is None or call is None:
            _LOG.error("task dropped: %s", "unknown job type" if known is None else "malformed body")
            return _DROPPED
        try:
            admitted = self._admit(known, call)
            return admitted if isinstance(admitted, Answer) else self._run(known, admitted)
        except (Transient, Problem, Conflict) as trouble:
            _LOG.warning("job %s: the store is in trouble: %s", call.job_id, type(trouble).__name__)
            return _later(call.job_id, JobStatus.RUNNING, _STORE_RETRY_S)

    def _admit(self, kind: JobKind, call: _Call) -> "Step | Answer":
        """Take the lease for a delivery, or say why it may not run."""
        key, holder = job_key(call.job_id), self._ids.new("lse")

        def decide(found: Mapping[Key, Stored]) -> tuple[Record | Answer, list[Write]]:
            if key not in found or found[key].data["kind"] != kind.name:
                _LOG.error("task dropped: there is no %s job %s", kind.name, call.job_id)
                return _DROPPED, []
            return self._decide(kind, call, holder, found[key])

        taken = self._store.change([key], decide)
        if isinstance(taken, Answer):
            return taken
        stored = self._store.get(key)
        if stored is None or stored.data["epoch"] != taken.epoch:
            return _later(taken.id, JobStatus.RUNNING, rules.LEASE_S)
        return Step(self._store.documents, self._clock, Record.of(stored), stored.version, kind.budget_s)

    def _decide(self, kind: JobKind, call: _Call, holder: str, stored: Stored) -> tuple[Record | Answer, list[Write]]:
        record, now = Record.of(stored), self._clock.now()
        verdict = rules.admission(record, call.step, call.lease_epoch, now)
        match verdict.admission:
            case Admission.RUN:
                taken = rules.started(record, holder, now)
                return taken, [Put(stored.key, taken.data(), stored.version)]
            case Admission.OLD:
                return _said(record), []
            case Admission.WAIT:
                return _later(record.id, record.status, verdict.wait_s), []
            case Admission.UNKNOWN:
                return _DROPPED, []
            case Admission.CANCEL:
                end = rules.ended(record, JobStatus.CANCELLED, now)
            case Admission.EXHAUSTED:
                end = rules.ended(record, JobStatus.FAILED, now, trouble=_EXHAUSTED)
        return _said(end), end_writes(kind, end, stored.version)

    def _run(self, kind: JobKind, step: Step) -> Answer:
        """Let the handler work and settle what came of it."""
        before = (step.cursor, step.counts)
        try:
            outcome = kind.handler(step)
        except TimeUp:
            outcome = Continue()
        except Cancelled:
            return self._settle(step, lambda held: self._end(kind, held, JobStatus.CANCELLED))
        except LeaseLost:
            return self._overtaken(step)
        except Exception as error:  # noqa: BLE001 - whatever a handler does, the job ends in an honest state
            trouble = _seen(error, step)
            return self._settle(step, lambda held: self._failed(kind, held, trouble))
        if isinstance(outcome, Done):
            return self._settle(step, lambda held: self._done(kind, held, step, outcome))
        if outcome.delay_s <= 0 and before == (step.cursor, step.counts):
            return self._settle(step, lambda held: self._failed(kind, held, _STUCK))
        return self._settle(step, lambda held: self._continue(kind, held, step, outcome))

    def _settle(self, step: Step, decide: "Callable[[_Held], _Decided]") -> Answer:
        """Commit the end of a delivery if the lease is still ours."""
        key = job_key(step.job_id)

        def fenced(found: Mapping[Key, Stored]) -> tuple[Answer | None, list[Write]]:
            record = Record.of(found[key]) if key in found else None
            if record is None or record.epoch != step.epoch or record.lease is None:
                return None, []
            return decide(_Held(record, found[key].version))

        return self._store.change([key], fenced) or self._overtaken(step)

    def _done(self, kind: JobKind, held: "_Held", step: Step, done: Done) -> "_Decided":
        full, items = self._with_items(held.record, step)
        answer, writes = self._end(kind, _Held(full, held.version), JobStatus.SUCCEEDED, result=done.result)
        return answer, [*writes, *items, *done.writes]

    def _continue(self, kind: JobKind, held: "_Held", step: Step, outcome: Continue) -> "_Decided":
        if held.record.cancel_requested:
            return self._end(kind, held, JobStatus.CANCELLED)
        now = self._clock.now()
        full, items = self._with_items(held.record, step)
        record = rules.continued(full, now, outcome.delay_s)
        task = self._outbox.add(follow_up(record, now, outcome.delay_s))
        following = {"step": record.step, "delay_seconds": outcome.delay_s}
        answer = Answer(200, {"job_id": record.id, "status": record.status, "next": following})
        return answer, [Put(job_key(record.id), record.data(), held.version), *items, task]

    def _failed(self, kind: JobKind, held: "_Held", trouble: Trouble) -> "_Decided":
        """Put the job back for another attempt, or end it when none is left or none would help."""
        record, now = held.record, self._clock.now()
        if trouble.transient and record.cancel_requested:
            return self._end(kind, held, JobStatus.CANCELLED)
        exhausted = trouble.transient and record.attempts >= record.max_attempts
        if exhausted or not trouble.transient:
            return self._end(kind, held, JobStatus.FAILED, trouble=trouble)
        wait_s = rules.retry_wait_s(record.attempts, trouble, self._rng)
        after = rules.waiting(record, wait_s, trouble, now)
        status = 429 if trouble.rate_limited else 503
        return _later(record.id, after.status, wait_s, status), [Put(job_key(record.id), after.data(), held.version)]

    def _end(self, kind: JobKind, held: "_Held", status: JobStatus, **more: Any) -> "_Decided":
        record = rules.ended(held.record, status, self._clock.now(), **more)
        return _said(record), end_writes(kind, record, held.version)

    def _with_items(self, record: Record, step: Step) -> tuple[Record, list[Write]]:
        items = step.waiting_items()
        if not items:
            return record, []
        return rules.checkpointed(record, self._clock.now(), {}, None, items), item_writes(record, items)

    def _overtaken(self, step: Step) -> Answer:
        """Answer for a delivery that lost its lease: done with when the step is, else worth coming back for."""
        stored = self._store.get(job_key(step.job_id))
        record = Record.of(stored) if stored else None
        _LOG.warning("job %s: a delivery lost its lease", step.job_id)
        if record is None or not record.live or record.step > step.record.step:
            return Answer(200, {"job_id": step.job_id, "status": record.status if record else "dropped"})
        return _later(record.id, record.status, rules.LEASE_S)


@dataclass(frozen=True, slots=True)
class _Held:
    """A job whose lease is ours, as just read."""

    record: Record
    version: str


_Decided = tuple[Answer, list[Write]]


def _seen(error: Exception, step: Step) -> Trouble:
    if isinstance(error, Conflict):
        return Trouble("contention", "Others changed what this step was about to write.", transient=True)
    trouble = rules.trouble_of(error)
    if trouble.code == rules.INTERNAL:
        _LOG.error("job %s: the handler failed", step.job_id, exc_info=error)
    return trouble


def _said(record: Record) -> Answer:
    return Answer(200, {"job_id": record.id, "status": str(record.status)})


def _later(job_id: str, state: str, wait_s: float, status: int = 503) -> Answer:
    headers = {"Retry-After": str(max(1, math.ceil(wait_s)))}
    return Answer(status, {"job_id": job_id, "status": str(state)}, headers)
