"""Alerts: list, acknowledge, resolve, settings, evaluate now, explain."""

from shared.alerts.models import (
    Alert,
    AlertFilter,
    AlertSettings,
    AlertSettingsPatch,
    Checked,
    CheckRequest,
    ExplainQuery,
    Explanation,
    Note,
    alert_of,
)
from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Router
from shared.ports.documents import Stored

__all__ = ["router"]

router = Router("alerts")
Ctx = Context[App]


def _view(stored: Stored) -> Alert:
    return alert_of(stored.key.id, stored.data)


@router.get("/api/v1/alerts")
def list_alerts(ctx: Ctx, query: AlertFilter) -> Page[Alert]:
    """List alerts, newest first."""
    return paginate(ctx, query, ctx.app.alerts.sought(query), _view)


@router.get("/api/v1/alerts/settings")
def read_settings(ctx: Ctx) -> AlertSettings:
    """Return what is watched, how early, and who is told."""
    return ctx.app.alerts.settings()


@router.put("/api/v1/alerts/settings", access="manager")
@router.patch("/api/v1/alerts/settings", access="manager")
def change_settings(ctx: Ctx, body: AlertSettingsPatch) -> AlertSettings:
    """Change the settings; what is absent stays."""
    return ctx.app.alerts.change_settings(body, ctx.precondition)


@router.post("/api/v1/alerts/check", access="operator", atomic=False)
def check(ctx: Ctx, body: CheckRequest) -> Checked:
    """Evaluate one product, or everything, now."""
    if body.product_id is not None:
        ctx.app.require_product(body.product_id)
    tally = ctx.app.watch.everything() if body.product_id is None else ctx.app.watch.product(body.product_id)
    return Checked(created=tally.created, updated=tally.updated, resolved=tally.resolved)


@router.get("/api/v1/alerts/explain", etag=False)
def explain(ctx: Ctx, query: ExplainQuery) -> Explanation:
    """Say why a product has an alert, or none."""
    if query.store_id is not None:
        ctx.app.stores.stored(query.store_id)
    return ctx.app.alerts.explain(query)


@router.get("/api/v1/alerts/{id}")
def read_alert(ctx: Ctx, id: str) -> Alert:
    """Return one alert."""
    return _view(ctx.app.alert_book.get(id))


@router.post("/api/v1/alerts/{id}/acknowledge", access="operator")
def acknowledge(ctx: Ctx, id: str, body: Note) -> Alert:
    """Say that somebody knows; doing it again changes nothing."""
    return _view(ctx.app.alert_book.acknowledge(ctx.caller, id, body.note, ctx.precondition))


@router.post("/api/v1/alerts/{id}/resolve", access="operator")
def resolve(ctx: Ctx, id: str, body: Note) -> Alert:
    """Close an alert by hand; doing it again changes nothing."""
    return _view(ctx.app.alert_book.resolve(ctx.caller, id, body.note, ctx.precondition))
