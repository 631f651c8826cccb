"""The kinds of jobs there are: which queue, which handler, what else to write when one starts and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.values import dataclass, field
from shared.jobs.rules import BUDGET_S, MAX_ATTEMPTS
from shared.jobs.step import Cancelled, LeaseLost, Step, TimeUp

if TYPE_CHECKING:
    from shared.jobs.record import Record
    from shared.ports.documents import Write

__all__ = ["Cancelled", "Continue", "Done", "Handler", "JobKind", "Kinds", "LeaseLost", "Step", "TimeUp"]


@dataclass(frozen=True, slots=True)
class Done:
    """The job has succeeded; `writes` are committed together with that fact."""

    result: dict[str, Any] = field(default_factory=dict)
    writes: Sequence[Write] = ()


@dataclass(frozen=True, slots=True)
class Continue:
    """The job goes on in another delivery, so many seconds from now, at its checkpointed cursor."""

    delay_s: float = 0.0


Handler = Callable[[Step], Done | Continue]


def _nothing(_: Record) -> Sequence[Write]:
    return ()


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of job.

    `handler` runs a step: it returns Done or Continue, or raises Transient, Terminal or a Problem. `on_start` and `on_end`
    see the job as it will be stored and return writes for the same commit: a kind's own document about the job is thus
    never out of step with it. They may read through the store and may run more than once. `resumes` lets a retry start at
    the failed job's cursor instead of from the beginning.
    """

    name: str
    queue: str
    handler: Handler
    label: str
    on_start: Callable[[Record], Sequence[Write]] = _nothing
    on_end: Callable[[Record], Sequence[Write]] = _nothing
    resumes: bool = False
    max_attempts: int = MAX_ATTEMPTS
    budget_s: float = BUDGET_S


Kinds = Mapping[str, JobKind]
