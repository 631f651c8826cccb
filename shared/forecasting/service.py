"""Making, keeping and storing forecasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import TYPE_CHECKING, Any

from shared.core.clock import Clock, instant
from shared.core.errors import InsufficientData, NotFound
from shared.core.values import dataclass
from shared.forecasting.history import History, history_of
from shared.forecasting.models import DataSummary, Forecast, ForecastQuery, Trained
from shared.forecasting.prediction import LEAST_DAYS, Asked, predict
from shared.inventory.keys import MOVEMENTS, level_key, product_key, store_key
from shared.ports.documents import Delete, Key, Put, Query, Stored, Write

if TYPE_CHECKING:
    from shared.inventory.sums import Sums
    from shared.ports.store import Store

__all__ = ["CACHE", "STORED", "Forecasts", "stored_key"]

CACHE = "forecast_cache"
STORED = "forecasts"
WINDOW_DAYS = 400
_LIFE = timedelta(hours=1)
_MANY = 400
Data = dict[str, Any]
Incoming = Callable[[Sequence[tuple[str, str]]], Mapping[tuple[str, str], int]]


def stored_key(product_id: str) -> Key:
    """Return where the newest stored forecast of a product lies."""
    return Key(STORED, product_id)


@dataclass(frozen=True)
class Forecasts:
    """The use cases around forecasts; `incoming` says what is on its way to levels."""

    store: Store
    clock: Clock
    sums: Sums
    incoming: Incoming

    def get(self, product_id: str, wanted: ForecastQuery) -> Forecast:
        """Return a forecast, a kept one when the stock is still the same; raise NotFound, InsufficientData."""
        product = self._product(product_id)
        self._require_store(wanted.store_id)
        return Forecast.model_validate(self._forecast(product_id, product.data, wanted), strict=False)

    def train(self, product_id: str, *, force: bool) -> Trained:
        """Store a product's forecast and give the product its date; raise NotFound, InsufficientData."""
        product = self._product(product_id)
        known = self.store.get(stored_key(product_id))
        made, writes = self.trained(product_id, product.data, known)
        unchanged = known is not None and not force and known.data["model_version"] == made["model_version"]
        kept = known.data if unchanged and known is not None else made
        self.store.write([*writes, self.dated(product_id, made)])
        return Trained.model_validate(
            {
                "product_id": product_id,
                "message": "The data has not changed." if unchanged else "The forecast has been stored.",
                "model_version": kept["model_version"],
                "model_type": kept["model_type"],
                "training_metrics": kept["training_metrics"],
                "trained_at": kept["trained_at"],
            },
            strict=False,
        )

    def trained(self, product_id: str, product: Data, known: Stored | None) -> tuple[Data, list[Write]]:
        """Return what is to be stored of a product, and the write of it; raise InsufficientData.

        An unchanged model keeps the time of its training; its dates follow the stock of now.
        """
        history = self.history(product_id, None)
        stock = self._stock(product_id, None)
        made = predict(history, stock["available"], self._today(), Asked())
        moment = instant(self.clock.now())
        same = known is not None and known.data["model_version"] == made["model_version"]
        data = {
            "product_id": product_id,
            "product_name": product["name"],
            "trained_at": known.data["trained_at"] if same and known is not None else moment,
            "computed_at": moment,
            "stock_version": stock["version"],
            "training_metrics": made["metrics"],
            **{name: made[name] for name in _STORED_KEYS},
        }
        return data, [Put(stored_key(product_id), data, known.version or None if known else None)]

    def dated(self, product_id: str, made: Data) -> Write:
        """Return the write that gives a product its predicted depletion date; its version stays."""
        key = product_key(product_id)
        product = self.store.get(key)
        assert product is not None
        data = product.data | {"predicted_depletion_date": made["predicted_depletion_date"]}
        return Put(key, data, product.version or None)

    def batch(self, products: Sequence[tuple[str, Data | None]], wanted: ForecastQuery) -> Iterator[tuple[str, Data]]:
        """Yield each product's forecast, or `{"error": ...}` for one that has none."""
        for product_id, product in products:
            if product is None:
                yield product_id, {"error": "No product has this id."}
                continue
            try:
                yield product_id, self._forecast(product_id, product, wanted)
            except InsufficientData as refused:
                yield product_id, {"error": refused.detail}

    def depleting(self, until: date) -> Iterator[str]:
        """Yield the products that their newest stored forecasts expect to run out by a day."""
        soon = Query(STORED, order_by="predicted_depletion_date", at_most=until.isoformat())
        return (stored.key.id for stored in self.store.walk(soon))

    def summary(self, product_id: str, store_id: str | None) -> DataSummary:
        """Return what there is to learn from; raise NotFound."""
        self._product(product_id)
        self._require_store(store_id)
        history = self.history(product_id, store_id)
        enough = history.days >= LEAST_DAYS
        stock = history.stock
        ends = {"start": history.first.isoformat(), "end": history.last.isoformat()} if history.first else {}
        return DataSummary(
            product_id=product_id,
            has_sufficient_data=enough,
            days_of_data=history.days,
            min_required_days=LEAST_DAYS,
            total_transactions=history.transactions,
            demand_days=sum(units > 0 for units in history.units),
            stockout_days=history.excluded,
            date_range={"start": None, "end": None} | ends,
            stock_statistics={
                "min": min(stock, default=0),
                "max": max(stock, default=0),
                "mean": round(sum(stock) / len(stock), 2) if stock else 0.0,
                "current": self._stock(product_id, store_id)["available"],
            },
            message="There is enough data." if enough else f"{LEAST_DAYS} days are needed; there are {history.days}.",
        )

    def forget(self, product_id: str) -> None:
        """Drop kept forecasts of a product; raise NotFound."""
        self._product(product_id)
        kept = self.store.query(Query(CACHE, (("product_id", product_id),), limit=_MANY))
        self.store.write([Delete(stored.key) for stored in kept])

    def history(self, product_id: str, store_id: str | None) -> History:
        """Return a product's days from its movements, as committed: one read for each movement of the last 400 days."""
        since = instant(self.clock.now() - timedelta(days=WINDOW_DAYS))
        asked = Query(MOVEMENTS, (("product_id", product_id),), order_by="created_at", at_least=since)
        found = (stored.data for stored in self.store.walk(asked))
        mine = (data for data in found if store_id is None or data["store_id"] == store_id)
        return history_of(mine, self._today())

    def _forecast(self, product_id: str, product: Data, wanted: ForecastQuery) -> Data:
        stock = self._stock(product_id, wanted.store_id)
        key, state = self._place(product_id, wanted, stock)
        kept = self.store.get(key) if wanted.use_cache else None
        if kept is not None and kept.data["state"] == state and kept.data["delete_at"] > instant(self.clock.now()):
            return {**kept.data["body"], "cached": True}
        body = self._made(product_id, product, wanted, stock["available"])
        gone = instant(self.clock.now() + _LIFE)
        self.store.write([Put(key, {"product_id": product_id, "state": state, "delete_at": gone, "body": body})])
        return body | {"cached": False}

    def _made(self, product_id: str, product: Data, wanted: ForecastQuery, available: int) -> Data:
        history = self.history(product_id, wanted.store_id)
        asked = Asked(
            wanted.forecast_days,
            wanted.service_level,
            wanted.lead_time_days,
            wanted.moq,
            self._incoming(product_id, wanted.store_id),
        )
        made = predict(history, available, self._today(), asked)
        del made["metrics"]
        named = {"product_id": product_id, "product_name": product["name"], "product_sku": product["sku"]}
        return named | {"store_id": wanted.store_id, "created_at": instant(self.clock.now())} | made

    def _place(self, product_id: str, wanted: ForecastQuery, stock: Data) -> tuple[Key, str]:
        """Return where a forecast is kept, and what must still be so for it to be given again."""
        key = Key(CACHE, f"{product_id}.{wanted.store_id or '-'}.{wanted.forecast_days}")
        advice = f"{wanted.service_level}|{wanted.lead_time_days}|{wanted.moq}"
        return key, f"{stock['version']}|{stock['available']}|{self._today()}|{advice}"

    def _stock(self, product_id: str, store_id: str | None) -> Data:
        sums = self.sums.of([product_id])[product_id]
        available = sums["available_stock"]
        if store_id is not None:
            level = self.store.get(level_key(store_id, product_id))
            available = level.data["available"] if level else 0
        return {"available": max(0, available), "version": sums["stock_version"]}

    def _incoming(self, product_id: str, store_id: str | None) -> int:
        """Return the units on their way: to one store, or to all that hold the product."""
        stores = [store_id] if store_id else [stored.data["store_id"] for stored in self.sums.levels_of(product_id)]
        return sum(self.incoming([(product_id, store) for store in stores]).values()) if stores else 0

    def _product(self, product_id: str) -> Stored:
        found = self.store.get(product_key(product_id))
        if found is None:
            raise NotFound("No product has this id.", resource="product")
        return found

    def _require_store(self, store_id: str | None) -> None:
        if store_id is not None and self.store.get(store_key(store_id)) is None:
            raise NotFound("No store has this id.", resource="store")

    def _today(self) -> date:
        return self.clock.now().astimezone(UTC).date()


_STORED_KEYS = (
    "predicted_depletion_date",
    "depletion_date_p10",
    "depletion_date_p50",
    "depletion_date_p90",
    "daily_consumption_rate",
    "confidence_score",
    "model_type",
    "model_version",
)
