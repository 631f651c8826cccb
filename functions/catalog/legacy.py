"""The documented paths of the store operations demo (`/api/products`) and of the shop backend (`/ecommerce/v1/...`)."""

from typing import Any, cast

from shared.app import App
from shared.catalog.legacy import (
    CategoriesAsked,
    LegacyProductFilter,
    NamedProducts,
    NewCategory2,
    NewProduct1,
    NewProduct2,
    Product1,
    ProductAsked,
    ProductsAsked,
    category2,
    product1,
    product2,
)
from shared.http.context import Context
from shared.http.legacy import answered, done, refused_as_422, reshaped
from shared.http.router import Router

__all__ = ["router"]

router = Router("catalog")
Ctx = Context[App]


@router.get("/api/products", successor="/api/v1/products")
def legacy_products(ctx: Ctx, query: LegacyProductFilter) -> list[Product1]:
    """List products by name."""
    found = ctx.app.product_lists.page(query.canonical(), None)
    ctx.respond_header("X-Total-Count", str(found.total))
    return cast("list[Product1]", [product1(product) for product in found.items])


@router.get("/api/products/bulk", successor="/api/v1/products")
def legacy_named_products(ctx: Ctx, query: NamedProducts) -> list[Product1]:
    """List products by id, in the order of the ids."""
    found = ctx.app.product_lists.shown(query.ids)
    ctx.respond_header("X-Total-Count", str(len(found)))
    return cast("list[Product1]", [product1(product) for product in found])


@router.get("/api/products/{id}", successor="/api/v1/products/{id}")
def legacy_product(ctx: Ctx, id: str) -> Product1:
    """Return one product."""
    return cast("Product1", product1(ctx.app.products.view(ctx.app.products.get(id))))


@router.post("/api/products", access="operator", status=201, successor="/api/v1/products")
def make_legacy_product(ctx: Ctx, body: NewProduct1) -> dict[str, Any]:
    """Make a product."""
    made = ctx.app.products.create(ctx.caller, body.canonical())
    ctx.respond_header("Location", f"/api/v1/products/{made.key.id}")
    return done(product1(ctx.app.products.view(made)), "Product created")


@router.put(
    "/ecommerce/v1/create_category",
    access="operator",
    successor="/api/v1/categories",
    reshape=reshaped,
    merge_query=True,
)
def shop_create_category(ctx: Ctx, body: NewCategory2) -> dict[str, Any]:
    """Make a category; 422 when its slug is taken."""
    with refused_as_422("category_slug"):
        made = ctx.app.categories.create(body.canonical())
    return answered(category2(ctx.app.categories.view(made)), "Category created")


@router.put(
    "/ecommerce/v1/create_product",
    access="operator",
    successor="/api/v1/products",
    reshape=reshaped,
    merge_query=True,
)
def shop_create_product(ctx: Ctx, body: NewProduct2) -> dict[str, Any]:
    """Make a product; 404 when there is no such category."""
    made = ctx.app.products.create(ctx.caller, body.canonical())
    return answered(product2(ctx.app.products.view(made)), "Product created")


@router.get("/ecommerce/v1/get_categories", successor="/api/v1/categories", reshape=reshaped, merge_query=True)
def shop_categories(ctx: Ctx, body: CategoriesAsked) -> dict[str, Any]:
    """List categories by number of page."""
    found, total = ctx.app.categories.page(body)
    shown = [category2(ctx.app.categories.view(stored)) for stored in found]
    return answered({"categories": shown, "total": total})


@router.get("/ecommerce/v1/get_products", successor="/api/v1/products", reshape=reshaped, merge_query=True)
def shop_products(ctx: Ctx, body: ProductsAsked) -> dict[str, Any]:
    """List products by number of page, each with its category."""
    found = ctx.app.product_lists.page(body.canonical(), None)
    slugs = ctx.app.categories.slugs(product["category_id"] for product in found.items)
    shown = [
        {
            **product2(product),
            "category_name": product["category"],
            "category_slug": slugs.get(product["category_id"]),
        }
        for product in found.items
    ]
    return answered({"products": shown, "total": found.total})


@router.get("/ecommerce/v1/get_product", successor="/api/v1/products", reshape=reshaped, merge_query=True)
def shop_product(ctx: Ctx, body: ProductAsked) -> dict[str, Any]:
    """Return one product with its stock in each store; 422 when it is unknown."""
    with refused_as_422("product_id"):
        stored = ctx.app.products.get(body.product_id)
    stock = [
        {
            "id": level.key.id,
            "product_id": body.product_id,
            "quantity": level.data["on_hand"],
            "created_at": level.data["created_at"],
            "updated_at": level.data["last_updated"],
        }
        for level in ctx.app.sums.levels_of(body.product_id)
    ]
    return answered({**product2(ctx.app.products.view(stored)), "inventory": stock})
