"""The queue over HTTP: filters, sorts, search, pages, what may be included, and the past."""

import csv
import io
import json
from datetime import timedelta
from urllib.parse import quote

import pytest

from shared.core.clock import instant, parse_instant
from shared.oos.desk_models import SkuRow
from shared.oos.models import ORDER_KEYS, OosLine, OosOrder
from tests.http.oos.conftest import Desk

FEED = {"out_of_stock", "partially_committed"}


def test_the_default_is_the_open_feed_of_both_sources_latest_first(desk: Desk) -> None:
    items = desk.orders("")

    assert {item["source"] for item in items} == {"shipbob", "stord"}
    assert all(item["state"] == "open" and FEED & set(item["reasons"]) for item in items)
    assert [item["opened_at"] for item in items] == sorted((item["opened_at"] for item in items), reverse=True)


def test_orders_and_lines_have_all_keys_of_their_shape(desk: Desk) -> None:
    item = desk.orders("include=history,coverage,promise")[0]

    assert item.keys() == OosOrder.model_fields.keys()
    assert item["lines"][0].keys() == OosLine.model_fields.keys()
    plain = desk.orders("")[0]
    assert OosOrder.model_fields.keys() - plain.keys() == {"episodes", "promise"}
    assert OosLine.model_fields.keys() - plain["lines"][0].keys() == {"coverage"}


@pytest.mark.parametrize(
    ("query", "field"),
    [("source=stord", "source"), ("channel=Web", "channel"), ("order_type=B2B", "order_type"), ("facility=West", "")],
)
def test_a_filter_keeps_exactly_its_orders(desk: Desk, query: str, field: str) -> None:
    wanted = query.partition("=")[2]
    everything = desk.orders("")

    found = {(item["source"], item["order_id"]) for item in desk.orders(query)}

    assert found == {
        (item["source"], item["order_id"])
        for item in everything
        if (item[field] == wanted if field else any(line["facility"] == wanted for line in item["lines"]))
    }
    assert 0 < len(found) < len(everything)


def test_a_sku_is_found_in_any_case(desk: Desk) -> None:
    sku = next(line["sku"] for item in desk.orders("") for line in item["lines"] if line["sku"])

    found = desk.orders(f"sku={sku.lower()}")

    assert found
    assert all(sku in {line["sku"] for line in item["lines"]} for item in found)


def test_reason_all_shows_what_is_held_for_other_reasons(desk: Desk) -> None:
    reasons = {reason for item in desk.orders("reason=all") for reason in item["reasons"]}

    assert reasons > FEED
    assert {reason for item in desk.orders("reason=hold_address") for reason in item["reasons"]} >= {"hold_address"}


def test_search_looks_for_beginnings_of_words(desk: Desk) -> None:
    order = next(item for item in desk.orders("source=shipbob") if item["customer"]["name"])
    word = order["customer"]["name"].split()[0][:3]

    found = desk.orders(f"search={quote(word)}")

    assert order["order_id"] in {item["order_id"] for item in found}
    numbered = desk.orders(f"search={order['order_number']}&source=shipbob")
    assert [item["order_id"] for item in numbered] == [order["order_id"]]
    assert desk.orders("search=zzzzqq") == []


def test_value_sorts_as_money_and_unknown_lowest(desk: Desk) -> None:
    values = [item["value"] for item in desk.orders("sort=-value")]
    known = [value for value in values if value is not None]

    assert known == sorted(known, reverse=True)
    assert values[len(known) :] == [None] * (len(values) - len(known))
    assert [item["value"] for item in desk.orders("sort=value")] == values[::-1]


