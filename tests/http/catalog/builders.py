"""Products, categories and vendors made over HTTP."""

from typing import Any

from tests.http.inventory.builders import Shop, ok

__all__ = ["a_category", "a_product", "a_vendor", "shown", "state"]

PRODUCTS = "/api/v1/products"


def a_product(shop: Shop, **said: Any) -> dict[str, Any]:
    """Make a product, named `Cup` unless said otherwise; return it as shown."""
    return dict(ok(shop.operator.post(PRODUCTS, {"name": "Cup", **said}), 201))


def a_category(shop: Shop, name: str = "Tools", **said: Any) -> dict[str, Any]:
    """Make a category; return it as shown."""
    return dict(ok(shop.operator.post("/api/v1/categories", {"name": name, **said}), 201))


def a_vendor(shop: Shop, name: str = "Acme", **said: Any) -> dict[str, Any]:
    """Make a vendor; return it as shown."""
    return dict(ok(shop.operator.post("/api/v1/vendors", {"name": name, **said}), 201))


def shown(shop: Shop, product_id: str) -> dict[str, Any]:
    """Return a product as shown."""
    return dict(ok(shop.viewer.get(f"{PRODUCTS}/{product_id}")))


def state(shop: Shop) -> dict[str, tuple[Any, ...]]:
    """Return everything that is stored of catalogue, stock and purchasing, to show that a refusal changed nothing."""
    from shared.ports.documents import Query

    collections = (
        "products",
        "product_stock",
        "product_claims",
        "product_changes",
        "price_changes",
        "competitor_prices",
        "categories",
        "category_slugs",
        "levels",
        "movements",
        "vendors",
        "vendor_prices",
        "vendor_price_changes",
        "supplier_links",
        "warehouse_outbox",
    )
    return {name: tuple((one.key.id, one.version) for one in shop.app.store.walk(Query(name))) for name in collections}
