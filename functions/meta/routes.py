"""What a deployment says about itself: alive, ready, how much it holds and does, what its errors mean, its API document."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.app import App
from shared.core.errors import NotFound
from shared.http.catalogue import listed, page, problem
from shared.http.context import Context
from shared.http.reference import POLICY, reference
from shared.http.router import Raw, Reply, Router
from shared.meta.service import MetaService, api_document, prometheus

if TYPE_CHECKING:
    from shared.meta.models import Health, Metrics, Ready, Root

__all__ = ["router"]

router = Router("meta", "shared.meta.models")
Ctx = Context[App]


@lru_cache(maxsize=1)
def _meta(app: App) -> MetaService:
    """Build the service of this process once."""
    return MetaService(app)


@lru_cache(maxsize=1)
def _page(content: bytes) -> bytes:
    """Lay the document out once per process."""
    return reference(json.loads(content))


@router.get("/", access="public", etag=False)
def root(ctx: Ctx) -> Root:
    """Say where to find what."""
    return _meta(ctx.app).root()


@router.get("/health", "/api/health", access="public", policy="none", etag=False)
def health(ctx: Ctx) -> Health:
    """Say that the process is alive."""
    return _meta(ctx.app).health()


@router.get("/ready", access="public", policy="none", etag=False)
def ready(ctx: Ctx) -> Ready | Reply:
    """Say whether the backends answer."""
    found = _meta(ctx.app).ready()
    return found if found.ready else Reply(found, status=503, headers={"Retry-After": "5"})


@router.get("/api/v1/metrics", etag=False)
def metrics(ctx: Ctx) -> Metrics:
    """Show how much the deployment holds and how busy this instance is."""
    return _meta(ctx.app).metrics(ctx.numbers)


@router.get("/metrics", access="public")
def metrics_text(ctx: Ctx) -> Raw:
    """Show the numbers in Prometheus' text format; for admins and bearers of METRICS_TOKEN."""
    service = _meta(ctx.app)
    service.may_scrape(ctx.caller, ctx.header("Authorization"))
    return Raw(prometheus(service.metrics(ctx.numbers)), "text/plain; version=0.0.4; charset=utf-8")


@router.get("/openapi.json", "/api/v1/openapi.json", "/api/openapi.json", access="public")
def openapi(ctx: Ctx) -> Raw:  # noqa: ARG001 - every handler is given its context
    """Return the OpenAPI document of all public functions."""
    content = api_document()
    if content is None:
        raise NotFound("This deployment was built without its API document.", resource="document")
    return Raw(content, etag=hashlib.blake2b(content, digest_size=12).hexdigest())


@router.get("/docs", "/redoc", "/api/docs", "/api/redoc", access="public")
def docs(ctx: Ctx) -> Raw:  # noqa: ARG001 - every handler is given its context
    """Show the API document as a page for people."""
    content = api_document()
    if content is None:
        raise NotFound("This deployment was built without its API document.", resource="document")
    return Raw(_page(content), "text/html; charset=utf-8", headers={"Content-Security-Policy": POLICY})


@router.get("/problems", access="public")
def problems(ctx: Ctx) -> Raw | list[dict[str, Any]]:
    """Explain every problem."""
    return Raw(page(listed()), "text/html; charset=utf-8") if _wants_html(ctx) else listed()


@router.get("/problems/{name}", access="public")
def explain(ctx: Ctx, name: str) -> Raw | dict[str, Any]:
    """Explain one problem."""
    found = problem(name)
    return Raw(page([found]), "text/html; charset=utf-8") if _wants_html(ctx) else found


def _wants_html(ctx: Ctx) -> bool:
    """Say whether the client is a browser: it prefers HTML to JSON."""
    accepted = ctx.request.accept_mimetypes
    return accepted.best_match(["application/json", "text/html"], default="application/json") == "text/html"
