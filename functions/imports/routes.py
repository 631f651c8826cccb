"""Imports: take files, feeds, pages and shops on; show what they change; apply, undo, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import from_json, to_json

from shared.app import App
from shared.core.errors import ValidationFailed
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import make_page, paginate, place_of
from shared.http.router import MULTIPART, Raw, Router
from shared.imports.record import view

if TYPE_CHECKING:
    from shared.imports.export_models import ImportReport
    from shared.imports.models import DiffFilter, DiffRow, ImportFilter, ImportRun
    from shared.imports.start_models import ImportAccepted, ScrapeFeed, ScrapeStore, ScrapeUrl, UploadForm

__all__ = ["router"]

router = Router("imports", "shared.imports.models", "shared.imports.start_models", "shared.imports.export_models")
Ctx = Context[App]
_TEXTS = frozenset({"feed_type", "supplier_id"})


@router.post("/api/v1/scraping/url", access="operator", status=202, policy="costly")
def scrape_url(ctx: Ctx, body: ScrapeUrl) -> ImportAccepted:
    """Read a product page into a draft product."""
    return _accepted(ctx, ctx.app.imports.scrape_url(ctx.caller, body, ctx.trace))


@router.post("/api/v1/scraping/store", access="operator", status=202, policy="costly")
def scrape_store(ctx: Ctx, body: ScrapeStore) -> ImportAccepted:
    """Read the products of a shop."""
    return _accepted(ctx, ctx.app.imports.scrape_store(ctx.caller, body, ctx.trace))


@router.post("/api/v1/scraping/feed", access="operator", status=202, policy="costly")
def import_feed(ctx: Ctx, body: ScrapeFeed) -> ImportAccepted:
    """Import a product file from an address."""
    return _accepted(ctx, ctx.app.imports.feed(ctx.caller, body, ctx.trace))


@router.post(
    "/api/v1/imports",
    "/api/v1/scraping/upload",
    access="operator",
    status=202,
    policy="costly",
    accepts=(MULTIPART,),
)
def import_upload(ctx: Ctx) -> ImportAccepted:
    """Import an uploaded product file: the part `file`, and the options of a feed as further parts."""
    file = ctx.upload.files.get("file") if ctx.upload else None
    form = _form(dict(ctx.upload.fields) if ctx.upload else {})
    if file is None:
        raise ValidationFailed.at("/file", "missing", "Send the file as the part `file` of a form.")
    address = ctx.app.keep_upload(file.data, file.name)
    return _accepted(ctx, ctx.app.imports.upload(ctx.caller, form, (file.name or "upload", address), ctx.trace))


@router.get("/api/v1/imports")
def list_imports(ctx: Ctx, query: ImportFilter) -> Page[ImportRun]:
    """List imports, newest first."""
    return paginate(ctx, query, ctx.app.imports.wanted(query), view)


@router.get("/api/v1/imports/{id}")
def read_import(ctx: Ctx, id: str) -> ImportRun:
    """Return one import."""
    return ctx.app.imports.get(id)


@router.get("/api/v1/imports/{id}/diff")
def read_diff(ctx: Ctx, id: str, query: DiffFilter) -> Page[DiffRow]:
    """List what each row of an import changes, in the order of the file."""
    found, following, total = ctx.app.imports.diff(id, query, place_of(ctx, query))
    return make_page(ctx, query, found, following, total if query.wants_total else None)


@router.get("/api/v1/imports/{id}/report", policy="costly")
def report_import(ctx: Ctx, id: str, query: ImportReport) -> Raw:
    """Return every row of an import, with what it changes or what is wrong with it, as a file."""
    from shared.http.export import Sheet, export
    from shared.imports.models import REPORT_KEYS

    return export(ctx, query, Sheet(f"import-{id}", REPORT_KEYS), ctx.app.imports.report(id, query))


@router.post("/api/v1/imports/{id}/apply", access="operator", status=202, policy="costly")
def apply_import(ctx: Ctx, id: str) -> ImportAccepted:
    """Apply exactly the diff of a ready import."""
    return _accepted(ctx, ctx.app.imports.apply(ctx.caller, id, ctx.precondition, ctx.trace))


@router.post("/api/v1/imports/{id}/undo", access="manager", status=202, policy="costly")
def undo_import(ctx: Ctx, id: str) -> ImportAccepted:
    """Take an applied import back."""
    return _accepted(ctx, ctx.app.imports.undo(ctx.caller, id, ctx.precondition, ctx.trace))


@router.post("/api/v1/imports/{id}/cancel", access="operator")
def cancel_import(ctx: Ctx, id: str) -> ImportRun:
    """Stop an import that has not begun to write."""
    return ctx.app.imports.cancel(id, ctx.precondition)


def _accepted(ctx: Ctx, answer: ImportAccepted) -> ImportAccepted:
    ctx.respond_header("Location", answer.status_url)
    return answer


def _form(fields: dict[str, str]) -> UploadForm:
    """Read the fields beside the file: texts as a form has them, `mapping_config` as JSON."""
    from shared.http.bodies import read
    from shared.imports.start_models import UploadForm

    told: dict[str, object] = {}
    for name, text in fields.items():
        if text == "":
            continue
        told[name] = text if name in _TEXTS or name not in UploadForm.model_fields else _read(name, text)
    return read(UploadForm, to_json(told), legacy=False)


def _read(name: str, text: str) -> object:
    words = {"true": True, "1": True, "false": False, "0": False}
    if name != "mapping_config":
        if text.lower() not in words:
            raise ValidationFailed.at(f"/{name}", "wrong_type", "Give true or false.")
        return words[text.lower()]
    try:
        return from_json(text)
    except ValueError:
        raise ValidationFailed.at("/mapping_config", "not_json", "The mapping is no JSON object.") from None
