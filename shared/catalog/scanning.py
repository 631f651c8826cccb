"""Scanning: from a code to the product that has it, and what an outside catalogue knows of it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from pydantic_core import from_json

from shared.catalog.barcode_models import BarcodeLink
from shared.catalog.barcodes import Code
from shared.catalog.change_models import ProductPatch
from shared.catalog.products import Products
from shared.catalog.record import claim_of_barcode, claim_of_sku, product_key
from shared.core.caller import Caller
from shared.core.errors import AlreadyExists, Problem, Terminal, Transient
from shared.core.values import dataclass, field
from shared.ports.documents import Stored
from shared.ports.fetch import Fetch, Request

__all__ = ["Outside", "Scanning"]

Data = dict[str, Any]

_MOST_BYTES = 256 * 1024
_PATIENCE_S = 5.0
_OK = 200


@dataclass(frozen=True)
class Outside:
    """The catalogue behind BARCODE_LOOKUP_URL: `{barcode}` in it stands for the code, else the code follows as a segment.

    It is asked through the guarded fetch port with a bearer key; whatever goes wrong is an answer of None, since a scan
    must not fail because somebody else's catalogue does.
    """

    fetch: Callable[[], Fetch]
    url: str
    key: str | None = field(default=None, repr=False)

    def look_up(self, text: str) -> Data | None:
        """Return the object it has for a code."""
        code = quote(text, safe="")
        url = self.url.replace("{barcode}", code) if "{barcode}" in self.url else f"{self.url.rstrip('/')}/{code}"
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        request = Request("GET", url, headers, max_bytes=_MOST_BYTES, total_s=_PATIENCE_S)
        try:
            answer = self.fetch().send(request)
            try:
                content = from_json(answer.read()) if answer.status == _OK else None
            finally:
                answer.close()
        except (Problem, Transient, Terminal, ValueError):
            return None
        return content if isinstance(content, dict) else None


@dataclass(frozen=True)
class Scanning:
    """Reading codes and finding their products."""

    products: Products
    outside: Outside | None = None

    def scan(self, text: str) -> Data:
        """Return what a code says and which product has it; an unknown one is an answer, never a refusal."""
        code = self.products.read(text.strip(" \t\r\n"))
        product = self._product(code)
        stock = None
        if product is not None:
            stock = self.products.sums.of([product.key.id])[product.key.id]["current_stock"]
        return {
            "barcode": text,
            "symbology": code.symbology,
            "gtin": code.gtin,
            "valid_check_digit": code.valid_check_digit,
            "gs1": dict(code.gs1),
            "lot": code.lot,
            "expiry": code.expiry.isoformat() if code.expiry else None,
            "serial": code.serial,
            "found": product is not None,
            "product_id": product.key.id if product else None,
            "product_name": product.data["name"] if product else None,
            "current_stock": stock,
            "external_info": self.outside.look_up(code.gtin or text) if self.outside else None,
        }

    def link(self, caller: Caller, wanted: BarcodeLink) -> Data:
        """Give a product a code; a repeat changes nothing. Raise NotFound, AlreadyExists or ValidationFailed."""
        stored = self.products.get(wanted.product_id)
        code = self.products.code(wanted.barcode)
        assert code is not None
        claim = self.products.store.get(claim_of_barcode(code.claim))
        if claim is not None and claim.data["product_id"] != wanted.product_id:
            raise AlreadyExists("Another product has this barcode.", field="barcode")
        is_new = claim is None
        if is_new:
            patch = ProductPatch.model_validate({"barcode": wanted.barcode})
            stored = self.products.update(caller, wanted.product_id, patch)
        return {
            "success": True,
            "message": "The barcode is linked." if is_new else "The product has this barcode already.",
            "product_id": wanted.product_id,
            "barcode": stored.data["barcode"],
            "valid_check_digit": code.valid_check_digit,
        }

    def _product(self, code: Code) -> Stored | None:
        """Return the product with a code; a text that is no retail code may be a SKU."""
        store = self.products.store
        claim = store.get(claim_of_barcode(code.claim))
        if claim is None and code.symbology == "other":
            claim = store.get(claim_of_sku(code.text))
        return None if claim is None else store.get(product_key(claim.data["product_id"]))
