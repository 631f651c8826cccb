"""What the wire shows of alerts and their settings, and what it takes."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from shared.alerts.words import AlertStatus, AlertType, Severity, ThresholdRule
from shared.core.page import PageQuery
from shared.core.text import Id, Text
from shared.core.times import From, To

__all__ = [
    "Alert",
    "AlertFilter",
    "AlertSettings",
    "AlertSettingsPatch",
    "CheckRequest",
    "Checked",
    "ExplainQuery",
    "Explanation",
    "LowStockExplained",
    "Note",
    "PredictionExplained",
    "alert_of",
]


def _mailable(text: str) -> str:
    local, _, domain = text.rpartition("@")
    if not local or "." not in domain or any(character.isspace() for character in text):
        raise PydanticCustomError("invalid_email", "This is not an e-mail address.")
    return text


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
    version: int


class AlertFilter(PageQuery, defer_build=True):
    """Which alerts to list, newest first."""

    status: Annotated[list[AlertStatus] | None, Field(max_length=10)] = None
    alert_type: Annotated[list[AlertType] | None, Field(max_length=10)] = None
    severity: Annotated[list[Severity] | None, Field(max_length=10)] = None
    product_id: Annotated[list[Id] | None, Field(max_length=10)] = None
    store_id: Annotated[list[Id] | None, Field(max_length=10)] = None
    created_from: From | None = None
    created_to: To | None = None


class Note(BaseModel, defer_build=True):
    """A word about why."""

    note: Annotated[Text, Field(max_length=2000)] | None = None


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
    version: int | None = None


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


class Explanation(BaseModel, defer_build=True):
    """Why there is an alert about a product, or none."""

    low_stock: LowStockExplained
    predicted_depletion: PredictionExplained
    open_alert_ids: list[str]


def alert_of(alert_id: str, data: dict[str, Any]) -> Alert:
    """Return a stored alert as shown."""
    return Alert(id=alert_id, **{name: data[name] for name in Alert.model_fields if name != "id"})
