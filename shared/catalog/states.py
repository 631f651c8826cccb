"""Words of products: their states, the further names of their fields, and what a category may decide for them."""

from enum import StrEnum

__all__ = ["OF_CATEGORY", "PAIRS", "ProductStatus", "StockStatus"]


class ProductStatus(StrEnum):
    """Where a product is in its life; only active ones are sold, archived ones are in no list unless asked for."""

    ACTIVE = "active"
    DRAFT = "draft"
    PAUSED = "paused"
    ARCHIVED = "archived"


class StockStatus(StrEnum):
    """How much of it there is."""

    CRITICAL = "critical"
    LOW = "low"
    SUFFICIENT = "sufficient"


PAIRS: dict[str, tuple[str, ...]] = {
    "name": ("title",),
    "sale_price": ("price", "unit_price"),
    "unit_cost": ("cost_price",),
    "current_stock": ("stock",),
}
"""Further names that clients of older backends use on input for one value."""

OF_CATEGORY = ("effective_reorder_threshold", "threshold_rule", "follows_category_threshold")
"""Keys of a product whose category has thresholds."""
