"""Stord as sources.md 2 describes it, belief by belief."""

from email.utils import parsedate_to_datetime

import pytest

from local.simulators import Options, Stord
from local.simulators.datasets import ANCHOR
from local.simulators.stord.model import channel_id
from shared.core.clock import ManualClock
from tests.unit.simulators.client import ORDERS, call, stord_orders

NETWORK = ORDERS.removesuffix("/orders/sales")


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        (ORDERS, "wrong", 401),
        (ORDERS, "", 401),
        (ORDERS.replace("demo-org", "another-org"), None, 403),
        (ORDERS.replace("demo-network", "another-network"), None, 404),
        (ORDERS.replace("sales", "purchases"), None, 404),
        ("/v2/organizations", None, 404),
        (ORDERS, None, 200),
    ],
)
def test_credentials_organisation_and_network_are_checked(
    stord: Stord, path: str, token: str | None, status: int
) -> None:
    assert call(stord, path, token=token).status == status


def test_the_base_address_ends_with_the_version(stord: Stord) -> None:
    assert stord.base_url == f"{stord.origin}/v1"


def test_a_walk_over_open_orders_sees_each_once(stord: Stord) -> None:
    found = [order["order_id"] for order in stord_orders(stord, "open", limit=30)]

    assert found == [order.id for order in stord.world.orders if order.status == "open"]
    assert len(set(found)) == len(found) > 100


def test_the_cursor_is_stable_under_inserts(stord: Stord) -> None:
    first = call(stord, ORDERS, {"status[]": "open", "limit": 10}).json
    rest_before = [o.id for o in stord.world.orders if o.status == "open"][10:20]
    stord.world.new_order([("TEE-1", 1)], at=stord.world.orders[0].created)

    second = call(stord, ORDERS, {"status[]": "open", "limit": 10, "after": first["metadata"]["after"]}).json

    assert [order["order_id"] for order in second["data"]] == rest_before


@pytest.mark.parametrize("cursor", ["nonsense", "e30", "WzEsMiwzXQ"])
def test_a_bad_cursor_is_refused(stord: Stord, cursor: str) -> None:
    assert call(stord, ORDERS, {"after": cursor}).status == 400


def test_a_limit_above_the_cap_is_cut(stord: Stord) -> None:
    assert len(call(stord, ORDERS, {"limit": 5000}).json["data"]) == 100
    assert call(stord, ORDERS, {"limit": 0}).status == call(stord, ORDERS, {"limit": "x"}).status == 400


def test_statuses_and_channels_are_repeated_parameters(stord: Stord) -> None:
    both = [("status[]", "open"), ("status[]", "shipped"), ("limit", 100)]
    web = [*both, ("channel_id[]", channel_id("web"))]

    assert {order["status"] for order in call(stord, ORDERS, both).json["data"]} == {"open", "shipped"}
    assert {order["channel"] for order in call(stord, ORDERS, web).json["data"]} <= {"web", None}
    assert call(stord, ORDERS, {"status[]": "open,shipped"}).json["data"] == []


def test_search_finds_by_number_or_id(stord: Stord) -> None:
    known, nameless = stord.world.orders[5], next(order for order in stord.world.orders if order.number is None)

    def found(field: str, term: str) -> list[str]:
        return [o["order_id"] for o in call(stord, ORDERS, {"search_field": field, "search_term": term}).json["data"]]

    assert found("order_number", str(known.number)) == found("order_id", known.id) == [known.id]
    assert found("order_id", nameless.id) == [nameless.id]
    assert found("order_number", nameless.id) == found("order_number", "W-0") == []
    assert call(stord, ORDERS, {"search_field": "name", "search_term": "x"}).status == 400


def test_an_unknown_parameter_is_ignored_and_leaves_a_trace(stord: Stord) -> None:
    assert call(stord, ORDERS, {"status": "open", "updated_since": "2026-01-01"}).status == 200
    assert stord.journal.entries()[-1]["unknown_parameters"] == ["status", "updated_since"]


