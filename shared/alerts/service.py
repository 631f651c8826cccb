"""The use cases of alerts that only read: lists, and why there is an alert or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from shared.alerts.book import ALERTS, AlertBook
from shared.alerts.rules import Judgement, judge_depletion, judge_level
from shared.alerts.words import AlertStatus, ThresholdRule
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import NotFound, ValidationFailed
from shared.core.patches import changes_of
from shared.core.values import dataclass
from shared.inventory.keys import LEVELS, product_key, stock_key
from shared.inventory.rules import recounted
from shared.ports.documents import Query

if TYPE_CHECKING:
    from shared.alerts.explained_models import BacklogExplained, ExplainQuery, Explanation, LowStockExplained
    from shared.alerts.models import AlertFilter
    from shared.alerts.settings_models import AlertSettings, AlertSettingsPatch
    from shared.ports.secrets import Secrets
    from shared.ports.store import Store

__all__ = ["SLACK_PLACE", "AlertDesk", "Asked"]

SLACK_PLACE = "alerts/slack"
"""The place that the sealed address of the chat hook is bound to."""
_SLACK = "slack_webhook_url"
Data = dict[str, Any]

_READ_ONLY = frozenset({"version", "slack_webhook_set"})
_CLEARABLE = frozenset(
    {"oos_backlog_orders", "oos_backlog_sku_orders", "held_order_sla_hours", "customer_order_sla_hours", _SLACK}
)
_DIGEST = frozenset({"digest_enabled", "digest_hour", "time_zone"})
_SET = object()
"""Stands for an address that is stored and never shown: different from whatever is given for it."""


@dataclass(frozen=True)
class Asked:
    """What the desk asks of other parts: a product's predicted depletion, who waits for a SKU at each 3PL, and sealing."""

    depletion: Callable[[str], date | None]
    backlogs: Callable[[str], Sequence[BacklogExplained]]
    secrets: Callable[[], Secrets]


