"""Figures of transfer orders: counted by the warehouse, with what has not reached it yet counted on top.

Every figure is made of one kind of row, orders counted by region, day, status and currency, so all of them agree. Orders
changed within the last minute are read from the outbox instead and left out of the query, so figures do not lag.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from shared.core.clock import Clock, instant, parse_instant
from shared.core.money import rounded
from shared.core.values import dataclass
from shared.orders.figure_models import Range
from shared.orders.forecast import Day, forecast
from shared.orders.rules import Status
from shared.orders.warehouse import ORDER_DAYS, ORDERS
from shared.ports.documents import Query
from shared.ports.store import Store
from shared.ports.warehouse import Warehouse
from shared.warehousing.outbox import OUTBOX

__all__ = ["Counted", "Days", "OrderFigures"]

Data = dict[str, Any]

_MOST_WAITING = 2_000
_HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Counted:
    """Orders of one region, day, status and currency: how many, their units, value, and time until fulfilled."""

    region: str
    day: date
    status: str
    currency: str
    orders: int
    units: int
    cents: int
    late: int
    waited: int


Days = Sequence[Counted]


@dataclass(frozen=True)
class OrderFigures:
    """The figures of one merchant's transfer orders."""

    store: Store
    warehouse: Warehouse
    clock: Clock
    currency: str
    sla_hours: float

    def counted(self, wanted: Range) -> tuple[Days, datetime | None]:
        """Return the counts, and the time of the last change in them."""
        newer = self._waiting()
        late_before = self.clock.now() - timedelta(hours=self.sla_hours)
        start, end = wanted.bounds
        given = {
            "from_time": start,
            "to_time": end,
            "late_before": late_before,
            "regions": wanted.regions,
            "categories": wanted.categories,
            "any_region": wanted.regions is None,
            "any_category": wanted.categories is None,
            "newer": list(newer),
        }
        rows = self.warehouse.query(ORDER_DAYS, given).rows
        fresh = [row for row in newer.values() if wanted.holds(row)]
        latest = [row["latest"] for row in rows] + [parse_instant(row["updated_at"]) for row in fresh]
        days = [_of_query(row) for row in rows] + [_of_order(row, late_before) for row in fresh]
        return days, max(latest, default=None)

    def summary(self, wanted: Range) -> Data:
        """Count orders by status."""
        days, _ = self.counted(wanted)
        counts = {status.value: sum(one.orders for one in days if one.status == status.value) for status in Status}
        return {
            "status_counts": counts,
            "expired_sla_count": sum(one.late for one in days),
            "total_orders": sum(counts.values()),
            "total_units": sum(one.units for one in days),
            "summary_period": _period(wanted),
        }

    def timeline(self, days: Days) -> list[Data]:
        """Return the mean hours from making to fulfilment by region and day of making."""
        grouped: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0])
        for one in days:
            if one.status == Status.FULFILLED.value:
                found = grouped[one.region, one.day]
                found[0] += one.orders
                found[1] += one.waited
        return [
            {
                "region": region,
                "date": day.isoformat(),
                "avg_fulfillment_hours": _hours(waited, orders),
                "order_count": orders,
            }
            for (region, day), (orders, waited) in sorted(grouped.items())
        ]

    def by_region(self, days: Days) -> list[Data]:
        """Return how each destination region's orders stand."""
        return [_region(region, [one for one in days if one.region == region]) for region in _regions(days)]

    def distribution(self, days: Days) -> list[Data]:
        """Return how many orders are in each state, and what those in the default currency are worth."""
        total = sum(one.orders for one in days)
        return [
            {
                "status": status.value,
                "count": (count := sum(one.orders for one in days if one.status == status.value)),
                "percentage": _share(count, total, 1),
                "total_value": self._cents(one for one in days if one.status == status.value) / 100,
                "currency": self.currency,
            }
            for status in Status
        ]

    def demand(self, days: Days, forward: int) -> list[Data]:
        """Return the days with orders, and what the coming days are likely to ask for."""
        history = []
        for day in sorted({one.day for one in days}):
            own = [one for one in days if one.day == day]
            orders, units = sum(one.orders for one in own), sum(one.units for one in own)
            history.append(Day(day, orders, units, self._cents(own)))
        told = forecast(history, self.clock.now().date(), forward)
        return [_demand(day, is_forecast=False) for day in history] + [_demand(day, is_forecast=True) for day in told]

    def sums(self, days: Days, statuses: Sequence[Status] | None) -> Data:
        """Return what the orders in some states come to: the figures that the rows behind them make."""
        own = [one for one in days if statuses is None or one.status in {each.value for each in statuses}]
        done = [one for one in own if one.status == Status.FULFILLED.value]
        fulfilled = sum(one.orders for one in done)
        return {
            "order_count": sum(one.orders for one in own),
            "total_units": sum(one.units for one in own),
            "total_value": self._cents(own) / 100,
            "currency": self.currency,
            "avg_fulfillment_hours": _hours(sum(one.waited for one in done), fulfilled) if fulfilled else None,
        }

    def today(self) -> date:
        """Return the present UTC day."""
        return self.clock.now().date()

    def _cents(self, days: Iterable[Counted]) -> int:
        return sum(one.cents for one in days if one.currency == self.currency)

    def _waiting(self) -> dict[str, Data]:
        """Return the newest row of every order that waits for the warehouse; nothing when more wait than are read."""
        query = Query(OUTBOX, (("table", ORDERS.name),), order_by="made_at", limit=_MOST_WAITING)
        found = self.store.query(query)
        if len(found) == _MOST_WAITING:
            return {}
        rows = [row for stored in found for row in stored.data["rows"]]
        return {row["id"]: row for row in sorted(rows, key=lambda row: str(row["updated_at"]))}


