"""Gathers what a deployment says about itself."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from shared.core.caller import Caller, Role
from shared.core.errors import Forbidden, Unauthenticated
from shared.core.readiness import Check, Outcome, Readiness
from shared.core.version import NAME, VERSION
from shared.meta.models import (
    Application,
    CheckResult,
    Database,
    Health,
    JobNumbers,
    Metrics,
    Ready,
    RequestNumbers,
    Root,
    SourceNumbers,
    System,
)
from shared.ports.documents import Query

if TYPE_CHECKING:  # what others answer with: named here, loaded there
    from shared.core.clock import Clock
    from shared.core.settings import Settings
    from shared.jobs.models import JobStats
    from shared.oos.refresh_models import RefreshStatus, SourceStatus
    from shared.ports.store import Store
    from shared.ports.tasks import Tasks
    from shared.ports.warehouse import Warehouse

__all__ = ["Deployment", "MetaService", "api_document", "prometheus"]

_DOCUMENT = Path(__file__).parent / "openapi.json"
_STATM = Path("/proc/self/statm")
_PAGE_BYTES = 4096
_MIB = 2**20
_DAY = timedelta(days=1)


class Answered(Protocol):
    """What one instance has answered so far (`shared.http.numbers.Numbers`)."""

    count: int
    errors: int
    started: float

    def percentile(self, share: float) -> float | None:
        """Return the latency that this share of answers stayed within."""
        ...


class JobNumbersSource(Protocol):
    """Where numbers of jobs come from (`shared.jobs.service.JobService`)."""

    def stats(self, since: datetime | None = None) -> JobStats:
        """Count jobs."""
        ...


class FreshnessSource(Protocol):
    """Where the freshness of the sources comes from (`shared.oos.refreshes.RefreshService`)."""

    def status(self) -> RefreshStatus:
        """Say how fresh each source is."""
        ...


class Deployment(Protocol):
    """What there is to look at (`shared.app.App`); every part is made when it is first asked for."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def clock(self) -> Clock:
        """The clock."""
        ...

    @property
    def store(self) -> Store:
        """The documents."""
        ...

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse."""
        ...

    @property
    def tasks(self) -> Tasks:
        """The queue."""
        ...

    @property
    def jobs(self) -> JobNumbersSource:
        """The jobs."""
        ...

    @property
    def refreshes(self) -> FreshnessSource:
        """The refreshes."""
        ...


class MetaService:
    """Health, readiness and numbers of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        """Take what to look at; nothing of it is touched before it is asked for."""
        self._of, self._settings, self._clock = deployment, deployment.settings, deployment.clock
        checks: Mapping[str, Check] = {
            "store": self._check_store,
            "warehouse": self._check_warehouse,
            "tasks": self._check_tasks,
            "snapshots": self._check_snapshots,
        }
        self._readiness = Readiness(checks, deployment.clock)

    def root(self) -> Root:
        """Say where to find what."""
        return Root(name=NAME, version=VERSION, docs="/docs", openapi="/openapi.json", health="/health")

    def health(self) -> Health:
        """Say that the process is alive; no backend is touched."""
        return Health(
            status="healthy",
            timestamp=self._clock.now(),
            service=self._settings.service,
            version=VERSION,
            environment=self._settings.environment,
        )

    def ready(self) -> Ready:
        """Say whether the backends answer; degraded ones do."""
        found = self._readiness.outcomes()
        return Ready(
            ready=all(outcome.status != "failed" for outcome in found.values()),
            timestamp=self._clock.now(),
            version=VERSION,
            checks={name: _shown(outcome) for name, outcome in found.items()},
        )

    def metrics(self, answered: Answered) -> Metrics:
        """Return all numbers; requests are those of this instance."""
        uptime = self._clock.monotonic() - answered.started
        jobs, recent = self._of.jobs.stats(), self._of.jobs.stats(self._clock.now() - _DAY)
        sources = self._of.refreshes.status().sources
        return Metrics(
            timestamp=self._clock.now(),
            application=Application(
                name=NAME, version=VERSION, uptime_seconds=round(uptime, 3), environment=self._settings.environment
            ),
            system=System(cpu_percent=None, memory_mb=_memory_mb()),
            database=self._database(sources),
            jobs=JobNumbers(queued=jobs.queued, running=jobs.running, failed_24h=recent.failed),
            refresh={str(each.source): _freshness(each) for each in sources},
            requests=RequestNumbers(
                count=answered.count,
                errors=answered.errors,
                p50_ms=answered.percentile(0.5),
                p95_ms=answered.percentile(0.95),
            ),
        )

    def may_scrape(self, caller: Caller, authorization: str | None) -> None:
        """Let admins and bearers of METRICS_TOKEN pass; raise Unauthenticated or Forbidden."""
        token = self._settings.metrics_token
        scheme, _, given = (authorization or "").partition(" ")
        if token and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
            return
        if caller.role is None:
            code = "invalid" if authorization else "missing"
            raise Unauthenticated.because(code, "This needs an admin or the metrics token.")
        if not caller.may(Role.ADMIN):
            raise Forbidden("This needs the role admin.", needed=Role.ADMIN.value)

    def _database(self, sources: list[SourceStatus]) -> Database:
        store = self._of.store
        return Database(
            kind=urlsplit(self._settings.store_url).scheme,
            products=store.count(Query("products")),
            stores=store.count(Query("stores")),
            vendors=store.count(Query("vendors")),
            users=store.count(Query("users")),
            transactions=store.count(Query("movements")),
            active_alerts=store.count(Query("alerts", equals=(("status", "active"),))),
            open_oos_orders=sum(each.open_orders for each in sources),
        )

    def _check_store(self) -> None:
        self._of.store.documents.ping()

    def _check_warehouse(self) -> None:
        self._of.warehouse.ping()

    def _check_tasks(self) -> None:
        self._of.tasks.ping()

    def _check_snapshots(self) -> str | None:
        """Stale data is shown with its age, so it degrades only."""
        sources = self._of.refreshes.status().sources
        stale = [str(each.source) for each in sources if each.enabled and each.stale]
        return f"stale: {', '.join(stale)}" if stale else None


