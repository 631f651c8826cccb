"""Webhooks of the 3PLs."""

from shared.app import App
from shared.core.errors import BadRequest
from shared.http.bodies import examine
from shared.http.context import Context
from shared.http.router import Router
from shared.oos.desk_models import Taken
from shared.oos.words import SourceName

__all__ = ["router"]

router = Router("refresh")
Ctx = Context[App]


@router.post("/api/v1/webhooks/{source}", access="public", raw=True)
def deliver(ctx: Ctx, source: SourceName) -> Taken:
    """Take a signed delivery: the order it names is looked up and shown with the next publication."""
    service = ctx.app.webhooks
    service.check(source.value, ctx.header, ctx.body)
    content = examine(ctx.body)
    if not isinstance(content, dict):
        raise BadRequest("A delivery is a JSON object.")
    service.take(source.value, content, ctx.trace)
    return Taken()
