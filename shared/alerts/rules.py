"""When a cause fires, when it is over, and what a judgement does to the alert of its cause. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil
from typing import Any

from shared.alerts.words import AlertStatus, AlertType, Severity, ThresholdRule
from shared.core.values import dataclass, field
from shared.inventory.rules import rule_of

__all__ = [
    "ADDED",
    "DEFAULTS",
    "UNFULFILLED",
    "Judgement",
    "Outcome",
    "decided",
    "judge_customer_order",
    "judge_depletion",
    "judge_feed",
    "judge_job",
    "judge_level",
    "judge_order",
    "margin",
]

Data = dict[str, Any]

DEFAULTS: Mapping[str, Any] = {
    "alert_threshold_days": 7,
    "low_stock_enabled": True,
    "predicted_depletion_enabled": True,
    "order_sla_enabled": True,
    "feed_stale_enabled": True,
    "email_notifications_enabled": False,
    "alert_recipient_emails": [],
    "hysteresis_percent": 10,
    "oos_backlog_orders": None,
    "oos_backlog_sku_orders": None,
    "held_order_sla_hours": None,
    "customer_order_sla_hours": None,
    "group_from": 3,
    "webhook_notifications_enabled": True,
    "slack_notifications_enabled": False,
    "slack_sealed": None,
    "slack_digest": None,
    "time_zone": "UTC",
    "quiet_hours_enabled": False,
    "quiet_hours_start": "22:00",
    "quiet_hours_end": "07:00",
    "quiet_hours_critical_passes": True,
    "digest_enabled": False,
    "digest_hour": 8,
    "digest_channels": ["email"],
    "digest_since": None,
    "version": 1,
}
ADDED = (
    "source",
    "measured",
    "assigned_to",
    "assigned_at",
    "assigned_by",
    "snoozed_until",
    "snoozed_by",
    "muted_at",
    "muted_by",
    "silenced_by",
    "inhibited_by",
)
"""Keys of an alert that alerts stored by earlier versions lack."""
_AWAKE: Data = {"snoozed_until": None, "snoozed_by": None}
_SHOWN_AT_THE_END = ("current_stock", "threshold", "measured")
UNFULFILLED = ("pending", "processing", "fulfillment_failed")
"""States of a customer's order in which nobody has shipped or given up anything of it."""
_CRITICAL_DAYS = 3
_CLEAR_DAYS = 2
_TIMES_STALE = 4
_TIMES_SLA = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is true of a cause now. Neither `fires` nor `over` means: within the hysteresis, nothing changes.

    `facts` are the keys of the alert that describe the cause (product, store, subject, current stock, threshold, rule).
    `inhibited_by` names the alert (or the cause) because of which nothing can be said now: such a judgement neither opens
    nor resolves, whatever its figures say.
    """

    alert_type: AlertType
    dedupe_key: str
    fires: bool
    over: bool
    severity: Severity = Severity.WARNING
    message: str = ""
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    inhibited_by: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the alert and of its cause's record: new contents (None: unchanged), and what happened."""

    alert: Data | None
    cause: Data | None
    event: str = "nothing"
    """opened, escalated, updated, resolved or nothing."""


def margin(threshold: int, hysteresis_percent: int) -> int:
    """Return how far above its threshold a level must be to count as recovered."""
    return max(1, ceil(threshold * hysteresis_percent / 100))


def judge_level(level: Mapping[str, Any], settings: Mapping[str, Any]) -> Judgement:
    """Judge low stock of one level: at the threshold is low, nothing available is critical."""
    available, threshold = level["available"], level["effective_reorder_level"]
    active, enabled = bool(level["product_active"]), bool(settings["low_stock_enabled"])
    fires = active and enabled and available <= threshold
    recovered = available > threshold + margin(threshold, settings["hysteresis_percent"])
    reason = "disabled" if not enabled else "product_inactive" if not active else "stock_recovered"
    units = "unit is" if available == 1 else "units are"
    return Judgement(
        AlertType.LOW_STOCK,
        f"low_stock:{level['product_id']}:{level['store_id']}",
        fires,
        over=not enabled or not active or recovered,
        severity=Severity.CRITICAL if available <= 0 else Severity.WARNING,
        message=f"{level['product_name']} at {level['store_name']}: {available} {units} available, threshold {threshold}.",
        reason=reason,
        facts={
            "product_id": level["product_id"],
            "product_name": level["product_name"],
            "product_sku": level["sku"],
            "store_id": level["store_id"],
            "store_name": level["store_name"],
            "current_stock": available,
            "threshold": threshold,
            "rule": rule_of(level),
        },
    )


