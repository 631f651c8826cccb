"""Sales: buy a basket, look sales up, report on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.clock import instant
from shared.core.page import Page
from shared.http.context import Context
from shared.http.export import Sheet, export, walked
from shared.http.page import make_page, paginate, place_of
from shared.http.router import Raw, Router

if TYPE_CHECKING:
    from shared.sales.export_models import SaleExport
    from shared.sales.models import NewReturn, NewSale, Sale, SaleFilter, SaleReturn, SaleReturns, VoidBody
    from shared.sales.report_models import LinesQuery, Report, ReportLine, ReportQuery

__all__ = ["router"]

router = Router("sales", "shared.sales.models", "shared.sales.report_models", "shared.sales.export_models")
Ctx = Context[App]


@router.post("/api/v1/sales", access="operator", status=201, needs_key=True)
def buy(ctx: Ctx, body: NewSale) -> Sale:
    """Buy a basket from one store, in one commit."""
    stored = ctx.app.sales.purchase(ctx.caller, body)
    ctx.respond_header("Location", f"/api/v1/sales/{stored.key.id}")
    return cast("Sale", ctx.app.sales.view(stored))


@router.get("/api/v1/sales")
def list_sales(ctx: Ctx, query: SaleFilter) -> Page[Sale]:
    """List sales, newest first."""
    return cast("Page[Sale]", paginate(ctx, query, ctx.app.sales.sought(query).query, ctx.app.sales.view))


@router.get("/api/v1/sales/export", policy="costly")
def export_sales(ctx: Ctx, query: SaleExport) -> Raw:
    """Export sales; their lines stand as JSON in one column."""
    from shared.sales.models import Sale

    sales = ctx.app.sales
    rows = map(sales.view, walked(ctx, query, sales.sought(query)))
    return export(ctx, query, Sheet("sales", tuple(Sale.model_fields)), rows)


@router.get("/api/v1/sales/report", etag=True)
def report(ctx: Ctx, query: ReportQuery) -> Report:
    """Report what was sold in a range, cut into calendar periods of a time zone.

    `shape=map` answers an object keyed by the bounds of each period instead, without buckets the one value itself.
    """
    shape, as_of = ctx.app.sales_reports.report(query)
    if as_of is not None:
        ctx.respond_header("X-Data-As-Of", instant(as_of))
    return cast("Report", shape)


@router.get("/api/v1/sales/report/lines")
def report_lines(ctx: Ctx, query: LinesQuery) -> Page[ReportLine]:
    """List the lines behind a report of the same parameters, or behind one `period` of it, oldest first.

    Beside the page stand `currency`, `start`, `end` and the sums of all lines: `total_revenue`, `total_quantity`, `sale_count`,
    and their number as `total`.
    """
    drilled = ctx.app.sales_drills.page(query, place_of(ctx, query))
    page = make_page(ctx, query, drilled.lines, drilled.following, drilled.total)
    return cast("Page[ReportLine]", replace(page, extra={**page.extra, **drilled.sums}))


@router.get("/api/v1/sales/{id}", etag=True)
def read_sale(ctx: Ctx, id: str) -> Sale:
    """Return one sale."""
    return cast("Sale", ctx.app.sales.view(ctx.app.sales.get(id)))


@router.get("/api/v1/sales/{id}/returns")
def list_returns(ctx: Ctx, id: str) -> SaleReturns:
    """Return what came back of a sale, oldest first."""
    return cast("SaleReturns", {"items": ctx.app.sale_returns.of(id)})


@router.post("/api/v1/sales/{id}/returns", access="operator", status=201, needs_key=True)
def take_back(ctx: Ctx, id: str, body: NewReturn) -> SaleReturn:
    """Take units of a sale back into the store that sold them; the sale itself stays as it is."""
    ctx.respond_header("Location", f"/api/v1/sales/{id}/returns")
    return cast("SaleReturn", ctx.app.sale_returns.take_back(ctx.caller, id, body))


@router.post("/api/v1/sales/{id}/void", access="manager", status=201, needs_key=True)
def void_sale(ctx: Ctx, id: str, body: VoidBody) -> SaleReturn:
    """Take back everything that is left of a sale."""
    ctx.respond_header("Location", f"/api/v1/sales/{id}/returns")
    return cast("SaleReturn", ctx.app.sale_returns.void(ctx.caller, id, body.reason))
