"""What a handler holds while it works: its input, how far it came, and the one way to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

from shared.core.errors import Transient
from shared.core.values import dataclass
from shared.jobs.record import Record, item_key, job_key
from shared.jobs.rules import Item, Progress, checkpointed
from shared.jobs.states import ItemStatus, JobStatus
from shared.ports.documents import Conflict, Create, Documents, Put, Stored, Write

if TYPE_CHECKING:
    from shared.core.clock import Clock
    from shared.ports.store import Store

__all__ = ["Cancelled", "LeaseLost", "Signal", "Step", "TimeUp", "Told", "item_writes"]


class Signal(BaseException):
    """A reason to stop working that no `except Exception` of an item loop may swallow."""


class LeaseLost(Signal):
    """Somebody else works on the job now, or it has ended: nothing of ours was written."""


class Cancelled(Signal):
    """The job was asked to stop: nothing of ours was written."""


class TimeUp(Signal):
    """The delivery has used its time; what was checkpointed is kept and the next delivery goes on."""


_KEEP: Final = object()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """How far a job is after some work: cursor and counters as they are then, progress, and further writes."""

    cursor: Any
    counts: dict[str, Any]
    progress: Progress | None = None
    writes: Sequence[Write] = ()


class Step:
    """One delivery's work on a job."""

    def __init__(self, documents: Documents, clock: Clock, record: Record, version: str, budget_s: float) -> None:
        """Take a job whose lease we hold, with the version its document had when we took it."""
        self._documents, self._clock = documents, clock
        self._record, self._version = record, version
        self._end = clock.monotonic() + budget_s
        self._items: list[Item] = []

    @property
    def job_id(self) -> str:
        """Return the job's id."""
        return self._record.id

    @property
    def subject(self) -> str | None:
        """Return what the job is about: a source, a supplier, an order."""
        return self._record.subject

    @property
    def input(self) -> dict[str, Any]:
        """Return what the job was started with."""
        return self._record.input

    @property
    def cursor(self) -> Any:
        """Return how far the job has come, as last checkpointed; None at the very start."""
        return self._record.cursor

    @property
    def counts(self) -> dict[str, Any]:
        """Return the kind's own counters, as last checkpointed."""
        return self._record.counts

    @property
    def attempts(self) -> int:
        """Return which delivery of this step this is, from 1."""
        return self._record.attempts

    @property
    def epoch(self) -> int:
        """Return the fencing token of this delivery."""
        return self._record.epoch

    @property
    def now(self) -> datetime:
        """Return the present time."""
        return self._clock.now()

    @property
    def record(self) -> Record:
        """Return the job as last committed by this step."""
        return self._record

    def time_left(self) -> float:
        """Return the seconds left to this delivery."""
        return self._end - self._clock.monotonic()

    def item(self, key: str, status: ItemStatus | str, code: str | None = None, message: str | None = None) -> None:
        """Record the fate of one item; it is written, and counted, by the next checkpoint."""
        self._items.append(Item(key, ItemStatus(status), code, message))

    def checkpoint(
        self,
        *,
        cursor: Any = _KEEP,
        counts: dict[str, Any] | None = None,
        progress: Progress | None = None,
        writes: Sequence[Write] = (),
    ) -> None:
        """Commit effects, recorded items and how far we are as one, renew the lease, and go on.

        `progress` is (processed, total or None, message or None). At most 499 writes and items together. Raise LeaseLost
        or Cancelled when we may not write any more (then nothing was), Conflict when a precondition of `writes` failed,
        TimeUp after the commit when the delivery's time is over.
        """
        changes = ({} if cursor is _KEEP else {"cursor": cursor}) | ({} if counts is None else {"counts": counts})
        record = checkpointed(self._record, self.now, changes, progress, self._items)
        put = Put(job_key(self.job_id), record.data(), self._version)
        try:
            versions = self._documents.commit([put, *item_writes(self._record, self._items), *writes])
        except Conflict as conflict:
            raise self._reason(conflict) from conflict
        self._record, self._version, self._items = record, versions[0], []
        if self.time_left() <= 0:
            raise TimeUp

    def within(self, store: Store, work: Callable[[], T], told: Callable[[T], Told]) -> T:
        """Run `work` through the store and commit all it changed together with a checkpoint, as one; return its result.

        For services that read and decide by themselves: their writes carry their own conditions, and a lost race runs
        `work` again. `told` says of the result how far the job is then. Raises as `checkpoint` does.
        """
        made: list[Record] = []

        def guarded() -> T:
            stored = self._documents.get(job_key(self.job_id))
            if stored is None or stored.version != self._version:
                raise self._moved(stored)
            return work()

        def finish(result: T) -> list[Write]:
            said = told(result)
            changes = {"cursor": said.cursor, "counts": said.counts}
            made[:] = [checkpointed(self._record, self.now, changes, said.progress, self._items)]
            put = Put(job_key(self.job_id), made[0].data(), self._version)
            return [put, *item_writes(self._record, self._items), *said.writes]

        result = store.atomically(guarded, finish=finish)
        stored = self._documents.get(job_key(self.job_id))
        if stored is None or stored.data["version"] != made[0].version:
            raise self._moved(stored)
        self._record, self._version, self._items = made[0], stored.version, []
        if self.time_left() <= 0:
            raise TimeUp
        return result

    def waiting_items(self) -> list[Item]:
        """Return the items recorded since the last checkpoint, for the commit that ends the step."""
        return self._items

    def _reason(self, conflict: Conflict) -> BaseException:
        """Say why a checkpoint was refused."""
        stored = self._documents.get(job_key(self.job_id))
        if stored is not None and stored.version == self._version:
            return conflict
        return self._moved(stored)

    def _moved(self, stored: Stored | None) -> BaseException:
        """Say what it means that the job's document is another now."""
        if stored is None:
            return LeaseLost()
        present = Record.of(stored)
        if present.epoch != self.epoch or present.status != JobStatus.RUNNING:
            return LeaseLost()
        return Cancelled() if present.cancel_requested else Transient("job_moved", "An earlier commit was uncertain.")


def item_writes(record: Record, items: Sequence[Item]) -> list[Write]:
    """Return the documents of newly recorded items."""
    return [
        Create(
            item_key(record.id, record.items_recorded + number),
            {
                "job_id": record.id,
                "number": record.items_recorded + number,
                "key": item.key,
                "status": str(item.status),
                "code": item.code,
                "message": item.message,
            },
        )
        for number, item in enumerate(items)
    ]
