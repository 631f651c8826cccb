"""The wire shapes of reading and linking barcodes."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, Field

from shared.catalog.models import Barcode
from shared.core.text import Id

__all__ = ["BarcodeLink", "BarcodeLinked", "BarcodeResult", "ScanBody"]


class BarcodeResult(BaseModel, defer_build=True):
    """What a code says, and the product that has it."""

    barcode: str
    symbology: str
    gtin: str | None
    valid_check_digit: bool | None
    gs1: dict[str, str]
    lot: str | None
    expiry: date | None
    serial: str | None
    found: bool
    product_id: str | None
    product_name: str | None
    current_stock: int | None
    external_info: dict[str, Any] | None


Scanned = Annotated[str, Field(min_length=1, max_length=512)]


class ScanBody(BaseModel, defer_build=True):
    """A code as scanned: separators (FNC1) and all."""

    barcode: Scanned


class BarcodeLink(BaseModel, defer_build=True):
    """Which code a product is to have."""

    barcode: Annotated[Barcode, Field(min_length=1)]
    product_id: Id


class BarcodeLinked(BaseModel, defer_build=True):
    """The code a product has now."""

    success: bool
    message: str
    product_id: str
    barcode: str
    valid_check_digit: bool | None
