"""The wire shapes of the OOS domain (`api.md` 2.2, 2.3, 3.1). Lists are rendered from rows; a test compares both."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from shared.core.page import PageQuery
from shared.core.text import Text
from shared.core.times import From, Instant, To
from shared.oos.shape import Shape
from shared.oos.words import ResolvedReason, SourceName, State

__all__ = [
    "ORDER_KEYS",
    "Include",
    "LegacyFeedQuery",
    "LegacyOos",
    "OosCustomer",
    "OosLine",
    "OosOrder",
    "OrderQuery",
    "QueuePage",
    "QueueQuery",
    "QueueReason",
    "QueueState",
    "Several",
    "SnapshotInfo",
]


class OosCustomer(Shape):
    """Whom a held order is for."""

    name: str | None
    email: str | None


class Coverage(Shape):
    """Another site with free units; `source` is `store` for our own stores."""

    source: Literal["stord", "shipbob", "store"]
    facility: str
    available: int


class Promise(Shape):
    """When an open order is released, by how long such orders took; refused with the reason where that says nothing."""

    status: Literal["estimated", "refused"]
    p50_at: datetime | None = Field(description="Half of such orders were released by then.")
    p90_at: datetime | None = Field(description="Nine of ten were.")
    basis: Literal["sku", "facility", "source"] | None = Field(description="Whose orders were looked at.")
    samples: int = Field(description="Finished episodes that took longer than this order has waited.")
    queue_position: int | None = Field(description="Place among the orders that wait for its scarcest SKU.")
    incoming_units: int | None = Field(description="Units of that SKU on their way; 3PLs give no dates for them.")
    reason: str


class OosLine(Shape):
    """One held line: source x order x shipment x inventory item."""

    line_id: str
    shipment_id: str | None
    inventory_item_id: str | None
    sku: str | None
    name: str | None
    product_id: str | None
    facility: str | None
    facility_id: str | None
    ordered_quantity: int
    committed_quantity: int | None
    short_quantity: int | None
    reason: str
    source_state: str | None
    source_reason: str | None
    source_reason_id: int | None
    unit_price: float | None
    is_open: bool
    first_seen_at: datetime
    resolved_at: datetime | None
    coverage: list[Coverage] | None = Field(default=None, description="Only with include=coverage.")


class OosOrder(Shape):
    """One held order of one 3PL."""

    source: SourceName
    order_id: str
    order_number: str | None
    status: str | None
    order_type: str | None
    priority: str | None
    channel: str | None
    channel_category: str | None
    shipment_type: str | None
    custom_reference: str | None
    state: State
    reasons: list[str]
    facility: str | None
    customer: OosCustomer
    purchase_date: datetime | None
    shipped_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    opened_at: datetime
    resolved_at: datetime | None
    resolved_reason: ResolvedReason | None
    episode: int = Field(ge=1)
    episodes: list[dict[str, Any]] | None = None
    age_hours: float
    value: float | None
    currency: str | None
    lines: list[OosLine]
    line_items: list[dict[str, Any]]
    snapshot_id: str
    fetched_at: datetime
    stale: bool
    raw_data: dict[str, Any] | None
    promise: Promise | None = Field(default=None, description="Only with include=promise; null once resolved.")


ORDER_KEYS = tuple(name for name in OosOrder.model_fields if name not in {"episodes", "promise"})
"""The keys of an order in a list that includes nothing besides, in their order."""


class LegacyOos(Shape):
    """One held order as the older OOS backend showed it, with our history added."""

    order_id: str
    order_number: str | None
    status: str | None
    source: SourceName
    purchase_date: datetime | None
    shipped_at: datetime | None
    priority: str | None
    facility: str | None
    channel: str | None
    channel_category: str | None
    shipment_type: str | None
    customer: OosCustomer
    custom_reference: str | None
    line_items: list[dict[str, Any]]
    raw_data: dict[str, Any] | None
    last_updated_at: datetime
    oos_lines: list[OosLine]
    first_seen_at: datetime
    last_seen_at: datetime
    resolved_at: datetime | None
    resolved_reason: ResolvedReason | None
    age_hours: float
    snapshot_id: str


class SnapshotInfo(Shape):
    """Which snapshot of a source an answer was read from."""

    snapshot_id: str
    fetched_at: datetime
    stale: bool


class QueueReason(StrEnum):
    """A reason to filter by, or `all`."""

    ALL = "all"
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


class QueueState(StrEnum):
    """Which orders to show."""

    OPEN = "open"
    RESOLVED = "resolved"
    ALL = "all"


class Include(StrEnum):
    """What to show besides."""

    RAW = "raw"
    HISTORY = "history"
    COVERAGE = "coverage"
    PROMISE = "promise"


Several = Annotated[list[str] | None, Field(max_length=10)]


class QueueQuery(PageQuery):
    """Which held orders to list; `created_from` and `created_to` are bounds of `opened_at`."""

    SORTS: ClassVar[tuple[str, ...]] = ("-opened_at", "-last_seen_at", "-value")

    source: Annotated[list[SourceName] | None, Field(max_length=10)] = None
    state: QueueState = QueueState.OPEN
    reason: Annotated[list[QueueReason] | None, Field(max_length=10)] = None
    sku: Several = None
    facility: Several = None
    channel: Several = None
    order_type: Several = None
    min_age_hours: Annotated[float | None, Field(ge=0, le=1_000_000)] = None
    search: Annotated[Text, Field(min_length=1, max_length=100)] | None = None
    as_of: Instant | None = None
    created_from: From | None = None
    created_to: To | None = None
    include: Annotated[list[Include] | None, Field(max_length=10)] = None


class OrderQuery(BaseModel, defer_build=True):
    """What to show of one order."""

    include: Annotated[list[Include] | None, Field(max_length=10)] = None


class LegacyFeedQuery(BaseModel, defer_build=True):
    """The older feed's parameters."""

    limit: Annotated[int, Field(ge=1, le=5000)] = 5000
    cursor: str | None = None
    include: Annotated[list[Include] | None, Field(max_length=10)] = None


class QueuePage(Shape):
    """A page of the queue, and what it was read from."""

    items: list[OosOrder]
    next_cursor: str | None
    total: int | None = None
    snapshots: dict[str, SnapshotInfo]
