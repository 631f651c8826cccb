"""How our supplier orders stand: tracking numbers go to the items of customers' orders."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared.core.clock import Clock, instant, parse_instant
from shared.core.errors import InvalidState, Terminal
from shared.core.values import dataclass
from shared.orders.customer_models import Tracking
from shared.orders.rules import CUSTOMER_ORDERS
from shared.ports.documents import Create, Key, Put, Query, Stored, Write
from shared.ports.store import Store
from shared.suppliers.port import Source

__all__ = ["OrderMemory", "OrderTracking"]

_OPEN = ("fulfilled", "partially_fulfilled", "processing")
_IDEMPOTENT = timedelta(hours=23)


@dataclass(frozen=True)
class OrderTracking:
    """Reads supplier orders and tells the customers' orders."""

    store: Store
    track: Callable[[str, str, Tracking], Any]

    def __call__(self, source: Source, supplier_id: str) -> tuple[int, int]:
        """Return how many supplier orders were read and how many items travel now."""
        waiting = [
            (order, placed)
            for order in self.store.walk(Query(CUSTOMER_ORDERS, (("status", _OPEN),), order_by="created_at"))
            for placed in order.data["supplier_orders"]
            if placed["supplier_id"] == supplier_id and placed["supplier_order_id"]
        ]
        told = source.progress([placed["reference"] for _, placed in waiting])
        shipped = 0
        for order, placed in waiting:
            found = told.get(placed["reference"])
            if found is not None and found.tracking_numbers:
                shipped += self._ship(order, placed["item_ids"], found.tracking_numbers[0], found.carrier)
        return len(waiting), shipped

    def _ship(self, order: Stored, item_ids: list[str], number: str, carrier: str | None) -> int:
        known = {item["id"]: item for item in order.data["items"]}
        travelling = 0
        for item_id in item_ids:
            if known[item_id]["tracking_number"] == number:
                continue
            try:
                self.track(order.key.id, item_id, Tracking(tracking_number=number, carrier=carrier))
            except InvalidState:  # delivered or cancelled meanwhile: nothing to tell any more
                continue
            travelling += 1
        return travelling


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
