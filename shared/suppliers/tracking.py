"""How our supplier orders stand: tracking numbers go to the items of customers' orders."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import Terminal
from shared.core.values import dataclass
from shared.orders.rules import CUSTOMER_ORDERS
from shared.orders.suppliers import Placed
from shared.ports.documents import Create, Key, Position, Put, Query, Write
from shared.ports.store import Store
from shared.suppliers.port import Source

__all__ = ["Heard", "OrderMemory", "OrderTracking"]

_OPEN = ("fulfilled", "partially_fulfilled", "processing")
_TOGETHER = 50
_IDEMPOTENT = timedelta(hours=23)


class Heard(NamedTuple):
    """How many supplier orders were read, of how many something was new, and after which order to go on (None: the end)."""

    read: int
    updated: int
    after: Position | None


@dataclass(frozen=True)
class OrderTracking:
    """Reads supplier orders and tells the customers' orders."""

    store: Store
    hear: Callable[[str, str, Placed], bool]

    def __call__(self, source: Source, supplier_id: str, after: Position | None) -> Heard:
        """Read the next supplier orders that are under way, as many as are asked for together."""
        waiting: dict[str, tuple[str, str]] = {}
        begun, place = after is not None, None
        query = Query(CUSTOMER_ORDERS, (("status", _OPEN),), order_by="created_at", after=after)
        for order in self.store.walk(query):
            for placed in order.data["supplier_orders"]:
                if placed["supplier_id"] == supplier_id and placed["supplier_order_id"]:
                    waiting[placed["reference"]] = (order.key.id, placed["supplier_order_id"])
            if len(waiting) >= _TOGETHER:
                place = Position(order.data["created_at"], order.key.id)
                break
        if begun and not waiting:
            return Heard(0, 0, place)
        told = source.progress({reference: number for reference, (_, number) in waiting.items()})
        new = [self.hear(waiting[reference][0], reference, placed) for reference, placed in told.items()]
        return Heard(len(waiting), sum(new), place)


@dataclass(frozen=True)
class OrderMemory:
    """Numbers of orders placed with a supplier that cannot be asked by our reference."""

    store: Store
    clock: Clock

    def begun(self, reference: str) -> str | None:
        """Note that an order is about to be placed; return its number when it is known.

        Raise Terminal `unknown_outcome` when a first try without an answer is older than the supplier remembers references.
        """
        key = _key(reference)
        stored = self.store.get(key)
        if stored is None:
            self.store.write([Create(key, {"first_at": instant(self.clock.now()), "number": None})])
            return None
        if stored.data["number"] is None and self.clock.now() - parse_instant(stored.data["first_at"]) > _IDEMPOTENT:
            detail = "It is not known whether this order was placed; look at the supplier before ordering again."
            raise Terminal("unknown_outcome", detail)
        number: str | None = stored.data["number"]
        return number

    def number(self, reference: str) -> str | None:
        """Return the supplier's number of an order."""
        stored = self.store.get(_key(reference))
        return stored.data["number"] if stored is not None else None

    def keep(self, reference: str, number: str) -> None:
        """Keep the supplier's number of an order."""
        key = _key(reference)

        def decide(found: Any) -> tuple[None, list[Write]]:
            stored = found.get(key)
            data = {"first_at": instant(self.clock.now()), **(stored.data if stored else {}), "number": number}
            return None, [Create(key, data) if stored is None else Put(key, data, stored.version)]

        self.store.change([key], decide)


def _key(reference: str) -> Key:
    return Key("supplier_order_numbers", reference.encode().hex())
