"""The peer's 20,000 levels as ours: the same products, stores and quantities, booked through our own ledger."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import workspace
from bench.ours import environment, fresh_data
from bench.yardsticks import python
from shared.app import App
from shared.catalog.record import claim_of_sku, first_stock, stock_key, with_finders
from shared.core.settings import Settings
from shared.inventory.booking import Change
from shared.inventory.keys import product_key
from shared.inventory.words import MovementType
from shared.ports.documents import Create
from shared.stores.models import NewStore, StoreType

__all__ = ["product_id", "stocked", "store_id"]

_NAMES = ("store-0", "store-1")
_IN_ONE_COMMIT = 40
_SEED = "import json; from bench.peer.schema import seed; print(json.dumps(seed(), default=str))"


def stocked(name: str) -> Path:
    """Return a data folder of its own with the levels in it; they are booked once per checkout."""
    original = workspace() / "levels.db"
    if not original.exists():
        _book(original.with_suffix(".new"))
        original.with_suffix(".new").rename(original)
    folder = fresh_data(name)
    shutil.copy(original, folder / "onhand.db")
    return folder


def store_id(data: Path, name: str) -> str:
    """Return the id of one of the peer's stores."""
    app = App(Settings.from_env(environment(data)))
    found = next(store.id for store in app.stores.all() if store.name == name)
    app.close()
    return str(found)


def product_id(number: int) -> str:
    """Return the id of the peer's product of that number."""
    return f"prd_{number:06d}"


def _book(target: Path) -> None:
    folder = fresh_data("levels")
    app = App(Settings.from_env(environment(folder)))
    products, levels = json.loads(python("-c", _SEED))
    stores = {name: app.stores.create(_store(name)).id for name in _NAMES}
    for begin in range(0, len(products), _IN_ONE_COMMIT):
        some = products[begin : begin + _IN_ONE_COMMIT]
        app.documents.commit([write for product in some for write in _product(product)])
    app.ledger.__dict__["on_rows"] = lambda: None  # nobody reads this warehouse
    for begin in range(0, len(levels), _IN_ONE_COMMIT):
        app.store.atomically(partial(_levels, app, levels[begin : begin + _IN_ONE_COMMIT], stores))
    app.close()
    shutil.move(folder / "onhand.db", target)


def _store(name: str) -> NewStore:
    return NewStore(name=name, region="Bench", store_type=StoreType.URBAN)


def _product(row: dict[str, Any]) -> list[Create]:
    moment = "2026-01-15T10:30:00.000000Z"
    names = ("description", "category_id", "brand", "package_size", "barcode", "unit_cost", "seo_title")
    more = ("seo_description", "supplier_id", "supplier_product_id", "source_url", "predicted_depletion_date")
    fields: dict[str, Any] = dict.fromkeys((*names, *more))
    fields |= {"sku": row["sku"], "name": row["name"], "category": row["category"], "sale_price": f"{row['price']:.2f}"}
    fields |= {"currency": "EUR", "status": "active", "reorder_threshold": 10, "images": [], "tags": []}
    fields |= {"attributes": "{}", "created_at": moment, "updated_at": moment, "version": 1}
    product, key = with_finders(fields), product_key(product_id(row["id"]))
    claim = Create(claim_of_sku(row["sku"]), {"product_id": key.id})
    return [Create(key, product), Create(stock_key(key.id), first_stock(key.id, product)), claim]


def _levels(app: Any, rows: list[dict[str, Any]], stores: dict[str, str]) -> None:
    pairs = [(product_id(row["product_id"]), stores[row["store"]]) for row in rows]
    booking = app.ledger.open(pairs)
    for pair, row in zip(pairs, rows, strict=True):
        booking.create_level(*pair)
        if row["quantity"]:
            booking.add(Change(*pair, row["quantity"], MovementType.INITIAL))
    booking.write()
