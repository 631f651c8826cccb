"""Starting refreshes and saying how fresh everything is. A RefreshRun is a view of its job: one truth, told twice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shared.core.caller import Caller, Role
from shared.core.clock import instant, parse_instant
from shared.core.errors import Forbidden, InvalidState, NotFound, ValidationFailed
from shared.core.values import dataclass
from shared.jobs.names import REFRESH_SOURCE
from shared.jobs.record import JOBS, Record, lock_key
from shared.oos.refresh_models import (
    LegacyRefreshTime,
    LegacySourceTime,
    RefreshError,
    RefreshRun,
    RefreshStatus,
    RunFilter,
    SourceStatus,
)
from shared.oos.snapshot import source_key
from shared.oos.words import SOURCES, SourceName
from shared.ports.documents import Create, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.jobs.models import Job
    from shared.jobs.service import JobService, Started
    from shared.oos.reader import Current, SnapshotReader
    from shared.oos.start_models import RefreshAccepted
    from shared.ports.store import Store

__all__ = ["KIND", "RefreshService", "StartedRefresh", "ended_writes", "run_row", "run_view"]

KIND = REFRESH_SOURCE
_COUNTS = ("pages", "fetched", "held", "opened", "updated", "reopened", "resolved", "unverified", "rejected")


@dataclass(frozen=True, slots=True)
class StartedRefresh:
    """The job of one source, and whether it was already running."""

    source: str
    job: Job
    joined: bool


class RefreshService:
    """The use cases around refreshes."""

    def __init__(self, store: Store, jobs: JobService, reader: SnapshotReader, enabled: Collection[str]) -> None:
        """Take the store, jobs, the snapshot reader, and the sources that are configured."""
        self._store, self._jobs, self._reader = store, jobs, reader
        self._enabled = tuple(source for source in SOURCES if source in enabled)

    def start(
        self,
        source: str,
        caller: Caller,
        *,
        accept_drop: bool = False,
        trigger: str = "manual",
        trace: str | None = None,
    ) -> list[StartedRefresh]:
        """Start, or join, the refresh of one source or of `all` that are configured.

        Raise Forbidden for `accept_drop` below manager, InvalidState when nothing (or not that source) is configured.
        """
        if accept_drop and not caller.may(Role.MANAGER):
            detail = "Accepting a suspicious drop needs the role manager."
            raise Forbidden(detail)
        sources = self._chosen(source)
        return [self._start(name, caller, accept_drop=accept_drop, trigger=trigger, trace=trace) for name in sources]

    @staticmethod
    def accepted(started: Sequence[StartedRefresh]) -> RefreshAccepted:
        """Say which jobs do the work."""
        from shared.oos.start_models import RefreshAccepted, RefreshJob

        joined = all(one.joined for one in started)
        message = "A refresh is running already." if joined else "The refresh has started."
        jobs = [RefreshJob(source=SourceName(one.source), job_id=one.job.id, joined=one.joined) for one in started]
        return RefreshAccepted.of([one.job.id for one in started], joined=joined, message=message, jobs=jobs)

    def status(self) -> RefreshStatus:
        """Say how fresh each source is."""
        sources = [self._source_status(self._reader.current(name)) for name in SOURCES]
        times = [one.last_success_at for one in sources if one.last_success_at is not None]
        return RefreshStatus(last_refresh_time=max(times, default=None), sources=sources)

    def last_refresh_time(self) -> LegacyRefreshTime:
        """Say when anything was last refreshed, as the older backend did; raise NotFound when never."""
        current = {name: self._reader.current(name) for name in SOURCES}
        times = {name: one.data.get("last_success_at") for name, one in current.items()}
        known = [text for text in times.values() if text]
        if not known:
            detail = "No refresh has succeeded yet."
            raise NotFound(detail, resource="refresh")
        sources = {
            name: LegacySourceTime(last_success_at=_offset(times[name]), stale=current[name].stale) for name in SOURCES
        }
        return LegacyRefreshTime(last_refresh_time=_offset(max(known)) or "", sources=sources)

    def run(self, run_id: str) -> RefreshRun:
        """Return one run; raise NotFound."""
        try:
            record = self._jobs.record(_job_id(run_id))
        except NotFound:
            record = None
        if record is None or record.kind != KIND:
            detail = "No refresh run has this id."
            raise NotFound(detail, resource="refresh_run")
        return run_view(record)

    def runs(self, query: RunFilter) -> Query:
        """Return the document query behind the list of runs."""
        given = {"subject": query.source, "status": query.status}
        filters = [(name, tuple(str(value) for value in values)) for name, values in given.items() if values]
        return Query(
            JOBS,
            (("kind", KIND), *((name, one[0] if len(one) == 1 else one) for name, one in filters)),
            at_least=instant(query.created_from) if query.created_from else None,
            at_most=instant(query.created_to) if query.created_to else None,
        )

    @staticmethod
    def run_of(stored: Stored) -> RefreshRun:
        """Read a run from its job document."""
        return run_view(Record.of(stored))

    def _chosen(self, source: str) -> Sequence[str]:
        if source == "all":
            if not self._enabled:
                detail = "No source is configured: set SHIPBOB_API_TOKEN or STORD_API_TOKEN."
                raise InvalidState(detail, current="not_configured", allowed=[])
            return self._enabled
        if source not in SOURCES:
            raise ValidationFailed.at("/source", "unknown_source", "The source must be stord, shipbob or all.")
        if source not in self._enabled:
            detail = "This source is not configured."
            raise InvalidState(detail, current="not_configured", allowed=list(self._enabled))
        return (source,)

    def _start(
        self, source: str, caller: Caller, *, accept_drop: bool, trigger: str, trace: str | None
    ) -> StartedRefresh:
        given = {"source": source, "accept_drop": accept_drop, "trigger": trigger}
        started: Started = self._jobs.start(KIND, source, given, caller, request_trace=trace)
        return StartedRefresh(source, started.job, started.joined)

    def _source_status(self, current: Current) -> SourceStatus:
        data = current.data
        header = current.loaded.header if current.loaded else None
        live = self._store.get(lock_key(KIND, current.source))
        error = data.get("error")
        return SourceStatus(
            source=SourceName(current.source),
            enabled=current.source in self._enabled,
            last_success_at=_time(data.get("last_success_at")),
            last_attempt_at=_time(data.get("last_attempt_at")),
            last_status=data.get("last_status"),
            snapshot_id=header.id if header else None,
            open_orders=header.open_orders if header else 0,
            age_seconds=current.age_s,
            stale=current.stale,
            running_job_id=live.data["job_id"] if live else None,
            error=RefreshError(**error) if error else None,
        )


def ended_writes(store: Store, forget: Callable[[str], None], record: Record) -> Sequence[Write]:
    """Return what a run's end writes beside its job: the source's last attempt, its status and error."""
    source = record.input["source"]
    present = store.get(source_key(source))
    data = (present.data if present else {"source": source, "snapshot": None}) | {
        "last_attempt_at": record.started_at or record.created_at,
        "last_status": record.status,
        "error": _error(record),
    }
    store.after_commit(lambda: forget(source))
    if present is None:
        return [Create(source_key(source), data)]
    return [Put(source_key(source), data, present.version)]


def run_view(record: Record) -> RefreshRun:
    """Show a job as the refresh run it is."""
    job, counts = record.view(), record.counts
    return RefreshRun(
        id=_run_id(job.id),
        job_id=job.id,
        source=record.input["source"],
        status=job.status.value,
        trigger=record.input.get("trigger", "manual"),
        **{name: counts.get(name, 0) for name in _COUNTS},
        snapshot_id=counts.get("snapshot_id"),
        error=RefreshError(**error) if (error := _error(record)) else None,
        **{
            name: getattr(job, name)
            for name in ("started_at", "finished_at", "duration_ms", "created_by", "created_at")
        },
    )


def run_row(record: Record) -> dict[str, Any]:
    """Return a run that has ended as its row of the warehouse table."""
    shown = run_view(record).model_dump(mode="json")
    error = shown.pop("error") or {}
    return shown | {f"error_{name}": error.get(name) for name in ("code", "detail", "page")}


def _error(record: Record) -> dict[str, Any] | None:
    if record.error is None:
        return None
    reading: Mapping[str, Any] = record.cursor if isinstance(record.cursor, dict) else {}
    page = reading["pages"] + 1 if reading.get("phase") == "fetch" else None
    return {**record.error, "page": page}


def _run_id(job_id: str) -> str:
    return "run_" + job_id.partition("_")[2]


def _job_id(run_id: str) -> str:
    return "job_" + run_id.partition("_")[2]


def _time(text: str | None) -> Any:
    return parse_instant(text) if text else None


def _offset(text: str | None) -> str | None:
    """Write a time as the older backend documented it, with +00:00."""
    return parse_instant(text).isoformat(timespec="seconds") if text else None