def _of_query(row: Mapping[str, Any]) -> Counted:
    return Counted(**{name: value for name, value in row.items() if name != "latest"})


def _of_order(row: Mapping[str, Any], late_before: datetime) -> Counted:
    """Count one order."""
    created = parse_instant(row["created_at"])
    fulfilled = row["fulfilled_at"]
    waited = 0 if fulfilled is None else (parse_instant(fulfilled) - created) // timedelta(microseconds=1)
    late = row["status"] == Status.PENDING_REVIEW.value and row["created_at"] < instant(late_before)
    cents = 0 if row["total_value"] is None else int(Decimal(row["total_value"]) * 100)
    where = (row["to_store_region"], created.date(), row["status"], row["currency"])
    return Counted(*where, 1, row["quantity"], cents, int(late), waited)


def _region(region: str, days: Days) -> Data:
    counts = {status: sum(one.orders for one in days if one.status == status.value) for status in Status}
    total, fulfilled = sum(counts.values()), counts[Status.FULFILLED]
    waited = sum(one.waited for one in days if one.status == Status.FULFILLED.value)
    return {
        "region": region,
        "total_orders": total,
        "fulfilled_orders": fulfilled,
        "pending_orders": counts[Status.PENDING_REVIEW],
        "approved_orders": counts[Status.APPROVED],
        "cancelled_orders": counts[Status.CANCELLED],
        "avg_fulfillment_hours": _hours(waited, fulfilled) if fulfilled else None,
        "fulfillment_rate": _share(fulfilled, total, 2),
    }


def _demand(day: Day, *, is_forecast: bool) -> Data:
    return {
        "date": day.day.isoformat(),
        "order_count": day.orders,
        "total_units": day.units,
        "total_value": day.cents / 100,
        "avg_order_size": float(rounded(Decimal(day.units) / day.orders)),
        "is_forecast": is_forecast,
    }


def _regions(days: Days) -> list[str]:
    return sorted({one.region for one in days})


def _hours(waited: int, orders: int) -> float:
    return float(rounded(Decimal(waited) / (orders * _HOUR_US)))


def _share(part: int, total: int, places: int) -> float:
    """Return a percentage, rounded half up; 0 of nothing."""
    if not total:
        return 0.0
    return float((Decimal(part * 100) / total).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))


def _period(wanted: Range) -> str:
    if wanted.first and wanted.last:
        return f"From {wanted.first} to {wanted.last}"
    if wanted.first:
        return f"From {wanted.first}"
    return f"Until {wanted.last}" if wanted.last else "All time"
