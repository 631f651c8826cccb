"""Figures of transfer orders over HTTP: counted by the warehouse and, for the newest, beside it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.http.trade.shop import Shop

BASE = "/api/v1/transfer-orders"


class World:
    """Orders of two days into two regions: three fulfilled, one approved, one cancelled, two waiting."""

    def __init__(self, folder: Path) -> None:
        """Make them."""
        self.shop = shop = Shop(folder)
        self.north, self.south = shop.a_store("North", "North"), shop.a_store("South", "South")
        self.cup = shop.a_product("Cup", stock=500, category="Kitchen")
        self.dollar = shop.a_product("Dollar", stock=500, currency="USD", sale_price="10.00")
        first = [self.make(self.north, 10), self.make(self.north, 20), self.make(self.south, 5)]
        for order in first:
            self.act(order, "approve")
        shop.clock.advance(7200)
        self.act(first[0], "fulfill")
        shop.clock.advance(3600)
        self.act(first[1], "fulfill")
        shop.clock.advance(24 * 3600)
        late = self.make(self.north, 1, self.dollar)
        self.act(late, "approve")
        shop.clock.advance(900)
        self.act(late, "fulfill")
        self.act(self.make(self.south, 2), "cancel", reason="no")
        self.make(self.south, 3)
        self.make(self.south, 4)

    def make(self, store_id: str, quantity: int, product_id: str | None = None) -> str:
        """Make an order out of the main store; return its id."""
        body = {
            "from_store_id": self.shop.main,
            "to_store_id": store_id,
            "product_id": product_id or self.cup,
            "quantity": quantity,
        }
        made: str = self.shop.operator.post(BASE, body).json["id"]
        return made

    def act(self, order_id: str, action: str, **body: Any) -> None:
        """Take an order further."""
        assert self.shop.manager.post(f"{BASE}/{order_id}/{action}", body).status == 200

    def get(self, path: str, **query: Any) -> Any:
        """Read a figure."""
        answer = self.shop.viewer.get(f"{BASE}/{path}", **query)
        assert answer.status == 200, answer.body
        return answer.json


@pytest.fixture(name="world", params=["waiting", "loaded"])
def _world(tmp_path: Path, request: pytest.FixtureRequest) -> World:
    """Figures are the same whether rows wait for the warehouse or lie in it."""
    world = World(tmp_path)
    if request.param == "loaded":
        world.shop.drain()
        assert world.shop.count("warehouse_outbox") == 0
    return world


def test_the_summary_counts_by_status(world: World) -> None:
    assert world.get("summary") == {
        "status_counts": {"pending_review": 2, "approved": 1, "fulfilled": 3, "cancelled": 1},
        "expired_sla_count": 0,
        "total_orders": 7,
        "total_units": 45,
        "summary_period": "All time",
    }
    only = world.get("summary", region="South", category="Kitchen", date_from="2026-01-16", date_to="2026-01-16")
    assert (only["total_orders"], only["total_units"]) == (3, 9)
    assert only["summary_period"] == "From 2026-01-16 to 2026-01-16"
    assert world.get("summary", date_from="2026-01-16")["summary_period"] == "From 2026-01-16"
    assert world.get("summary", date_to="2026-01-15")["summary_period"] == "Until 2026-01-15"
    assert world.get("summary", region="all")["total_orders"] == 7


def test_the_timeline_means_hours_by_region_and_day_of_making(world: World) -> None:
    assert world.get("analytics/fulfillment-timeline") == [
        {"region": "North", "date": "2026-01-15", "avg_fulfillment_hours": 2.5, "order_count": 2},
        {"region": "North", "date": "2026-01-16", "avg_fulfillment_hours": 0.25, "order_count": 1},
    ]
    assert world.get("analytics/fulfillment-timeline", days=1)[0]["date"] == "2026-01-16"
    assert world.get("analytics/fulfillment-timeline", region="South") == []


def test_regions_are_compared(world: World) -> None:
    assert world.get("analytics/regional-performance") == [
        {
            "region": "North",
            "total_orders": 3,
            "fulfilled_orders": 3,
            "pending_orders": 0,
            "approved_orders": 0,
            "cancelled_orders": 0,
            "avg_fulfillment_hours": 1.75,
            "fulfillment_rate": 100.0,
        },
        {
            "region": "South",
            "total_orders": 4,
            "fulfilled_orders": 0,
            "pending_orders": 2,
            "approved_orders": 1,
            "cancelled_orders": 1,
            "avg_fulfillment_hours": None,
            "fulfillment_rate": 0.0,
        },
    ]


def test_the_distribution_names_all_states_and_values_the_default_currency(world: World) -> None:
    assert world.get("analytics/status-distribution") == [
        {"status": "pending_review", "count": 2, "percentage": 28.6, "total_value": 17.5, "currency": "EUR"},
        {"status": "approved", "count": 1, "percentage": 14.3, "total_value": 12.5, "currency": "EUR"},
        {"status": "fulfilled", "count": 3, "percentage": 42.9, "total_value": 75.0, "currency": "EUR"},
        {"status": "cancelled", "count": 1, "percentage": 14.3, "total_value": 5.0, "currency": "EUR"},
    ]
    empty = world.get("analytics/status-distribution", date_from="2020-01-01", date_to="2020-01-02")
    assert [(one["count"], one["percentage"]) for one in empty] == [(0, 0.0)] * 4


def test_the_demand_forecast_begins_with_the_days_that_had_orders(world: World) -> None:
    assert world.get("analytics/demand-forecast") == [
        {
            "date": "2026-01-15",
            "order_count": 3,
            "total_units": 35,
            "total_value": 87.5,
            "avg_order_size": 11.67,
            "is_forecast": False,
        },
        {
            "date": "2026-01-16",
            "order_count": 4,
            "total_units": 10,
            "total_value": 22.5,
            "avg_order_size": 2.5,
            "is_forecast": False,
        },
    ]
    assert world.get("analytics/demand-forecast", region="nowhere") == []


def test_figures_say_how_fresh_they_are(world: World) -> None:
    answer = world.shop.viewer.get(f"{BASE}/analytics/status-distribution")
    again = world.shop.viewer.get(
        f"{BASE}/analytics/status-distribution", headers={"If-None-Match": answer.headers["ETag"]}
    )

    assert answer.headers["X-Data-As-Of"] == "2026-01-16T13:45:00.000000Z"
    assert again.status == 304


@pytest.mark.parametrize(
    ("path", "query", "pointer"),
    [
        ("summary", {"date_from": "2026-02-02", "date_to": "2026-02-01"}, "query:date_to"),
        ("summary", {"date_from": "soon"}, "query:date_from"),
        ("analytics/fulfillment-timeline", {"days": 366}, "query:days"),
        ("analytics/demand-forecast", {"days_back": 6}, "query:days_back"),
        ("analytics/demand-forecast", {"days_forward": 91}, "query:days_forward"),
    ],
)
def test_bad_ranges_are_422(tmp_path: Path, path: str, query: dict[str, Any], pointer: str) -> None:
    answer = Shop(tmp_path).viewer.get(f"{BASE}/{path}", **query)

    assert (answer.status, answer.codes[0][0]) == (422, pointer)


def behind(world: World, **query: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the orders behind figures, read two at a time, and the sums beside them."""
    told = world.get("analytics/orders", limit=2, **query)
    sums = {name: each for name, each in told.items() if name not in {"items", "next_cursor"}}
    rows = list(told["items"])
    while told["next_cursor"]:
        told = world.get("analytics/orders", limit=2, cursor=told["next_cursor"], **query)
        assert {name: told[name] for name in sums} == sums
        rows += told["items"]
    worth = sum((Decimal(str(one["total_value"])) for one in rows if one["currency"] == sums["currency"]), Decimal(0))
    assert len({one["id"] for one in rows}) == len(rows) == sums["order_count"]
    assert sum(one["quantity"] for one in rows) == sums["total_units"]
    assert worth == Decimal(str(sums["total_value"]))
    return rows, sums


