"""The demo shop's six stores in three regions; `MAIN`, the default one, is its warehouse."""

from typing import Any

from shared.stores.models import NewStore, StorePatch, StoreType

__all__ = ["seed_stores"]

_MAIN = ("Main Warehouse", "North", "Hamburg")
_OTHERS = (
    ("Harbour Outlet", "HARBOUR", "North", StoreType.TOURIST, "Bremen"),
    ("River Depot", "RIVER", "West", StoreType.WAREHOUSE, "Duisburg"),
    ("Market Street", "MARKET", "West", StoreType.URBAN, "Utrecht"),
    ("Garden Mall", "GARDEN", "South", StoreType.SHOPPING, "Graz"),
    ("Lake View", "LAKE", "South", StoreType.SUBURBAN, "Konstanz"),
)


def seed_stores(app: Any) -> None:
    """Name the default store and make the stores that are missing."""
    name, region, city = _MAIN
    app.stores.update(app.stores.ensure_default(), StorePatch(name=name, region=region, city=city))
    present = {store.code for store in app.stores.all()}
    for name, code, region, kind, city in _OTHERS:
        if code not in present:
            app.stores.create(NewStore(name=name, code=code, region=region, store_type=kind, city=city))
