"""The job that stores the forecasts of many products, a few at a time, from wherever a delivery before ended."""

from collections.abc import Sequence
from typing import Any

from shared.core.errors import InsufficientData
from shared.forecasting.service import Forecasts, stored_key
from shared.inventory.keys import PRODUCTS, product_key
from shared.jobs.kinds import Done, Step
from shared.jobs.names import ML, TRAIN_FORECASTS
from shared.ports.documents import Position, Query, Stored, Write

__all__ = ["KIND", "QUEUE", "Training"]

KIND, QUEUE = TRAIN_FORECASTS, ML
_AT_ONCE = 20
_COUNTED = ("total_products", "trained", "skipped", "failed")


class Training:
    """Carries the job out."""

    def __init__(self, forecasts: Forecasts) -> None:
        """Take the forecasts."""
        self._forecasts, self._store = forecasts, forecasts.store

    def __call__(self, step: Step) -> Done:
        """Train every active product, or those the job names; one that cannot be learnt is skipped."""
        counts = dict.fromkeys(_COUNTED, 0) | dict(step.counts)
        while products := self._next(step):
            writes: list[Write] = []
            for product in products:
                fate, made = self._one(product)
                writes += made
                counts["total_products"] += 1
                counts[fate] += 1
            step.checkpoint(
                cursor=products[-1].key.id,
                counts=counts,
                progress=(counts["total_products"], None, None),
                writes=writes,
            )
        return Done({name: counts[name] for name in _COUNTED})

    def _one(self, product: Stored) -> tuple[str, list[Write]]:
        try:
            made, writes = self._forecasts.trained(
                product.key.id, product.data, self._store.get(stored_key(product.key.id))
            )
        except InsufficientData:
            return "skipped", []
        return "trained", [*writes, self._forecasts.dated(product.key.id, made)]

    def _next(self, step: Step) -> Sequence[Stored]:
        named: list[str] | None = step.record.input.get("product_ids")
        after: Any = step.cursor
        if named is not None:
            left = [name for name in sorted(set(named)) if after is None or name > after][:_AT_ONCE]
            found = self._store.get_many([product_key(name) for name in left])
            return sorted(found.values(), key=lambda stored: stored.key.id)
        place = Position(None, after) if after else None
        asked = Query(PRODUCTS, (("status", "active"),), limit=_AT_ONCE, after=place)
        return self._store.query(asked)
