"""Content: texts for products as drafts, search texts, advice on prices, usage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import paginate
from shared.http.router import Router
from shared.ports.documents import Stored

if TYPE_CHECKING:
    from shared.content.models import ApplyDraft, ContentDraft, DraftFilter, UsageCounter
    from shared.content.request_models import AnalyzePricing, BulkEnrich, GenerateContent, OptimizeSeo
    from shared.jobs.models import Accepted

__all__ = ["router"]

router = Router("content", "shared.content.models", "shared.content.request_models", "shared.jobs.models")
Ctx = Context[App]


def _view(stored: Stored) -> ContentDraft:
    from shared.content.models import draft_of

    return draft_of(stored.key.id, stored.data)


def _accepted(ctx: Ctx, job_ids: list[str], message: str) -> Accepted:
    from shared.jobs.models import Accepted

    ctx.respond_header("Location", f"/api/v1/jobs/{job_ids[0]}")
    return Accepted.of(job_ids, joined=False, message=message)


@router.post("/api/v1/ai/generate-content", access="operator", status=202, policy="costly")
def generate(ctx: Ctx, body: GenerateContent) -> Accepted:
    """Ask for texts of one product; the result is a draft, the product is not changed."""
    return _accepted(ctx, [ctx.app.content.generate(ctx.caller, body)], "The texts are being written.")


@router.post("/api/v1/ai/optimize-seo", access="operator", status=202, policy="costly")
def optimize(ctx: Ctx, body: OptimizeSeo) -> Accepted:
    """Ask for search texts, one job per product."""
    return _accepted(ctx, ctx.app.content.optimize(ctx.caller, body), "The search texts are being written.")


@router.post("/api/v1/ai/bulk-enrich", access="operator", status=202, policy="costly")
def enrich(ctx: Ctx, body: BulkEnrich) -> Accepted:
    """Ask for texts of all products that match."""
    return _accepted(ctx, [ctx.app.content.enrich(ctx.caller, body)], "The products are being enriched.")


@router.post("/api/v1/ai/analyze-pricing", access="operator", status=202, policy="costly")
def analyze(ctx: Ctx, body: AnalyzePricing) -> Accepted:
    """Ask for advice on prices; nothing is changed."""
    return _accepted(ctx, [ctx.app.content.analyze(ctx.caller, body)], "The prices are being analyzed.")


@router.get("/api/v1/ai/drafts")
def list_drafts(ctx: Ctx, query: DraftFilter) -> Page[ContentDraft]:
    """List drafts, newest first."""
    return paginate(ctx, query, ctx.app.drafts.sought(query), _view)


@router.get("/api/v1/ai/drafts/{id}")
def read_draft(ctx: Ctx, id: str) -> ContentDraft:
    """Return one draft."""
    return _view(ctx.app.drafts.get(id))


@router.post("/api/v1/ai/drafts/{id}/apply", access="operator")
def apply_draft(ctx: Ctx, id: str, body: ApplyDraft) -> ContentDraft:
    """Write a draft's texts, or some of them, into its product."""
    return _view(ctx.app.drafts.apply(ctx.caller, id, body, ctx.precondition))


@router.post("/api/v1/ai/drafts/{id}/reject", access="operator")
def reject_draft(ctx: Ctx, id: str) -> ContentDraft:
    """Decide against a draft."""
    return _view(ctx.app.drafts.reject(ctx.caller, id, ctx.precondition))


@router.get("/api/v1/ai/usage", etag=False)
def usage(ctx: Ctx) -> UsageCounter:
    """Return how much the model was asked this month, today, and today by the caller."""
    return ctx.app.ai_usage.counter(ctx.caller.user_id)
