"""The whole product with a shop in it: stores, products, and a client for each kind of caller."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.gateway import routers
from shared.adapters.shapes import Shapes
from shared.adapters.sqlite import SqliteDocuments
from shared.app import App
from shared.catalog.record import claim_of_sku
from shared.core.caller import Caller, Role
from shared.core.clock import ManualClock
from shared.core.settings import Settings
from shared.http.serve import serve
from shared.identity.tokens import Realm, TokenMint
from shared.inventory.keys import product_key
from shared.ports.documents import Create, Documents
from tests.client import Answered, Client
from tests.http.builders import UNLIMITED
from tests.stores import INDEX_FILE

__all__ = ["Shop", "a_shop", "product_document"]


def product_document(sku: str, **facts: Any) -> dict[str, Any]:
    """Return what stock reads of a product, as the catalogue stores it."""
    return {
        "sku": sku,
        "name": f"Product {sku}",
        "brand": None,
        "category": None,
        "category_id": None,
        "package_size": None,
        "status": "active",
        "reorder_threshold": 10,
        "sale_price": "2.50",
        "unit_cost": "1.00",
        "currency": "EUR",
        "description": None,
        **facts,
    }


@dataclass
class Shop:
    """A deployment with its callers."""

    app: App
    clock: ManualClock
    clients: dict[str, Client]
    mint: TokenMint
    handle: Any

    def later(self, seconds: float) -> None:
        """Move time on; everybody signs in again."""
        self.clock.advance(seconds)
        self.clients.update(_signed_in(self.handle, self.mint))

    @property
    def operator(self) -> Client:
        """Return who does the daily work."""
        return self.clients["operator"]

    @property
    def manager(self) -> Client:
        """Return who decides about stores."""
        return self.clients["manager"]

    @property
    def admin(self) -> Client:
        """Return who may do everything."""
        return self.clients["admin"]

    @property
    def viewer(self) -> Client:
        """Return who only looks."""
        return self.clients["viewer"]

    def bound(self, store_id: str | None = None, role: Role = Role.OPERATOR) -> Client:
        """Return a caller whose account is bound to a store."""
        caller = Caller("usr_bound", "bound", role, store_id=store_id)
        return Client(self.handle).as_(f"Bearer {self.mint.mint(caller)}")

    def product(self, sku: str = "CUP", **facts: Any) -> str:
        """Put a product into the catalogue; return its id."""
        product_id = f"prd_{sku.lower()}"
        self.app.documents.commit(
            [
                Create(product_key(product_id), product_document(sku, **facts)),
                Create(claim_of_sku(sku), {"product_id": product_id}),
            ]
        )
        return product_id

    def store(self, name: str = "North Hub", **facts: Any) -> str:
        """Make a store; return its id."""
        answer = self.manager.post("/api/v1/stores", {"name": name, "region": "North", "store_type": "Urban", **facts})
        assert answer.status == 201, answer.json
        return str(answer.json["id"])

    def stock(self, product_id: str, units: int, store_id: str | None = None) -> dict[str, Any]:
        """Add units; return the level afterwards."""
        body = {"product_id": product_id, "quantity": units} | ({"store_id": store_id} if store_id else {})
        movement = ok(self.operator.post("/api/v1/inventory/adjust", body))
        return self.level(product_id, movement["store_id"])

    def level(self, product_id: str, store_id: str) -> dict[str, Any]:
        """Return the level of a product in a store, as listed."""
        (found,) = ok(self.viewer.get("/api/v1/inventory", product_id=product_id, store_id=store_id))["items"]
        return dict(found)


def ok(answer: Answered, status: int = 200) -> Any:
    """Return the body of a good answer."""
    assert answer.status == status, (answer.status, answer.body)
    return answer.json


def a_shop(
    folder: Path, documents: Documents | None = None, clock: ManualClock | None = None, /, **environment: str
) -> Shop:
    """Return a deployment on an empty store."""
    clock = clock or ManualClock()
    given = {
        **UNLIMITED,
        "RATE_LIMIT_REFRESH": "0",
        "STORE_URL": "sqlite:///:memory:",
        "WAREHOUSE_URL": f"duckdb:///{folder}/warehouse.duckdb",
        "DATA_DIR": str(folder),
        **environment,
    }
    app = App(Settings.from_env(given), clock)
    app.__dict__["documents"] = documents or SqliteDocuments(":memory:", Shapes.read(INDEX_FILE))
    realm = Realm(app.settings.auth_issuer, app.settings.auth_audience)
    mint = TokenMint(lambda: app.signing_key, realm, clock, app.ids)
    handle = serve(routers(), lambda: app)
    return Shop(app, clock, _signed_in(handle, mint), mint, handle)


def _signed_in(handle: Any, mint: TokenMint) -> dict[str, Client]:
    people = {role.value: Caller(f"usr_{role.value}", role.value, role) for role in Role}
    return {name: Client(handle).as_(f"Bearer {mint.mint(caller)}") for name, caller in people.items()}
