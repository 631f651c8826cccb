"""Webhooks of the 3PLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app import App
from shared.core.errors import BadRequest
from shared.http.context import Context
from shared.http.router import Router
from shared.oos.words import SourceName

if TYPE_CHECKING:
    from shared.oos.desk_models import Taken

__all__ = ["router"]

router = Router("refresh", "shared.oos.desk_models")
Ctx = Context[App]


@router.post("/api/v1/webhooks/{source}", access="public", raw=True)
def deliver(ctx: Ctx, source: SourceName) -> Taken:
    """Take a signed delivery: the order it names is looked up and shown with the next publication."""
    from shared.http.bodies import examine
    from shared.oos.desk_models import Taken

    service = ctx.app.webhooks
    service.check(source.value, ctx.header, ctx.body)
    content = examine(ctx.body)
    if not isinstance(content, dict):
        raise BadRequest("A delivery is a JSON object.")
    service.take(source.value, content, ctx.trace)
    return Taken()
