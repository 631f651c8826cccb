"""What the wire shows of alerts and their settings, and what it takes."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from shared.alerts.words import AlertStatus, AlertType, Channel, Severity, ThresholdRule
from shared.core.clock import instant
from shared.core.page import PageQuery
from shared.core.text import Id, Text, TimeZone
from shared.core.times import From, Instant, To

__all__ = [
    "Alert",
    "AlertExplained",
    "AlertFilter",
    "AlertSettings",
    "AlertSettingsPatch",
    "Assignment",
    "BacklogExplained",
    "CheckRequest",
    "Checked",
    "Delivered",
    "ExplainQuery",
    "Explanation",
    "FeedExplained",
    "LowStockExplained",
    "NewSilence",
    "Note",
    "PredictionExplained",
    "ReplayBody",
    "Silence",
    "SilenceFilter",
    "Snooze",
    "Source",
    "alert_of",
    "silence_of",
]

Source = Literal["stord", "shipbob"]


def _mailable(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain or any(character.isspace() for character in text):
        raise PydanticCustomError("invalid_email", "This is not an e-mail address.")
    return text


def _postable(text: str) -> str:
    scheme, _, rest = text.partition("://")
    host = rest.partition("/")[0]
    if scheme not in {"http", "https"} or not host or "@" in host or any(character.isspace() for character in text):
        raise PydanticCustomError("invalid_url", "Give an http or https address without credentials in it.")
    return text


def _once(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A local time of day, `HH:MM`."""


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


class AlertSettings(BaseModel, defer_build=True):
    """What is watched, how early, and whom to tell."""

    TAG_ID: ClassVar[str] = "alert-settings"

    alert_threshold_days: int
    low_stock_enabled: bool
    predicted_depletion_enabled: bool
    order_sla_enabled: bool
    feed_stale_enabled: bool
    email_notifications_enabled: bool
    alert_recipient_emails: list[str]
    hysteresis_percent: int
    oos_backlog_orders: int | None
    oos_backlog_sku_orders: int | None
    held_order_sla_hours: int | None
    customer_order_sla_hours: int | None
    group_from: int
    webhook_notifications_enabled: bool
    slack_notifications_enabled: bool
    slack_webhook_set: bool
    time_zone: str
    quiet_hours_enabled: bool
    quiet_hours_start: str
    quiet_hours_end: str
    quiet_hours_critical_passes: bool
    digest_enabled: bool
    digest_hour: int
    digest_channels: list[Channel]
    version: int


Recipient = Annotated[Text, Field(max_length=254), AfterValidator(_mailable)]


class AlertSettingsPatch(BaseModel, defer_build=True):
    """Changes of the settings; what is absent stays."""

    alert_threshold_days: Annotated[int, Field(ge=1, le=90)] | None = None
    low_stock_enabled: bool | None = None
    predicted_depletion_enabled: bool | None = None
    order_sla_enabled: bool | None = None
    feed_stale_enabled: bool | None = None
    email_notifications_enabled: bool | None = None
    alert_recipient_emails: Annotated[list[Recipient], Field(max_length=20)] | None = None
    hysteresis_percent: Annotated[int, Field(ge=0, le=100)] | None = None
    oos_backlog_orders: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    oos_backlog_sku_orders: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    held_order_sla_hours: Annotated[int, Field(ge=1, le=2160)] | None = None
    customer_order_sla_hours: Annotated[int, Field(ge=1, le=2160)] | None = None
    group_from: Annotated[int, Field(ge=2, le=1000)] | None = None
    webhook_notifications_enabled: bool | None = None
    slack_notifications_enabled: bool | None = None
    slack_webhook_url: Annotated[Text, Field(max_length=2000), AfterValidator(_postable)] | None = None
    """Kept sealed and never shown; null forgets it."""
    slack_webhook_set: bool | None = None
    time_zone: TimeZone | None = None
    quiet_hours_enabled: bool | None = None
    quiet_hours_start: ClockTime | None = None
    quiet_hours_end: ClockTime | None = None
    quiet_hours_critical_passes: bool | None = None
    digest_enabled: bool | None = None
    digest_hour: Annotated[int, Field(ge=0, le=23)] | None = None
    digest_channels: Annotated[list[Channel], Field(min_length=1, max_length=3), AfterValidator(_once)] | None = None
    version: int | None = None


class NewSilence(BaseModel, defer_build=True):
    """Of which alerts nobody is told, from when and until when; what is left out may be anything."""

    alert_types: Annotated[list[AlertType], Field(min_length=1, max_length=10), AfterValidator(_once)] | None = None
    store_id: Id | None = None
    product_id: Id | None = None
    source: Source | None = None
    starts_at: Instant | None = None
    ends_at: Instant
    comment: Annotated[Text, Field(max_length=2000)] | None = None


class Silence(BaseModel, defer_build=True):
    """A silence as shown; `state` is as of the answer."""

    id: str
    state: Literal["pending", "active", "ended"]
    alert_types: list[AlertType] | None
    store_id: str | None
    product_id: str | None
    source: str | None
    starts_at: datetime
    ends_at: datetime
    comment: str | None
    created_by: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    version: int


class SilenceFilter(PageQuery, defer_build=True):
    """Which silences to list, newest first."""

    created_from: From | None = None
    created_to: To | None = None


class CheckRequest(BaseModel, defer_build=True):
    """What to evaluate now: one product, or everything."""

    product_id: Id | None = None


class Checked(BaseModel, defer_build=True):
    """What an evaluation did."""

    created: int
    updated: int
    resolved: int


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


class ReplayBody(BaseModel, defer_build=True):
    """Over which channel to send again; all when absent."""

    channel: Channel | None = None


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


def alert_of(alert_id: str, data: dict[str, Any]) -> Alert:
    """Return a stored alert as shown."""
    return Alert(id=alert_id, **{name: data[name] for name in Alert.model_fields if name in data})


def silence_of(silence_id: str, data: dict[str, Any], now: datetime) -> Silence:
    """Return a stored silence as shown at a time."""
    if data["ends_at"] <= instant(now):
        return Silence(id=silence_id, state="ended", **data)
    return Silence(id=silence_id, state="active" if data["starts_at"] <= instant(now) else "pending", **data)
