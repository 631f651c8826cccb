"""Demo data on an empty store: a list of seeds, each run once; a start that was cut off goes on where it was.

A seed is a function of the application. It goes through the services, so that demo data obeys the same rules as real data, and
is safe to run again: it makes what is missing only. Add one by putting it into `SEEDS`, behind what it needs.

    def seed_orders(app: App) -> None: ...
    SEEDS = (("catalogue", later("shop", "seed_catalogue")), ..., ("orders", later("orders", "seed_orders")))

Whether to load is decided once, at the first start: a store that has products then is somebody's own and stays as it is.
"""

import importlib
from collections.abc import Callable
from typing import Any

from shared.core.clock import instant
from shared.inventory.keys import PRODUCTS
from shared.ports.documents import Create, Key, Put, Query

__all__ = ["MARK", "SEEDS", "later", "load"]

App = Any
"""The application; typed as Any because a seed calls services of every part."""
Seed = Callable[[App], None]


def later(module: str, name: str) -> Seed:
    """Return a seed that is imported when it runs: a store that has its data starts without the modules that made them."""

    def seed(app: App) -> None:
        getattr(importlib.import_module(f"local.demo.{module}"), name)(app)

    return seed


SEEDS: tuple[tuple[str, Seed], ...] = (
    ("stores", later("places", "seed_stores")),
    ("catalogue", later("shop", "seed_catalogue")),
    ("vendors", later("shop", "seed_vendors")),
    ("trade", later("trade", "seed_trade")),
    ("customer orders", later("trade", "seed_customer_orders")),
)
"""In the order in which they run; the name is kept with the data, so never rename one."""

MARK = Key("demo", "loaded")
"""Where it is kept whether demo data is wanted here, and which seeds have run."""


def load(app: App, seeds: tuple[tuple[str, Seed], ...] = SEEDS) -> list[str]:
    """Run the seeds that have not run yet; return their names. A store that began with products of its own is left alone."""
    mark = app.store.get(MARK)
    if mark is None:
        empty = not app.store.query(Query(PRODUCTS, limit=1))
        app.store.write([Create(MARK, {"wanted": empty, "done": [], "began_at": instant(app.clock.now())})])
        mark = app.store.get(MARK)
    ran: list[str] = []
    for name, seed in seeds:
        if mark.data["wanted"] and name not in mark.data["done"]:
            seed(app)
            ran.append(name)
            app.store.write([Put(MARK, {**mark.data, "done": [*mark.data["done"], name]})])
            mark = app.store.get(MARK)
    return ran
