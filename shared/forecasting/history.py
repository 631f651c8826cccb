"""From movements to days: demand, days without stock, stock at the end of each day. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from shared.core.values import dataclass

__all__ = ["DEMAND", "History", "history_of"]

DEMAND = frozenset({"sale", "removal"})
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class History:
    """A product's days up to yesterday. `units` and `weekdays` hold the kept days only, oldest first.

    `first` is the day of the first movement (None: there is none before today), `stock` the units at the end of every day.
    """

    first: date | None
    last: date
    units: list[int]
    weekdays: list[int]
    excluded: int
    transactions: int
    stock: list[int]

    @property
    def days(self) -> int:
        """Return how many days can be learnt from."""
        return len(self.units)


@dataclass(slots=True)
class _Day:
    demand: int = 0
    end: int = 0
    most: int = 0


def history_of(movements: Iterable[Mapping[str, Any]], today: date) -> History:
    """Return the history in movements ordered by time, of all levels they name together.

    Movements of today count as transactions only: a day counts when it is over. What is dated later than today is ignored.
    """
    levels: dict[str, int] = {}
    days: dict[date, _Day] = {}
    total = transactions = 0
    for movement in movements:
        day = date.fromisoformat(movement["created_at"][:10])
        if day > today:
            continue
        transactions += 1
        store = movement["store_id"]
        total += movement["new_stock"] - levels.get(store, movement["previous_stock"])
        if store not in levels:
            total += movement["previous_stock"]
            if movement["previous_stock"]:
                _had(days, movement["previous_stock"])
        levels[store] = movement["new_stock"]
        held = days.setdefault(day, _Day(most=total))
        held.end, held.most = total, max(held.most, total)
        if movement["transaction_type"] in DEMAND:
            held.demand += max(0, -movement["quantity"])
    return _laid_out(days, today, transactions)


def _had(days: Mapping[date, _Day], units: int) -> None:
    """Add what a level held before its first known movement to the days before."""
    for held in days.values():
        held.end += units
        held.most += units


def _laid_out(days: Mapping[date, _Day], today: date, transactions: int) -> History:
    last = today - _DAY
    first = min((day for day in days if day <= last), default=None)
    units: list[int] = []
    weekdays: list[int] = []
    stock: list[int] = []
    excluded, before, day = 0, 0, first
    while day is not None and day <= last:
        held = days.get(day) or _Day(end=before, most=before)
        if held.demand == 0 and max(before, held.most) <= 0:
            excluded += 1
        else:
            units.append(held.demand)
            weekdays.append(day.weekday())
        stock.append(held.end)
        before, day = held.end, day + _DAY
    return History(first, last, units, weekdays, excluded, transactions, stock)
