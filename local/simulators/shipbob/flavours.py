"""The ways in which a ShipBob order waits, each a small change to a draft, and the oddities of its fields."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from local.demo.baskets import Good
from local.simulators.shipbob.model import CENTRES, Detail, Order, Shipment
from shared.core.values import dataclass

__all__ = ["HELD", "HOLDS", "ODDITIES", "Draft", "Flavour", "Hold"]


@dataclass(frozen=True, slots=True)
class Draft:
    """An order being made: which of its lines are short, at which site, the time it may not pass, and a bundle to hand."""

    order: Order
    short: Sequence[int]
    site: int
    rng: random.Random
    anchor: datetime
    kit: Good | None = None

    def later(self, most_s: int = 40_000) -> datetime:
        """Return a time after the order's, not after the anchor."""
        return min(self.anchor, self.order.created + timedelta(seconds=self.rng.randrange(60, most_s)))

    def add(self, status: str, lines: Sequence[int], site: int | None = None) -> Shipment:
        """Add a shipment of some lines."""
        number = self.order.id * 10 + len(self.order.shipments)
        centre = CENTRES[self.site if site is None else site]
        shipment = Shipment(number, status, centre, self.order.created, self.later(), lines)
        self.order.shipments.append(shipment)
        return shipment

    def lack(self, shipment: Shipment, lines: Sequence[int], *, detail: int = 303, committed: bool = False) -> None:
        """Write on a shipment that one item of each of these lines is short."""
        named: set[int] = set()
        done: set[int] = set()
        for piece in self.order.pieces(shipment):
            number = piece.good.number
            if piece.line not in lines or piece.line in done or number in named:
                continue
            named.add(number)
            done.add(piece.line)
            shipment.committed[number] = self.rng.randrange(piece.quantity) if committed else 0
            centre = shipment.centre.id if shipment.centre and self.rng.randrange(2) else None
            shipment.details.append(Detail(detail, number, centre))


@dataclass(frozen=True, slots=True)
class Flavour:
    """A named way to wait; it fits orders with so many lines, and so many that are not short."""

    name: str
    make: Callable[[Draft], None]
    lines: int = 1
    rest: int = 0

    def fits(self, draft: Draft) -> bool:
        """Say whether the order is large enough for it."""
        lines = len(draft.order.lines)
        return lines >= self.lines and lines - len(draft.short) >= self.rest


def _all(draft: Draft) -> range:
    return range(len(draft.order.lines))


def _plain(draft: Draft) -> None:
    draft.lack(draft.add("Exception", _all(draft)), draft.short)


def _partial(draft: Draft) -> None:
    draft.lack(draft.add("Exception", _all(draft)), draft.short, detail=308, committed=True)


def _short_by_some(draft: Draft) -> None:
    draft.lack(draft.add("Exception", _all(draft)), draft.short, committed=True)


def _rest(draft: Draft) -> list[int]:
    return [line for line in _all(draft) if line not in draft.short]


def _part_shipped(draft: Draft) -> None:
    """One part has gone, the short one waits: the order a poll by HasTracking never sees."""
    gone = draft.add("Completed", _rest(draft), (draft.site + 1) % len(CENTRES))
    gone.details, gone.shipped = [Detail(201)], gone.updated
    draft.lack(draft.add("Exception", list(draft.short)), draft.short)


def _second_short(draft: Draft) -> None:
    draft.add("Processing", _rest(draft), (draft.site + 1) % len(CENTRES))
    draft.lack(draft.add("Exception", list(draft.short)), draft.short)


def _bundle(draft: Draft) -> None:
    """A part of a bundle is short: the part is named, never the bundle."""
    if draft.kit:
        lines = list(draft.order.lines)
        lines[draft.short[0]] = (draft.kit, 1)
        draft.order.lines = tuple(lines)
    _plain(draft)


def _two_items(draft: Draft) -> None:
    draft.lack(draft.add("Exception", _all(draft)), list(_all(draft))[:2] or draft.short)


def _two_centres(draft: Draft) -> None:
    """The same good is short in two centres: two rows that differ by shipment."""
    for site in (draft.site, (draft.site + 1) % len(CENTRES)):
        draft.lack(draft.add("Exception", list(draft.short), site), draft.short)


