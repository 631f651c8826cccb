"""Sales reports over HTTP: figures, bounds, shapes, filters and freshness."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.core.clock import ManualClock
from tests.http.trade.shop import Shop

START = datetime(2023, 1, 1, tzinfo=UTC)


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Shop:
    """A shop that sold cups (2.50, Kitchen) and pens (1.10, no category) on four days around a month's end."""
    shop = Shop(tmp_path, ManualClock(START))
    cup = shop.a_product("Cup", stock=100, category="Kitchen")
    pen = shop.a_product("Pen", stock=100, sale_price="1.10")
    for day, basket in ((3, [(cup, 1)]), (4, [(cup, 2), (pen, 3)]), (12, [(pen, 1)]), (40, [(cup, 5)])):
        shop.clock._now = START + timedelta(days=day - 1, hours=12)
        assert shop.buy(*basket).status == 201
    shop.clock._now = datetime(2023, 3, 1, tzinfo=UTC)
    shop.drain()
    return shop


def report(shop: Shop, **query: Any) -> Any:
    """Return a report."""
    answer = shop.viewer.get("/api/v1/sales/report", **query)
    assert answer.status == 200, answer.body
    return answer.json


def figures(entry: dict[str, Any]) -> tuple[str, float, int, int]:
    """Return the figures of one period."""
    return entry["period"], entry["revenue"], entry["quantity"], entry["count"]


def test_weeks_are_whole_but_count_only_sales_inside_the_range(shop: Shop) -> None:
    told = report(shop, start="2023-01-04", end="2023-01-12", bucket="weekly")

    assert list(told) == [
        "currency",
        "timezone",
        "start",
        "end",
        "total_revenue",
        "total_quantity",
        "sale_count",
        "buckets",
        "excluded_currencies",
        "as_of",
        "sales",
    ]
    assert [figures(one) for one in told["buckets"]] == [
        ("2023-01-02 to 2023-01-08", 8.3, 5, 1),
        ("2023-01-09 to 2023-01-15", 1.1, 1, 1),
    ]
    assert (told["start"], told["end"]) == ("2023-01-04T00:00:00+00:00", "2023-01-12T23:59:59.999999+00:00")
    assert told["buckets"][0]["start_time"] == "2023-01-02T00:00:00+00:00"
    assert told["buckets"][0]["end_time"] == "2023-01-08T23:59:59.999999+00:00"
    assert (told["total_revenue"], told["total_quantity"], told["sale_count"]) == (9.4, 6, 2)
    assert told["as_of"] == "2023-01-12T12:00:00Z"


def test_products_and_categories_are_keyed_by_id_and_name(shop: Shop) -> None:
    (only,) = report(shop, start="2023-01-01", end="2023-02-28")["buckets"]

    assert {key.partition(",")[2]: each for key, each in only["revenue_by_products"].items()} == {
        "Cup": 20.0,
        "Pen": 4.4,
    }
    assert {key.partition(",")[2]: each for key, each in only["quantity_by_products"].items()} == {"Cup": 8, "Pen": 4}
    assert only["revenue_by_categories"][",Uncategorized"] == 4.4
    assert sorted(only["quantity_by_categories"].values()) == [4, 8]
    assert figures(only) == ("all", 24.4, 12, 4)


def test_empty_periods_are_there_with_zeros(shop: Shop) -> None:
    told = report(shop, start="2023-01-12", end="2023-01-14", bucket="daily")["buckets"]

    assert [figures(one) for one in told] == [
        ("2023-01-12", 1.1, 1, 1),
        ("2023-01-13", 0.0, 0, 0),
        ("2023-01-14", 0.0, 0, 0),
    ]
    assert told[1]["revenue_by_products"] == {}


@pytest.mark.parametrize("bucket", ["none", "daily", "weekly", "monthly", "yearly"])
@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
def test_buckets_add_up_to_the_totals_in_any_zone(shop: Shop, bucket: str, zone: str) -> None:
    told = report(shop, start="2023-01-01", end="2023-02-28", bucket=bucket, timezone=zone)
    counted = told["buckets"]

    assert (
        Decimal(str(told["total_revenue"])) == sum(Decimal(str(one["revenue"])) for one in counted) == Decimal("24.4")
    )
    assert told["total_quantity"] == sum(one["quantity"] for one in counted) == 12
    assert told["sale_count"] == sum(one["count"] for one in counted) == 4
    for one in counted:
        for kind in ("products", "categories"):
            assert sum(one[f"quantity_by_{kind}"].values()) == one["quantity"]
            assert sum(Decimal(str(x)) for x in one[f"revenue_by_{kind}"].values()) == Decimal(str(one["revenue"]))


def test_the_zone_decides_the_day(shop: Shop) -> None:
    """Noon in UTC is the next day in Apia (+13)."""
    told = report(shop, start="2023-01-13", end="2023-01-13", bucket="daily", timezone="Pacific/Apia")

    assert [figures(one) for one in told["buckets"]] == [("2023-01-13", 1.1, 1, 1)]
    assert told["start"] == "2023-01-13T00:00:00+13:00"


