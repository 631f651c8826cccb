"""Demo data on an empty store: a list of seeds, each run once; a start that was cut off goes on where it was.

A seed is a function of the application. It goes through the services, so that demo data obeys the same rules as real data, and
is safe to run again: it makes what is missing only. Add one by putting it into `SEEDS`, behind what it needs.

    def seed_orders(app: App) -> None: ...
    SEEDS = (("catalogue", seed_catalogue), ("vendors", seed_vendors), ("orders", seed_orders))

Whether to load is decided once, at the first start: a store that has products then is somebody's own and stays as it is.
"""

from collections.abc import Callable
from typing import Any

from local.demo.places import seed_stores
from local.demo.shop import seed_catalogue, seed_vendors
from local.demo.trade import seed_customer_orders, seed_trade
from shared.core.clock import instant
from shared.inventory.keys import PRODUCTS
from shared.ports.documents import Create, Key, Put, Query

__all__ = ["MARK", "SEEDS", "load"]

App = Any
"""The application; typed as Any because a seed calls services of every part."""
Seed = Callable[[App], None]

SEEDS: tuple[tuple[str, Seed], ...] = (
    ("stores", seed_stores),
    ("catalogue", seed_catalogue),
    ("vendors", seed_vendors),
    ("trade", seed_trade),
    ("customer orders", seed_customer_orders),
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
