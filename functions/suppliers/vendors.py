"""Vendors and what they ask."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from shared.app import App
from shared.core.page import Page
from shared.http.context import Context
from shared.http.page import listing, paginate
from shared.http.router import Reply, Router

if TYPE_CHECKING:
    from shared.purchasing.models import (
        NewVendor,
        NewVendorPrice,
        PricesFilter,
        Vendor,
        VendorFilter,
        VendorPatch,
        VendorPrice,
        VendorPriceChange,
        VendorPricePatch,
    )

__all__ = ["router"]

router = Router("suppliers", "shared.purchasing.models")
Ctx = Context[App]


@router.get("/api/v1/vendors")
def list_vendors(ctx: Ctx, query: VendorFilter) -> Page[Vendor]:
    """List vendors by name."""
    vendors = ctx.app.vendors
    return cast("Page[Vendor]", listing(ctx, query, vendors.asked(query), vendors.view))


@router.post("/api/v1/vendors", access="operator", status=201)
def make_vendor(ctx: Ctx, body: NewVendor) -> Vendor:
    """Make a vendor."""
    made = ctx.app.vendors.create(body)
    ctx.respond_header("Location", f"/api/v1/vendors/{made.key.id}")
    return cast("Vendor", ctx.app.vendors.view(made))


@router.get("/api/v1/vendors/{id}")
def read_vendor(ctx: Ctx, id: str) -> Vendor:
    """Return one vendor."""
    return cast("Vendor", ctx.app.vendors.view(ctx.app.vendors.get(id)))


@router.put("/api/v1/vendors/{id}", access="operator")
@router.patch("/api/v1/vendors/{id}", access="operator")
def change_vendor(ctx: Ctx, id: str, body: VendorPatch) -> Vendor:
    """Change a vendor."""
    return cast("Vendor", ctx.app.vendors.view(ctx.app.vendors.update(id, body, ctx.precondition)))


@router.delete("/api/v1/vendors/{id}", access="manager")
def delete_vendor(ctx: Ctx, id: str) -> None:
    """Delete a vendor with all its prices."""
    ctx.app.vendors.delete(id, ctx.precondition)


@router.post("/api/v1/vendors/{id}/prices", access="operator", status=201)
def put_vendor_price(ctx: Ctx, id: str, body: NewVendorPrice) -> VendorPrice | Reply:
    """Keep what a vendor asks for a product: 201 for the first time, 200 in place of another price."""
    price, is_new = ctx.app.vendor_prices.put(ctx.caller, id, body)
    if not is_new:
        return Reply(price, 200)
    return Reply(price, headers={"Location": f"/api/v1/vendors/{id}/prices/{body.product_id}"})


@router.get("/api/v1/vendors/{id}/prices")
def list_vendor_prices(ctx: Ctx, id: str, query: PricesFilter) -> Page[VendorPrice]:
    """List what a vendor asks, changed last first."""
    prices = ctx.app.vendor_prices
    found: Page[Any] = paginate(ctx, query, prices.of_vendor(id, query), lambda stored: stored)
    return replace(found, items=prices.shown(found.items))


@router.get("/api/v1/vendors/{id}/prices/{product_id}")
def read_vendor_price(ctx: Ctx, id: str, product_id: str) -> VendorPrice:
    """Return what a vendor asks for a product."""
    prices = ctx.app.vendor_prices
    return cast("VendorPrice", prices.shown([prices.get(id, product_id)])[0])


@router.put("/api/v1/vendors/{id}/prices/{product_id}", access="operator")
@router.patch("/api/v1/vendors/{id}/prices/{product_id}", access="operator")
def change_vendor_price(ctx: Ctx, id: str, product_id: str, body: VendorPricePatch) -> VendorPrice:
    """Change what a vendor asks for a product."""
    return cast("VendorPrice", ctx.app.vendor_prices.update(ctx.caller, (id, product_id), body, ctx.precondition))


@router.delete("/api/v1/vendors/{id}/prices/{product_id}", access="operator")
def delete_vendor_price(ctx: Ctx, id: str, product_id: str) -> None:
    """Remove a vendor's price of a product."""
    ctx.app.vendor_prices.delete(ctx.caller, (id, product_id), ctx.precondition)


@router.get("/api/v1/vendors/{id}/prices/{product_id}/history")
def list_vendor_price_changes(ctx: Ctx, id: str, product_id: str, query: PricesFilter) -> Page[VendorPriceChange]:
    """List how a vendor's terms for a product changed, the newest first."""
    prices = ctx.app.vendor_prices
    wanted = prices.history(id, product_id, query)
    return cast("Page[VendorPriceChange]", paginate(ctx, query, wanted, prices.shown_change))
