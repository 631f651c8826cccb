"""Products, categories, prices and barcodes: what each of the files beside this one declares."""

from shared.http.router import Router

from . import barcodes, categories, prices, products, purchasing

__all__ = ["router"]

router = Router("catalog")
router.include(products.router, prices.router, purchasing.router, categories.router, barcodes.router)
