"""The functions `sales` and `orders`, and reservations, behind the real kernel, over the real application, with goods on its shelves."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from functions.catalog import products as catalog
from functions.inventory import movements as stock
from functions.orders import legacy as orders_legacy
from functions.orders import routes as orders
from functions.sales import legacy as sales_legacy
from functions.sales import routes as sales
from functions.worker import routes as worker
from shared.adapters.local_queue import Claimed, Dispatcher
from shared.adapters.local_queue.dispatcher import Called
from shared.app import App
from shared.catalog.categories import Categories
from shared.catalog.change_models import NewProduct, ProductPatch
from shared.catalog.products import Products, Rules
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.serve import serve
from shared.identity.tokens import Realm, TokenMint
from shared.inventory.keys import level_key
from shared.inventory.ledger import Change
from shared.inventory.words import MovementType
from shared.ports.documents import Query
from shared.stores.models import NewStore, StoreType
from tests.client import Answered, Client

__all__ = ["ADMIN", "Shop"]

ADMIN = Caller("usr_admin", "admin", Role.ADMIN)
ENVIRONMENT = {
    "STORE_URL": "sqlite:///:memory:",
    "WAREHOUSE_URL": "duckdb:///:memory:",
    **dict.fromkeys(("RATE_LIMIT_IP", "RATE_LIMIT_USER", "RATE_LIMIT_LOGIN", "RATE_LIMIT_COSTLY"), "0"),
}
ROUTERS = [
    sales.router,
    sales_legacy.router,
    orders.router,
    orders_legacy.router,
    catalog.router,
    stock.router,
    worker.router,
]


class Shop:
    """One deployment and its clients."""

    def __init__(self, folder: Path, clock: ManualClock | None = None, **environment: str) -> None:
        """Open with the default store and nothing in it."""
        self.clock = clock or ManualClock()
        self.app = App(Settings.from_env(ENVIRONMENT | {"DATA_DIR": str(folder)} | environment), self.clock)
        self.handle = serve(ROUTERS, lambda: self.app)
        categories = Categories(self.app.store, self.clock, self.app.ids)
        self._products = Products(
            self.app.store,
            self.clock,
            self.app.ids,
            self.app.ledger,
            self.app.sums,
            self.app.stores,
            categories,
            Rules(),
        )
        self.main = self.app.stores.ensure_default()

    @property
    def operator(self) -> Client:
        """Return an operator with a token that is fresh now."""
        return self.as_("operator")

    @property
    def manager(self) -> Client:
        """Return a manager."""
        return self.as_("manager")

    @property
    def viewer(self) -> Client:
        """Return a viewer."""
        return self.as_("viewer")

    def as_(self, role: str, user_id: str = "", *, store_id: str | None = None, region: str | None = None) -> Client:
        """Return a client with a token of that role."""
        mint = TokenMint(lambda: self.app.signing_key, Realm(), self.clock, self.app.ids)
        caller = Caller(user_id or f"usr_{role}", role, Role(role), store_id=store_id, region=region)
        return Client(self.handle).as_(f"Bearer {mint.mint(caller)}")

    def queue(self) -> Client:
        """Return a client that is the platform."""
        return Client(self.handle).as_(f"Bearer {self.app.local_invoker.token()}")

    def a_store(self, name: str, region: str = "West") -> str:
        """Open another store."""
        return self.app.stores.create(NewStore(name=name, region=region, store_type=StoreType.URBAN)).id

    def a_product(self, name: str = "Cup", *, stock: int = 0, **said: Any) -> str:
        """Put a product on sale, with so many units in the default store; return its id."""
        given = {"name": name, "sale_price": "2.50", **said}
        product_id = self._products.create(ADMIN, NewProduct.model_validate(given)).key.id
        if stock:
            self.put(product_id, stock)
        return product_id

    def change(self, product_id: str, **said: Any) -> None:
        """Change a product."""
        self._products.update(ADMIN, product_id, ProductPatch.model_validate(said))

    def put(self, product_id: str, quantity: int, store_id: str | None = None) -> None:
        """Book units into a store."""
        change = Change(product_id, store_id or self.main, quantity, MovementType.ADDITION)
        self.app.ledger.book([change])

    def on_hand(self, product_id: str, store_id: str | None = None) -> int:
        """Return the units on hand in a store."""
        stored = self.app.store.get(level_key(store_id or self.main, product_id))
        return 0 if stored is None else int(stored.data["on_hand"])

    def reserved(self, product_id: str, store_id: str | None = None) -> int:
        """Return the units reserved in a store."""
        stored = self.app.store.get(level_key(store_id or self.main, product_id))
        return 0 if stored is None else int(stored.data["reserved"])

    def movements(self, product_id: str) -> list[dict[str, Any]]:
        """Return the product's movements, oldest first."""
        found = self.app.store.query(Query("movements", (("product_id", product_id),), limit=1000))
        return [stored.data for stored in sorted(found, key=lambda one: str(one.data["created_at"]))]

    def count(self, collection: str) -> int:
        """Return how many documents a collection holds."""
        return len(self.app.store.query(Query(collection, limit=10_000)))

    def drain(self) -> None:
        """Carry out what is due and bring every row into the warehouse."""
        self.work()
        self.app.flusher.run()

    def work(self) -> list[Answered]:
        """Deliver what is due through the worker's route; return its answers."""
        answers: list[Answered] = []

        def deliver(claimed: Claimed) -> Called:
            path = f"/internal/tasks/{claimed.task.kind}"
            answers.append(self.queue().post(path, dict(claimed.task.payload)))
            wait = answers[-1].headers.get("Retry-After")
            return Called(answers[-1].status, float(wait) if wait else None)

        Dispatcher(self.app.local_tasks, deliver, self.clock).run_due()
        return answers

    def buy(self, *items: tuple[str, int], client: Client | None = None, **said: Any) -> Answered:
        """Buy products by id."""
        body = {"items": [{"product_id": one, "quantity": units} for one, units in items], **said}
        return (client or self.operator).post("/api/v1/sales", body)

    def kit(self, name: str, bill: Mapping[str, int], **said: Any) -> str:
        """Put a kit on sale; return its id."""
        product_id = self.a_product(name, **said)
        components = [{"product_id": one, "quantity": units} for one, units in bill.items()]
        answer = self.operator.put(f"/api/v1/products/{product_id}/kit", {"components": components})
        assert answer.status == 200, answer.body
        return product_id

    def at(self, moment: datetime) -> None:
        """Move time on to a moment."""
        self.clock.advance((moment - self.clock.now()).total_seconds())

    def unchanged(self, act: Callable[[], Answered]) -> Answered:
        """Return an answer after showing that nothing was written for it."""
        before = self.app.documents.counts.writes
        answer = act()
        assert self.app.documents.counts.writes == before, answer.body
        return answer
