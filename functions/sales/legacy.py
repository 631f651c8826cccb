"""The documented sales paths of the shop backend: parameters by body or query, answers in its envelope."""

from typing import Any

from shared.app import App
from shared.core.clock import instant
from shared.http.context import Context
from shared.http.legacy import answered, reshaped
from shared.http.router import Router
from shared.sales.legacy import (
    ShopBasket,
    ShopBasketQuery,
    ShopReport,
    ShopReportQuery,
    shop_report,
    shop_sale,
)

__all__ = ["router"]

router = Router("sales")
Ctx = Context[App]


@router.post(
    "/ecommerce/v1/purchase_products", access="operator", needs_key=True, successor="/api/v1/sales", reshape=reshaped
)
def shop_purchase(ctx: Ctx, query: ShopBasketQuery, body: ShopBasket) -> dict[str, Any]:
    """Buy a basket from the default store; what could not be bought is told with its reason."""
    stored, failed = ctx.app.sales.try_purchase(ctx.caller, query.under(body))
    sale = None if stored is None else stored.data
    data = shop_sale(stored.key.id if stored else None, sale, failed, ctx.caller.user_id)
    return answered(data, "Products purchased successfully" if stored else "Nothing was bought")


@router.get("/ecommerce/v1/get_sales_data", successor="/api/v1/sales/report", reshape=reshaped)
def shop_sales_data(ctx: Ctx, query: ShopReportQuery, body: ShopReport) -> dict[str, Any]:
    """Report what was sold in a range, cut into calendar periods of a time zone."""
    shape, as_of = ctx.app.sales_reports.report(query.under(body), legacy=True)
    if as_of is not None:
        ctx.respond_header("X-Data-As-Of", instant(as_of))
    return answered(shop_report(shape), "Sales data fetched successfully")
