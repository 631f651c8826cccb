"""The closed vocabularies of the OOS domain."""

from enum import StrEnum

__all__ = ["FEED_REASONS", "SOURCES", "Reason", "ResolvedReason", "SourceName", "State"]


class SourceName(StrEnum):
    """The 3PLs we read."""

    STORD = "stord"
    SHIPBOB = "shipbob"


class Reason(StrEnum):
    """Why a line is held, in our words; the vendor's own stand beside them."""

    OUT_OF_STOCK = "out_of_stock"
    PARTIALLY_COMMITTED = "partially_committed"
    NOT_PICKABLE = "not_pickable"
    TRANSFER = "transfer"
    INACTIVE_SKU = "inactive_sku"
    UNKNOWN_SKU = "unknown_sku"
    HOLD_MANUAL = "hold_manual"
    HOLD_ADDRESS = "hold_address"
    HOLD_PAYMENT = "hold_payment"
    HOLD_DATE = "hold_date"
    OTHER = "other"


class State(StrEnum):
    """Whether an order is held now."""

    OPEN = "open"
    RESOLVED = "resolved"


class ResolvedReason(StrEnum):
    """How a held order left."""

    RELEASED = "released"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    VANISHED = "vanished"


SOURCES: tuple[str, ...] = tuple(source.value for source in SourceName)
FEED_REASONS = frozenset({Reason.OUT_OF_STOCK.value, Reason.PARTIALLY_COMMITTED.value})
