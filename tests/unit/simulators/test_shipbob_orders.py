"""ShipBob's order list as sources.md 1.2 to 1.5 describes it."""

from datetime import timedelta
from typing import Any

import pytest

from local.simulators import Options, ShipBob
from local.simulators.datasets import ANCHOR
from shared.core.clock import ManualClock
from tests.unit.simulators.client import call, shipbob_orders

ORDER = "/2026-07/order"


def ids(rows: list[dict[str, Any]]) -> list[int]:
    """Return the ids of order records."""
    return [row["id"] for row in rows]


@pytest.mark.parametrize("version", ["2025-07", "2026-01", "2026-07"])
def test_the_dated_versions_answer_with_a_bare_array(shipbob: ShipBob, version: str) -> None:
    got = call(shipbob, f"/{version}/order")

    assert (got.status, len(got.json)) == (200, 50)


@pytest.mark.parametrize(
    "path", ["/1.0/order", "/2.0/order", "/order", "/", "/2026-07/nothing", "/2026-07/order/1/2/3"]
)
def test_other_versions_and_routes_are_not_found(shipbob: ShipBob, path: str) -> None:
    assert call(shipbob, path).status == 404


@pytest.mark.parametrize("token", ["", "wrong", "demo-stord-token"])
def test_a_missing_or_wrong_token_is_refused(shipbob: ShipBob, token: str) -> None:
    assert call(shipbob, ORDER, token=token).status == 401


def test_a_missing_scope_is_forbidden(shipbob: ShipBob) -> None:
    shipbob.switch(scopes="inventory_read,channels_read")

    assert call(shipbob, ORDER).status == 403
    assert call(shipbob, "/2026-07/channel").status == 200


def test_pages_cover_every_order_once(shipbob: ShipBob) -> None:
    found = ids(shipbob_orders(shipbob))

    assert len(found) == 600
    assert found == [order.id for order in shipbob.world.orders]


@pytest.mark.parametrize(("limit", "status"), [(1, 200), (250, 200), (0, 400), (251, 400), ("many", 400)])
def test_the_limit_lies_between_1_and_250(shipbob: ShipBob, limit: object, status: int) -> None:
    got = call(shipbob, ORDER, {"Limit": limit})

    assert got.status == status
    assert status == 200 or got.json == {"Limit": ["must be between 1 and 250"]}


def test_everything_wrong_with_the_filters_is_told_by_field(shipbob: ShipBob) -> None:
    got = call(shipbob, ORDER, {"StartDate": "soon", "HasTracking": "maybe", "SortOrder": "Upwards"})

    assert (got.status, sorted(got.json)) == (400, ["HasTracking", "SortOrder", "StartDate"])


def test_five_headers_tell_where_to_go_on(shipbob: ShipBob) -> None:
    got = call(shipbob, ORDER, {"Limit": 250, "SortOrder": "Oldest", "Page": 2})

    told = {name: got.headers[name] for name in ("page-number", "page-size", "total-pages", "total-count", "next-page")}
    assert told == {
        "page-number": "2",
        "page-size": "250",
        "total-pages": "3",
        "total-count": "600",
        "next-page": "/order?Limit=250&SortOrder=Oldest&Page=3",
    }
    assert "next-page" not in call(shipbob, ORDER, {"Limit": 250, "Page": 3}).headers


@pytest.mark.parametrize(("paging", "told"), [("next", {"next-page"}), ("none", set())])
def test_headers_may_be_missing(shipbob: ShipBob, paging: str, told: set[str]) -> None:
    shipbob.switch(paging=paging)

    got = call(shipbob, ORDER)

    assert {"page-number", "page-size", "total-pages", "total-count", "next-page"} & set(got.headers) == told
    assert len(shipbob_orders(shipbob)) == 600


@pytest.mark.parametrize(("case", "name"), [("title", "Next-Page"), ("lower", "next-page"), ("upper", "NEXT-PAGE")])
def test_header_names_vary_in_case(shipbob: ShipBob, case: str, name: str) -> None:
    shipbob.switch(header_case=case)

    assert name in call(shipbob, ORDER).names


@pytest.mark.parametrize(
    ("links", "link"),
    [
        ("relative", "/order?Page=2"),
        ("versioned", "/2026-07/order?Page=2"),
        ("absolute", "{origin}/2026-07/order?Page=2"),
        ("foreign", "https://elsewhere.invalid/2026-07/order?Page=2"),
        ("same", "/order?Page=1"),
    ],
)
def test_links_take_every_form_seen(shipbob: ShipBob, links: str, link: str) -> None:
    shipbob.switch(links=links)

    assert call(shipbob, ORDER).headers["next-page"] == link.format(origin=shipbob.origin)


def test_sorting_goes_by_the_time_of_making(shipbob: ShipBob) -> None:
    made = [order.id for order in shipbob.world.orders]

    assert ids(call(shipbob, ORDER, {"SortOrder": "Oldest", "Limit": 5}).json) == made[:5]
    assert ids(call(shipbob, ORDER, {"SortOrder": "Newest", "Limit": 5}).json) == made[:-6:-1]
    assert ids(call(shipbob, ORDER, {"Limit": 5}).json) == made[:-6:-1]
    shipbob.switch(default_sort="oldest")
    assert ids(call(shipbob, ORDER, {"Limit": 5}).json) == made[:5]


