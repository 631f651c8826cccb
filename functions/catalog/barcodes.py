"""Barcodes: scanning, looking up, linking."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from shared.app import App
from shared.core.errors import ValidationFailed
from shared.http.context import Context
from shared.http.router import Router

if TYPE_CHECKING:
    from shared.catalog.barcode_models import BarcodeLink, BarcodeLinked, BarcodeResult, ScanBody

__all__ = ["router"]

router = Router("catalog", "shared.catalog.models", "shared.catalog.barcode_models")
Ctx = Context[App]

_LONGEST = 512


@router.post("/api/v1/barcode/scan", access="viewer", atomic=False)
def scan(ctx: Ctx, body: ScanBody) -> BarcodeResult:
    """Read a scanned code and find its product; an unknown one is an answer too."""
    return cast("BarcodeResult", ctx.app.scanning.scan(body.barcode))


@router.get("/api/v1/barcode/lookup/{code}")
def look_up(ctx: Ctx, code: str) -> BarcodeResult:
    """Read a code and find its product."""
    if len(code) > _LONGEST:
        raise ValidationFailed.at("path:code", "too_long", f"A code has at most {_LONGEST} characters.")
    return cast("BarcodeResult", ctx.app.scanning.scan(code))


@router.post("/api/v1/barcode/link", access="operator")
def link(ctx: Ctx, body: BarcodeLink) -> BarcodeLinked:
    """Give a product a code."""
    return cast("BarcodeLinked", ctx.app.scanning.link(ctx.caller, body))
