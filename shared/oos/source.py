"""What the OOS domain asks of a 3PL, and the normal form every connector delivers (`sources.md` 0.1, `api.md` 2.2).

A connector turns vendor JSON into `HeldOrder`s: one line per order x shipment x inventory item. It never raises for a bad
record (it counts it), raises `Transient`/`Terminal` for a failed call, and never invents a value: unknown is None.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from shared.core.values import dataclass, field

__all__ = ["Fate", "HeldLine", "HeldOrder", "OrderSource", "SourcePage", "StockPage", "StockSource", "Verdict"]

Cursor = dict[str, Any]


@dataclass(slots=True)
class HeldLine:
    """One held line; `item` is the last part of the grain (inventory item id, else SKU, else `line-<index>`)."""

    item: str
    shipment_id: str | None
    inventory_item_id: str | None
    sku: str | None
    name: str | None
    facility: str | None
    facility_id: str | None
    ordered_quantity: int
    committed_quantity: int | None
    short_quantity: int | None
    reason: str
    source_state: str | None
    source_reason: str | None
    source_reason_id: int | None
    unit_price: Decimal | None = None


@dataclass(slots=True)
class HeldOrder:
    """One order with at least one held line; times are texts of `core.clock.instant`, texts are the vendor's own."""

    source: str
    order_id: str
    order_number: str | None
    status: str | None
    order_type: str | None
    priority: str | None
    channel: str | None
    channel_category: str | None
    shipment_type: str | None
    custom_reference: str | None
    customer_name: str | None
    customer_email: str | None
    purchase_date: str | None
    shipped_at: str | None
    source_updated_at: str | None
    value: Decimal | None
    currency: str | None
    lines: list[HeldLine]
    line_items: list[dict[str, Any]]
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class SourcePage:
    """One page read: held orders, how many records it had, how many were unusable, unknown words, and where to go on.

    `next` is None after the last page. `unknown` counts vendor words we do not know, as `"shipment_status:Foo"`.
    """

    orders: list[HeldOrder]
    fetched: int
    rejected: int
    unknown: Mapping[str, int]
    next: Cursor | None


class Fate(StrEnum):
    """What a direct look-up says of an order: still held, or why it left."""

    HELD = "held"
    RELEASED = "released"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    VANISHED = "vanished"


@dataclass(slots=True)
class Verdict:
    """The answer of a look-up; `order` is set exactly when the fate is held."""

    fate: Fate
    order: HeldOrder | None = None


@dataclass(slots=True)
class StockPage:
    """One page of stock levels: `{sku: [[facility_id, facility, on_hand, available, incoming], ...]}`, unknown is None."""

    levels: dict[str, list[list[Any]]]
    next: Cursor | None


class StockSource(Protocol):
    """A 3PL's stock by SKU and site."""

    def begin(self) -> Cursor:
        """Return the cursor of the first page of all levels; JSON values only."""
        ...

    def page(self, cursor: Cursor) -> StockPage:
        """Read one page; raise Transient or Terminal."""
        ...

    def look_up(self, skus: Sequence[str], within_s: float) -> dict[str, list[list[Any]] | None]:
        """Ask for the levels of SKUs (compared exactly but for case), taking no longer than `within_s`.

        An empty list says that the source answered and does not know the SKU; None that nothing is known. Raise nothing.
        """
        ...


class OrderSource(Protocol):
    """A 3PL's orders. Calls are paced on the injected clock; credentials go only to the configured origin.

    `stock` is None for a source that tells no levels.
    """

    name: str
    look_up_batch: int

    @property
    def stock(self) -> StockSource | None:
        """Return the source's stock."""
        ...

    def begin(self, now: datetime) -> Cursor:
        """Return the cursor of the first page of a full walk whose window is frozen at `now`; JSON values only."""
        ...

    def page(self, cursor: Cursor) -> SourcePage:
        """Read one page. Raise Transient (with `wait_s` when the vendor names one) or Terminal; the error names the page."""
        ...

    def look_up(self, orders: Sequence[tuple[str, str | None]]) -> dict[str, Verdict]:
        """Ask for up to `look_up_batch` orders, given as (order_id, order_number), directly.

        Return a verdict per order id. Orders whose look-up failed are absent. Raise Transient when nothing could be asked
        (rate limit, outage), Terminal for refused credentials.
        """
        ...
