"""From baskets to Stord orders; every special case of the design stands in every data set that has room for it."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from local.demo.baskets import Basket, Good
from local.demo.chance import Weighted, chance
from local.demo.shortages import run_out
from local.simulators.stock import Stock
from local.simulators.stord.model import FACILITIES, Order, SalesLine
from local.simulators.world import Dataset

__all__ = ["build", "plain_order"]

_CHANNELS = Weighted((("web", 68.0), ("marketplace", 20.0), ("wholesale", 12.0)))
_ODD_EVERY = 30
_PARTLY_EVERY = 11
_NAMELESS_AT = 2


def build(stream: Iterable[Basket], goods: list[Good], *, seed: int, anchor: datetime, held: int) -> Dataset[Order]:
    """Make a data set in which `held` baskets have a backordered line in an open order, and some more in part-shipped ones."""
    baskets = list(stream)
    shortages = run_out(seed, baskets, len(FACILITIES), held + held // (_PARTLY_EVERY - 1))
    rng = chance("stord", seed)
    orders, turn = [], 0
    for index, basket in enumerate(baskets):
        order = plain_order(rng, basket, FACILITIES[shortages.sites[index]])
        short = shortages.lines.get(index)
        if short:
            _wait(rng, order, short, turn)
            turn += 1
        else:
            _usual(rng, order, basket, anchor)
        orders.append(order)
    for place, order in enumerate(orders[:: max(1, min(_ODD_EVERY, len(orders) // (len(ODDITIES) * 2) or 1))]):
        ODDITIES[place % len(ODDITIES)](order)
    stock = Stock(goods, len(FACILITIES), seed, shortages.pairs)
    return Dataset(sorted(orders, key=lambda order: order.key), goods, stock, seed, anchor)


def plain_order(rng: random.Random, basket: Basket, facility: str) -> Order:
    """Return an open order of a basket; now and then two goods share a line."""
    lines: list[SalesLine] = []
    for good, quantity in basket.lines:
        if lines and rng.randrange(12) == 0:
            lines[-1].items = [*lines[-1].items, (good, quantity)]
        else:
            lines.append(SalesLine("open", [(good, quantity)]))
    order_id = str(UUID(int=rng.getrandbits(128), version=4))
    order = Order(order_id, f"W-{basket.label}", basket.at, lines, basket.person, facilities=(facility,))
    order.channel = _CHANNELS.pick(rng)
    order.reference = f"PO-{basket.label}" if order.channel == "wholesale" else None
    order.priority = "expedited" if rng.randrange(15) == 0 else "standard"
    return order


def _wait(rng: random.Random, order: Order, short: Sequence[int], turn: int) -> None:
    """Make the short lines wait; some orders have shipped in part, some held lines name no item."""
    for line in short:
        order.lines[min(line, len(order.lines) - 1)].status = "Backordered" if turn % 40 == 1 else "backordered"
    if turn % 50 == _NAMELESS_AT:
        waiting = next(line for line in order.lines if line.status.lower() == "backordered")
        waiting.items = []
        order.shape |= {"null_items"} if rng.randrange(2) else set()
    if turn % _PARTLY_EVERY == _PARTLY_EVERY - 1:
        order.status = "partially_shipped"
        for sales_line in order.lines:
            sales_line.status = "shipped" if sales_line.status == "open" else sales_line.status


def _usual(rng: random.Random, order: Order, basket: Basket, anchor: datetime) -> None:
    """Give an order that lacks nothing the status its age suggests."""
    if basket.cancelled:
        status = "canceled"
    elif anchor - order.created > timedelta(days=12):
        status = "shipped" if rng.randrange(80) else "awaiting_carrier"
    elif rng.randrange(10) == 0:
        status = "shipped"
    else:
        return
    order.status = status
    for line in order.lines:
        line.status = "backordered" if status == "canceled" and rng.randrange(9) == 0 else status
    if status == "shipped":
        order.shipped = min(anchor, order.created + timedelta(seconds=rng.randrange(20_000, 200_000)))


def _shape(*names: str) -> Callable[[Order], None]:
    def give(order: Order) -> None:
        order.shape |= frozenset(names)

    return give


def _nowhere(order: Order) -> None:
    order.facilities = None


def _empty(order: Order) -> None:
    order.facilities = ()


def _several(order: Order) -> None:
    order.facilities = (*(order.facilities or ()), "LEX3", "ATL1")


def _long_name(order: Order) -> None:
    order.person = replace(order.person, name="Wolfeschlegelsteinhausen " * 40 + "Ł")


def _without_number(order: Order) -> None:
    order.number = None


def _unknown_line(order: Order) -> None:
    for line in order.lines:
        line.status = "pondering" if line.status == "open" else line.status


def _no_priority(order: Order) -> None:
    order.priority = None


ODDITIES: tuple[Callable[[Order], None], ...] = (
    _shape("customer_text"),
    _shape("customer_text", "plain_numbers"),
    _shape("short_decimals"),
    _shape("no_customer"),
    _shape("no_address"),
    _shape("not_posted"),
    _shape("no_channel"),
    _nowhere,
    _empty,
    _several,
    _long_name,
    _without_number,
    _unknown_line,
    _no_priority,
)
