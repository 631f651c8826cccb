"""The rows behind reports: in pages, and to the cent what the report says, in any zone, period and filter."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.core.clock import ManualClock
from tests.http.trade.shop import Shop

START = datetime(2024, 2, 27, tzinfo=UTC)
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Europe/London")
PATH = "/api/v1/sales/report/lines"
NAMES = {"products": "product_ids", "categories": "category_ids"}


@pytest.fixture(name="shop", scope="module")
def _shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that sold and took back at random times around a month's end and a change of clocks."""
    shop, rng = Shop(tmp_path_factory.mktemp("lines"), ManualClock(START)), Random(7)
    goods = [shop.a_product("Cup", stock=900, category="Kitchen"), shop.a_product("Pen", stock=900, sale_price="1.10")]
    goods.append(shop.a_product("Pan", stock=900, category="Kitchen", sale_price="19.99"))
    goods.append(shop.a_product("Dollar", stock=900, currency="USD", sale_price="3.00"))
    north = shop.a_store("North")
    for product_id in goods:
        shop.put(product_id, 900, north)
    for _ in range(40):
        shop.clock.advance(rng.randrange(60, 3600 * 25))
        basket = [(product_id, rng.randrange(1, 4)) for product_id in rng.sample(goods, rng.randrange(1, 4))]
        sale = shop.buy(*basket, store_id=rng.choice([shop.main, north])).json
        if rng.random() < 0.3:
            back = {"items": [{"product_id": sale["items"][0]["product_id"], "quantity": 1}]}
            assert shop.operator.post(f"/api/v1/sales/{sale['id']}/returns", back).status == 201
    shop.drain()
    return shop


def walked(shop: Shop, limit: int, **query: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return all lines, read in pages, and the last page; the sums are the same on each."""
    lines: list[dict[str, Any]] = []
    told = shop.viewer.get(PATH, limit=limit, **query)
    assert told.status == 200, told.body
    sums = {name: each for name, each in told.json.items() if name not in {"items", "next_cursor"}}
    while True:
        lines += told.json["items"]
        assert {name: told.json[name] for name in sums} == sums
        if told.json["next_cursor"] is None:
            return lines, told.json
        told = shop.viewer.get(PATH, limit=limit, cursor=told.json["next_cursor"], **query)


def check(lines: list[dict[str, Any]], told: dict[str, Any]) -> tuple[Decimal, int, int]:
    """Show that lines are in order, each once, and make the sums beside them; return the figures."""
    assert lines == sorted(lines, key=lambda line: (line["created_at"], line["id"]))
    assert len({line["id"] for line in lines}) == len(lines) == told["total"]
    for line in lines:
        assert Decimal(str(line["line_total"])) == Decimal(str(line["unit_price"])) * line["quantity"]
    revenue = sum((Decimal(str(line["line_total"])) for line in lines), Decimal(0))
    figures = (
        revenue,
        sum(line["quantity"] for line in lines),
        len({x["sale_id"] for x in lines if x["kind"] == "sale"}),
    )
    assert figures == (Decimal(str(told["total_revenue"])), told["total_quantity"], told["sale_count"])
    return figures


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_lines_of_every_period_make_its_figures(shop: Shop, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, 40))
    days = [START.date() + timedelta(days=first), START.date() + timedelta(days=first + data.draw(st.integers(0, 20)))]
    query: dict[str, Any] = {
        "start": days[0].isoformat(),
        "end": days[1].isoformat(),
        "timezone": data.draw(st.sampled_from(ZONES)),
        "bucket": data.draw(st.sampled_from(["none", "daily", "weekly", "monthly", "yearly"])),
        "currency": data.draw(st.sampled_from(["EUR", "USD"])),
    }
    if data.draw(st.booleans()):
        query["store_id"] = shop.main
    report = shop.viewer.get("/api/v1/sales/report", **query).json

    whole = check(*walked(shop, 7, **query))

    assert whole == (Decimal(str(report["total_revenue"])), report["total_quantity"], report["sale_count"])
    for bucket in data.draw(st.lists(st.sampled_from(report["buckets"]), max_size=2)):
        figures = check(*walked(shop, 50, period=bucket["period"], **query))
        assert figures == (Decimal(str(bucket["revenue"])), bucket["quantity"], bucket["count"])


def test_the_lines_of_every_product_and_category_make_theirs(shop: Shop) -> None:
    query: dict[str, Any] = {"start": "2024-02-01", "end": "2024-06-01"}
    (only,) = shop.viewer.get("/api/v1/sales/report", **query).json["buckets"]

    for kind in ("products", "categories"):
        for key, revenue in only[f"revenue_by_{kind}"].items():
            name = key.partition(",")[0]
            said = {NAMES[kind]: name} if name else {"uncategorized": True}
            figures = check(*walked(shop, 5, **query, **said))
            assert figures[:2] == (Decimal(str(revenue)), only[f"quantity_by_{kind}"][key])


def test_a_period_the_report_has_not_is_refused(shop: Shop) -> None:
    query: dict[str, Any] = {"start": "2024-03-01", "end": "2024-03-31", "bucket": "monthly"}

    assert shop.viewer.get(PATH, **query, period="2024-04").codes == [("query:period", "unknown_period")]
    assert shop.viewer.get(PATH, **query, sort="-created_at").codes == [("query:sort", "not_allowed")]
    assert shop.viewer.get(PATH, **query, skip=5).codes == [("query:skip", "not_allowed")]
    both = shop.viewer.get(PATH, **query, category_ids="cat_a", uncategorized=True)
    assert both.codes == [("query:uncategorized", "conflicting_parameters")]


def test_a_cursor_of_other_lines_is_refused(shop: Shop) -> None:
    query: dict[str, Any] = {"start": "2024-02-01", "end": "2024-06-01", "limit": 2}
    cursor = shop.viewer.get(PATH, **query).json["next_cursor"]

    refused = shop.viewer.get(PATH, **query, cursor=cursor, currency="USD")

    assert (refused.status, refused.codes) == (400, [("query:cursor", "bad_cursor")])


def test_nothing_sold_is_an_empty_page_of_zeros(tmp_path: Path) -> None:
    told = Shop(tmp_path).viewer.get(PATH, start="2024-01-01", end="2024-01-02").json

    assert told["items"] == []
    assert (told["total"], told["total_revenue"], told["total_quantity"], told["sale_count"]) == (0, 0.0, 0, 0)