def test_totals_metadata_and_nesting_are_switched(stord: Stord) -> None:
    whole = call(stord, ORDERS).json
    stord.switch(total_count="absent")
    assert sorted(call(stord, ORDERS).json["metadata"]) == ["after"]
    stord.switch(metadata="absent")
    assert sorted(call(stord, ORDERS).json) == ["data"]
    stord.switch(data="nested")
    assert call(stord, ORDERS).json["data"] == [whole["data"]]
    assert whole["metadata"]["total_count"] == 600


def test_values_come_in_every_form(stord: Stord) -> None:
    rows = stord_orders(stord)
    lines = [line for row in rows for line in row["sales_order_lines"]]
    quantities = {type(item["item_quantity"]) for line in lines for item in line["order_line_items"] or ()}

    assert {type(row["customer"]) for row in rows} == {str, dict, type(None)}
    activities = [row["facility_activities"] for row in rows]
    assert {None if found is None else len(found) for found in activities} == {None, 0, 1, 3}
    assert quantities == {str, int}
    assert any(line["order_line_items"] == [] for line in lines) or any(
        line["order_line_items"] is None for line in lines
    )
    assert {"open", "partially_shipped", "shipped", "canceled", "awaiting_carrier"} >= {row["status"] for row in rows}
    assert {"Backordered", "backordered", "pondering"} <= {line["status"] for line in lines}
    assert any(row["order_number"] is None for row in rows)
    assert any({"open", "backordered"} == {line["status"] for line in row["sales_order_lines"]} for row in rows)


@pytest.mark.parametrize("form", ["seconds", "date", "missing", "not_a_number"])
def test_too_many_calls_tell_the_wait_in_every_form(clock: ManualClock, form: str) -> None:
    with Stord(clock, Options(size=5)) as simulator:
        simulator.switch(rate_limit=1, retry_after=form)
        call(simulator, ORDERS)
        clock.advance(20)
        refused = call(simulator, ORDERS)
        clock.advance(40)
        allowed = call(simulator, ORDERS)

    told = refused.headers.get("retry-after")
    assert (refused.status, allowed.status) == (429, 200)
    if form == "date":
        assert told is not None
        assert (parsedate_to_datetime(told) - ANCHOR).total_seconds() == 60
    else:
        assert told == {"seconds": "40", "missing": None, "not_a_number": "soon"}[form]


def test_the_network_report_knows_what_is_backordered(stord: Stord) -> None:
    page = call(stord, f"{NETWORK}/inventory/reports/network", {"limit": 1000}).json
    wanted = {row["sku"]: float(row["network_balances"]["backordered"]) for row in page["data"]}
    held = {row["item"] for row in stord.truth(["open", "partially_shipped"]) if not row["item"].startswith("line-")}

    assert {sku for sku, units in wanted.items() if units} == held


def test_the_facility_report_filters_what_is_out(stord: Stord) -> None:
    path = f"{NETWORK}/inventory/reports/facilities"
    out = call(stord, path, {"limit": 1000, "out_of_stock": "true"}).json["data"]
    in_ = call(stord, path, {"limit": 1000, "out_of_stock": "false"}).json

    assert out
    assert all(row["available"] == "0.00000" and row["inventory_alerts"]["out_of_stock"] for row in out)
    assert in_["metadata"]["after"]
    assert (
        len(call(stord, path, {"limit": 1000, "out_of_stock": "false", "after": in_["metadata"]["after"]}).json["data"])
        > 0
    )


def test_adjustments_are_told_by_time_and_reason(stord: Stord, clock: ManualClock) -> None:
    path = f"{NETWORK}/inventory/adjustments"
    clock.advance(60)
    stord.world.restock("TEE-1", 12)

    new = call(stord, path, {"adjusted_after": "2026-01-15T10:30:30Z"}).json["data"]

    assert [(row["sku"], row["adjustment_quantity"]) for row in new] == [("TEE-1", "12.00000")]
    assert call(stord, path, {"reason_types[]": "theft"}).json["data"] == []
    assert call(stord, path, {"adjusted_after": "lately"}).status == 400
