"""ShipBob's vocabulary: the statuses we know, and what each reason for holding a shipment means to us."""

from shared.adapters.sources.reading import fold, record_id
from shared.oos.words import Reason

__all__ = ["HELD", "ORDER_STATUSES", "ORDER_TYPES", "SHIPMENT_STATUSES", "is_known", "reason_of"]

HELD = frozenset({"exception", "onhold"})
ORDER_STATUSES = frozenset({"processing", "exception", "partiallyfulfilled", "fulfilled", "cancelled", "importreview"})
SHIPMENT_STATUSES = HELD | frozenset(
    {"none", "processing", "completed", "cancelled", "cleansweeped", "labeledcreated", "importreview"}
)
ORDER_TYPES = frozenset({"dtc", "dropship", "b2b"})
_BY_ID = {
    **dict.fromkeys((100, 101, 102, 200, 201, 202, 203, 204, 300, 301, 404), Reason.OTHER),
    302: Reason.INACTIVE_SKU,
    303: Reason.OUT_OF_STOCK,
    304: Reason.UNKNOWN_SKU,
    305: Reason.TRANSFER,
    306: Reason.TRANSFER,
    307: Reason.NOT_PICKABLE,
    308: Reason.PARTIALLY_COMMITTED,
    400: Reason.HOLD_PAYMENT,
    401: Reason.HOLD_ADDRESS,
    402: Reason.HOLD_DATE,
}
# The later numbers are unverified, so these are known by name; the others are for a detail that comes without its number.
_BY_NAME = {
    "manual": Reason.HOLD_MANUAL,
    "internationalhazmat": Reason.OTHER,
    "packagepreferencenotset": Reason.OTHER,
    "autoprocessingpause": Reason.OTHER,
    "missingtarriffinformation": Reason.OTHER,
    "bundle": Reason.OTHER,
    "mergeditem": Reason.OTHER,
    "inactivesku": Reason.INACTIVE_SKU,
    "outofstock": Reason.OUT_OF_STOCK,
    "unknownsku": Reason.UNKNOWN_SKU,
    "internaltransferinprogress": Reason.TRANSFER,
    "bintransferinprogress": Reason.TRANSFER,
    "inventoryinnonpickablelocation": Reason.NOT_PICKABLE,
    "inventorypartiallycommitted": Reason.PARTIALLY_COMMITTED,
    "paymentdeclined": Reason.HOLD_PAYMENT,
    "invalidaddress": Reason.HOLD_ADDRESS,
    "reservedatenotmet": Reason.HOLD_DATE,
}


def reason_of(number: object, name: object) -> Reason:
    """Return our reason: the id decides where it is known, else the name, else `other`."""
    return _BY_ID.get(record_id(number) or 0) or _BY_NAME.get(fold(name), Reason.OTHER)


def is_known(number: object, name: object) -> bool:
    """Say whether a detail is one we know by id or by name."""
    return record_id(number) in _BY_ID or fold(name) in _BY_NAME
