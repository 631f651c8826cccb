"""How products are stored, and the few facts of them that other documents keep.

`products/{id}` has the names of the wire with these differences: money is decimal text, `attributes` is JSON text, and it
adds what lists are found by (`shelf`, `words`, `price_cents`). It changes with the product's own `version`, except for
`stock_status`, which the ledger moves when stock crosses the threshold (`with_stock_status`), silently.

`product_stock/{id}` holds what moves with stock: the sums over all stores, `stock_version` and `stock_status`, and copies of
the facts that lists ordered by stock are filtered by (`FACETS`, written with the product). The ledger changes the sums and
keeps every other key: `stock | {"current_stock": ..., ...}`.

`product_claims/{kind}:{digest}` makes a SKU (in any case), a barcode (in any of its forms) or the pair of a supplier and its
product id belong to one product: whoever creates the claim first has it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.catalog.models import ProductStatus, StockStatus
from shared.ports.documents import Key, Put, Stored, Write

__all__ = [
    "FACETS",
    "NO_STOCK",
    "PRODUCTS",
    "STOCK",
    "SUMS",
    "claim_key",
    "facets",
    "product_key",
    "stock_key",
    "stock_status",
    "with_stock_status",
]

PRODUCTS = "products"
STOCK = "product_stock"
CLAIMS = "product_claims"

SUMS = ("current_stock", "available_stock", "reserved_stock", "stock_version")
"""The keys of `product_stock` that belong to the ledger, besides `stock_status`."""

NO_STOCK: Mapping[str, Any] = {**dict.fromkeys(SUMS, 0), "stock_status": StockStatus.CRITICAL.value}
"""The stock of a product that never moved."""

FACETS = ("shelf", "status", "category_id", "brand", "supplier_id")
"""What `product_stock` copies from the product."""


def product_key(product_id: str) -> Key:
    """Return where a product is."""
    return Key(PRODUCTS, product_id)


def stock_key(product_id: str) -> Key:
    """Return where the sums of a product's stock are."""
    return Key(STOCK, product_id)


def claim_key(kind: str, value: str) -> Key:
    """Return where it is said which product has a unique value; case does not tell values apart."""
    folded = value.casefold().encode("utf-8", "surrogatepass")
    return Key(CLAIMS, f"{kind}:{hashlib.sha256(folded).hexdigest()}")


def shelf(status: str) -> str:
    """Return the shelf of a status: lists show the live one unless asked otherwise."""
    return "archived" if status == ProductStatus.ARCHIVED.value else "live"


def facets(product: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `product_stock` copies from a product."""
    return {name: product[name] for name in FACETS}


def stock_status(current_stock: int, reorder_threshold: int) -> str:
    """Return the stock status of a sum over all stores."""
    if current_stock <= 0:
        return StockStatus.CRITICAL.value
    return (StockStatus.LOW if current_stock <= reorder_threshold else StockStatus.SUFFICIENT).value


def with_stock_status(product: Stored, current_stock: int) -> tuple[Stored, list[Write]]:
    """Return the product as it is with this sum, and the write that says so when its stock status has changed.

    Neither `version` nor `updated_at` moves: movements never refuse an edit of the product.
    """
    status = stock_status(current_stock, product.data["reorder_threshold"])
    if status == product.data["stock_status"]:
        return product, []
    data = {**product.data, "stock_status": status}
    return replace(product, data=data), [Put(product.key, data, product.version)]
