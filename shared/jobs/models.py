"""Jobs as clients see them: the wire forms of api.md 1.10 and 2.13."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.core.page import PageQuery
from shared.core.text import Text
from shared.core.times import From, To
from shared.jobs.states import ItemStatus, JobStatus

__all__ = [
    "Accepted",
    "Delivered",
    "ItemQuery",
    "Job",
    "JobError",
    "JobItem",
    "JobQuery",
    "JobStats",
    "RetryAccepted",
    "Scheduled",
    "StatsQuery",
    "StatusWord",
    "WaitQuery",
]


class JobError(BaseModel, defer_build=True):
    """Why a job failed: a stable code and a sentence without secrets."""

    model_config = ConfigDict(frozen=True)

    code: str
    detail: str


class Job(BaseModel, defer_build=True):
    """One piece of work in the background."""

    model_config = ConfigDict(frozen=True)

    id: str
    job_type: str
    status: JobStatus
    name: str
    subject: str | None
    progress_percent: int = Field(ge=0, le=100)
    progress_message: str | None
    items_total: int | None
    items_processed: int
    items_succeeded: int
    items_failed: int
    input: dict[str, Any]
    result: dict[str, Any] | None
    error: JobError | None
    attempts: int
    max_attempts: int
    cancel_requested: bool
    retry_of: str | None
    retried_by: str | None
    dead_letter: bool
    created_by: str | None
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    finished_at: AwareDatetime | None
    duration_ms: int | None
    version: int = Field(ge=1)


class JobItem(BaseModel, defer_build=True):
    """One item of a bulk job."""

    model_config = ConfigDict(frozen=True)

    key: str
    status: ItemStatus
    code: str | None
    message: str | None


class JobStats(BaseModel, defer_build=True):
    """How many jobs there are in each state, in all and by type."""

    model_config = ConfigDict(frozen=True)

    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    by_type: dict[str, dict[str, int]]
    oldest_queued_at: AwareDatetime | None


class AcceptedData(BaseModel, defer_build=True):
    """The job id again, where older clients look for it."""

    job_id: str


class Accepted(BaseModel, defer_build=True):
    """The answer to work taken on: the job exists and can be read."""

    success: Literal[True] = True
    message: str
    job_id: str
    job_ids: list[str]
    joined: bool
    status_url: str
    data: AcceptedData

    @classmethod
    def of(cls, job_ids: Sequence[str], *, joined: bool, message: str, **more: Any) -> Self:
        """Build the answer for one job or several; `more` fills the keys of a subclass."""
        first = job_ids[0]
        place = f"/api/v1/jobs/{first}"
        data = AcceptedData(job_id=first)
        ids = list(job_ids)
        return cls(message=message, job_id=first, job_ids=ids, joined=joined, status_url=place, data=data, **more)


class RetryAccepted(Accepted):
    """The answer to a retry: the new job goes on where the old one ended."""

    new_job_id: str

    @classmethod
    def of_retry(cls, job_id: str, *, joined: bool) -> Self:
        """Build the answer; `joined` says that the job was there already."""
        message = "This job is being repeated already." if joined else "The job is being repeated."
        return cls.of([job_id], joined=joined, message=message, new_job_id=job_id)


class Delivered(BaseModel, defer_build=True):
    """The answer to a task: what became of the job, or `dropped`."""

    job_id: str | None = None
    status: str
    next: dict[str, float] | None = None


class Scheduled(BaseModel, defer_build=True):
    """The answer to a schedule call: the jobs this slot started."""

    job_ids: list[str]


class StatusWord(StrEnum):
    """The states a list may be asked for, the older words among them."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PENDING = "pending"
    COMPLETED = "completed"

    @property
    def meant(self) -> JobStatus:
        """Return the state the word stands for."""
        return _OLDER.get(self) or JobStatus(self.value)


_OLDER = {StatusWord.PENDING: JobStatus.QUEUED, StatusWord.COMPLETED: JobStatus.SUCCEEDED}


class JobQuery(PageQuery):
    """Which jobs to list."""

    status: Annotated[list[StatusWord] | None, Field(max_length=10)] = None
    job_type: Annotated[list[Text] | None, Field(max_length=10)] = None
    subject: Annotated[list[Text] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class ItemQuery(PageQuery):
    """Which items of a job to list; in the order they were worked on."""

    SORTS: ClassVar[tuple[str, ...]] = ("number",)

    status: Annotated[list[ItemStatus] | None, Field(max_length=10)] = None


class WaitQuery(BaseModel, defer_build=True):
    """How long to wait for a change."""

    wait: Annotated[int, Field(ge=0, le=25)] = 0


class StatsQuery(BaseModel, defer_build=True):
    """From when on jobs are counted, by their creation."""

    since: From | None = None
