"""Vendors, supplier connections and their syncs: what each of the files beside this one declares."""

from shared.http.router import Router

from . import connections, vendors

__all__ = ["router"]

router = Router("suppliers")
router.include(connections.router)
router.include(vendors.router)
