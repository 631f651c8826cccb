"""From baskets to ShipBob orders: most go the usual way, those whose goods ran out wait in one of the ways seen in practice.

Every special case of the design stands in every data set that has room for it: the first held orders take each flavour
once, later ones by weight.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from local.demo.baskets import Basket, Good
from local.demo.chance import Weighted, chance
from local.demo.shortages import run_out
from local.simulators.shipbob.flavours import HELD, HOLDS, ODDITIES, Draft, Flavour
from local.simulators.shipbob.model import CENTRES, SHORT, Detail, Order, Shipment, status_of
from local.simulators.stock import Stock
from local.simulators.world import Dataset

__all__ = ["FIRST_ID", "build", "plain_order"]

FIRST_ID = 10_000_000
_TYPES = Weighted((("DTC", 82.0), ("DropShip", 8.0), ("B2B", 10.0)))
_CHANNELS = Weighted(((0, 70.0), (1, 22.0), (2, 8.0)))
_STYLES = Weighted(((0, 60.0), (1, 30.0), (2, 6.0), (3, 4.0)))
_WEIGHTED = Weighted(HELD)
_HOLD_SHARE = 25
_ODD_SHARE = 40


def build(stream: Iterable[Basket], goods: list[Good], *, seed: int, anchor: datetime, held: int) -> Dataset[Order]:
    """Make a data set in which `held` baskets wait for stock and a few more for other reasons."""
    baskets = list(stream)
    shortages = run_out(seed, baskets, len(CENTRES), held)
    rng = chance("shipbob", seed)
    kit = next((good for good in goods if good.parts), None)
    flavours = _Turns([flavour for flavour, _ in HELD])
    orders = []
    for index, basket in enumerate(baskets):
        order = plain_order(rng, basket, FIRST_ID + basket.number)
        site = shortages.sites[index]
        if index in shortages.lines:
            flavours.make(Draft(order, shortages.lines[index], site, rng, anchor, kit))
        else:
            _usual(rng, order, basket, site, anchor)
        orders.append(order)
    if held:
        _hold_some(rng, orders, anchor)
    _odd_ones(rng, orders)
    return Dataset(orders, goods, _stock(goods, orders, seed), seed, anchor)


def plain_order(rng: random.Random, basket: Basket, order_id: int) -> Order:
    """Return an order of a basket, without shipments."""
    order = Order(order_id, basket.label, basket.at, basket.lines, basket.person)
    order.type, order.channel, order.style = _TYPES.pick(rng), _CHANNELS.pick(rng), _STYLES.pick(rng)
    return order


class _Turns:
    """Gives each flavour once to the first order it fits, then chooses by weight."""

    def __init__(self, flavours: Sequence[Flavour]) -> None:
        self._left = list(flavours)

    def make(self, draft: Draft) -> None:
        flavour = next((left for left in self._left if left.fits(draft)), None)
        if flavour:
            self._left.remove(flavour)
        else:
            flavour = _WEIGHTED.pick(draft.rng)
            flavour = flavour if flavour.fits(draft) else HELD[0][0]
        flavour.make(draft)
        draft.order.status = status_of(draft.order)


def _usual(rng: random.Random, order: Order, basket: Basket, site: int, anchor: datetime) -> None:
    """Give an order that lacks nothing the shipments its age suggests."""
    age = anchor - order.created
    everything = range(len(order.lines))
    shipment = Shipment(order.id * 10, "Processing", CENTRES[site], order.created, order.created, everything)
    order.shipments.append(shipment)
    if basket.cancelled:
        _cancel(rng, shipment)
    elif age > timedelta(days=3) and rng.randrange(50):
        _complete(rng, shipment, anchor)
    elif len(order.lines) > 1 and rng.randrange(3) == 0:
        order.shipments.append(replace(shipment, id=shipment.id + 1, lines=everything[1:], details=[], committed={}))
        shipment.lines = everything[:1]
        _complete(rng, shipment, anchor)
    elif rng.randrange(30) == 0:
        shipment.status = "ImportReview"
    order.status = "ImportReview" if shipment.status == "ImportReview" else status_of(order)


def _cancel(rng: random.Random, shipment: Shipment) -> None:
    """Call a shipment off; now and then the exception it had is still written on it."""
    shipment.status = "Cancelled"
    if rng.randrange(8) == 0 and shipment.centre:
        shipment.details = [Detail(303, None, shipment.centre.id)]


def _complete(rng: random.Random, shipment: Shipment, anchor: datetime) -> None:
    shipment.status = "Completed"
    shipment.shipped = min(anchor, shipment.created + timedelta(seconds=rng.randrange(20_000, 200_000)))
    shipment.updated = shipment.shipped
    shipment.details = [Detail(rng.choice((201, 203)))]


def _hold_some(rng: random.Random, orders: Sequence[Order], anchor: datetime) -> None:
    """Hold some of the orders on their way for reasons that are not stock."""
    free = [order for order in orders if order.status in {"Processing", "Fulfilled"} and len(order.shipments) == 1]
    step = max(1, min(_HOLD_SHARE, len(free) // (len(HOLDS) + 1)))
    for turn, order in enumerate(free[::step]):
        hold = HOLDS[turn % len(HOLDS)]
        shipment = order.shipments[0]
        shipment.status, shipment.shipped = hold.status, None
        shipment.updated = min(anchor, order.created + timedelta(seconds=rng.randrange(60, 7200)))
        number = next((piece.good.number for piece in order.pieces(shipment)), None)
        shipment.details = [Detail(hold.detail, number if hold.names_item else None)]
        order.status = status_of(order)


def _odd_ones(rng: random.Random, orders: Sequence[Order]) -> None:
    """Leave fields null, use odd words and very long names on some orders, held ones among them."""
    for turn, order in enumerate(orders[:: max(1, min(_ODD_SHARE, len(orders) // (len(ODDITIES) * 2) or 1))]):
        ODDITIES[turn % len(ODDITIES)](order)
        if rng.randrange(2):
            order.note = "Käse & 🎁 für dich"


def _stock(goods: list[Good], orders: Iterable[Order], seed: int) -> Stock:
    """Return stock in which nothing is free of what a shipment waits for at its centre."""
    sites = {centre.id: site for site, centre in enumerate(CENTRES)}
    short = {
        (detail.inventory_id, sites[shipment.centre.id])
        for order in orders
        for shipment in order.shipments
        if shipment.waits and shipment.centre
        for detail in shipment.details
        if detail.id in SHORT and detail.inventory_id is not None
    }
    return Stock(goods, len(CENTRES), seed, short)