def api_document() -> bytes | None:
    """Return the API document of all public functions, written by `make docs`."""
    return _DOCUMENT.read_bytes() if _DOCUMENT.exists() else None


def prometheus(metrics: Metrics) -> bytes:
    """Write the numbers in Prometheus' text format."""
    lines: list[str] = []
    for name, value in _flat(metrics):
        lines += [f"# TYPE onhand_{name.partition('{')[0]} gauge", f"onhand_{name} {value}"]
    return ("\n".join(dict.fromkeys(lines)) + "\n").encode()


def _flat(metrics: Metrics) -> Iterator[tuple[str, float]]:
    """Yield name (with labels) and value of every number that is known."""
    yield "uptime_seconds", metrics.application.uptime_seconds
    if metrics.system.memory_mb is not None:
        yield "memory_mb", metrics.system.memory_mb
    for group in ("database", "jobs", "requests"):
        for name, value in getattr(metrics, group).model_dump().items():
            if isinstance(value, int | float):
                yield f"{group}_{name}", value
    for source, numbers in metrics.refresh.items():
        for name, value in numbers.model_dump().items():
            if value is not None:
                yield f'refresh_{name}{{source="{source}"}}', int(value)


def _shown(outcome: Outcome) -> CheckResult:
    return CheckResult(status=outcome.status, message=outcome.message, latency_ms=outcome.latency_ms)


def _freshness(each: SourceStatus) -> SourceNumbers:
    return SourceNumbers(
        enabled=each.enabled, age_seconds=each.age_seconds, stale=each.stale, open_orders=each.open_orders
    )


def _memory_mb() -> float | None:
    """Return the resident memory where the system tells."""
    try:
        pages = int(_STATM.read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return round(pages * _PAGE_BYTES / _MIB, 1)
