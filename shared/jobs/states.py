"""The states of jobs and of their items: all that deciding about a job needs of its wire forms."""

from enum import StrEnum

__all__ = ["LIVE", "ItemStatus", "JobStatus"]


class JobStatus(StrEnum):
    """The five states of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


class ItemStatus(StrEnum):
    """What became of one item of a bulk job."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
