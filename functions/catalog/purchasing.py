"""Who sells us a product: vendors by price, whole orders compared, and links to connected suppliers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import listed
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.purchasing.models import (
        Comparison,
        ComparisonQuery,
        LinkBody,
        LinkFilter,
        SupplierLink,
        VendorPrice,
        VendorsOfProduct,
    )

__all__ = ["router"]

router = Router("catalog", "shared.purchasing.models")
Ctx = Context[App]


@router.get("/api/v1/products/{id}/vendors")
def list_vendors_of_product(ctx: Ctx, id: str, query: VendorsOfProduct) -> Page[VendorPrice]:
    """List what vendors ask for a product, cheapest first; at most one is recommended."""
    rows = ctx.app.vendor_prices.of_product(id, query.quantity)
    return cast("Page[VendorPrice]", listed(ctx, query, rows))


@router.get("/api/v1/products/{id}/vendors/comparison")
def compare_vendors(ctx: Ctx, id: str, query: ComparisonQuery) -> Comparison:
    """Compare what a whole order costs at each vendor, delivery, minimum and packs included, and say why one is best."""
    return ctx.app.vendor_prices.compare(id, query.quantity)


@router.get("/api/v1/products/{id}/suppliers")
def list_supplier_links(ctx: Ctx, id: str, query: LinkFilter) -> Page[SupplierLink]:
    """List a product's links to connected suppliers."""
    return cast("Page[SupplierLink]", listed(ctx, query, ctx.app.product_links.shown(id)))


@router.put("/api/v1/products/{id}/suppliers/{supplier_id}", access="operator")
def put_supplier_link(ctx: Ctx, id: str, supplier_id: str, body: LinkBody) -> SupplierLink:
    """Say what is known of a product at a connected supplier."""
    return cast("SupplierLink", ctx.app.product_links.put(id, supplier_id, body))


@router.delete("/api/v1/products/{id}/suppliers/{supplier_id}", access="operator")
def delete_supplier_link(ctx: Ctx, id: str, supplier_id: str) -> None:
    """Remove a product's link to a supplier."""
    ctx.app.product_links.delete(id, supplier_id)