def _twice(draft: Draft) -> None:
    _plain(draft)
    shipment = draft.order.shipments[0]
    shipment.details = shipment.details + [replace(detail) for detail in shipment.details]


def _without_item(draft: Draft) -> None:
    draft.add("Exception", _all(draft)).details = [Detail(303)]


def _unmatched(draft: Draft) -> None:
    draft.add("Exception", _all(draft)).details = [Detail(303, 9_999_999, CENTRES[draft.site].id)]


def _elsewhere(draft: Draft) -> None:
    """The detail names another centre than the shipment: the detail wins."""
    _plain(draft)
    for detail in draft.order.shipments[0].details:
        detail.centre_id = CENTRES[(draft.site + 2) % len(CENTRES)].id


def _nowhere(draft: Draft) -> None:
    _plain(draft)
    draft.order.shipments[0].centre = None
    for detail in draft.order.shipments[0].details:
        detail.centre_id = None


def _on_hold(draft: Draft) -> None:
    _plain(draft)
    draft.order.shipments[0].status = "On Hold"


def _unknown_detail(draft: Draft) -> None:
    _plain(draft)
    draft.order.shipments[0].details.append(Detail(399))


HELD: tuple[tuple[Flavour, float], ...] = (
    (Flavour("plain", _plain), 52.0),
    (Flavour("part_shipped", _part_shipped, rest=1), 20.0),
    (Flavour("second_short", _second_short, rest=1), 8.0),
    (Flavour("bundle", _bundle), 1.0),
    (Flavour("partial", _partial), 7.0),
    (Flavour("short_by_some", _short_by_some), 7.0),
    (Flavour("two_items", _two_items, lines=2), 7.0),
    (Flavour("two_centres", _two_centres), 2.0),
    (Flavour("twice", _twice), 1.0),
    (Flavour("without_item", _without_item), 1.0),
    (Flavour("unmatched", _unmatched), 1.0),
    (Flavour("elsewhere", _elsewhere), 2.0),
    (Flavour("nowhere", _nowhere), 1.0),
    (Flavour("on_hold", _on_hold), 1.0),
    (Flavour("unknown_detail", _unknown_detail), 0.5),
)


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to wait that is not stock: the shipment status, the detail, and whether it names an item."""

    status: str
    detail: int
    names_item: bool = False


HOLDS = (
    Hold("OnHold", 401),
    Hold("On Hold", 401),
    Hold("Exception", 302, names_item=True),
    Hold("Exception", 304, names_item=True),
    Hold("Exception", 305, names_item=True),
    Hold("Exception", 306, names_item=True),
    Hold("Exception", 307, names_item=True),
    Hold("Exception", 300, names_item=True),
    Hold("Exception", 301, names_item=True),
    Hold("OnHold", 400),
    Hold("On Hold", 402),
    Hold("OnHold", 403),
    Hold("Exception", 404),
    Hold("OnHold", 405),
    Hold("OnHold", 406),
    Hold("OnHold", 407),
    Hold("Exception", 399),
)


def _blank(*names: str) -> Callable[[Order], None]:
    def leave(order: Order) -> None:
        order.blank = order.blank | frozenset(names)

    return leave


def _unknown_status(order: Order) -> None:
    order.status = order.status if order.status == "Cancelled" else "Reconsidered"


def _unknown_shipment(order: Order) -> None:
    for shipment in order.shipments:
        if not shipment.waits:
            shipment.status = "Teleporting"


def _long_name(order: Order) -> None:
    order.person = replace(order.person, name="Maximiliane " * 60 + "Ω")


def _no_email(order: Order) -> None:
    order.person = replace(order.person, email=None)


def _swept(order: Order) -> None:
    for shipment in order.shipments:
        if shipment.status == "Processing":
            shipment.status = "CleanSweeped"


ODDITIES: tuple[Callable[[Order], None], ...] = (
    _blank("recipient"),
    _blank("location"),
    _blank("sku"),
    _blank("channel"),
    _blank("purchase_date", "shipping_method"),
    _blank("unit_price"),
    _blank("recipient", "channel", "location", "sku"),
    _unknown_status,
    _unknown_shipment,
    _long_name,
    _no_email,
    _swept,
)