def judge_depletion(
    product: Mapping[str, Any], depletion: date | None, today: date, settings: Mapping[str, Any]
) -> Judgement:
    """Judge the newest forecast of a product (`id`, `name`, `sku`, `active`, `available`)."""
    days, enabled = settings["alert_threshold_days"], bool(settings["predicted_depletion_enabled"])
    left = (depletion - today).days if depletion is not None else None
    fires = enabled and product["active"] and left is not None and left <= days
    over = not enabled or not product["active"] or left is None or left > days + _CLEAR_DAYS
    reason = "disabled" if not enabled else "product_inactive" if not product["active"] else "forecast_recovered"
    return Judgement(
        AlertType.PREDICTED_DEPLETION,
        f"predicted_depletion:{product['id']}",
        fires,
        over,
        severity=Severity.CRITICAL if left is not None and left <= _CRITICAL_DAYS else Severity.WARNING,
        message=f"{product['name']} is expected to run out on {depletion}." if depletion else "",
        reason=reason,
        facts={
            "product_id": product["id"],
            "product_name": product["name"],
            "product_sku": product["sku"],
            "current_stock": product["available"],
            "threshold": days,
            "rule": ThresholdRule.SETTINGS.value,
        },
    )


def judge_order(order: Mapping[str, Any], waited_h: float, sla_h: float, settings: Mapping[str, Any]) -> Judgement:
    """Judge a transfer order (`id`, `order_number`, `status`, product and store) by how long it waits for review."""
    enabled, waiting = bool(settings["order_sla_enabled"]), order["status"] == "pending_review"
    fires = enabled and waiting and waited_h > sla_h
    return Judgement(
        AlertType.ORDER_SLA,
        f"order_sla:{order['id']}",
        fires,
        over=not enabled or not waiting,
        severity=Severity.CRITICAL if waited_h > _TIMES_SLA * sla_h else Severity.WARNING,
        message=f"Order {order['order_number']} has waited {int(waited_h)} hours for review; {sla_h:g} are allowed.",
        reason="disabled" if not enabled else "order_reviewed",
        facts={
            "subject": order["id"],
            "product_id": order.get("product_id"),
            "product_name": order.get("product_name"),
            "product_sku": order.get("sku"),
            "store_id": order.get("to_store_id"),
            "store_name": order.get("to_store_name"),
            "threshold": int(sla_h),
            "rule": ThresholdRule.DEFAULT.value,
        },
    )


def judge_customer_order(order: Mapping[str, Any], waited_h: float, settings: Mapping[str, Any]) -> Judgement:
    """Judge a customer's order (`id`, `order_number`, `status`) by how long it waits to be fulfilled."""
    limit, enabled = settings["customer_order_sla_hours"], bool(settings["order_sla_enabled"])
    on, waiting = enabled and limit is not None, order["status"] in UNFULFILLED
    late = on and waiting and waited_h > limit
    return Judgement(
        AlertType.ORDER_SLA,
        f"order_sla:{order['id']}",
        fires=late,
        over=not late,
        severity=Severity.CRITICAL if on and waited_h > _TIMES_SLA * limit else Severity.WARNING,
        message=f"Customer order {order['order_number']} has waited {int(waited_h)} hours; {limit} are allowed.",
        reason="disabled" if not on else "order_moved_on" if not waiting else "within_limit",
        facts={
            "subject": order["id"],
            "threshold": limit,
            "measured": int(waited_h),
            "rule": ThresholdRule.SETTINGS.value,
        },
    )


