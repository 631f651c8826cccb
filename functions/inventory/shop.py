"""The documented stock paths of the shop backend: parameters by body or query, the body wins; answers in its envelope."""

from typing import Any

from shared.app import App
from shared.core.errors import NotFound, ValidationFailed
from shared.http.context import Context
from shared.http.router import Router
from shared.inventory.legacy import AddInventory, LowProducts
from shared.inventory.models import AdjustBody

__all__ = ["router"]

router = Router("inventory")
Ctx = Context[App]
_THRESHOLD = 10


def _refused(problem: dict[str, Any]) -> dict[str, Any]:
    """Return a problem body with the keys this backend's clients know."""
    status, detail = problem["status"], problem["detail"]
    return {**problem, "status_code": status, "success": False, "message": detail, "data": {}}


def _answer(data: Any, message: str) -> dict[str, Any]:
    return {"status_code": 200, "success": True, "message": message, "data": data}


@router.put("/ecommerce/v1/add_inventory", access="operator", successor="/api/v1/inventory/adjust", reshape=_refused)
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
    return _answer(data, "Inventory added successfully")


@router.get("/ecommerce/v1/get_low_stock_products", successor="/api/v1/inventory/low-stock", reshape=_refused)
def shop_low_stock(ctx: Ctx, query: LowProducts, body: LowProducts) -> dict[str, Any]:
    """List active products whose units over all stores are at or below a threshold, the fewest first."""
    said = [given.quantity_threshold for given in (body, query) if given.quantity_threshold is not None]
    products = ctx.app.low_products(said[0] if said else _THRESHOLD)
    return _answer({"products": products}, "Low stock products fetched successfully")


def _needed(query: AddInventory, body: AddInventory, name: str) -> Any:
    """Return a parameter from the body, else from the query; raise ValidationFailed when it is in neither."""
    value = getattr(body, name) if name in body.model_fields_set else getattr(query, name)
    if value is None:
        raise ValidationFailed.at(f"/{name}", "missing", "This parameter is needed.")
    return value
