"""ShipBob's world: what can happen to its orders, and the held set counted from its own state."""

import random
from bisect import insort
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from local.demo.baskets import Basket, one_basket, person
from local.demo.chance import Weighted, chance
from local.simulators.shipbob.build import plain_order
from local.simulators.shipbob.model import CENTRES, SHORT, Centre, Detail, Order, Shipment, status_of
from local.simulators.world import Dataset, Setting, UnknownChange, World

__all__ = ["ShipBobWorld"]

# How often a tick brings something, and how often a new order is short of its first good.
_RESTOCKS, _ARRIVALS, _SHORT_ARRIVALS = 0.15, 0.35, 0.35
_SCRIPTED_ID = 30_000_000
_LIVING_ID = 20_000_000
_REASONS = {
    302: "inactive_sku",
    303: "out_of_stock",
    304: "unknown_sku",
    305: "transfer",
    306: "transfer",
    307: "not_pickable",
    308: "partially_committed",
    400: "hold_payment",
    401: "hold_address",
    402: "hold_date",
    403: "hold_manual",
}


class ShipBobWorld(World[Order]):
    """Orders by id, in the order of their making, and who waits for what."""

    changes = frozenset(
        {
            "ship",
            "cancel",
            "release",
            "restock",
            "hold",
            "run_short",
            "remove",
            "touch",
            "move_facility",
            "partially_commit",
            "new_order",
        }
    )

    def __init__(self, data: Dataset[Order], setting: Setting) -> None:
        """Take over a data set."""
        super().__init__(data, setting)
        self.by_id = {order.id: order for order in self.orders}
        self._waiting: dict[int, dict[int, Order]] = {}
        self._made = 0
        self._shelf = Weighted([(good, 1 / (rank + 2)) for rank, good in enumerate(self.goods)])
        for order in self.orders:
            self._remember(order)

    def order(self, order_id: int | str) -> Order:
        """Return an order, or raise UnknownChange."""
        found = self.by_id.get(int(order_id))
        if found is None:
            message = f"there is no order {order_id}"
            raise UnknownChange(message)
        return found

    def ship(self, order_id: int | str, shipment_id: int | str | None = None) -> None:
        """Ship an order, or one of its shipments."""
        with self.lock:
            order = self.order(order_id)
            for shipment in self._chosen(order, shipment_id):
                if shipment.status != "Cancelled":
                    shipment.status, shipment.shipped, shipment.details = "Completed", self.now(), [Detail(201)]
                    shipment.committed.clear()
                    shipment.updated = self.now()
            self._changed(order, "order.shipped")

    def cancel(self, order_id: int | str) -> None:
        """Call an order off; what had not shipped is cancelled."""
        with self.lock:
            order = self.order(order_id)
            for shipment in order.shipments:
                if shipment.status != "Completed":
                    shipment.status, shipment.updated = "Cancelled", self.now()
            self._changed(order, "order.shipment.cancelled")
            order.status = "Cancelled"

    def release(self, order_id: int | str, shipment_id: int | str | None = None) -> None:
        """Let a waiting order, or one of its shipments, go on."""
        with self.lock:
            order = self.order(order_id)
            for shipment in self._chosen(order, shipment_id):
                if shipment.waits:
                    self._release(shipment)
            self._changed(order, "order.shipment.line_item.updated")

    def restock(self, sku: str, units: int, centre_id: int | None = None) -> list[str]:
        """Let units arrive: those who wait longest get theirs first; return the orders that wait no more."""
        with self.lock:
            number, released = self.good(sku).number, []
            site = 0 if centre_id is None else _site(centre_id)
            self.stock.level(number, site).on_hand += units
            left = units
            queue = self._waiting.get(number, {})
            for order in sorted(queue.values(), key=lambda waiting: (waiting.created, waiting.id)):
                used = self._fill(order, number, left, centre_id)
                left -= used
                self.stock.level(number, site).committed += used
                if used and not any(shipment.waits for shipment in order.shipments):
                    released.append(str(order.id))
                if left <= 0:
                    break
            self.version += 1
            return released

    def hold(
        self, order_id: int | str, detail: int = 401, status: str = "OnHold", shipment_id: int | str | None = None
    ) -> None:
        """Hold an order for a reason that is not stock."""
        with self.lock:
            order = self.order(order_id)
            for shipment in self._chosen(order, shipment_id):
                shipment.status, shipment.details, shipment.updated = status, [Detail(detail)], self.now()
                shipment.shipped = None
            self._changed(order, "order.shipment.on_hold")

    def run_short(self, order_id: int | str, sku: str | None = None) -> None:
        """Make an order wait for one of its goods (default: the first)."""
        with self.lock:
            order = self.order(order_id)
            shipment = order.shipments[-1]
            number = next(p.good.number for p in order.pieces(shipment) if sku is None or p.good.sku == sku)
            if not any(detail.inventory_id == number for detail in shipment.details):
                kept = [detail for detail in shipment.details if shipment.waits]
                shipment.details = [*kept, Detail(303, number, shipment.centre.id if shipment.centre else None)]
            shipment.status, shipment.shipped, shipment.updated = "Exception", None, self.now()
            shipment.committed[number] = 0
            self._changed(order, "order.shipment.exception")

    def remove(self, order_id: int | str) -> None:
        """Let an order vanish: no list and no look-up knows it any more."""
        with self.lock:
            order = self.by_id.pop(self.order(order_id).id)
            self.orders.remove(order)
            for queue in self._waiting.values():
                queue.pop(order.id, None)
            self.version += 1

    def touch(self, order_id: int | str) -> None:
        """Update an order without changing what it says."""
        with self.lock:
            order = self.order(order_id)
            order.shipments[0].updated = self.now()
            self._changed(order, "order.shipment.line_item.updated")

    def move_facility(self, order_id: int | str, centre_id: int) -> None:
        """Move what has not shipped of an order to another centre."""
        with self.lock:
            order, centre = self.order(order_id), CENTRES[_site(centre_id)]
            for shipment in order.shipments:
                if shipment.status != "Completed":
                    _move(shipment, centre)
                    shipment.updated = self.now()
            self._changed(order, "order.shipment.line_item.updated")

    def partially_commit(self, order_id: int | str, sku: str, units: int) -> None:
        """Commit some of the units an order waits for; it goes on waiting, as partially committed."""
        with self.lock:
            order, number = self.order(order_id), self.good(sku).number
            for shipment in order.shipments:
                for detail in shipment.details:
                    if shipment.waits and detail.inventory_id == number:
                        detail.id, shipment.updated = 308, self.now()
                        shipment.committed[number] = units
            self._changed(order, "order.shipment.line_item.updated")

    def new_order(
        self,
        lines: Sequence[tuple[str, int]],
        short: Sequence[str] = (),
        centre_id: int = 3,
        at: datetime | None = None,
    ) -> str:
        """Let somebody order: SKUs with quantities, those of `short` not to be had; return the order's id."""
        with self.lock:
            self._made += 1
            goods = tuple((self.good(sku), quantity) for sku, quantity in lines)
            rng = chance("scripted", self._seed, self._made)
            basket = Basket(self._made, f"N-{self._made}", at or self.now(), goods, person(rng))
            wanted = [line for line, (good, _) in enumerate(goods) if good.sku in short]
            return self._arrive(rng, basket, _SCRIPTED_ID + self._made, wanted, CENTRES[_site(centre_id)])

    def happen(self, rng: random.Random, tick: int) -> None:
        """Bring now and then a restock, a new order, a shipment."""
        waiting = sorted(number for number, queue in self._waiting.items() if queue)
        if waiting and rng.random() < _RESTOCKS:
            self.restock(self.stock.goods[rng.choice(waiting)].sku, rng.randrange(1, 3))
        if rng.random() < _ARRIVALS:
            basket = one_basket(rng, self._shelf, tick, self.now())
            short = [0] if rng.random() < _SHORT_ARRIVALS else []
            self._arrive(rng, basket, _LIVING_ID + tick, short, rng.choice(CENTRES))
        moving = self.orders[rng.randrange(len(self.orders))] if self.orders else None
        if moving and moving.status == "Processing":
            self.ship(moving.id)

    def ready(self, before: datetime) -> list[str]:
        """Return the ids of orders whose one shipment is being processed and whose fields are all there."""
        return [str(order.id) for order in self.orders if order.created < before and _plain(order)]

    def truth(self, statuses: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the held set; `statuses` limits it to orders of these statuses."""
        wanted = None if statuses is None else set(statuses)
        rows: dict[tuple[str, str, str], dict[str, Any]] = {}
        for order in self.orders:
            if order.status != "Cancelled" and (wanted is None or order.status in wanted):
                for row in _held(order):
                    rows.setdefault((row["order_id"], row["shipment_id"], row["item"]), row)
        return [rows[key] for key in sorted(rows)]

    def _arrive(self, rng: random.Random, basket: Basket, order_id: int, short: Sequence[int], centre: Centre) -> str:
        order = plain_order(rng, basket, order_id)
        shipment = Shipment(order_id * 10, "Processing", centre, basket.at, basket.at, range(len(basket.lines)))
        order.shipments.append(shipment)
        for line in short:
            item, _ = basket.lines[line][0].items()[0]
            shipment.status = "Exception"
            shipment.details.append(Detail(303, item.number, centre.id))
            shipment.committed[item.number] = 0
        insort(self.orders, order, key=lambda known: known.created)
        self.by_id[order_id] = order
        self._changed(order, "order.shipment.exception" if short else "order.shipment.line_item.added")
        return str(order_id)

    def _chosen(self, order: Order, shipment_id: int | str | None) -> Sequence[Shipment]:
        return order.shipments if shipment_id is None else [order.shipment(shipment_id)]

    def _fill(self, order: Order, number: int, units: int, centre_id: int | None) -> int:
        """Give an order up to so many units of an item; return how many it took."""
        used = 0
        for shipment in order.shipments:
            if centre_id is not None and (shipment.centre is None or shipment.centre.id != centre_id):
                continue
            if shipment.waits and any(d.inventory_id == number and d.id in SHORT for d in shipment.details):
                used += self._fill_shipment(order, shipment, number, units - used)
        if used:
            self._changed(order, "order.shipment.line_item.updated")
        return used

    def _fill_shipment(self, order: Order, shipment: Shipment, number: int, units: int) -> int:
        wanted = max((p.quantity for p in order.pieces(shipment) if p.good.number == number), default=1)
        missing = max(0, wanted - shipment.committed.get(number, 0))
        used = min(missing, units)
        if used:
            shipment.updated = self.now()
            shipment.committed[number] = shipment.committed.get(number, 0) + used
        if used == missing:
            shipment.details = [d for d in shipment.details if d.inventory_id != number or d.id not in SHORT]
            shipment.committed.pop(number, None)
            if not shipment.details:
                self._release(shipment)
        return used

    def _release(self, shipment: Shipment) -> None:
        shipment.status, shipment.details, shipment.updated = "Processing", [], self.now()
        shipment.committed.clear()

    def _changed(self, order: Order, topic: str) -> None:
        order.status, order.rendered = status_of(order), None
        self._forget(order)
        self._remember(order)
        self.happened(topic, str(order.id))

    def _remember(self, order: Order) -> None:
        """Write down which items an order waits for."""
        for shipment in order.shipments:
            for detail in shipment.details:
                if shipment.waits and detail.id in SHORT and detail.inventory_id in self.stock.goods:
                    self._waiting.setdefault(detail.inventory_id, {})[order.id] = order

    def _forget(self, order: Order) -> None:
        for shipment in order.shipments:
            for piece in order.pieces(shipment):
                self._waiting.get(piece.good.number, {}).pop(order.id, None)


def _plain(order: Order) -> bool:
    states = [shipment.status for shipment in order.shipments]
    return order.status == "Processing" and states == ["Processing"] and not order.blank


def _held(order: Order) -> Iterable[dict[str, Any]]:
    for shipment in order.shipments:
        if not shipment.waits:
            continue
        for detail in shipment.details:
            centre = shipment.centre.id if shipment.centre and "location" not in order.blank else None
            yield {
                "source": "shipbob",
                "order_id": str(order.id),
                "shipment_id": str(shipment.id),
                "item": f"detail-{detail.id}" if detail.inventory_id is None else str(detail.inventory_id),
                "reason": _REASONS.get(detail.id, "other"),
                "order_status": order.status,
                "order_type": order.type,
                "facility_id": detail.centre_id if detail.centre_id is not None else centre,
            }


def _move(shipment: Shipment, centre: Centre) -> None:
    shipment.centre = centre
    for detail in shipment.details:
        detail.centre_id = None if detail.centre_id is None else centre.id


def _site(centre_id: int) -> int:
    for site, centre in enumerate(CENTRES):
        if centre.id == int(centre_id):
            return site
    message = f"there is no centre {centre_id}; there are {', '.join(str(centre.id) for centre in CENTRES)}"
    raise UnknownChange(message)
