"""A function whose one operation does nothing: what remains is routing, token, limits, request id and log."""

import functions_framework
from flask import Request, Response

from shared.app import App
from shared.http.context import Context
from shared.http.router import Router
from shared.http.serve import serve

router = Router("noop")


@router.get("/api/v1/noop", etag=False)
def noop(ctx: Context[App]) -> dict[str, str]:
    """Do nothing."""
    return {"user": ctx.caller.username}


handle = serve([router], App.from_env)


@functions_framework.http
def main(request: Request) -> Response:
    """Answer one request."""
    return handle(request)
