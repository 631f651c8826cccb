"""Stock over time, rebuilt from the ledger in the warehouse: it may lag a minute behind the levels and says how far it knows."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.core.money import number, rounded
from shared.core.times import start_of
from shared.core.values import dataclass
from shared.inventory.figure_models import Figures, TrendFilter, TrendRow
from shared.inventory.figures import StockFigures
from shared.inventory.warehouse import UNITS_BY_DAY, UNITS_BY_PRODUCT
from shared.ports.warehouse import Warehouse

__all__ = ["StockHistory", "turnover_of"]

TURNOVER_DAYS = 90
_YEAR = Decimal(365)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Meant:
    """The levels a question is about: the parameters that name them, and the price of each product among them."""

    parameters: Mapping[str, Any]
    prices: Mapping[str, Decimal | None]
    everything: bool


@dataclass(frozen=True)
class StockHistory:
    """Trends and turnover."""

    figures: StockFigures
    warehouse: Callable[[], Warehouse]

    def trend(self, wanted: TrendFilter) -> tuple[list[TrendRow], datetime | None]:
        """Return stock at the end of each UTC day, and the time of the last movement contained.

        Quantities count all currencies, values the default one at present prices. The last day ends now.
        """
        meant = self._meant(wanted)
        first = self._today() - timedelta(days=wanted.days - 1)
        rows = self.warehouse().query(UNITS_BY_PRODUCT, {**self._bounds(first), **meant.parameters}).rows
        known = [row for row in rows if meant.everything or row["product_id"] in meant.prices]
        units: dict[date, int] = defaultdict(int)
        values: dict[date, Decimal] = defaultdict(Decimal)
        for row in known:
            units[row["day"]] += int(row["units"])
            values[row["day"]] += int(row["units"]) * (meant.prices.get(row["product_id"]) or Decimal(0))
        return list(_accumulated(first, wanted.days, units, values)), _latest(known)

    def turnover(self, wanted: Figures) -> float | None:
        """Return how often the stock of the last ninety days would turn in a year."""
        meant = self._meant(wanted)
        first = self._today() - timedelta(days=TURNOVER_DAYS - 1)
        which = {"products": list(meant.prices), "everything": wanted.category is None}
        rows = self.warehouse().query(UNITS_BY_DAY, {**self._bounds(first), **meant.parameters, **which}).rows
        units = {row["day"]: int(row["units"]) for row in rows}
        taken = sum(int(row["taken"]) for row in rows if row["day"] >= first)
        return turnover_of(units, taken, first)

    def _meant(self, wanted: Figures) -> _Meant:
        """Look at the levels that match: which stores and products they name, and at what price."""
        stores: set[str] = set()
        prices: dict[str, Decimal | None] = {}
        for level in self.figures.levels(wanted):
            stores.add(level["store_id"])
            counted = level["price"] is not None and level["currency"] == self.figures.currency
            prices[level["product_id"]] = Decimal(level["price"]) if counted else None
        everywhere = wanted.region is None and wanted.store_id is None
        parameters = {"stores": sorted(stores), "everywhere": everywhere}
        return _Meant(parameters, prices, everything=everywhere and wanted.category is None)

    def _bounds(self, first: date) -> dict[str, Any]:
        return {"before": first - _DAY, "end_time": start_of(self._today() + _DAY)}

    def _today(self) -> date:
        return self.figures.clock.now().astimezone(UTC).date()


def turnover_of(units: Mapping[date, int], taken: int, first: date) -> float | None:
    """Return (units taken x 365/90) / mean of the end-of-day units; None when the mean is 0.

    `units` are the net units of each day since `first`, and of everything before under the day before it.
    """
    present = units.get(first - _DAY, 0)
    ends: list[int] = []
    for number_of_day in range(TURNOVER_DAYS):
        present += units.get(first + timedelta(days=number_of_day), 0)
        ends.append(present)
    if sum(ends) == 0:
        return None
    return number(rounded(taken * _YEAR / sum(ends)))


def _accumulated(
    first: date, days: int, units: Mapping[date, int], values: Mapping[date, Decimal]
) -> Iterable[TrendRow]:
    quantity, value = units.get(first - _DAY, 0), values.get(first - _DAY, Decimal(0))
    for number_of_day in range(days):
        day = first + timedelta(days=number_of_day)
        quantity += units.get(day, 0)
        value += values.get(day, Decimal(0))
        yield TrendRow(date=day.isoformat(), total_value=number(rounded(value)) or 0.0, total_quantity=quantity)


def _latest(rows: Sequence[Mapping[str, Any]]) -> datetime | None:
    moments: list[datetime] = [row["latest"] for row in rows]
    return max(moments, default=None)