def test_the_orders_behind_every_figure_make_it(world: World) -> None:
    for counts in (world.get("summary"), world.get("summary", region="South", category="Kitchen")):
        same = {} if counts["total_orders"] == 7 else {"region": "South", "category": "Kitchen"}
        assert behind(world, **same)[1]["total_units"] == counts["total_units"]
        for status, count in counts["status_counts"].items():
            rows, _ = behind(world, status=status, **same)
            assert [one["status"] for one in rows] == [status] * count
    for row in world.get("analytics/status-distribution", days=30):
        _, sums = behind(world, status=row["status"], days=30)
        assert (sums["order_count"], sums["total_value"], sums["currency"]) == (
            row["count"],
            row["total_value"],
            row["currency"],
        )
    for row in world.get("analytics/regional-performance", days=2):
        _, sums = behind(world, region=row["region"], days=2)
        assert (sums["order_count"], sums["avg_fulfillment_hours"]) == (
            row["total_orders"],
            row["avg_fulfillment_hours"],
        )
    for row in world.get("analytics/fulfillment-timeline"):
        day = {"date_from": row["date"], "date_to": row["date"]}
        _, sums = behind(world, region=row["region"], status="fulfilled", **day)
        assert (sums["order_count"], sums["avg_fulfillment_hours"]) == (
            row["order_count"],
            row["avg_fulfillment_hours"],
        )
    for row in world.get("analytics/demand-forecast"):
        if not row["is_forecast"]:
            _, sums = behind(world, date_from=row["date"], date_to=row["date"])
            assert (sums["order_count"], sums["total_units"], sums["total_value"]) == (
                row["order_count"],
                row["total_units"],
                row["total_value"],
            )
