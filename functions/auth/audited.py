"""Logging a security event from a route."""

from shared.app import App
from shared.http.context import Context
from shared.identity.audit import Event, Origin

__all__ = ["note"]


def note(ctx: Context[App], event: Event, subject_id: str | None = None, **detail: str) -> None:
    """Log a security event with where the request came from."""
    origin = Origin(ctx.address, ctx.request_id)
    ctx.app.audit.note(event, origin, actor=ctx.caller, subject_id=subject_id, detail=detail)
