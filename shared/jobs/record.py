"""The job document: what is stored, more than what is shown."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.core.clock import parse_instant
from shared.core.values import dataclass, field
from shared.jobs.states import LIVE, JobStatus
from shared.ports.documents import Data, Key, Stored

if TYPE_CHECKING:
    from shared.jobs.models import Job

__all__ = ["ITEMS", "JOBS", "LOCKS", "Lease", "Record", "item_key", "job_key", "lock_key"]

JOBS, ITEMS, LOCKS = "jobs", "job_items", "job_locks"

_SECRET_WORDS = ("token", "secret", "password", "credential", "api_key", "authorization")
_ABSENT_WHEN_NONE = frozenset({"due_at", "delete_at"})


def job_key(job_id: str) -> Key:
    """Return where a job's document lives."""
    return Key(JOBS, job_id)


def lock_key(kind: str, subject: str | None) -> Key:
    """Return where the live job of a kind and subject is named."""
    return Key(LOCKS, f"{kind}:{(subject or '').replace('%', '%25').replace('/', '%2F')}")


def item_key(job_id: str, number: int) -> Key:
    """Return where the n-th recorded item of a job lives."""
    return Key(ITEMS, f"{job_id}-{number:08d}")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a job: who has it and until when."""

    holder: str
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A job as stored; times are texts of `instant`.

    `step` is the step expected next and `step_epoch` the lease epoch its first delivery will take: what comes with less is
    old. `epoch` is the fencing token. `due_at` (live jobs only) is when somebody should look after the job; `delete_at`
    (ended jobs only) is when it goes.
    """

    id: str
    kind: str
    queue: str
    name: str
    subject: str | None
    input: dict[str, Any]
    status: str
    created_by: str | None
    created_at: str
    max_attempts: int
    single_flight: bool
    trace: str | None = None
    step: int = 0
    step_epoch: int = 1
    epoch: int = 0
    lease: Lease | None = None
    cursor: Any = None
    counts: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    next_attempt_at: str | None = None
    due_at: str | None = None
    delete_at: str | None = None
    progress_percent: int = 0
    progress_message: str | None = None
    items_total: int | None = None
    items_processed: int = 0
    items_succeeded: int = 0
    items_failed: int = 0
    items_recorded: int = 0
    result: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    cancel_requested: bool = False
    retry_of: str | None = None
    retried_by: str | None = None
    dead_letter: bool = False
    started_at: str | None = None
    finished_at: str | None = None
    version: int = 1

    @classmethod
    def of(cls, stored: Stored) -> Record:
        """Read a stored document; keys of a newer release are ignored."""
        data = {name: value for name, value in stored.data.items() if name in _NAMES}
        lease = data.get("lease")
        return cls(**(data | {"lease": Lease(**lease) if lease else None}))

    def data(self) -> Data:
        """Return the document to store."""
        data = {name: getattr(self, name) for name in _NAMES}
        data["lease"] = {"holder": self.lease.holder, "expires_at": self.lease.expires_at} if self.lease else None
        return {name: value for name, value in data.items() if value is not None or name not in _ABSENT_WHEN_NONE}

    @property
    def live(self) -> bool:
        """Say whether the job has not ended."""
        return self.status in LIVE

    @property
    def duration_ms(self) -> int | None:
        """Return how long the job took from its first start, when it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return round((parse_instant(self.finished_at) - parse_instant(self.started_at)).total_seconds() * 1000)

    def view(self) -> Job:
        """Return the job as clients see it: input without secrets."""
        from shared.jobs.models import Job, JobError

        shown: dict[str, Any] = {name: getattr(self, name) for name in Job.model_fields.keys() & _NAMES}
        shown |= {"job_type": self.kind, "status": JobStatus(self.status), "duration_ms": self.duration_ms}
        shown |= {"input": _without_secrets(self.input), "error": JobError(**self.error) if self.error else None}
        shown |= {name: _moment(getattr(self, name)) for name in ("created_at", "started_at", "finished_at")}
        return Job(**shown)


_NAMES = frozenset(each.name for each in fields(Record))


def _moment(text: str | None) -> datetime | None:
    return parse_instant(text) if text else None


def _without_secrets(value: Any) -> Any:
    """Drop every key that sounds like a secret, however deep."""
    if isinstance(value, dict):
        return {name: _without_secrets(item) for name, item in value.items() if not _sounds_secret(name)}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    return value


def _sounds_secret(name: str) -> bool:
    return any(word in name.casefold() for word in _SECRET_WORDS)
