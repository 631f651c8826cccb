"""The use cases of alerts that only read: lists, and why there is an alert or none."""

from collections.abc import Callable
from datetime import date

from shared.alerts.book import ALERTS, AlertBook
from shared.alerts.models import (
    AlertFilter,
    AlertSettings,
    AlertSettingsPatch,
    ExplainQuery,
    Explanation,
    LowStockExplained,
    PredictionExplained,
)
from shared.alerts.rules import Judgement, judge_depletion, judge_level
from shared.alerts.words import AlertStatus, ThresholdRule
from shared.core.clock import Clock, instant
from shared.core.conditions import NO_CONDITION, Precondition
from shared.core.errors import NotFound
from shared.core.patches import changes_of
from shared.inventory.keys import LEVELS, product_key, stock_key
from shared.inventory.rules import recounted
from shared.ports.documents import Query
from shared.ports.store import Store

__all__ = ["AlertDesk"]

_INPUTS = tuple(name for name in AlertSettingsPatch.model_fields if name != "version")


class AlertDesk:
    """Reading alerts and their settings."""

    def __init__(self, store: Store, clock: Clock, book: AlertBook, depletion: Callable[[str], date | None]) -> None:
        """Take the store, time, the book, and the depletion date of a product's newest forecast."""
        self._store, self._clock, self._book, self._depletion = store, clock, book, depletion

    @staticmethod
    def sought(wanted: AlertFilter) -> Query:
        """Return the document query of a list of alerts."""
        given = {
            "status": wanted.status,
            "alert_type": wanted.alert_type,
            "severity": wanted.severity,
            "product_id": wanted.product_id,
            "store_id": wanted.store_id,
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
        return AlertSettings(**self._book.settings())

    def change_settings(self, patch: AlertSettingsPatch, condition: Precondition = NO_CONDITION) -> AlertSettings:
        """Change what is given; raise PreconditionFailed, or ValidationFailed for a key that cannot be cleared."""
        given = patch.model_dump(mode="json", exclude_unset=True)

        def changes(present: dict[str, object]) -> dict[str, object]:
            condition.check(AlertSettings.TAG_ID, int(str(present["version"])), patch.version)
            return changes_of(given, present, inputs=_INPUTS, required=_INPUTS)

        return AlertSettings(**self._book.change_settings(changes))

    def explain(self, wanted: ExplainQuery) -> Explanation:
        """Say why a product has an alert or none; raise NotFound for an unknown product."""
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
        depletion = self._depletion(wanted.product_id)
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
            open_alert_ids=self._open(wanted),
        )

    def _low_stock(self, wanted: ExplainQuery) -> LowStockExplained:
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


def _urgency(judgement: Judgement) -> tuple[bool, int]:
    """Order levels: those that fire first, then by how little is available."""
    return not judgement.fires, judgement.facts["current_stock"]
