"""What the wire shows of alerts and their settings, and what it takes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.alerts.words import AlertStatus, AlertType, Channel, Severity, ThresholdRule
from shared.core.page import PageQuery
from shared.core.text import Id, Text
from shared.core.times import From, Instant, To

__all__ = [
    "Alert",
    "AlertFilter",
    "Assignment",
    "CheckRequest",
    "Checked",
    "Note",
    "ReplayBody",
    "Snooze",
    "Source",
    "alert_of",
]

Source = Literal["stord", "shipbob"]


class Alert(BaseModel, defer_build=True):
    """Something an operator must know."""

    id: str
    alert_type: AlertType
    severity: Severity
    status: AlertStatus
    message: str
    dedupe_key: str
    product_id: str | None
    product_name: str | None
    product_sku: str | None
    store_id: str | None
    store_name: str | None
    subject: str | None
    current_stock: int | None
    threshold: int | None
    rule: ThresholdRule
    occurrences: int
    created_at: datetime
    updated_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolved_reason: str | None
    note: str | None
    source: str | None = None
    measured: int | None = None
    assigned_to: str | None = None
    assigned_at: datetime | None = None
    assigned_by: str | None = None
    snoozed_until: datetime | None = None
    snoozed_by: str | None = None
    muted_at: datetime | None = None
    muted_by: str | None = None
    silenced_by: str | None = None
    """The silence that held a message about it."""
    inhibited_by: str | None = None
    """The alert of the feed without which its cause cannot be judged."""
    version: int


class AlertFilter(PageQuery, defer_build=True):
    """Which alerts to list, newest first."""

    status: Annotated[list[AlertStatus] | None, Field(max_length=10)] = None
    alert_type: Annotated[list[AlertType] | None, Field(max_length=10)] = None
    severity: Annotated[list[Severity] | None, Field(max_length=10)] = None
    product_id: Annotated[list[Id] | None, Field(max_length=10)] = None
    store_id: Annotated[list[Id] | None, Field(max_length=10)] = None
    source: Annotated[list[Source] | None, Field(max_length=10)] = None
    assigned_to: Annotated[list[Id] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class Note(BaseModel, defer_build=True):
    """A word about why."""

    note: Annotated[Text, Field(max_length=2000)] | None = None


class Snooze(Note, defer_build=True):
    """Until when an alert is put off."""

    until: Instant


class Assignment(Note, defer_build=True):
    """Whom an alert is given to; null: to nobody."""

    user_id: Id | None


class CheckRequest(BaseModel, defer_build=True):
    """What to evaluate now: one product, or everything."""

    product_id: Id | None = None


class Checked(BaseModel, defer_build=True):
    """What an evaluation did."""

    created: int
    updated: int
    resolved: int


class ReplayBody(BaseModel, defer_build=True):
    """Over which channel to send again; all when absent."""

    channel: Channel | None = None


def alert_of(alert_id: str, data: dict[str, Any]) -> Alert:
    """Return a stored alert as shown."""
    return Alert(id=alert_id, **{name: data[name] for name in Alert.model_fields if name in data})
