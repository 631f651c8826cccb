"""When the held orders of a 3PL are too many, or one of them is held for too long. Pure.

Both kinds of causes hang on one feed. While that feed is stale its figures say nothing, so a judgement is marked as inhibited:
it opens nothing, and what is open stays open.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from shared.alerts.rules import Judgement, margin
from shared.alerts.words import AlertType, Severity, ThresholdRule
from shared.core.clock import parse_instant
from shared.core.values import dataclass
from shared.oos.coverage import short_lines

__all__ = ["MOST_HELD", "Backlog", "Present", "backlog_of", "judge_backlog", "judge_held", "overdue", "source_of"]

Row = Mapping[str, Any]
Settings = Mapping[str, Any]

MOST_HELD = 200
"""So many orders of one 3PL have an alert of their own at once, those held longest."""
_TIMES = 2


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many orders wait for stock: of a 3PL, and for each SKU."""

    orders: int
    by_sku: Mapping[str, int]


def backlog_of(rows: Iterable[dict[str, Any]]) -> Backlog:
    """Count the open orders that wait for stock; an order counts once for every SKU that it waits for."""
    orders, by_sku = 0, Counter[str]()
    for row in rows:
        lines = short_lines(row)
        orders += bool(lines)
        by_sku.update({line["sku"] for line in lines if line["sku"]})
    return Backlog(orders, by_sku)


def judge_backlog(
    source: str, sku: str | None, orders: int, settings: Settings, *, inhibited_by: str | None
) -> Judgement:
    """Judge how many orders wait at a 3PL, or for one of its SKUs: more than the threshold, critical at twice of it."""
    threshold = settings["oos_backlog_orders" if sku is None else "oos_backlog_sku_orders"]
    limit = threshold or 0
    calm = max(0, limit - margin(limit, settings["hysteresis_percent"]))
    about = f"for {sku} at {source}" if sku is not None else f"for stock at {source}"
    waiting = "order waits" if orders == 1 else "orders wait"
    return Judgement(
        AlertType.OOS_BACKLOG,
        f"oos_backlog:{source}" if sku is None else f"oos_backlog:{source}:{sku}",
        fires=threshold is not None and orders > limit,
        over=threshold is None or orders <= calm,
        severity=Severity.CRITICAL if orders > _TIMES * limit else Severity.WARNING,
        message=f"{orders} {waiting} {about}; {limit} are tolerated.",
        reason="disabled" if threshold is None else "backlog_shrank",
        facts={
            "subject": source,
            "source": source,
            "product_sku": sku,
            "threshold": threshold,
            "measured": orders,
            "rule": ThresholdRule.SETTINGS.value,
        },
        inhibited_by=inhibited_by if threshold is not None else None,
    )


def overdue(rows: Iterable[Row], now: datetime, settings: Settings) -> Sequence[Row]:
    """Return the open orders that are held longer than allowed, the longest first, at most `MOST_HELD`."""
    limit = settings["held_order_sla_hours"]
    late = [row for row in rows if limit is not None and _held_h(row, now) > limit]
    return sorted(late, key=lambda row: (row["opened_at"], row["order_id"]))[:MOST_HELD]


@dataclass(frozen=True, slots=True)
class Present:
    """What a held order is judged by: time, the settings, and what keeps it from being judged."""

    now: datetime
    settings: Settings
    inhibited_by: str | None


def judge_held(source: str, order_id: str, row: Row | None, present: Present) -> Judgement:
    """Judge how long a 3PL holds an order; `row` is None when it holds it no more."""
    now, settings = present.now, present.settings
    limit, enabled = settings["held_order_sla_hours"], bool(settings["order_sla_enabled"])
    on, hours = enabled and limit is not None, _held_h(row, now) if row is not None else 0.0
    late = on and row is not None and hours > limit
    named = (row["order_number"] if row is not None else None) or order_id
    return Judgement(
        AlertType.ORDER_SLA,
        f"order_sla:{source}:{order_id}",
        fires=late,
        over=not late,
        severity=Severity.CRITICAL if on and hours > _TIMES * limit else Severity.WARNING,
        message=f"Order {named} has been held at {source} for {int(hours)} hours; {limit} are allowed.",
        reason="disabled" if not on else "order_released" if row is None else "within_limit",
        facts={
            "subject": order_id,
            "source": source,
            "threshold": limit,
            "measured": int(hours),
            "rule": ThresholdRule.SETTINGS.value,
        },
        inhibited_by=present.inhibited_by if on else None,
    )


def source_of(alert: Mapping[str, Any]) -> str | None:
    """Return the 3PL on whose feed the cause of an alert hangs, None for one that hangs on none."""
    depends = alert["alert_type"] in {AlertType.OOS_BACKLOG, AlertType.ORDER_SLA}
    return alert.get("source") if depends else None


def _held_h(row: Row, now: datetime) -> float:
    return max(0.0, (now - parse_instant(row["opened_at"])).total_seconds() / 3600)
