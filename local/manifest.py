"""`function.json`, read strictly: the deployment facts of one function, the same for Terraform, the local run and the tests."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = ["Manifest", "Needs", "Schedule", "manifests"]

FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
# What a container may have: memory in MiB up to which each CPU is allowed, and down to which.
_MEMORY = {"0.167": (128, 512), "0.333": (128, 512), "0.583": (128, 1024), "1": (128, 4096), "2": (128, 8192)}
_CRON = re.compile(r"^\S+( \S+){4}$")

Access = Literal["none", "read", "write"]


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("no such time zone")
    return name


def _sentence(text: str) -> str:
    if not text[:1].isupper() or "\n" in text:
        raise ValueError("one sentence, beginning with a capital letter")
    return text


class _Strict(BaseModel, defer_build=True):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Needs(_Strict):
    """What a function's own account may do; each value grants named roles in Terraform."""

    documents: Access
    warehouse: Access
    queues: list[Literal["refresh", "sync", "scraping", "import", "orders", "ai", "ml", "alerts"]]
    secrets: list[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]]
    files: Access
    kms: bool


class Schedule(_Strict):
    """One call of the platform's scheduler."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    cron: Annotated[str, Field(pattern=_CRON.pattern)]
    time_zone: Annotated[str, AfterValidator(_zone)]
    path: Annotated[str, Field(pattern=r"^/internal/schedules/[a-z-]+$")]
    deadline_s: Annotated[int, Field(ge=15, le=1800)]


class Manifest(_Strict):
    """The facts of one function folder."""

    description: Annotated[str, AfterValidator(_sentence)]
    entry_point: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    public: bool
    paths: Annotated[list[Annotated[str, Field(pattern=r"^/[^ ]*$")]], Field(min_length=1)]
    memory: Annotated[str, Field(pattern=r"^[0-9]+(Mi|Gi)$")]
    cpu: Literal["0.167", "0.333", "0.583", "1", "2"]
    concurrency: Annotated[int, Field(ge=1, le=1000)]
    timeout_s: Annotated[int, Field(ge=1, le=3600)]
    min_instances: Annotated[int, Field(ge=0, le=50)]
    max_instances: Annotated[int, Field(ge=1, le=50)]
    schedules: list[Schedule]
    needs: Needs

    @property
    def memory_mib(self) -> int:
        """Return the memory in MiB."""
        number, unit = int(self.memory[:-2]), self.memory[-2:]
        return number * 1024 if unit == "Gi" else number

    @model_validator(mode="after")
    def _allowed_together(self) -> Self:
        least, most = _MEMORY[self.cpu]
        if not least <= self.memory_mib <= most:
            raise ValueError(f"memory {self.memory} is not allowed with cpu {self.cpu}")
        if self.concurrency > 1 and float(self.cpu) < 1:
            raise ValueError("concurrency above 1 needs a whole cpu")
        if self.schedules and self.public:
            raise ValueError("only internal functions have schedules")
        if self.min_instances > self.max_instances:
            raise ValueError("min_instances is above max_instances")
        return self


def manifests() -> dict[str, Manifest]:
    """Return the manifest of every function folder, by name."""
    files = sorted(FUNCTIONS.glob("*/function.json"))
    return {path.parent.name: Manifest.model_validate_json(path.read_bytes()) for path in files}
