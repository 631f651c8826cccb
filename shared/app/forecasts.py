"""Forecasts: demand, depletion, training. The predicted depletion of stored ones is what alerts watch."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from shared.app.alerts import AlertParts
from shared.core.once import once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from shared.core.caller import Caller
    from shared.forecasting.listing import BatchList
    from shared.forecasting.service import Forecasts
    from shared.jobs.kinds import Done, JobKind, Step
    from shared.jobs.service import Started
    from shared.jobs.slots import Duty

__all__ = ["ForecastParts"]


class ForecastParts(AlertParts):
    """The services of forecasts."""

    @once
    def forecasts(self) -> Forecasts:
        """Return making, keeping and storing forecasts."""
        from shared.forecasting.service import Forecasts

        return Forecasts(self.store, self.clock, self.sums, self.incoming)

    @once
    def forecast_lists(self) -> BatchList:
        """Return forecasts of many products."""
        from shared.forecasting.listing import BatchList

        return BatchList(self.store, self.forecasts)

    def depletion_date(self, product_id: str) -> date | None:
        """Return when the newest stored forecast of a product expects it to run out."""
        from shared.forecasting.service import stored_key

        stored = self.store.get(stored_key(product_id))
        found = stored.data["predicted_depletion_date"] if stored else None
        return date.fromisoformat(found) if found else None

    def depleting(self, until: date) -> Iterable[str]:
        """Return the products whose newest stored forecast expects them to run out by a day, the first ones first."""
        return self.forecasts.depleting(until)

    def start_training(self, caller: Caller, trace: str | None = None) -> Started:
        """Start the training of all active products, or join the one under way."""
        from shared.forecasting.training import KIND

        return self.jobs.start(KIND, None, {}, caller, request_trace=trace)

    def kinds(self) -> Sequence[JobKind]:
        """Add the training."""
        from shared.jobs.kinds import JobKind
        from shared.jobs.names import ML, TRAIN_FORECASTS

        return (*super().kinds(), JobKind(TRAIN_FORECASTS, ML, self._train, "Training", resumes=True))

    def duties(self) -> Mapping[str, Duty]:
        """Add the weekly training."""
        from shared.forecasting.training import KIND
        from shared.jobs.slots import Duty

        return {**super().duties(), KIND: Duty(self._scheduled_training)}

    def chores(self) -> Sequence[Callable[[], None]]:
        """Add dropping kept forecasts that are too old."""
        return (*super().chores(), self._forget_forecasts)

    def _train(self, step: Step) -> Done:
        from shared.forecasting.training import Training

        return Training(self.forecasts)(step)

    def _scheduled_training(self) -> list[str]:
        from shared.core.caller import SYSTEM

        return [self.start_training(SYSTEM).job.id]

    def _forget_forecasts(self) -> None:
        from shared.forecasting.service import CACHE
        from shared.jobs.cleanup import clean_expired

        clean_expired(self.documents, self.clock, CACHE)