def test_filters_count_their_lines_and_the_sales_that_have_one(shop: Shop) -> None:
    keys = report(shop, start="2023-01-01", end="2023-02-28")["buckets"][0]["revenue_by_products"]
    cup, pen = (key.partition(",")[0] for key in sorted(keys, key=lambda key: key.partition(",")[2]))

    by_product = report(shop, start="2023-01-01", end="2023-02-28", product_ids=f"{cup},{pen}", bucket="monthly")
    only_pen = report(shop, start="2023-01-01", end="2023-02-28", product_ids=pen)
    elsewhere = report(shop, start="2023-01-01", end="2023-02-28", store_id="sto_none")

    assert [figures(one) for one in by_product["buckets"]] == [("2023-01", 11.9, 7, 3), ("2023-02", 12.5, 5, 1)]
    assert (only_pen["total_revenue"], only_pen["sale_count"]) == (4.4, 2)
    assert (elsewhere["total_revenue"], elsewhere["as_of"]) == (0.0, None)


def test_other_currencies_are_left_out_and_counted(shop: Shop) -> None:
    dollar = shop.a_product("Dollar", stock=5, currency="USD", sale_price="3.00")
    shop.buy((dollar, 2))
    shop.drain()

    euros = report(shop, start="2023-01-01", end="2023-12-31")
    dollars = report(shop, start="2023-01-01", end="2023-12-31", currency="USD")

    assert euros["excluded_currencies"] == [{"currency": "USD", "lines": 1}]
    assert (dollars["total_revenue"], dollars["currency"]) == (6.0, "USD")
    assert dollars["excluded_currencies"] == [{"currency": "EUR", "lines": 5}]


def test_the_map_shape_is_keyed_by_bounds(shop: Shop) -> None:
    told = report(shop, start="2023-01-04", end="2023-02-12", bucket="monthly", shape="map", timezone="Europe/Berlin")
    alone = report(shop, start="2023-01-04", end="2023-02-12", shape="map")

    assert list(told) == [
        "2023-01-01T00:00:00+01:00,2023-01-31T23:59:59.999999+01:00",
        "2023-02-01T00:00:00+01:00,2023-02-28T23:59:59.999999+01:00",
    ]
    assert list(alone) == [
        "sales",
        "total_revenue",
        "revenue_by_categories",
        "quantity_by_categories",
        "revenue_by_products",
        "quantity_by_products",
    ]
    assert (alone["total_revenue"], alone["sales"]) == (21.9, [])


def test_lines_come_on_request_each_in_its_period(shop: Shop) -> None:
    shape = report(shop, start="2023-01-01", end="2023-02-28", bucket="monthly", shape="map", include_sales_items=True)
    january, february = shape.values()

    assert [(one["product_name"], one["quantity"], one["revenue"]) for one in january["sales"]] == [
        ("Cup", 1, 2.5),
        ("Cup", 2, 5.0),
        ("Pen", 3, 3.3),
        ("Pen", 1, 1.1),
    ]
    assert list(february["sales"][0]) == [
        "id",
        "user_id",
        "created_at",
        "product_id",
        "product_name",
        "description",
        "category_id",
        "category_name",
        "category_slug",
        "price_per_unit",
        "quantity",
        "revenue",
    ]
    assert (february["sales"][0]["category_slug"], february["sales"][0]["created_at"]) == (
        "kitchen",
        "2023-02-09T12:00:00Z",
    )


def test_a_report_says_how_fresh_it_is_and_repeats_its_tag(shop: Shop) -> None:
    first = shop.viewer.get("/api/v1/sales/report", start="2023-01-01", end="2023-12-31")
    again = shop.viewer.get(
        "/api/v1/sales/report", start="2023-01-01", end="2023-12-31", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert first.headers["X-Data-As-Of"] == "2023-02-09T12:00:00.000000Z"
    assert again.status == 304


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ({"end": "2023-01-01"}, "query:start", "missing"),
        ({"start": "2023-01-02", "end": "2023-01-01"}, "query:end", "end_before_start"),
        ({"start": "2023-01-01", "end": "2033-02-28", "bucket": "daily"}, "query:bucket", "range_too_large"),
        ({"start": "2023-01-01T00:00:00", "end": "2023-01-02"}, "query:start", "naive_time"),
        ({"start": "yesterday", "end": "2023-01-02"}, "query:start", "invalid_time"),
        ({"start": "2023-02-30", "end": "2023-03-02"}, "query:start", "invalid_time"),
        ({"start": "0001-01-01", "end": "2023-03-02"}, "query:start", "out_of_range"),
        ({"start": "2023-01-01", "end": "2023-01-02", "timezone": "Mars/Base"}, "query:timezone", "unknown_time_zone"),
        ({"start": "2023-01-01", "end": "2023-01-02", "bucket": "hourly"}, "query:bucket", "not_allowed"),
        (
            {"start": "2023-01-01", "end": "2023-01-02", "product_ids": "a", "category_ids": "b"},
            "query:category_ids",
            "conflicting_parameters",
        ),
        ({"start": "2023-01-01", "end": "2023-01-02", "color": "red"}, "query:color", "unknown_parameter"),
    ],
)
def test_what_cannot_be_reported_is_422(shop: Shop, query: dict[str, Any], pointer: str, code: str) -> None:
    answer = shop.viewer.get("/api/v1/sales/report", **query)

    assert (answer.status, answer.codes) == (422, [(pointer, code)])
