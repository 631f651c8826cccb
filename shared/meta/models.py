"""What the wire shows of health, readiness and numbers."""

from typing import Literal

from pydantic import BaseModel

from shared.core.times import Instant

__all__ = [
    "Application",
    "CheckResult",
    "Database",
    "Health",
    "JobNumbers",
    "Metrics",
    "Ready",
    "RequestNumbers",
    "Root",
    "SourceNumbers",
    "System",
]


class Root(BaseModel, defer_build=True):
    """Where to find what."""

    name: str
    version: str
    docs: str
    openapi: str
    health: str


class Health(BaseModel, defer_build=True):
    """The process is alive."""

    status: Literal["healthy"]
    timestamp: Instant
    service: str
    version: str
    environment: str


class CheckResult(BaseModel, defer_build=True):
    """What one backend answered."""

    status: Literal["ok", "degraded", "failed"]
    message: str
    latency_ms: float


class Ready(BaseModel, defer_build=True):
    """Whether requests can be served."""

    ready: bool
    timestamp: Instant
    version: str
    checks: dict[str, CheckResult]


class Application(BaseModel, defer_build=True):
    """This process."""

    name: str
    version: str
    uptime_seconds: float
    environment: str


class System(BaseModel, defer_build=True):
    """What it uses of the machine."""

    cpu_percent: float | None
    memory_mb: float | None


class Database(BaseModel, defer_build=True):
    """How much the deployment holds."""

    kind: str
    products: int
    stores: int
    vendors: int
    users: int
    transactions: int
    active_alerts: int
    open_oos_orders: int


class JobNumbers(BaseModel, defer_build=True):
    """Jobs in work, and failures of the last day."""

    queued: int
    running: int
    failed_24h: int


class SourceNumbers(BaseModel, defer_build=True):
    """How fresh one 3PL's data is."""

    enabled: bool
    age_seconds: int | None
    stale: bool
    open_orders: int


class RequestNumbers(BaseModel, defer_build=True):
    """What this instance has answered."""

    count: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


class Metrics(BaseModel, defer_build=True):
    """All numbers."""

    timestamp: Instant
    application: Application
    system: System
    database: Database
    jobs: JobNumbers
    refresh: dict[str, SourceNumbers]
    requests: RequestNumbers
