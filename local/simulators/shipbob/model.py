"""ShipBob's orders inside the simulator: small objects, from which the vendor's JSON is rendered when asked for."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from local.demo.baskets import Good, Person
from shared.core.values import dataclass, field

__all__ = ["CENTRES", "DETAILS", "SHORT", "Centre", "Detail", "Order", "Piece", "Shipment", "status_of"]


@dataclass(frozen=True, slots=True)
class Centre:
    """A fulfilment centre."""

    id: int
    name: str


CENTRES = (Centre(3, "East"), Centre(4, "West"), Centre(7, "Midlands"), Centre(250, "Home"))

DETAILS = {
    201: "InTransit",
    203: "Delivered",
    300: "Bundle",
    301: "MergedItem",
    302: "InactiveSku",
    303: "OutOfStock",
    304: "UnknownSku",
    305: "InternalTransferInProgress",
    306: "BinTransferInProgress",
    307: "InventoryInNonPickableLocation",
    308: "InventoryPartiallyCommitted",
    399: "SomethingEntirelyNew",
    400: "PaymentDeclined",
    401: "InvalidAddress",
    402: "ReserveDateNotMet",
    403: "Manual",
    404: "MissingTarriffInformation",
    405: "InternationalHazmat",
    406: "PackagePreferenceNotSet",
    407: "AutoProcessingPause",
}


SHORT = frozenset({303, 308})


@dataclass(slots=True)
class Detail:
    """Why a shipment waits, in ShipBob's words."""

    id: int
    inventory_id: int | None = None
    centre_id: int | None = None

    @property
    def name(self) -> str:
        """Return ShipBob's word for it."""
        return DETAILS[self.id]


@dataclass(frozen=True, slots=True)
class Piece:
    """One inventory item of one line as a shipment holds it."""

    line: int
    good: Good
    quantity: int


@dataclass(slots=True)
class Shipment:
    """A part of an order at one centre; `lines` are positions in the order, `committed` differs from full for short items."""

    id: int
    status: str
    centre: Centre | None
    created: datetime
    updated: datetime
    lines: Sequence[int]
    details: list[Detail] = field(default_factory=list)
    committed: dict[int, int] = field(default_factory=dict)
    shipped: datetime | None = None

    @property
    def waits(self) -> bool:
        """Say whether the vendor holds it back."""
        return self.status.replace(" ", "").lower() in {"exception", "onhold"}


@dataclass(slots=True)
class Order:
    """One order; `style` chooses how its times are written, `blank` names fields the vendor left null."""

    id: int
    number: str
    created: datetime
    lines: Sequence[tuple[Good, int]]
    person: Person
    status: str = "Processing"
    type: str = "DTC"
    channel: int = 0
    shipments: list[Shipment] = field(default_factory=list)
    style: int = 0
    blank: frozenset[str] = frozenset()
    note: str | None = None
    rendered: bytes | None = None
    packed: bool = False

    @property
    def updated(self) -> datetime:
        """Return when anything of it last changed."""
        return max((shipment.updated for shipment in self.shipments), default=self.created)

    def pieces(self, shipment: Shipment) -> Iterator[Piece]:
        """Yield the inventory items of a shipment; a bundle gives its parts."""
        for line in shipment.lines:
            good, quantity = self.lines[line]
            for item, count in good.items():
                yield Piece(line, item, quantity * count)

    def shipment(self, shipment_id: int | str) -> Shipment:
        """Return one of its shipments, or raise LookupError."""
        for shipment in self.shipments:
            if str(shipment.id) == str(shipment_id):
                return shipment
        message = f"order {self.id} has no shipment {shipment_id}"
        raise LookupError(message)


def status_of(order: Order) -> str:
    """Return the order status ShipBob computes from the shipments."""
    states = {shipment.status.replace(" ", "") for shipment in order.shipments}
    if states <= {"Cancelled"} and states:
        return "Cancelled"
    if states <= {"Completed", "Cancelled"} and states:
        return "Fulfilled"
    if "Completed" in states:
        return "PartiallyFulfilled"
    return "Exception" if "Exception" in states else "Processing"