class AlertDesk:
    """Reading alerts and their settings."""

    def __init__(self, store: Store, clock: Clock, book: AlertBook, asked: Asked) -> None:
        """Take the store, time, the book, and what is asked of other parts."""
        self._store, self._clock, self._book, self._asked = store, clock, book, asked

    @staticmethod
    def sought(wanted: AlertFilter) -> Query:
        """Return the document query of a list of alerts."""
        given = {
            "status": wanted.status,
            "alert_type": wanted.alert_type,
            "severity": wanted.severity,
            "product_id": wanted.product_id,
            "store_id": wanted.store_id,
            "source": wanted.source,
            "assigned_to": wanted.assigned_to,
        }
        named = {name: tuple(dict.fromkeys(str(value) for value in values)) for name, values in given.items() if values}
        return Query(
            ALERTS,
            tuple((name, values[0] if len(values) == 1 else values) for name, values in named.items()),
            at_least=instant(wanted.created_from) if wanted.created_from else None,
            at_most=instant(wanted.created_to) if wanted.created_to else None,
        )

    def settings(self) -> AlertSettings:
        """Return the settings."""
        return _shown(self._book.settings())

    def change_settings(self, patch: AlertSettingsPatch, condition: Precondition = NO_CONDITION) -> AlertSettings:
        """Change what is given; raise PreconditionFailed, or ValidationFailed for a key that cannot be cleared."""
        from shared.alerts.settings_models import AlertSettings, AlertSettingsPatch

        inputs = tuple(name for name in AlertSettingsPatch.model_fields if name not in _READ_ONLY)
        required = tuple(name for name in inputs if name not in _CLEARABLE)
        given = patch.model_dump(mode="json", exclude_unset=True)
        digest = hashlib.sha256(given[_SLACK].encode()).hexdigest() if given.get(_SLACK) else None

        def changes(present: Data) -> Data:
            condition.check(AlertSettings.TAG_ID, int(present["version"]), patch.version)
            shown = {**_shown(present).model_dump(mode="json"), _SLACK: _SET if present["slack_sealed"] else None}
            if digest is not None and digest == present["slack_digest"]:
                shown[_SLACK] = given[_SLACK]
            return self._stored(present, changes_of(given, shown, inputs=inputs, required=required))

        return _shown(self._book.change_settings(changes))

    def _stored(self, present: Data, changed: Data) -> Data:
        """Return changes as they are stored; raise ValidationFailed for quiet hours that never end."""
        after = {**present, **changed}
        if after["quiet_hours_start"] == after["quiet_hours_end"]:
            raise ValidationFailed.at(
                "/quiet_hours_end", "out_of_range", "Quiet hours end at another time than they start."
            )
        if _SLACK in changed:
            url = changed.pop(_SLACK)
            sealed = self._asked.secrets().seal(url.encode(), place=SLACK_PLACE) if url else None
            digest = hashlib.sha256(url.encode()).hexdigest() if url else None
            changed |= {"slack_sealed": sealed, "slack_digest": digest}
        if after["digest_enabled"] and not _DIGEST.isdisjoint(changed):
            changed |= {"digest_since": instant(self._clock.now())}
        return changed

    def explain(self, wanted: ExplainQuery) -> Explanation:
        """Say why a product has an alert or none; raise NotFound for an unknown product."""
        from shared.alerts.explained_models import Explanation, PredictionExplained

        keys = product_key(wanted.product_id), stock_key(wanted.product_id)
        found = self._store.get_many(keys)
        product, stock = found.get(keys[0]), found.get(keys[1])
        if product is None:
            raise NotFound("No product has this id.", resource="product")
        settings, today = self._book.settings(), self._clock.now().date()
        facts = {
            "id": wanted.product_id,
            "name": product.data["name"],
            "sku": product.data["sku"],
            "active": product.data.get("status", "active") == "active",
            "available": stock.data["available_stock"] if stock else 0,
        }
        depletion = self._asked.depletion(wanted.product_id)
        predicted = judge_depletion(facts, depletion, today, settings)
        return Explanation(
            low_stock=self._low_stock(wanted),
            predicted_depletion=PredictionExplained(
                fires=predicted.fires,
                depletion_date=depletion.isoformat() if depletion else None,
                threshold=settings["alert_threshold_days"],
                rule=ThresholdRule.SETTINGS,
                enabled=settings["predicted_depletion_enabled"],
            ),
            oos_backlog=list(self._asked.backlogs(product.data["sku"])),
            open_alert_ids=self._open(wanted),
        )

    def _low_stock(self, wanted: ExplainQuery) -> LowStockExplained:
        from shared.alerts.explained_models import LowStockExplained

        settings = self._book.settings()
        enabled = bool(settings["low_stock_enabled"])
        levels = self._store.walk(Query(LEVELS, (("product_id", wanted.product_id),)))
        judged = [
            (judge_level(recounted(stored.data, self._clock.now()), settings), stored.data["store_id"])
            for stored in levels
            if wanted.store_id in {None, stored.data["store_id"]}
        ]
        if not judged:
            return LowStockExplained(
                fires=False, available=0, threshold=None, rule=None, enabled=enabled, store_id=wanted.store_id
            )
        judgement, store_id = min(judged, key=lambda one: _urgency(one[0]))
        facts = judgement.facts
        return LowStockExplained(
            fires=judgement.fires,
            available=facts["current_stock"],
            threshold=facts["threshold"],
            rule=ThresholdRule(facts["rule"]),
            enabled=enabled,
            store_id=store_id,
        )

    def _open(self, wanted: ExplainQuery) -> list[str]:
        still = (AlertStatus.ACTIVE.value, AlertStatus.ACKNOWLEDGED.value)
        query = Query(ALERTS, (("product_id", wanted.product_id), ("status", still)), order_by="created_at")
        found = self._store.walk(query)
        return [
            one.key.id for one in found if wanted.store_id in {None, one.data["store_id"]} or not one.data["store_id"]
        ]


def _shown(settings: Data) -> AlertSettings:
    from shared.alerts.settings_models import AlertSettings

    return AlertSettings(**settings, slack_webhook_set=settings["slack_sealed"] is not None)


def _urgency(judgement: Judgement) -> tuple[bool, int]:
    """Order levels: those that fire first, then by how little is available."""
    return not judgement.fires, judgement.facts["current_stock"]
