"""The wire shapes of the settings of alerts and of silences."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from shared.alerts.models import Source
from shared.alerts.words import AlertType, Channel
from shared.core.clock import instant
from shared.core.page import PageQuery
from shared.core.text import Id, Text, TimeZone
from shared.core.times import From, Instant, To

__all__ = ["AlertSettings", "AlertSettingsPatch", "NewSilence", "Silence", "SilenceFilter", "silence_of"]


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


def silence_of(silence_id: str, data: dict[str, Any], now: datetime) -> Silence:
    """Return a stored silence as shown at a time."""
    if data["ends_at"] <= instant(now):
        return Silence(id=silence_id, state="ended", **data)
    return Silence(id=silence_id, state="active" if data["starts_at"] <= instant(now) else "pending", **data)
