"""Stock over any documents: stores and products that exist, a clock that is moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.core.caller import Caller, Role
from shared.core.clock import Clock, ManualClock
from shared.core.ids import Ids, RandomIds
from shared.inventory.audit import StockAudit
from shared.inventory.booking import Change
from shared.inventory.change_models import AdjustBody, NewReservation
from shared.inventory.keys import level_id, product_key, store_key
from shared.inventory.ledger import Ledger
from shared.inventory.reservations import Reservations
from shared.inventory.service import Adjustments, Levels
from shared.inventory.sums import Sums
from shared.inventory.words import MovementType
from shared.ports.documents import Create, Documents, Key, Query, Stored
from shared.ports.store import Store
from shared.warehousing.outbox import WarehouseOutbox
from tests.http.inventory.builders import product_document

__all__ = ["MANAGER", "OPERATOR", "Stock", "a_stock", "store_document"]

OPERATOR = Caller("usr_1", "operator", Role.OPERATOR)
MANAGER = Caller("usr_2", "manager", Role.MANAGER)


def store_document(name: str, **facts: Any) -> dict[str, Any]:
    """Return what stock reads of a store."""
    return {"name": name, "region": "North", "store_type": "Urban", **facts}


@dataclass(frozen=True)
class Places:
    """Stores as far as stock asks for them."""

    store: Store

    def likely_default(self, caller: Caller) -> tuple[Sequence[Key], str | None]:
        """Return that it is known without reading."""
        return [], self.default_for(caller)

    def default_for(self, caller: Caller) -> str:
        """Return the caller's own store, else `main`."""
        return caller.store_id or "main"

    def stored(self, store_id: str) -> Stored:
        """Return a store's document."""
        return self.store.documents.get_many([store_key(store_id)])[store_key(store_id)]


@dataclass
class Stock:
    """The services of stock, and what others were told."""

    store: Store
    clock: Clock
    ledger: Ledger
    told: list[tuple[str, str]] = field(default_factory=list)

    @property
    def levels(self) -> Levels:
        """Return levels by id."""
        return Levels(self.ledger)

    @property
    def adjustments(self) -> Adjustments:
        """Return changes by hand; SKUs are ids in capitals."""
        return Adjustments(self.ledger, Places(self.store), lambda skus: {sku: sku.lower() for sku in skus})

    @property
    def reservations(self) -> Reservations:
        """Return reservations."""
        return Reservations(self.ledger, Places(self.store))

    @property
    def sums(self) -> Sums:
        """Return the sums of products."""
        return Sums(self.ledger)

    @property
    def audit(self) -> StockAudit:
        """Return the audit."""
        return StockAudit(self.ledger)

    def adjust(self, product_id: str, quantity: int, store_id: str = "main", **said: Any) -> dict[str, Any]:
        """Adjust a level in one commit; return the movement."""
        body = AdjustBody(product_id=product_id, store_id=store_id, quantity=quantity, **said)
        return self.store.atomically(lambda: self.adjustments.adjust(OPERATOR, body))

    def reserve(self, product_id: str, quantity: int, ttl: int | None = 900, store_id: str = "main") -> dict[str, Any]:
        """Hold units in one commit; return the reservation."""
        wanted = NewReservation(product_id=product_id, store_id=store_id, quantity=quantity, ttl_seconds=ttl)
        return self.store.atomically(lambda: self.reservations.create(OPERATOR, wanted))

    def commit(self, reservation_id: str) -> dict[str, Any]:
        """Take held units in one commit."""
        return self.store.atomically(lambda: self.reservations.commit(OPERATOR, reservation_id, None))

    def release(self, reservation_id: str) -> dict[str, Any]:
        """Let held units go in one commit."""
        return self.store.atomically(lambda: self.reservations.release(OPERATOR, reservation_id, None))

    def level(self, product_id: str, store_id: str = "main") -> dict[str, Any]:
        """Return a level as shown."""
        return self.levels.get(level_id(store_id, product_id))

    def movements(self, product_id: str, store_id: str = "main") -> list[dict[str, Any]]:
        """Return the movements of a level, oldest first."""
        wanted = (("product_id", product_id), ("store_id", store_id))
        return [stored.data for stored in self.store.walk(Query("movements", wanted, order_by="created_at"))]

    def sizes(self) -> dict[str, int]:
        """Return how many documents of each kind there are: what a refused action must not change."""
        names = ("levels", "movements", "product_stock", "reservations", "warehouse_outbox")
        return {name: self.store.count(Query(name)) for name in names}

    def book(self, *changes: tuple[str, str, int, MovementType]) -> list[dict[str, Any]]:
        """Book changes in one commit."""
        return self.ledger.book([Change(*change) for change in changes])


def a_stock(documents: Documents, clock: Clock | None = None, ids: Ids | None = None, *, seed: bool = True) -> Stock:
    """Return stock without a unit in it; the stores `main` and `other`, the products `cup`, `bowl` and `plate`."""
    clock = clock or ManualClock()
    store = Store(documents, clock)
    if seed:
        places = [Create(store_key(name), store_document(name.title())) for name in ("main", "other")]
        goods = [Create(product_key(name), product_document(name.upper())) for name in ("cup", "bowl", "plate")]
        documents.commit([*places, *goods])
    told: list[tuple[str, str]] = []
    ledger = Ledger(store, clock, ids or RandomIds(clock), WarehouseOutbox(store, clock), on_change=told.extend)
    return Stock(store, clock, ledger, told)
