"""The documented stock and store paths of older backends, as projections of the canonical operations.

`demo_` is the store operations demo. `shop_` is the shop backend: parameters by body or query, of which the body wins, and
answers in its envelope.
"""

from typing import Any

from shared.app import App
from shared.core.errors import NotFound, ValidationFailed
from shared.http.context import Context
from shared.http.legacy import answered, done, reshaped
from shared.http.page import listing
from shared.http.router import Router
from shared.inventory.change_models import AdjustBody
from shared.inventory.figure_models import CategoryRow, Kpi, ShareFilter, TrendRow
from shared.inventory.legacy import (
    AddInventory,
    DemoFigures,
    DemoLevelFilter,
    DemoLevelPatch,
    DemoLowFilter,
    DemoQuantity,
    DemoWarehouseFilter,
    LowProducts,
    demo_level,
    demo_warehouse_row,
)
from shared.inventory.models import LevelFilter
from shared.stores.legacy import DemoNewStore, DemoStoreFilter, DemoStorePatch, demo_store
from shared.stores.models import OptionFilter, RegionOption, RegionSummary, StoreFilter

from .figures import say_as_of

__all__ = ["router"]

router = Router("inventory")
Ctx = Context[App]
LEVELS, STORES = "/api/v1/inventory", "/api/v1/stores"
_THRESHOLD = 10


@router.get("/api/stores", successor=STORES)
def demo_stores(ctx: Ctx, query: DemoStoreFilter) -> list[dict[str, Any]]:
    """List stores by region and name."""
    wanted = StoreFilter(region=query.region, store_type=query.store_type, search=query.search)
    found = sorted(ctx.app.stores.matching(wanted), key=lambda store: (store.region, store.name, store.id))
    ctx.respond_header("X-Total-Count", str(len(found)))
    return [demo_store(store) for store in found[: query.limit]]


@router.post("/api/stores", access="manager", status=201, successor=STORES)
def demo_make_store(ctx: Ctx, body: DemoNewStore) -> dict[str, Any]:
    """Make a store."""
    store = ctx.app.stores.create(body.canonical())
    ctx.respond_header("Location", f"{STORES}/{store.id}")
    return done(demo_store(store), "Store created successfully")


@router.get("/api/stores/options", successor=f"{STORES}/options")
def demo_store_options(ctx: Ctx, query: OptionFilter) -> list[dict[str, Any]]:
    """List stores to choose from."""
    options = ctx.app.stores.options(query.region)
    return [
        {**one.model_dump(), "storeId": one.store_id, "storeName": one.store_name, "storeCode": one.store_code}
        for one in options
    ]


@router.get("/api/stores/regions/options", successor=f"{STORES}/regions/options")
def demo_region_options(ctx: Ctx) -> list[RegionOption]:
    """List regions to choose from."""
    return ctx.app.stores.region_options()


@router.get("/api/stores/regions/summary", successor=f"{STORES}/regions/summary")
def demo_region_summary(ctx: Ctx) -> list[RegionSummary]:
    """Count the stores of each region by type."""
    return ctx.app.stores.region_summary()


@router.get("/api/stores/{id}", successor=f"{STORES}/{{id}}", etag=True)
def demo_read_store(ctx: Ctx, id: str) -> dict[str, Any]:
    """Return a store."""
    return demo_store(ctx.app.stores.get(id))


@router.put("/api/stores/{id}", access="manager", successor=f"{STORES}/{{id}}")
def demo_change_store(ctx: Ctx, id: str, body: DemoStorePatch) -> dict[str, Any]:
    """Change a store."""
    patch = body.canonical(ctx.app.stores.get(id))
    return done(demo_store(ctx.app.stores.update(id, patch, ctx.precondition)), "Store updated successfully")


@router.get("/api/inventory", successor=LEVELS)
def demo_levels(ctx: Ctx, query: DemoLevelFilter) -> dict[str, Any]:
    """List stock levels, the one that moved last first."""
    page = _page(ctx, query.canonical())
    return {"data": [demo_level(level) for level in page.items], **page.extra, "total": page.total}


@router.get("/api/inventory/kpi", successor=f"{LEVELS}/kpi")
def demo_kpi(ctx: Ctx, query: DemoFigures) -> Kpi:
    """Return the key figures of stock."""
    wanted = query.canonical()
    kpi = ctx.app.stock_figures.kpi(wanted, ctx.app.stock_history.turnover(wanted))
    say_as_of(ctx, kpi.as_of)
    return kpi


@router.get("/api/inventory/trends", successor=f"{LEVELS}/trends", etag=True)
def demo_trends(ctx: Ctx, query: DemoFigures) -> list[TrendRow]:
    """Return units and value at the end of each day."""
    rows, as_of = ctx.app.stock_history.trend(query.canonical())
    say_as_of(ctx, as_of)
    return rows


@router.get("/api/inventory/categories", successor=f"{LEVELS}/categories", etag=True)
def demo_categories(ctx: Ctx, query: DemoFigures) -> list[CategoryRow]:
    """Return what each category is worth."""
    return ctx.app.stock_figures.shares(ShareFilter(region=query.region, store_id=query.store_id))


@router.get("/api/inventory/alerts/low-stock", successor=f"{LEVELS}/low-stock")
def demo_low_stock(ctx: Ctx, query: DemoLowFilter) -> list[dict[str, Any]]:
    """List levels that run low, the lowest first."""
    wanted = query.canonical()
    lists = ctx.app.stock_lists
    return _rows(ctx, listing(ctx, wanted, lists.low_stock(wanted), lists.level))