def test_windows_on_making_and_on_updates_are_anded(shipbob: ShipBob) -> None:
    low, high = ANCHOR - timedelta(days=20), ANCHOR - timedelta(days=10)
    seen = ANCHOR - timedelta(days=15)
    params = {"StartDate": low.isoformat(), "EndDate": high.isoformat(), "LastUpdateStartDate": seen.isoformat()}

    found = ids(shipbob_orders(shipbob, **params))

    assert found == [o.id for o in shipbob.world.orders if low <= o.created <= high and o.updated >= seen]
    assert 0 < len(found) < len(shipbob_orders(shipbob, StartDate=low.isoformat(), EndDate=high.isoformat()))


def test_windows_of_days_cover_every_order(shipbob: ShipBob) -> None:
    found: list[int] = []
    for day in range(0, 60, 5):
        start, end = ANCHOR - timedelta(days=60 - day), ANCHOR - timedelta(days=55 - day)
        found += ids(shipbob_orders(shipbob, StartDate=start.isoformat(), EndDate=end.strftime("%Y-%m-%dT%H:%M:%SZ")))

    assert sorted(set(found)) == [order.id for order in shipbob.world.orders]


def test_ids_and_references_are_comma_lists(shipbob: ShipBob) -> None:
    first, second = shipbob.world.orders[3:5]

    assert ids(call(shipbob, f"{ORDER}?IDs={second.id},{first.id},77&SortOrder=Oldest").json) == [first.id, second.id]
    assert ids(call(shipbob, ORDER, {"IDs": f"{first.id},{second.id}", "SortOrder": "Oldest"}).json) == [
        first.id,
        second.id,
    ]
    assert ids(call(shipbob, ORDER, {"ReferenceIds": f"web-{first.number}"}).json) == [first.id]


def test_a_switch_makes_escaped_commas_part_of_the_id(shipbob: ShipBob) -> None:
    first, second = shipbob.world.orders[3:5]
    shipbob.switch(escaped_commas="ignored")

    assert len(call(shipbob, f"{ORDER}?IDs={first.id},{second.id}").json) == 2
    assert call(shipbob, f"{ORDER}?IDs={first.id}%2C{second.id}").json == []


def test_has_tracking_means_any_portion_so_false_hides_split_orders(shipbob: ShipBob) -> None:
    split = {order.id for order in shipbob.world.orders if order.status == "PartiallyFulfilled"}

    without, with_ = shipbob_orders(shipbob, HasTracking="false"), shipbob_orders(shipbob, HasTracking="true")

    assert split
    assert split <= set(ids(with_))
    assert not split & set(ids(without))
    assert len(with_) + len(without) == 600


def test_is_tracking_uploaded_means_all_of_it(shipbob: ShipBob) -> None:
    split = {order.id for order in shipbob.world.orders if order.status == "PartiallyFulfilled"}

    assert not split & set(ids(shipbob_orders(shipbob, IsTrackingUploaded="true")))


def test_a_window_on_tracking_holds_only_orders_with_tracking(shipbob: ShipBob) -> None:
    found = shipbob_orders(shipbob, LastTrackingUpdateStartDate="2025-01-01")

    assert found
    assert all(any(shipment["tracking"] for shipment in order["shipments"]) for order in found)


def test_a_status_filter_does_not_exist_and_leaves_a_trace(shipbob: ShipBob) -> None:
    rows = call(shipbob, ORDER, {"StatusIds": "Exception", "Limit": 250}).json

    assert len({row["status"] for row in rows}) > 1
    assert shipbob.journal.entries()[-1]["unknown_parameters"] == ["StatusIds"]


def test_one_order_its_shipments_and_one_shipment(shipbob: ShipBob) -> None:
    order = next(order for order in shipbob.world.orders if len(order.shipments) == 2)
    shipments = call(shipbob, f"{ORDER}/{order.id}/shipment").json

    assert call(shipbob, f"{ORDER}/{order.id}").json["shipments"] == shipments
    assert call(shipbob, f"/2026-07/shipment/{shipments[1]['id']}").json == shipments[1]
    assert call(shipbob, f"{ORDER}/5").status == call(shipbob, "/2026-07/shipment/5").status == 404


def test_the_call_over_the_limit_is_refused_until_the_window_slides(clock: ManualClock) -> None:
    with ShipBob(clock, Options(size=10)) as simulator:
        statuses = []
        for _ in range(150):
            statuses.append(call(simulator, "/2026-07/location").status)
            clock.advance(0.25)
        refused = call(simulator, ORDER)
        clock.advance(22.5)
        allowed = call(simulator, ORDER)

    assert statuses == [200] * 150
    assert (refused.status, refused.headers["x-retry-after"], refused.headers["x-remaining-calls"]) == (
        429,
        "23",
        "0",
    )
    assert refused.json == {"statusCode": 429, "message": "Too many calls, try again in 23 seconds."}
    assert allowed.status == 200


def test_the_remaining_calls_are_always_told(shipbob: ShipBob) -> None:
    shipbob.switch(rate_limit=5)

    assert [call(shipbob, ORDER).headers["x-remaining-calls"] for _ in range(5)] == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(("form", "told"), [("missing", None), ("not_a_number", "soon"), ("long", "3600")])
def test_the_wait_may_be_missing_or_odd(shipbob: ShipBob, form: str, told: str | None) -> None:
    shipbob.switch(rate_limit=1, retry_after=form)
    call(shipbob, ORDER)

    refused = call(shipbob, ORDER)

    assert (refused.status, refused.headers.get("x-retry-after")) == (429, told)
