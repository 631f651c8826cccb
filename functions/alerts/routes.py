"""Alerts: list, acknowledge, resolve, settings, evaluate now, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Router
from shared.ports.documents import Stored

if TYPE_CHECKING:
    from shared.alerts.explained_models import AlertExplained, ExplainQuery, Explanation, FeedExplained
    from shared.alerts.models import Alert, AlertFilter, Assignment, Checked, CheckRequest, Note, ReplayBody, Snooze
    from shared.alerts.settings_models import AlertSettings, AlertSettingsPatch, NewSilence, Silence, SilenceFilter
    from shared.jobs.models import Accepted

__all__ = ["router"]

router = Router(
    "alerts",
    "shared.alerts.models",
    "shared.alerts.settings_models",
    "shared.alerts.explained_models",
    "shared.jobs.models",
)
Ctx = Context[App]


def _view(stored: Stored) -> Alert:
    from shared.alerts.models import alert_of

    return alert_of(stored.key.id, stored.data)


def _silence(ctx: Ctx, stored: Stored) -> Silence:
    from shared.alerts.settings_models import silence_of

    return silence_of(stored.key.id, stored.data, ctx.app.clock.now())


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
    from shared.alerts.models import Checked

    if body.product_id is not None:
        ctx.app.require_product(body.product_id)
    tally = ctx.app.check_alerts(body.product_id)
    return Checked(created=tally.created, updated=tally.updated, resolved=tally.resolved)


@router.get("/api/v1/alerts/explain", etag=False)
def explain(ctx: Ctx, query: ExplainQuery) -> Explanation:
    """Say why a product has an alert, or none."""
    if query.store_id is not None:
        ctx.app.stores.stored(query.store_id)
    return ctx.app.alerts.explain(query)


@router.get("/api/v1/alerts/explain/{source}", etag=False)
def explain_feed(ctx: Ctx, source: str) -> FeedExplained:
    """Say why what hangs on the feed of a 3PL alerts or not."""
    return ctx.app.why.feed(source)


@router.get("/api/v1/alerts/silences")
def list_silences(ctx: Ctx, query: SilenceFilter) -> Page[Silence]:
    """List silences, newest first."""
    return paginate(ctx, query, ctx.app.silences.sought(query), lambda stored: _silence(ctx, stored))


@router.post("/api/v1/alerts/silences", access="manager", status=201)
def create_silence(ctx: Ctx, body: NewSilence) -> Silence:
    """Let nobody be told of some alerts for a time."""
    if body.store_id is not None:
        ctx.app.stores.stored(body.store_id)
    if body.product_id is not None:
        ctx.app.require_product(body.product_id)
    made = ctx.app.silences.create(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/alerts/silences/{made.key.id}")
    return _silence(ctx, made)


@router.get("/api/v1/alerts/silences/{id}")
def read_silence(ctx: Ctx, id: str) -> Silence:
    """Return one silence."""
    return _silence(ctx, ctx.app.silences.get(id))


@router.post("/api/v1/alerts/silences/{id}/end", access="manager")
def end_silence(ctx: Ctx, id: str) -> Silence:
    """End a silence now; one that is over stays as it is."""
    return _silence(ctx, ctx.app.silences.end(ctx.caller, id, ctx.precondition))


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


@router.get("/api/v1/alerts/{id}/explain", etag=False)
def explain_alert(ctx: Ctx, id: str) -> AlertExplained:
    """Say what is true of an alert's cause now, and who has been told of it."""
    return ctx.app.why.alert(id)


@router.post("/api/v1/alerts/{id}/snooze", access="operator")
def snooze(ctx: Ctx, id: str, body: Snooze) -> Alert:
    """Put an alert off until a time; it comes back if its cause is still true then, or at once when that gets worse."""
    done = ctx.app.handling.snooze(ctx.caller, id, body.until, note=body.note, condition=ctx.precondition)
    return _view(done)


@router.post("/api/v1/alerts/{id}/unsnooze", access="operator")
def unsnooze(ctx: Ctx, id: str) -> Alert:
    """Let an alert speak again before its time; it is told that it is back."""
    return _view(ctx.app.handling.unsnooze(id, ctx.precondition))


@router.post("/api/v1/alerts/{id}/assign", access="operator")
def assign(ctx: Ctx, id: str, body: Assignment) -> Alert:
    """Give an alert to a user, or with null to nobody."""
    if body.user_id is not None:
        ctx.app.users.get(body.user_id)
    done = ctx.app.handling.assign(ctx.caller, id, body.user_id, note=body.note, condition=ctx.precondition)
    return _view(done)


@router.post("/api/v1/alerts/{id}/mute", access="operator")
def mute(ctx: Ctx, id: str, body: Note) -> Alert:
    """Tell nobody of this alert any more until it is resolved."""
    return _view(ctx.app.handling.mute(ctx.caller, id, note=body.note, condition=ctx.precondition))


@router.post("/api/v1/alerts/{id}/unmute", access="operator")
def unmute(ctx: Ctx, id: str) -> Alert:
    """Let a muted alert speak again; it is told that it is back."""
    return _view(ctx.app.handling.unmute(id, ctx.precondition))


@router.post("/api/v1/alerts/{id}/replay", access="manager", status=202)
def replay(ctx: Ctx, id: str, body: ReplayBody) -> Accepted:
    """Send what was last told of an alert again, over one channel or all; under its old name, so that receivers know it."""
    from shared.jobs.models import Accepted

    answer = Accepted.of(ctx.app.replay.again(ctx.caller, id, body.channel), joined=False, message="It is sent again.")
    ctx.respond_header("Location", answer.status_url)
    return answer