@router.get("/api/inventory/warehouse", successor=f"{LEVELS}/warehouse")
def demo_warehouse(ctx: Ctx, query: DemoWarehouseFilter) -> list[dict[str, Any]]:
    """List products with their stock over all warehouses."""
    ctx.app.sums.settle_due()
    found = ctx.app.warehouse_view.page(query.canonical(), None)
    ctx.respond_header("X-Total-Count", str(found.total))
    return [demo_warehouse_row(row) for row in found.rows]


@router.get("/api/inventory/product/{id}", successor=LEVELS)
def demo_levels_of_product(ctx: Ctx, id: str) -> list[dict[str, Any]]:
    """List the levels of a product."""
    return _rows(ctx, _page(ctx, _only(product_id=id)))


@router.get("/api/inventory/store/{id}", successor=LEVELS)
def demo_levels_of_store(ctx: Ctx, id: str) -> list[dict[str, Any]]:
    """List the levels of a store."""
    return _rows(ctx, _page(ctx, _only(store_id=id)))


@router.put("/api/inventory/{id}", access="operator", successor=f"{LEVELS}/{{id}}")
def demo_change_level(ctx: Ctx, id: str, body: DemoLevelPatch) -> dict[str, Any]:
    """Change a stock level; another quantity is booked as a correction."""
    patch = body.canonical(ctx.app.levels.get(id))
    level = ctx.app.levels.change(ctx.caller, id, patch, ctx.precondition)
    return done(demo_level(level), "Inventory updated successfully")


@router.patch("/api/inventory/{id}/stock", access="operator", successor=f"{LEVELS}/{{id}}")
def demo_set_stock(ctx: Ctx, id: str, body: DemoLevelPatch) -> dict[str, Any]:
    """Set the stock of a level; raise ValidationFailed when none is told."""
    if body.quantity_cases is None and body.current_stock is None:
        raise ValidationFailed.at("/quantity_cases", "missing", "Say how many units there are.")
    return demo_change_level(ctx, id, body)


@router.patch("/api/inventory/{id}/reserve", access="operator", needs_key=True, successor=f"{LEVELS}/reservations")
def demo_reserve(ctx: Ctx, id: str, body: DemoQuantity) -> dict[str, Any]:
    """Hold units of a level without end."""
    ctx.app.reservations.hold_by_hand(ctx.caller, id, body.units())
    return done(demo_level(ctx.app.levels.get(id)), "Stock reserved successfully")


@router.patch("/api/inventory/{id}/release", access="operator", successor=f"{LEVELS}/reservations")
def demo_release(ctx: Ctx, id: str, body: DemoQuantity) -> dict[str, Any]:
    """Free units held by hand, those held longest first."""
    ctx.app.reservations.free_by_hand(ctx.caller, id, body.units())
    return done(demo_level(ctx.app.levels.get(id)), "Stock released successfully")


def _only(**filters: str) -> LevelFilter:
    """Return the filter of one product or store; an id that cannot be one is simply unknown."""
    return LevelFilter(limit=1000, include_total=True).model_copy(
        update={name: [value] for name, value in filters.items()}
    )


def _page(ctx: Ctx, wanted: LevelFilter) -> Any:
    lists = ctx.app.stock_lists
    page = listing(ctx, wanted, lists.levels(wanted), lists.level)
    ctx.sent.pop("Link", None)
    return page


def _rows(ctx: Ctx, page: Any) -> list[dict[str, Any]]:
    ctx.sent.pop("Link", None)
    ctx.respond_header("X-Total-Count", str(page.total))
    return [demo_level(level) for level in page.items]


@router.put(
    "/ecommerce/v1/add_inventory",
    access="operator",
    needs_key=True,
    successor="/api/v1/inventory/adjust",
    reshape=reshaped,
)
def shop_add_inventory(ctx: Ctx, query: AddInventory, body: AddInventory) -> dict[str, Any]:
    """Add units of a product at the default store."""
    product_id = _needed(query, body, "product_id")
    wanted = AdjustBody(product_id=product_id, quantity=_needed(query, body, "quantity"))
    try:
        movement = ctx.app.adjustments.adjust(ctx.caller, wanted)
    except NotFound as unknown:
        raise ValidationFailed.at("/product_id", "unknown", unknown.detail) from None
    data = {
        "id": movement["id"],
        "product_id": product_id,
        "quantity": movement["quantity"],
        "new_stock": movement["new_stock"],
        "created_at": movement["created_at"],
        "updated_at": movement["created_at"],
    }
    return answered(data, "Inventory added successfully")


@router.get("/ecommerce/v1/get_low_stock_products", successor="/api/v1/inventory/low-stock", reshape=reshaped)
def shop_low_stock(ctx: Ctx, query: LowProducts, body: LowProducts) -> dict[str, Any]:
    """List active products whose units over all stores are at or below a threshold, the fewest first."""
    said = [given.quantity_threshold for given in (body, query) if given.quantity_threshold is not None]
    products = ctx.app.low_products(said[0] if said else _THRESHOLD)
    return answered({"products": products}, "Low stock products fetched successfully")


def _needed(query: AddInventory, body: AddInventory, name: str) -> Any:
    """Return a parameter from the body, else from the query; raise ValidationFailed when it is in neither."""
    value = getattr(body, name) if name in body.model_fields_set else getattr(query, name)
    if value is None:
        raise ValidationFailed.at(f"/{name}", "missing", "This parameter is needed.")
    return value
