"""Stord's world: what can happen to its orders, and the held set counted from its own state."""

import random
from bisect import insort
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from local.demo.baskets import Basket, Good, one_basket, person
from local.demo.chance import Weighted, chance
from local.simulators.stord.build import plain_order
from local.simulators.stord.model import FACILITIES, Order, SalesLine
from local.simulators.world import Dataset, Setting, UnknownChange, World
from shared.core.values import dataclass

__all__ = ["Adjustment", "StordWorld"]

# How often a tick brings something, and how often a new order is short of its first good.
_RESTOCKS, _ARRIVALS, _SHORT_ARRIVALS = 0.15, 0.3, 0.35
_OPEN = ("open",)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A change of stock as the adjustments report tells it."""

    number: int
    at: datetime
    good: Good
    facility: str
    quantity: int
    reason: str


class StordWorld(World[Order]):
    """Orders by name (number, else id), in the order of their making, and who waits for what."""

    changes = frozenset(
        {
            "ship",
            "cancel",
            "release",
            "restock",
            "run_short",
            "remove",
            "part_ship",
            "move_facility",
            "set_line",
            "new_order",
        }
    )

    def __init__(self, data: Dataset[Order], setting: Setting) -> None:
        """Take over a data set."""
        super().__init__(data, setting)
        self.by_name = {order.name: order for order in self.orders}
        self.by_id = {order.id: order for order in self.orders}
        self.adjustments: list[Adjustment] = []
        self._waiting: dict[int, dict[str, Order]] = {}
        self._shelf = Weighted([(good, 1 / (rank + 2)) for rank, good in enumerate(self.goods)])
        self._made = 0
        for order in self.orders:
            self._remember(order)
        for turn, good in enumerate(self.goods[:40]):
            self._adjust(good, FACILITIES[turn % len(FACILITIES)], 10 + turn, "receiving", data.anchor)

    def order(self, order_id: str) -> Order:
        """Return an order by number or id, or raise UnknownChange."""
        found = self.by_name.get(order_id) or self.by_id.get(order_id)
        if found is None:
            message = f"there is no order {order_id}"
            raise UnknownChange(message)
        return found

    def ship(self, order_id: str) -> None:
        """Ship an order as a whole."""
        with self.lock:
            order = self.order(order_id)
            order.status, order.shipped = "shipped", self.now()
            self._set_lines(order, "shipped")
            self._changed(order, "order.shipped")

    def part_ship(self, order_id: str) -> None:
        """Ship what an order does not wait for."""
        with self.lock:
            order = self.order(order_id)
            order.status = "partially_shipped"
            for line in order.lines:
                line.status = line.status if _waits(line) else "shipped"
            self._changed(order, "order.partially_shipped")

    def cancel(self, order_id: str) -> None:
        """Call an order off."""
        with self.lock:
            order = self.order(order_id)
            order.status = "canceled"
            self._set_lines(order, "canceled")
            self._changed(order, "order.canceled")

    def release(self, order_id: str) -> None:
        """Let a waiting order go on."""
        with self.lock:
            order = self.order(order_id)
            self._set_lines(order, "open")
            self._changed(order, "order.updated")

    def set_line(self, order_id: str, index: int, status: str) -> None:
        """Give one line a status, whatever it is."""
        with self.lock:
            order = self.order(order_id)
            order.lines[index].status = status
            self._changed(order, "order.updated")

    def restock(self, sku: str, units: int, facility: str | None = None) -> list[str]:
        """Let units arrive: those who wait longest get theirs first; return the orders that wait no more."""
        with self.lock:
            good, left, released = self.good(sku), units, []
            place = _place(facility or FACILITIES[0])
            self._adjust(good, FACILITIES[place], units, "receiving", self.now())
            self.stock.level(good.number, place).on_hand += units
            for order in sorted(self._waiting.get(good.number, {}).values(), key=lambda waiting: waiting.key):
                if facility is None or facility in (order.facilities or ()):
                    left -= self._fill(order, good, left, place)
                    if not any(map(_waits, order.lines)):
                        released.append(order.name)
            self.version += 1
            return released

    def run_short(self, order_id: str, sku: str | None = None) -> None:
        """Make an order wait for one of its goods (default: its first line)."""
        with self.lock:
            order = self.order(order_id)
            lines = [line for line in order.lines if sku is None or any(good.sku == sku for good, _ in line.items)]
            if not lines:
                message = f"order {order_id} has no line of {sku}"
                raise UnknownChange(message)
            lines[0].status = "backordered"
            order.status = "open" if order.status == "shipped" else order.status
            order.shipped = None
            self._changed(order, "order.updated")

    def remove(self, order_id: str) -> None:
        """Let an order vanish: no list and no search knows it any more."""
        with self.lock:
            order = self.order(order_id)
            self.orders.remove(order)
            self.by_name.pop(order.name)
            self.by_id.pop(order.id)
            self._forget(order)
            self.version += 1

    def move_facility(self, order_id: str, facility: str) -> None:
        """Move an order to another facility."""
        with self.lock:
            order = self.order(order_id)
            order.facilities = (FACILITIES[_place(facility)],)
            self._changed(order, "order.updated")

    def new_order(
        self,
        lines: Sequence[tuple[str, int]],
        short: Sequence[str] = (),
        facility: str = "ATL1",
        at: datetime | None = None,
    ) -> str:
        """Let somebody order: SKUs with quantities, those of `short` not to be had; return the order's number."""
        with self.lock:
            self._made += 1
            rng = chance("scripted", self._seed, self._made)
            goods = tuple((self.good(sku), quantity) for sku, quantity in lines)
            basket = Basket(self._made, f"N{self._made}", at or self.now(), goods, person(rng))
            return self._arrive(rng, basket, {self.good(sku).number for sku in short}, FACILITIES[_place(facility)])

    def happen(self, rng: random.Random, tick: int) -> None:
        """Bring now and then a restock, a new order, a shipment."""
        waiting = sorted(number for number, queue in self._waiting.items() if queue)
        if waiting and rng.random() < _RESTOCKS:
            self.restock(self.stock.goods[rng.choice(waiting)].sku, rng.randrange(1, 3))
        if rng.random() < _ARRIVALS:
            basket = one_basket(rng, self._shelf, 5_000_000 + tick, self.now())
            short = {basket.lines[0][0].number} if rng.random() < _SHORT_ARRIVALS else set()
            self._arrive(rng, basket, short, rng.choice(FACILITIES))
        moving = self.orders[-rng.randrange(1, min(2000, len(self.orders)) + 1)] if self.orders else None
        if moving and moving.status == "open" and not any(map(_waits, moving.lines)):
            self.ship(moving.name)

    def ready(self, before: datetime) -> list[str]:
        """Return the numbers of open orders without odd forms, of which no line waits."""
        return [order.name for order in self.orders if order.created < before and _plain(order)]

    def truth(self, statuses: Iterable[str] | None = None) -> list[dict[str, Any]]:
        """Return the held set of the orders in these statuses (default: open, as Onhand asks by default)."""
        wanted = set(_OPEN if statuses is None else statuses)
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for order in self.orders:
            if order.status in wanted:
                for row in _held(order):
                    rows.setdefault((row["order_id"], row["item"]), row)
        return [rows[key] for key in sorted(rows)]

    def _arrive(self, rng: random.Random, basket: Basket, short: set[int], facility: str) -> str:
        order = plain_order(rng, basket, facility)
        for line in order.lines:
            if any(good.number in short for good, _ in line.items):
                line.status = "backordered"
        insort(self.orders, order, key=lambda known: known.key)
        self.by_name[order.name] = self.by_id[order.id] = order
        self._changed(order, "order.created")
        return order.name

    def _fill(self, order: Order, good: Good, units: int, place: int) -> int:
        """Release the lines of an order that wait for a good, as far as units go; return the units used."""
        used = 0
        for line in order.lines:
            wanted = sum(quantity for item, quantity in line.items if item.number == good.number)
            if _waits(line) and 0 < wanted <= units - used:
                line.status = "open"
                used += wanted
        if used:
            self.stock.level(good.number, place).committed += used
            self._changed(order, "order.updated")
        return used

    def _set_lines(self, order: Order, status: str) -> None:
        for line in order.lines:
            line.status = status

    def _adjust(self, good: Good, facility: str, quantity: int, reason: str, at: datetime) -> None:
        self.adjustments.append(Adjustment(len(self.adjustments) + 1, at, good, facility, quantity, reason))

    def _changed(self, order: Order, topic: str) -> None:
        order.rendered = None
        self._forget(order)
        self._remember(order)
        self.happened(topic, order.name)

    def _remember(self, order: Order) -> None:
        if order.status not in {"open", "partially_shipped"}:
            return
        for line in order.lines:
            if _waits(line):
                for good, _ in line.items:
                    self._waiting.setdefault(good.number, {})[order.id] = order

    def _forget(self, order: Order) -> None:
        for line in order.lines:
            for good, _ in line.items:
                self._waiting.get(good.number, {}).pop(order.id, None)


def _plain(order: Order) -> bool:
    all_open = order.status == "open" and all(line.status == "open" for line in order.lines)
    return all_open and order.number is not None and not order.shape


def _waits(line: SalesLine) -> bool:
    return line.status.lower() == "backordered"


def _held(order: Order) -> Iterable[dict[str, Any]]:
    for index, line in enumerate(order.lines):
        if not _waits(line):
            continue
        for item in [good.sku for good, _ in line.items] or [f"line-{index}"]:
            yield {
                "source": "stord",
                "order_id": order.name,
                "shipment_id": "-",
                "item": item,
                "reason": "out_of_stock",
                "order_status": order.status,
                "facility_id": order.facilities[0] if order.facilities else None,
            }


def _place(facility: str) -> int:
    if facility not in FACILITIES:
        message = f"there is no facility {facility}; there are {', '.join(FACILITIES)}"
        raise UnknownChange(message)
    return FACILITIES.index(facility)
