"""The wire shapes of starting a refresh (`api.md` 2.3); asking how fresh the data is needs none of them."""

from pydantic import Field

from shared.jobs.models import Accepted
from shared.oos.shape import Shape
from shared.oos.words import SourceName

__all__ = ["RefreshAccepted", "RefreshJob", "StartRefresh", "StartSourceRefresh"]


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
