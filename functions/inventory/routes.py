"""Stores, stock levels, movements, reservations and figures: what each of the files beside this one declares."""

from shared.http.router import Router

from . import figures, levels, movements, stores

__all__ = ["router"]

router = Router("inventory")
router.include(stores.router, levels.router, movements.router, figures.router)
