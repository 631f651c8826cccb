"""The closed vocabularies of stock."""

from enum import StrEnum

__all__ = ["MovementType", "ReservationStatus", "StockStatus"]


class MovementType(StrEnum):
    """Why a level changed."""

    INITIAL = "initial"
    ADDITION = "addition"
    REMOVAL = "removal"
    CORRECTION = "correction"
    SALE = "sale"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    IMPORT = "import"
    SYNC = "sync"
    REPAIR = "repair"


class StockStatus(StrEnum):
    """How a level stands."""

    CRITICAL = "critical"
    LOW = "low"
    SUFFICIENT = "sufficient"


class ReservationStatus(StrEnum):
    """The life of a reservation."""

    ACTIVE = "active"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"