def judge_feed(
    source: str, age_s: int | None, limit: timedelta, settings: Mapping[str, Any], *, stale: bool
) -> Judgement:
    """Judge the freshness of one 3PL's orders; `age_s` is the age of the last complete read, None without one."""
    enabled, limit_s = bool(settings["feed_stale_enabled"]), limit.total_seconds()
    old = f"{age_s // 60} minutes old" if age_s is not None else "missing"
    return Judgement(
        AlertType.FEED_STALE,
        f"feed_stale:{source}",
        fires=enabled and stale,
        over=not enabled or not stale,
        severity=Severity.CRITICAL if age_s is not None and age_s > _TIMES_STALE * limit_s else Severity.WARNING,
        message=f"The orders of {source} are {old}; what its queue shows may not be true any more.",
        reason="disabled" if not enabled else "fresh_again",
        facts={
            "subject": source,
            "source": source,
            "threshold": int(limit_s // 60),
            "rule": ThresholdRule.DEFAULT.value,
        },
    )


def judge_job(kind: str, subject: str | None, code: str | None, *, failed: bool) -> Judgement:
    """Judge the last finished job of a kind and subject."""
    about = f" of {subject}" if subject else ""
    return Judgement(
        AlertType.JOB_FAILED,
        f"job_failed:{kind}:{subject or ''}",
        fires=failed,
        over=not failed,
        message=f"The job {kind}{about} failed for good: {code or 'unknown'}.",
        reason="later_success",
        facts={
            "subject": subject or kind,
            "source": subject if kind == "refresh-source" else None,
            "rule": ThresholdRule.DEFAULT.value,
        },
    )


def decided(judgement: Judgement, alert: Data | None, cause: Data | None, now: str) -> Outcome:
    """Say what a judgement does: `alert` is the open one of its cause, `cause` what is kept of the cause.

    The cause's record holds `alert_id` (of the open alert) and `by_hand` (severity at the last resolution by hand, while
    the condition has not been false since).
    """
    kept: Data = cause or {"alert_id": None, "by_hand": None}
    if judgement.inhibited_by is not None:
        return _inhibited(judgement.inhibited_by, alert, now)
    if alert is not None:
        return _of_open(judgement, alert, kept, now)
    if not judgement.fires:
        return Outcome(None, {**kept, "by_hand": None} if kept["by_hand"] is not None else None)
    if kept["by_hand"] is not None and not _is_worse(judgement.severity.value, kept["by_hand"]):
        return Outcome(None, None)
    return Outcome(_opened(judgement, now), {"by_hand": None}, "opened")


def _inhibited(by: str, alert: Data | None, now: str) -> Outcome:
    """Leave everything as it is, but let an open alert say what holds it."""
    if alert is None or alert.get("inhibited_by") == by:
        return Outcome(None, None)
    return Outcome({**alert, "inhibited_by": by, "updated_at": now, "version": alert["version"] + 1}, None)


def _of_open(judgement: Judgement, alert: Data, kept: Data, now: str) -> Outcome:
    if judgement.fires:
        worse = _is_worse(judgement.severity.value, alert["severity"])
        after = {
            **alert,
            **judgement.facts,
            "severity": judgement.severity.value,
            "message": judgement.message,
            "occurrences": alert["occurrences"] + 1,
            "inhibited_by": None,
            "updated_at": now,
            "version": alert["version"] + 1,
        } | (_AWAKE if worse else {})
        return Outcome(after, None, "escalated" if worse else "updated")
    if not judgement.over:
        free = {**alert, "inhibited_by": None, "updated_at": now, "version": alert["version"] + 1}
        return Outcome(free if alert.get("inhibited_by") else None, None)
    after = {
        **alert,
        **{name: judgement.facts[name] for name in _SHOWN_AT_THE_END if name in judgement.facts},
        **_AWAKE,
        "inhibited_by": None,
        "status": AlertStatus.RESOLVED.value,
        "resolved_at": now,
        "resolved_by": "system",
        "resolved_reason": judgement.reason,
        "updated_at": now,
        "version": alert["version"] + 1,
    }
    return Outcome(after, {**kept, "alert_id": None, "by_hand": None}, "resolved")


def _opened(judgement: Judgement, now: str) -> Data:
    empty = dict.fromkeys(
        ("product_id", "product_name", "product_sku", "store_id", "store_name", "subject", "current_stock", "threshold")
    )
    gone = dict.fromkeys(
        ("acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by", "resolved_reason", "note", *ADDED)
    )
    return {
        **empty,
        **gone,
        "rule": ThresholdRule.DEFAULT.value,
        **judgement.facts,
        "alert_type": judgement.alert_type.value,
        "severity": judgement.severity.value,
        "status": AlertStatus.ACTIVE.value,
        "message": judgement.message,
        "dedupe_key": judgement.dedupe_key,
        "occurrences": 1,
        "created_at": now,
        "updated_at": now,
        "version": 1,
    }


def _is_worse(severity: str, than: str) -> bool:
    return severity == Severity.CRITICAL.value and than == Severity.WARNING.value
