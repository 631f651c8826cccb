"""The wire shapes of refreshes (`api.md` 2.3, 3.1)."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.core.page import PageQuery
from shared.jobs.models import Accepted
from shared.jobs.states import JobStatus
from shared.oos.models import Shape
from shared.oos.words import SourceName

__all__ = [
    "LegacyRefreshTime",
    "LegacySourceTime",
    "RefreshAccepted",
    "RefreshError",
    "RefreshJob",
    "RefreshRun",
    "RefreshStatus",
    "RunFilter",
    "SourceStatus",
    "StartRefresh",
    "StartSourceRefresh",
]


class RunFilter(PageQuery):
    """Which refresh runs to list."""

    source: Annotated[list[SourceName] | None, Field(max_length=10)] = None
    status: Annotated[list[JobStatus] | None, Field(max_length=10)] = None


class RefreshJob(Shape):
    """The job that refreshes one source."""

    source: SourceName
    job_id: str
    joined: bool


class RefreshAccepted(Accepted):
    """The answer to a trigger: one job per source."""

    jobs: list[RefreshJob]


class StartRefresh(Shape):
    """What to refresh."""

    source: str = Field(default="all", pattern="^(all|stord|shipbob)$")
    accept_drop: bool = False


class StartSourceRefresh(Shape):
    """How to refresh one source."""

    accept_drop: bool = False


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
