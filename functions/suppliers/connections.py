"""Supplier connections, their syncs, schedules and history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.app import App
from shared.core.errors import InvalidState
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Reply, Router

if TYPE_CHECKING:  # a function loads no service before a request needs one
    from shared.jobs.service import Started

if TYPE_CHECKING:
    from shared.jobs.models import Accepted
    from shared.suppliers.models import (
        ConnectSupplier,
        Consent,
        ConsentAnswer,
        HistoryFilter,
        NewConsent,
        NewSyncSchedule,
        ScheduleFilter,
        StatusQuery,
        Supplier,
        SupplierFilter,
        SupplierPatch,
        SupplierStatus,
        SyncRun,
        SyncSchedule,
        SyncSchedulePatch,
        SyncSupplier,
        TriggerSync,
    )

__all__ = ["router"]

router = Router("suppliers", "shared.suppliers.models", "shared.jobs.models")
Ctx = Context[App]


def _accepted(ctx: Ctx, started: list[Started]) -> Accepted:
    from shared.jobs.models import Accepted

    ids = [one.job.id for one in started]
    joined = all(one.joined for one in started)
    ctx.respond_header("Location", f"/api/v1/jobs/{ids[0]}")
    return Accepted.of(
        ids, joined=joined, message="The sync is running already." if joined else "The sync has started."
    )


@router.get("/api/v1/suppliers", "/api/v1/suppliers/list")
def list_suppliers(ctx: Ctx, query: SupplierFilter) -> Page[Supplier]:
    """List supplier connections."""
    return paginate(ctx, query, ctx.app.suppliers.sought(query), ctx.app.suppliers.view)


@router.post("/api/v1/suppliers", "/api/v1/suppliers/connect", access="manager", status=201, atomic=False)
def connect(ctx: Ctx, body: ConnectSupplier) -> Supplier:
    """Connect a supplier; its credentials are checked first and never shown again."""
    stored = ctx.app.suppliers.connect(body)
    ctx.respond_header("Location", f"/api/v1/suppliers/{stored.key.id}")
    return ctx.app.suppliers.view(stored)


@router.post("/api/v1/suppliers/consent", access="manager")
def ask_consent(ctx: Ctx, body: NewConsent) -> Consent:
    """Return where to send a user who lets the application act for them at AliExpress."""
    return ctx.app.supplier_consents.begin(ctx.caller, body)


@router.post("/api/v1/suppliers/consent/callback", access="manager", status=201, atomic=False)
def take_consent(ctx: Ctx, body: ConsentAnswer) -> Supplier | Reply:
    """Exchange the code that the user came back with: a new connection, or new tokens (200) for one there is."""
    stored, is_new = ctx.app.supplier_consents.complete(ctx.caller, body)
    shown = ctx.app.suppliers.view(stored)
    ctx.respond_header("Location", f"/api/v1/suppliers/{stored.key.id}")
    return shown if is_new else Reply(shown, 200)


@router.post("/api/v1/suppliers/sync", access="operator", status=202)
def sync(ctx: Ctx, body: SyncSupplier) -> Accepted:
    """Start a sync of one connection, or join the one that runs."""
    return _accepted(ctx, [ctx.app.syncs.one(ctx.caller, body.supplier_id, body.sync_type, body)])


@router.get("/api/v1/suppliers/{id}")
def read_supplier(ctx: Ctx, id: str) -> Supplier:
    """Return one connection."""
    return ctx.app.suppliers.view(ctx.app.suppliers.get(id))


@router.patch("/api/v1/suppliers/{id}", access="manager", atomic=False)
def update_supplier(ctx: Ctx, id: str, body: SupplierPatch) -> Supplier:
    """Change a connection; new credentials are checked first."""
    return ctx.app.suppliers.view(ctx.app.suppliers.update(id, body, ctx.precondition))


@router.delete("/api/v1/suppliers/{id}", access="manager")
def delete_supplier(ctx: Ctx, id: str) -> None:
    """Disconnect a supplier; its products stay, its credentials and schedules go."""
    ctx.app.suppliers.get(id)
    running = ctx.app.syncs.running(id)
    if running is not None:
        raise InvalidState("A sync of this supplier is running.", current="running", allowed=[], job_id=running)
    ctx.app.suppliers.delete(id, ctx.precondition)
    ctx.app.sync_schedules.forget(id)


@router.get("/api/v1/suppliers/{id}/status", etag=False)
def supplier_status(ctx: Ctx, id: str, query: StatusQuery) -> SupplierStatus:
    """Say how a connection stands; with `check=true` after asking the supplier."""
    from shared.suppliers.models import SupplierStatus

    if query.check:
        ctx.app.suppliers.check(id)
    shown: dict[str, Any] = ctx.app.suppliers.view(ctx.app.suppliers.get(id)).model_dump()
    kept = {
        name: shown[name]
        for name in ("status", "last_sync", "last_sync_status", "products_count", "last_error", "needs")
    }
    return SupplierStatus(**kept, running_job_id=ctx.app.syncs.running(id), rate_limit=ctx.app.suppliers.rate_limit(id))


@router.post("/api/v1/sync/trigger", access="operator", status=202)
def trigger(ctx: Ctx, body: TriggerSync) -> Accepted:
    """Start a sync of one connection, or of all."""
    return _accepted(ctx, ctx.app.syncs.trigger(ctx.caller, body))


@router.post("/api/v1/sync/schedule", "/api/v1/sync/schedules", access="manager", status=201)
def make_schedule(ctx: Ctx, body: NewSyncSchedule) -> SyncSchedule:
    """Make a schedule."""
    stored = ctx.app.sync_schedules.create(body)
    ctx.respond_header("Location", f"/api/v1/sync/schedule/{stored.key.id}")
    return ctx.app.sync_schedules.view(stored)


@router.get("/api/v1/sync/schedules")
def list_schedules(ctx: Ctx, query: ScheduleFilter) -> Page[SyncSchedule]:
    """List schedules."""
    return paginate(ctx, query, ctx.app.sync_schedules.sought(query), ctx.app.sync_schedules.view)


@router.get("/api/v1/sync/schedule/{id}")
def read_schedule(ctx: Ctx, id: str) -> SyncSchedule:
    """Return one schedule."""
    return ctx.app.sync_schedules.view(ctx.app.sync_schedules.get(id))


@router.patch("/api/v1/sync/schedule/{id}", access="manager")
def update_schedule(ctx: Ctx, id: str, body: SyncSchedulePatch) -> SyncSchedule:
    """Change a schedule."""
    return ctx.app.sync_schedules.view(ctx.app.sync_schedules.update(id, body, ctx.precondition))


@router.delete("/api/v1/sync/schedule/{id}", access="manager")
def delete_schedule(ctx: Ctx, id: str) -> None:
    """Remove a schedule."""
    ctx.app.sync_schedules.delete(id, ctx.precondition)


@router.get("/api/v1/sync/history")
def history(ctx: Ctx, query: HistoryFilter) -> Page[SyncRun]:
    """List syncs, newest first."""
    return paginate(ctx, query, ctx.app.syncs.sought(query), ctx.app.syncs.run)
