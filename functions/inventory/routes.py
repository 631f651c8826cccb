"""Stores, stock levels, movements and reservations: what each of the files beside this one declares."""

from shared.http.router import Router

from . import stores

__all__ = ["router"]

router = Router("inventory")
router.include(stores.router)
