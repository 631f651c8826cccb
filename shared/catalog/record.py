"""How products are stored, and the few facts of them that other documents keep.

`products/{id}` has the names of the wire with these differences: money is decimal text, `attributes` is JSON text, and it
adds what lists are found by (`shelf`, `words`, `price_cents`). It changes with the product's own `version` and never with
stock.

`product_stock/{id}` holds what moves with stock: the ledger's sums over all stores, and `stock_status`. It exists as long as
the product, and repeats the facts (`FACETS`, the threshold in force) that lists by stock are found and ordered by. Each side writes its own keys and
keeps the other's.

`product_claims/{digest}` makes a SKU (in any case), a barcode (in any of its forms) or the pair of a supplier and its product
id belong to one product: whoever creates the claim first has it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pydantic_core import from_json, to_json

from shared.catalog.states import ProductStatus
from shared.core.errors import ValidationFailed
from shared.core.words import words
from shared.inventory.keys import PRODUCT_STOCK, PRODUCTS, product_key, stock_key
from shared.inventory.rules import new_stock, search_tokens, status_of, threshold_of
from shared.ports.documents import Key

__all__ = [
    "CLAIMS",
    "PRODUCTS",
    "PRODUCT_STOCK",
    "attributes_of",
    "claims_of",
    "first_stock",
    "kept_attributes",
    "product_key",
    "refuse_kit",
    "refuse_too_large",
    "searched",
    "stock_facts",
    "stock_key",
    "with_finders",
    "with_thresholds",
]

Data = dict[str, Any]

CLAIMS = "product_claims"
FACETS = ("shelf", "name", "sku", "created_at")
_MOST_BYTES = 900_000
_LONGEST_LETTER, _OF_FIELDS = 6, 100_000
_SEARCHED = ("name", "sku", "barcode", "brand", "category")


def with_finders(product: Mapping[str, Any]) -> Data:
    """Return the product with what lists are found by."""
    archived = product["status"] == ProductStatus.ARCHIVED.value
    price = product["sale_price"]
    return {
        **product,
        "shelf": "archived" if archived else "live",
        "words": search_tokens(product[name] for name in _SEARCHED),
        "price_cents": None if price is None else int(Decimal(price) * 100),
    }


def refuse_too_large(product: Mapping[str, Any]) -> None:
    """Raise ValidationFailed for a product that is no document any more: what is long in it are its attributes."""
    if _at_most(product) > _MOST_BYTES and len(to_json(product)) > _MOST_BYTES:
        detail = f"A product with everything in it has at most {_MOST_BYTES} bytes."
        raise ValidationFailed.at("/attributes", "too_large", detail)


def refuse_kit(product: Mapping[str, Any], pointer: str) -> None:
    """Raise ValidationFailed for a kit where goods are meant that lie on a shelf."""
    if product.get("kit"):
        detail = "A kit has no stock of its own; name its components."
        raise ValidationFailed.at(pointer, "is_kit", detail)


def searched(product: Mapping[str, Any]) -> list[str | None]:
    """Return the texts of a product that search looks at."""
    return [product[name] for name in _SEARCHED]


def stock_facts(product: Mapping[str, Any], stock: Mapping[str, Any]) -> Data:
    """Return the stock document with the facts of its product as they are now."""
    facets = {name: product[name] for name in FACETS}
    threshold = threshold_of(product)[0]
    status = status_of(stock["current_stock"], threshold)
    kept = {name: value for name, value in stock.items() if name != "is_kit"}
    marks = {"is_kit": True} if product.get("kit") else {}
    return {**kept, **facets, **marks, "reorder_threshold": threshold, "stock_status": status.value}


def with_thresholds(product: Mapping[str, Any], thresholds: Mapping[str, Any] | None) -> Data:
    """Return the product repeating the thresholds of its category, if it has any."""
    data = {name: value for name, value in product.items() if name != "category_thresholds"}
    return {**data, "category_thresholds": dict(thresholds)} if thresholds else data


def first_stock(product_id: str, product: Mapping[str, Any]) -> Data:
    """Return the stock document of a product that never moved."""
    return stock_facts(product, new_stock(product_id))


def claims_of(product: Mapping[str, Any], barcode_claim: str | None) -> dict[Key, str]:
    """Return the claims of a product, and the field each stands for."""
    claims = {_claim("sku", product["sku"].casefold()): "sku"}
    if barcode_claim is not None:
        claims[_claim("barcode", barcode_claim)] = "barcode"
    supplier, its_id = product["supplier_id"], product["supplier_product_id"]
    if supplier is not None and its_id is not None:
        claims[_claim("supplier", f"{supplier}\n{its_id}")] = "supplier_product_id"
    return claims


def claim_of_barcode(claim: str) -> Key:
    """Return where it is said which product has a barcode."""
    return _claim("barcode", claim)


def claim_of_sku(sku: str) -> Key:
    """Return where it is said which product has a SKU, in any case."""
    return _claim("sku", sku.casefold())


def kept_attributes(attributes: Mapping[str, str]) -> str:
    """Return attributes as they are stored: their names are free, those of stored fields are not."""
    return to_json(attributes).decode()


def attributes_of(kept: str) -> dict[str, str]:
    """Return attributes as they are shown."""
    shown: dict[str, str] = from_json(kept)
    return shown


def longest_word(search: str) -> tuple[list[str], str | None]:
    """Return the words of a search, and the beginning that most products can be left out by."""
    wanted = words(search)
    return wanted, max(search_tokens(_beginning(wanted)), key=len, default=None)


def _beginning(wanted: Iterable[str]) -> list[str | None]:
    return [max(wanted, key=len, default=None)]


def _at_most(product: Mapping[str, Any]) -> int:
    """Return how many bytes a product has as JSON at most, by a look at the lengths of its texts."""
    size = _OF_FIELDS
    for value in product.values():
        if type(value) is str:
            size += _LONGEST_LETTER * len(value)
        elif type(value) is list and all(type(each) is str for each in value):
            size += sum(_LONGEST_LETTER * len(each) + 3 for each in value)
        elif isinstance(value, list | dict) and value:
            return _MOST_BYTES + 1  # nobody knows without measuring
    return size


@lru_cache(4096)
def _claim(kind: str, value: str) -> Key:
    digest = hashlib.sha256(f"{kind}\n{value}".encode("utf-8", "surrogatepass")).hexdigest()
    return Key(CLAIMS, digest)
