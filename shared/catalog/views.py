"""How a stored product is shown, as a JSON-ready dict: pages are rendered without a model per row.

`models.Product` describes this shape for the API document; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from shared.catalog.record import attributes_of
from shared.catalog.states import OF_CATEGORY, ProductStatus
from shared.core.money import number
from shared.inventory.rules import follows_category, status_of, threshold_of

if TYPE_CHECKING:
    from shared.ports.documents import Stored

__all__ = ["amount", "category_view", "product_view", "thresholds_view"]

Data = dict[str, Any]

_IDENTITY = ("sku", "name", "description", "category_id", "category", "brand", "package_size", "barcode")
_FURTHER = ("seo_title", "seo_description", "supplier_id", "supplier_product_id", "source_url")


def amount(kept: str | None) -> float | None:
    """Return the JSON number of a stored amount."""
    return None if kept is None else number(Decimal(kept))


def product_view(stored: Stored, sums: Mapping[str, Any]) -> Data:
    """Return a product as shown, with the sums of its stock."""
    data, stock = stored.data, sums["current_stock"]
    threshold, rule = threshold_of(data)
    category = (threshold, rule, follows_category(data))
    cost = amount(data["unit_cost"])
    return {
        "id": stored.key.id,
        **{name: data[name] for name in _IDENTITY},
        "current_stock": stock,
        **{name: sums[name] for name in ("available_stock", "reserved_stock", "stock_version")},
        "reorder_threshold": data["reorder_threshold"],
        "unit_cost": cost,
        "sale_price": amount(data["sale_price"]),
        "currency": data["currency"],
        "status": data["status"],
        "is_active": data["status"] == ProductStatus.ACTIVE.value,
        "stock_status": status_of(stock, threshold).value,
        **{name: data[name] for name in ("predicted_depletion_date", "images", "tags")},
        "attributes": attributes_of(data["attributes"]),
        **{name: data[name] for name in _FURTHER},
        "title": data["name"],
        "stock": stock,
        "cost_price": cost,
        **{name: data[name] for name in ("created_at", "updated_at", "version")},
        **(dict(zip(OF_CATEGORY, category, strict=True)) if rule else {}),
    }


def category_view(stored: Stored, product_count: int) -> Data:
    """Return a category as shown."""
    names = ("name", "slug", "created_at", "updated_at", "version")
    view = {name: stored.data[name] for name in names}
    return {
        "id": stored.key.id,
        "name": view.pop("name"),
        "slug": view.pop("slug"),
        "product_count": product_count,
        **view,
    }


def thresholds_view(stored: Stored) -> Data:
    """Return the thresholds of a category as shown."""
    given = stored.data.get("thresholds") or {"threshold": None, "stores": {}}
    return {"id": stored.key.id, **given, "version": stored.data["version"]}
