"""Sales and transfer orders over any documents: two stores, three priced products."""

from dataclasses import dataclass
from typing import Any

from shared.core.caller import Caller, Role
from shared.core.clock import Clock
from shared.core.ids import RandomIds
from shared.inventory.keys import product_key
from shared.orders.decision_models import NewTransfer
from shared.orders.rules import Move, Status
from shared.orders.service import Transfers
from shared.ports.documents import Documents, Put, Query, Stored
from shared.sales.models import NewSale
from shared.sales.service import Sales
from tests.unit.inventory.builders import Places, Stock, a_stock

__all__ = ["MANAGER", "Market", "a_market"]

MANAGER = Caller("usr_m", "manager", Role.MANAGER)
PRICES = {"cup": "2.50", "bowl": "0.07", "plate": "19.99"}


@dataclass
class Market:
    """The services of trade over one stock."""

    stock: Stock
    sales: Sales
    transfers: Transfers

    def buy(self, *items: tuple[str, int], **said: Any) -> Stored:
        """Buy a basket; return the sale."""
        lines = [{"product_id": product, "quantity": units} for product, units in items]
        return self.sales.purchase(MANAGER, NewSale.model_validate({"items": lines, "store_id": "main", **said}))

    def order(self, quantity: int, product_id: str = "cup") -> Stored:
        """Ask for cups (or another product) in the other store."""
        wanted = NewTransfer(from_store_id="main", to_store_id="other", product_id=product_id, quantity=quantity)
        return self.transfers.create(MANAGER, wanted)

    def move(self, order: Stored, target: Status) -> Stored:
        """Take an order further."""
        return self.transfers.move(order.key.id, Move(target, MANAGER, "because"))

    def sold(self, product_id: str) -> int:
        """Return the units of a product in the lines of all sales."""
        found = self.stock.store.walk(Query("sales"))
        return sum(
            line["quantity"] for sale in found for line in sale.data["items"] if line["product_id"] == product_id
        )

    def check(self, product_id: str, booked: int) -> None:
        """Show that stock, ledger and sale lines agree: of the booked units those sold are gone, and no other."""
        level = self.stock.level(product_id)
        moved = sum(one["quantity"] for one in self.stock.movements(product_id))
        assert level["on_hand"] == moved == booked - self.sold(product_id) >= 0


def a_market(documents: Documents, clock: Clock, *, seed: bool = True) -> Market:
    """Return a market with empty shelves; without `seed`, the one that another process has opened in this store."""
    stock = a_stock(documents, clock, seed=seed)
    if seed:
        _price(stock)
    ids, places, outbox = RandomIds(clock), Places(stock.store), stock.ledger.outbox
    sales = Sales(stock.store, clock, ids, stock.ledger, stock.sums, places, outbox)
    return Market(stock, sales, Transfers(stock.store, clock, ids, stock.ledger, places, outbox, 48))


def _price(stock: Stock) -> None:
    found = stock.store.get_many([product_key(name) for name in PRICES])
    facts = {"category_id": None, "category": None, "brand": None, "currency": "EUR", "status": "active"}
    priced = [Put(key, {**one.data, **facts, "sale_price": PRICES[key.id]}) for key, one in found.items()]
    stock.store.documents.commit(priced)