@pytest.mark.parametrize("query", ["", "state=all", "state=resolved", "sort=value&state=all", "min_age_hours=0.1"])
def test_small_pages_and_offsets_cover_the_list_once(desk: Desk, query: str) -> None:
    whole = [(item["source"], item["order_id"]) for item in desk.orders(query)]
    path = f"/api/v1/oos/orders?limit=17&{query}"
    page = desk.json(path)
    walked = list(page["items"])
    while page["next_cursor"]:
        page = desk.json(f"{path}&cursor={page['next_cursor']}")
        walked += page["items"]
    third = desk.json(f"{path}&page=3")

    assert [(item["source"], item["order_id"]) for item in walked] == whole
    assert third["items"] == walked[34:51]
    assert (third["total"], third["page"], third["total_pages"]) == (len(whole), 3, -(-len(whole) // 17))


def test_the_queue_of_the_past_holds_what_has_left_since(desk: Desk) -> None:
    then = {item["order_id"]: item for item in desk.orders(f"reason=all&{desk.as_of_first()}")}
    now = {item["order_id"] for item in desk.orders("reason=all")}

    assert desk.shipped in then
    assert desk.shipped not in now
    assert then[desk.shipped]["state"] == "open"
    before = desk.json("/api/v1/oos/orders?as_of=2020-01-01T00:00:00Z")
    assert (before["items"], before["snapshots"]) == ([], {})


def test_a_cursor_stays_on_its_snapshot_of_the_past(desk: Desk) -> None:
    path = f"/api/v1/oos/orders?limit=40&{desk.as_of_first()}"
    first = desk.json(path)
    second = desk.json(f"{path}&cursor={first['next_cursor']}")

    assert second["snapshots"] == first["snapshots"]


def test_coverage_names_other_sites_only(desk: Desk) -> None:
    covered = 0
    for item in desk.orders("include=coverage"):
        for line in item["lines"]:
            sites = {(site["source"], site["facility"]) for site in line["coverage"]}
            assert (item["source"], line["facility"]) not in sites
            assert all(site["available"] > 0 for site in line["coverage"])
            covered += len(sites)
    assert covered > 0


def test_raw_records_come_on_small_pages_only(desk: Desk) -> None:
    item = desk.json("/api/v1/oos/orders?limit=1&include=raw&source=shipbob")["items"][0]

    assert str(item["raw_data"]["id"]) == item["order_id"]
    assert desk.get("/api/v1/oos/orders?limit=101&include=raw").status_code == 422


@pytest.mark.parametrize(
    "query",
    [
        "source=fedex",
        "state=lost",
        "reason=bad",
        "sort=name",
        "as_of=yesterday",
        "limit=0",
        "include=everything",
        "colour=red",
    ],
)
def test_what_is_not_understood_is_refused(desk: Desk, query: str) -> None:
    assert desk.get(f"/api/v1/oos/orders?{query}").status_code == 422


def test_equal_tags_mean_equal_bytes(desk: Desk) -> None:
    """H05 on the desk's reads: 304 for the same bytes, another tag for other ones."""
    tags: dict[str, bytes] = {}
    for path in ("orders", "orders?limit=3", "skus", "at-risk", "analytics/summary", f"orders?{desk.as_of_first()}"):
        answer = desk.get(f"/api/v1/oos/{path}")
        again = desk.get(f"/api/v1/oos/{path}", **{"If-None-Match": answer.headers["ETag"]})

        assert (again.status_code, again.data) == (304, b"")
        assert tags.setdefault(answer.headers["ETag"], answer.data) == answer.data
    assert len(tags) == 6


def test_resolved_orders_stand_in_the_history_with_how(desk: Desk) -> None:
    found = desk.json("/api/v1/oos/history?from=2020-01-01&to=2030-01-01&limit=1000")["items"]

    assert desk.shipped in {item["order_id"] for item in found}
    assert {item["state"] for item in found} == {"resolved"}
    shipped = desk.json("/api/v1/oos/history?from=2020-01-01&to=2030-01-01&resolved_reason=shipped&source=shipbob")
    assert {item["resolved_reason"] for item in shipped["items"]} == {"shipped"}
    assert desk.json("/api/v1/oos/history?from=2020-01-01&to=2020-01-02")["items"] == []
    for query in ("from=2026-01-01", "to=2026-01-01", "from=2026-01-02&to=2026-01-01", ""):
        assert desk.get(f"/api/v1/oos/history?{query}").status_code == 422


def test_the_sku_view_adds_up_to_the_queue(desk: Desk) -> None:
    rows = desk.json("/api/v1/oos/skus?limit=1000")["items"]
    lines = [
        (item, line) for item in desk.orders("") for line in item["lines"] if line["reason"] in FEED and line["sku"]
    ]

    assert rows[0].keys() == SkuRow.model_fields.keys()
    assert sum(row["lines"] for row in rows) == len(lines)
    assert sum(row["ordered_units"] for row in rows) == sum(line["ordered_quantity"] for _, line in lines)
    assert {row["sku"] for row in rows} == {line["sku"] for _, line in lines}
    for row in rows:
        own = [(item, line) for item, line in lines if line["sku"] == row["sku"]]
        assert row["orders"] == len({(item["source"], item["order_id"]) for item, _ in own})
    walked, page = [], desk.json("/api/v1/oos/skus?limit=7&sort=-short_units")
    while True:
        walked += page["items"]
        if not page["next_cursor"]:
            break
        page = desk.json(f"/api/v1/oos/skus?limit=7&sort=-short_units&cursor={page['next_cursor']}")
    assert sorted(row["sku"] for row in walked) == sorted(row["sku"] for row in rows)
    units = [row["short_units"] for row in walked]
    assert units == sorted(units, reverse=True)


@pytest.mark.parametrize("query", ["", "state=all&reason=all", "source=stord&sort=value", "search=zzzz"])
def test_an_export_holds_every_row_of_the_list(desk: Desk, query: str) -> None:
    path = f"/api/v1/oos/orders/export?{query}"
    lines = desk.get(f"{path}&format=jsonl")
    sheet = desk.get(path)

    assert [json.loads(line) for line in lines.data.splitlines()] == desk.orders(query)
    rows = list(csv.reader(io.StringIO(sheet.data.decode(), newline="")))
    assert rows[0] == list(ORDER_KEYS)
    assert [(row[0], row[1].lstrip("'")) for row in rows[1:]] == [
        (item["source"], item["order_id"]) for item in desk.orders(query)
    ]
    assert sheet.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert sheet.headers["Content-Disposition"] == 'attachment; filename="oos-orders-2026-01-15.csv"'


@pytest.mark.parametrize("query", ["limit=5", "cursor=x", "include=raw", "format=xml", "format=jsonl&bom=true"])
def test_an_export_knows_no_pages(desk: Desk, query: str) -> None:
    assert desk.get(f"/api/v1/oos/orders/export?{query}").status_code == 422


def test_created_bounds_are_inclusive_bounds_of_when_an_order_opened_whatever_the_sort(desk: Desk) -> None:
    everything = desk.orders("state=all&reason=all")
    (text,) = {item["opened_at"] for item in everything}
    opened = parse_instant(text)
    before, after = (instant(opened + timedelta(microseconds=step)) for step in (-1, 1))

    def found(bounds: str) -> int:
        return len(desk.orders(f"state=all&reason=all&{bounds}"))

    assert 0 < len(everything) == found(f"created_from={text}") == found(f"created_to={text}&sort=-value")
    assert len(everything) == found(f"created_from={before}&created_to={after}") == found("created_from=2026-01-15")
    assert found(f"created_from={after}") == found(f"created_to={before}") == found("created_to=2026-01-14") == 0
    assert desk.get("/api/v1/oos/orders?created_from=2026-01-01T00:00:00").status_code == 422


def test_created_bounds_narrow_the_history_by_when_an_order_was_resolved(desk: Desk) -> None:
    path = "/api/v1/oos/history?limit=1000&from=2020-01-01&to=2030-01-01"
    everything = desk.json(path)["items"]
    moment = everything[0]["resolved_at"]

    assert everything
    assert desk.json(f"{path}&created_from={moment}")["items"] == [
        item for item in everything if item["resolved_at"] >= moment
    ]
    assert desk.json(f"{path}&created_to={moment}")["items"] == [
        item for item in everything if item["resolved_at"] <= moment
    ]
    assert desk.json(f"{path}&created_from=2029-01-01")["items"] == []
    assert desk.json(f"{path}&created_to=2020-02-01&include_total=true")["total"] == 0


def test_every_answer_made_of_snapshots_says_how_old_the_oldest_is(desk: Desk) -> None:
    order = desk.orders("source=stord")[0]
    sku = order["lines"][0]["sku"] or "TEE-1"
    answers = [
        desk.get("/api/v1/oos/orders"),
        desk.get(f"/api/v1/oos/orders/stord/{order['order_id']}"),
        desk.get(f"/api/stord/order-details/{order['order_id']}"),
        desk.get("/api/stord/oos-orders?limit=1"),
        desk.get("/api/v1/oos/history?from=2020-01-01&to=2030-01-01"),
        desk.get("/api/v1/oos/skus"),
        desk.get("/api/v1/oos/at-risk"),
        desk.get("/api/v1/oos/analytics/summary"),
        desk.post("/api/v1/oos/plan", {"order_ids": [order["order_id"]]}),
        desk.post("/api/v1/oos/unblock", {"sku": sku, "quantity": 1}),
    ]

    assert [answer.status_code for answer in answers] == [200] * len(answers)
    ages = [int(answer.headers["X-Data-Age"]) for answer in answers]
    assert max(ages) == ages[0]
    assert min(ages) >= 0
    assert "X-Data-Age" not in desk.get("/api/v1/oos/orders/stord/nobody").headers
