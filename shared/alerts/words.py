"""The words of alerts."""

from enum import StrEnum

__all__ = ["AlertStatus", "AlertType", "Channel", "Severity", "ThresholdRule"]


class AlertType(StrEnum):
    """What kind of cause an alert has."""

    LOW_STOCK = "low_stock"
    PREDICTED_DEPLETION = "predicted_depletion"
    ORDER_SLA = "order_sla"
    FEED_STALE = "feed_stale"
    JOB_FAILED = "job_failed"
    OOS_BACKLOG = "oos_backlog"
    """Opens only where a threshold was stored."""


class Severity(StrEnum):
    """How bad it is."""

    WARNING = "warning"
    CRITICAL = "critical"


class AlertStatus(StrEnum):
    """Whether somebody knows, and whether it is over."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class ThresholdRule(StrEnum):
    """Where a threshold came from."""

    LEVEL = "level"
    PRODUCT = "product"
    CATEGORY_LOCATION = "category_location"
    CATEGORY = "category"
    DEFAULT = "default"
    SETTINGS = "settings"


class Channel(StrEnum):
    """A way that people and programs are told."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    SLACK = "slack"
