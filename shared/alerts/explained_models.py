"""The wire shapes of why alerts are as they are."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from shared.alerts.words import Channel, ThresholdRule
from shared.core.text import Id

__all__ = [
    "AlertExplained",
    "BacklogExplained",
    "Delivered",
    "ExplainQuery",
    "Explanation",
    "FeedExplained",
    "LowStockExplained",
    "PredictionExplained",
]


class ExplainQuery(BaseModel, defer_build=True):
    """Of which product (and store) to say why it does or does not alert."""

    product_id: Id
    store_id: Id | None = None


class LowStockExplained(BaseModel, defer_build=True):
    """Why low stock fires or not, at the store asked for or the lowest one."""

    fires: bool
    available: int
    threshold: int | None
    rule: ThresholdRule | None
    enabled: bool
    store_id: str | None


class PredictionExplained(BaseModel, defer_build=True):
    """Why predicted depletion fires or not."""

    fires: bool
    depletion_date: str | None
    threshold: int
    rule: ThresholdRule
    enabled: bool


class BacklogExplained(BaseModel, defer_build=True):
    """Why the backlog of a 3PL, or of one of its SKUs, fires or not; `inhibited_by` keeps it from being judged."""

    source: str
    sku: str | None
    orders: int | None
    threshold: int | None
    fires: bool
    enabled: bool
    clears_at: int | None
    """So many orders or fewer end it."""
    inhibited_by: str | None


class Explanation(BaseModel, defer_build=True):
    """Why there is an alert about a product, or none."""

    low_stock: LowStockExplained
    predicted_depletion: PredictionExplained
    oos_backlog: list[BacklogExplained]
    open_alert_ids: list[str]


class FeedExplained(BaseModel, defer_build=True):
    """Why what hangs on the feed of a 3PL alerts or not."""

    source: str
    stale: bool
    age_seconds: int | None
    inhibited_by: str | None
    oos_backlog: BacklogExplained
    held_order_sla_hours: int | None
    orders_held_longer: int
    open_alert_ids: list[str]


class Delivered(BaseModel, defer_build=True):
    """What became of one message about an alert over one channel, and why it waits or was never sent."""

    event: str
    channel: Channel
    state: Literal["waiting", "queued", "sending", "sent", "logged", "failed", "withheld"]
    reason: str | None
    held_by: str | None
    at: datetime
    due_at: datetime | None
    sent_at: datetime | None
    job_id: str | None


class AlertExplained(BaseModel, defer_build=True):
    """What is true of an alert's cause now, and who has been told of it."""

    alert_id: str
    fires: bool | None
    """Null when there is nothing left to judge."""
    over: bool | None
    message: str | None
    threshold: int | None
    measured: int | None
    inhibited_by: str | None
    deliveries: list[Delivered]
