"""The wire shapes of refreshes (`api.md` 2.3, 3.1)."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.core.page import PageQuery
from shared.core.times import From, To
from shared.jobs.states import JobStatus
from shared.oos.shape import Shape
from shared.oos.words import SourceName

__all__ = [
    "LegacyRefreshTime",
    "LegacySourceTime",
    "RefreshError",
    "RefreshRun",
    "RefreshStatus",
    "RunFilter",
    "SourceStatus",
]


class RunFilter(PageQuery):
    """Which refresh runs to list."""

    source: Annotated[list[SourceName] | None, Field(max_length=10)] = None
    status: Annotated[list[JobStatus] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class RefreshError(Shape):
    """Why a run failed."""

    code: str
    detail: str
    page: int | None = None


class RefreshRun(Shape):
    """One refresh of one source: a view of its job."""

    id: str
    job_id: str
    source: SourceName
    status: str
    trigger: str
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    pages: int
    fetched: int
    held: int
    opened: int
    updated: int
    reopened: int
    resolved: int
    unverified: int
    rejected: int
    snapshot_id: str | None
    error: RefreshError | None
    created_by: str | None
    created_at: datetime


class SourceStatus(Shape):
    """How fresh one source is."""

    source: SourceName
    enabled: bool
    last_success_at: datetime | None
    last_attempt_at: datetime | None
    last_status: str | None
    snapshot_id: str | None
    open_orders: int
    age_seconds: int | None
    stale: bool
    running_job_id: str | None
    error: RefreshError | None


class RefreshStatus(Shape):
    """How fresh everything is."""

    last_refresh_time: datetime | None
    sources: list[SourceStatus]


class LegacySourceTime(Shape):
    """One source in the older last-refresh answer."""

    last_success_at: str | None
    stale: bool


class LegacyRefreshTime(Shape):
    """The older last-refresh answer; times written with the offset +00:00."""

    last_refresh_time: str
    sources: dict[str, LegacySourceTime]
