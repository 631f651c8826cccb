"""The desk over HTTP: money at risk, diff, analytics, live stock, plan, unblock, comments, webhooks and their older paths."""

import base64
import json
from collections import Counter
from typing import Any

import pytest

from local.simulators import SHIPBOB_WEBHOOK_SECRET
from shared.core.clock import instant
from shared.oos.analytics_models import AnalyticsSummary
from shared.oos.desk_models import AtRisk, Comment, Diff, Plan, SkuStock, Unblock
from shared.oos.diff import applied, comparable
from shared.oos.webhooks import signature
from tests.http.oos.conftest import Desk

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("group_by", ["sku", "source", "channel", "facility", "age_band"])
@pytest.mark.parametrize("past", [False, True])
def test_money_at_risk_equals_the_rows_of_the_queue(desk: Desk, group_by: str, past: bool) -> None:
    moment = desk.as_of_first() if past else ""
    told = desk.json(f"/api/v1/oos/at-risk?group_by={group_by}&{moment}".rstrip("&"))
    priced = [item for item in desk.orders(moment) if item["value"] is not None]

    assert told.keys() == AtRisk.model_fields.keys()
    (total,) = told["totals"]
    assert (total["currency"], total["orders"]) == ("EUR", len(priced))
    assert cents(total["order_value"]) == sum(cents(item["value"]) for item in priced)
    for name in ("order_value", "line_value"):
        assert sum(cents(group[name]) for group in told["groups"]) == cents(total[name])


def test_a_diff_applied_to_the_past_gives_the_present(desk: Desk) -> None:
    moments = f"from={instant(desk.first)}&to={instant(desk.second)}"
    for source in ("shipbob", "stord"):
        told = desk.json(f"/api/v1/oos/diff?source={source}&{moments}")
        before = {
            item["order_id"]: comparable(item)
            for item in desk.orders(f"reason=all&source={source}&{desk.as_of_first()}")
        }
        after = {item["order_id"]: comparable(item) for item in desk.orders(f"reason=all&source={source}")}

        assert told.keys() == {field.alias or name for name, field in Diff.model_fields.items()}
        assert applied(before, told) == after
        by_id = desk.json(f"/api/v1/oos/diff?source={source}&from={told['from']}&to={told['to']}")
        assert by_id == told
    told = desk.json(f"/api/v1/oos/diff?source=shipbob&{moments}")
    assert {"order_id": desk.shipped, "resolved_reason": "shipped"} in told["left"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("source=shipbob&from=snp_none&to=snp_none", 404),
        ("source=shipbob&from=2020-01-01T00:00:00Z&to=2030-01-01T00:00:00Z", 404),
        ("source=shipbob&from=2026-01-01T00:00:00&to=snp_none", 422),
        ("source=fedex&from=a&to=b", 422),
        ("from=a&to=b", 422),
        ("source=shipbob&from=a", 422),
    ],
)
def test_a_diff_without_two_snapshots_is_refused(desk: Desk, query: str, status: int) -> None:
    assert desk.get(f"/api/v1/oos/diff?{query}").status_code == status


def test_the_summary_counts_the_feed_first_seen_in_the_span(desk: Desk) -> None:
    answer = desk.get("/api/v1/oos/analytics/summary")
    told = answer.json
    held = desk.orders("state=all")

    assert told.keys() == AnalyticsSummary.model_fields.keys()
    partners = told["fulfillment_analytics"]["partner_performance"]
    assert partners["total_oos_count"] == len(held)
    assert answer.headers["X-Data-As-Of"] == told["as_of"] == told["last_updated"]
    assert told["date_range"] == {"start_date": "2026-01-01", "end_date": "2026-01-15"}
    assert desk.get("/api/analytics/summary").json == told
    one = desk.json("/api/v1/oos/analytics/summary?source=stord")["fulfillment_analytics"]["partner_performance"]
    assert (one["stord_oos_count"], one["shipbob_oos_count"]) == (partners["stord_oos_count"], 0)
    empty = desk.json("/api/v1/oos/analytics/summary?start_date=2020-01-01&end_date=2020-01-31")
    assert (empty["last_updated"], empty["customer_analytics"]["total_customers_affected"]) == (None, 0)


def test_bare_dates_are_days_of_the_zone(desk: Desk) -> None:
    """First seen at 10:30 UTC on 15 January, which is still the 14th nowhere, but the 16th in Kiritimati from 10:00."""
    path = "/api/v1/oos/analytics/summary?start_date=2026-01-16&end_date=2026-01-16&timezone="

    assert desk.json(path + "Pacific/Kiritimati")["fulfillment_analytics"]["partner_performance"]["total_oos_count"] > 0
    assert desk.json(path + "UTC")["fulfillment_analytics"]["partner_performance"]["total_oos_count"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "start_date=soon",
        "start_date=0001-01-01T00:00:00%2B14:00",
        "end_date=9999-12-31T23:59:59-12:00",
        "end_date=2026-02-30",
        "start_date=2026-01-02&end_date=2026-01-01",
        "timezone=Mars",
        "start_date=2026-01-01T10:00:00",
    ],
)
def test_a_summary_of_no_span_is_refused(desk: Desk, query: str) -> None:
    assert desk.get(f"/api/v1/oos/analytics/summary?{query}").status_code == 422


def test_live_stock_is_asked_of_both_sources_exactly(desk: Desk) -> None:
    """`TEE-1` is not `TEE-10`; what nobody knows is not_found with zeros; a failed source is null, never zero."""
    told = desk.post("/api/v1/oos/sku-stock", {"skus": [" TEE-1 ", "tee-1", "NOPE"]}).json["items"]

    assert [item["sku"] for item in told] == ["TEE-1", "NOPE"]
    assert told[0].keys() == SkuStock.model_fields.keys()
    good = desk.onhand.shipbob.world.stock.by_sku["TEE-1"]
    levels = desk.onhand.shipbob.world.stock.levels(good.number)
    shipbob = told[0]["sources"]["shipbob"]
    assert (shipbob["status"], shipbob["available"]) == ("ok", sum(level.free for level in levels))
    assert told[1]["sources"]["stord"] | {"as_of": None} == {
        "status": "not_found",
        "on_hand": 0,
        "available": 0,
        "as_of": None,
        "locations": [],
    }
    assert [item["status"] for item in told] == ["ok", "ok"]


def test_a_source_in_trouble_is_null_and_never_zero(desk: Desk) -> None:
    desk.onhand.stord.fault("http_500", times=3)
    told = desk.post("/api/v1/oos/sku-stock", {"skus": ["TEE-1"]}).json["items"][0]
    desk.onhand.stord.fault("http_500", times=3)
    older = desk.post("/api/inventory/bulk", {"skus": ["TEE-1"], "extra": 1}).json
    desk.onhand.stord.clear_faults()

    assert told["status"] == "partial"
    assert (told["sources"]["stord"]["status"], told["sources"]["stord"]["available"]) == ("error", None)
    assert older["tee-1"]["stord_stock"] is None
    assert older["tee-1"]["shipbob_other_stock"] is not None
    assert older["tee-1"]["status"] == "partial"


@pytest.mark.parametrize("body", [{}, {"skus": []}, {"skus": [1]}, {"skus": [""]}, {"skus": ["x"] * 201}, {"sku": "x"}])
def test_live_stock_of_nothing_is_refused(desk: Desk, body: Any) -> None:
    assert desk.post("/api/v1/oos/sku-stock", body).status_code == 422


def test_the_older_stock_path_answers_nothing_for_nothing(desk: Desk) -> None:
    assert desk.post("/api/inventory/bulk", {"skus": []}).json == {}


def test_a_plan_promises_only_free_units_and_each_once(desk: Desk) -> None:
    told = desk.post("/api/v1/oos/plan", {}).json
    held = {(item["source"], item["order_id"]): item for item in desk.orders("include=coverage")}

    assert told.keys() == Plan.model_fields.keys()
    promised: Counter[tuple[str, str, str]] = Counter()
    for release in told["releases"]:
        item = held.pop((release["source"], release["order_id"]))
        lines = {line["line_id"]: line for line in item["lines"]}
        served: Counter[str] = Counter()
        for one in release["assignments"]:
            line = lines[one["line_id"]]
            free = {(site["source"], site["facility"]): site["available"] for site in line["coverage"]}
            promised[line["sku"], one["from_source"], one["facility"]] += one["units"]
            served[one["line_id"]] += one["units"]
            assert (
                promised[line["sku"], one["from_source"], one["facility"]] <= free[one["from_source"], one["facility"]]
            )
        assert all(served[key] == short(line) for key, line in lines.items())
    assert {(one["source"], one["order_id"]) for one in told["not_possible"]} == held.keys()
    assert told["released_orders"] == len(told["releases"]) > 0


def test_a_plan_of_some_orders_leaves_the_others_out(desk: Desk) -> None:
    wanted = [item["order_id"] for item in desk.orders("source=stord")][:3]
    told = desk.post("/api/v1/oos/plan", {"source": "stord", "order_ids": [*wanted, "unknown"]}).json

    named = {one["order_id"] for one in (*told["releases"], *told["not_possible"])}
    assert (named, told["unknown_orders"]) == (set(wanted), ["unknown"])
    assert desk.post("/api/v1/oos/plan", {"order_ids": ["x"] * 2001}).status_code == 422
    assert desk.post("/api/v1/oos/plan", {"source": "fedex"}).status_code == 422


def test_contradictions_of_a_3pl_are_those_of_its_own_figures(desk: Desk) -> None:
    """Phantom: a site where orders are held and the 3PL itself calls units available; hidden: on hand, not sold, not missed."""
    found = desk.onhand.app.desk.discrepancies(["shipbob", "stord"])
    held = [(item, line) for item in desk.orders("") for line in item["lines"] if line["sku"]]
    skus = sorted({line["sku"] for _, line in held})[:200]
    live = {item["sku"]: item["sources"] for item in desk.post("/api/v1/oos/sku-stock", {"skus": skus}).json["items"]}
    expected: dict[tuple[str, str], set[str]] = {}
    for item, line in held:
        if line["reason"] in {"out_of_stock", "partially_committed"}:
            sites = live[line["sku"]][item["source"]]["locations"]
            if any(site["name"] == line["facility"] and site["available"] for site in sites):
                expected.setdefault((line["sku"], item["source"]), set()).add(item["order_id"])

    phantom = {(row["sku"], row["source"]): set(row["orders"]) for row in found if row["kind"] == "phantom"}
    assert phantom == expected
    assert all(row["source_units"] > 0 and row["our_units"] == 0 for row in found)
    assert all(row["orders"] == [] for row in found if row["kind"] == "hidden")


def test_units_that_arrive_release_the_oldest_orders(desk: Desk) -> None:
    sku = desk.json("/api/v1/oos/skus?limit=1")["items"][0]["sku"]
    told = desk.post("/api/v1/oos/unblock", {"sku": sku, "quantity": 5}).json

    assert told.keys() == Unblock.model_fields.keys()
    assert told["used"] + told["left_over"] == 5
    assert [one["position"] for one in told["released"]] == list(range(1, len(told["released"]) + 1))
    for body in ({"sku": sku}, {"sku": sku, "quantity": 0}, {"quantity": 1}, {"sku": sku, "quantity": 1, "x": 1}):
        assert desk.post("/api/v1/oos/unblock", body).status_code == 422


def test_comments_are_written_listed_and_removed_by_their_author(desk: Desk) -> None:
    made = desk.post(
        "/api/v1/comments", {"order_id": "C-1", "sku": "TEE-1", "comment": " call them ", "source": "stord"}
    )

    assert (made.status_code, made.json.keys()) == (201, Comment.model_fields.keys())
    assert made.headers["Location"] == f"/api/v1/comments/{made.json['id']}"
    assert (made.json["comment"], made.json["author"], made.json["facility"]) == ("call them", "basic", None)
    desk.onhand.clock.advance(1)
    desk.post("/api/v1/comments", {"order_id": "C-1", "sku": "CAP-2", "comment": "second"})
    listed = desk.json("/api/v1/comments?order_id=C-1")["items"]
    assert [one["comment"] for one in listed] == ["second", "call them"]
    assert [one["sku"] for one in desk.json("/api/v1/comments?order_id=C-1&sku=TEE-1&source=stord")["items"]] == [
        "TEE-1"
    ]
    for bounds, words in ((f"created_to={made.json['created_at']}", ["call them"]), ("created_from=2030-01-01", [])):
        found = desk.json(f"/api/v1/comments?order_id=C-1&{bounds}")["items"]
        assert [one["comment"] for one in found] == words
    path = f"/api/v1/comments/{made.json['id']}"
    removed = desk.onhand.http.delete(path, auth=("demo", "demo-password-1"))
    again = desk.onhand.http.delete(path, auth=("demo", "demo-password-1"))
    assert (removed.status_code, again.status_code) == (204, 404)


@pytest.mark.parametrize(
    "body", [{}, {"order_id": "1", "sku": "2", "comment": ""}, {"order_id": "1", "sku": "2", "comment": "x" * 2001}]
)
def test_comments_without_words_are_refused(desk: Desk, body: Any) -> None:
    assert desk.post("/api/v1/comments", body).status_code == 422
    assert desk.get("/api/v1/comments").status_code == 422


def a_delivery(desk: Desk, body: bytes, *, shift: int = 0, prefix: str = "webhook", spoil: str = "") -> dict[str, str]:
    """Return the headers of a signed delivery."""
    stamp = str(int(desk.onhand.clock.now().timestamp()) + shift)
    signed = signature(SHIPBOB_WEBHOOK_SECRET, "msg_1", stamp, body) + spoil
    return JSON | {f"{prefix}-id": "msg_1", f"{prefix}-timestamp": stamp, f"{prefix}-signature": signed}


def test_a_signed_delivery_is_taken_and_a_forged_one_changes_nothing(desk: Desk) -> None:
    body = json.dumps({"topic": "order.shipped", "order_id": 999, "extra": {"deep": [1]}}).encode()
    path, http = "/api/v1/webhooks/shipbob", desk.onhand.http
    jobs = len(desk.json("/api/v1/jobs?job_type=refresh-order&limit=1000")["items"])

    refused = [
        http.post(path, data=body, headers=headers).status_code
        for headers in (
            JSON,
            a_delivery(desk, body, spoil="A"),
            a_delivery(desk, body, shift=-301),
            a_delivery(desk, body + b" "),
            JSON | {"webhook-id": "1", "webhook-timestamp": "x", "webhook-signature": base64.b64encode(b"x").decode()},
        )
    ]
    assert refused == [401] * 5
    assert len(desk.json("/api/v1/jobs?job_type=refresh-order&limit=1000")["items"]) == jobs

    for prefix in ("webhook", "svix"):
        taken = http.post(path, data=body, headers=a_delivery(desk, body, prefix=prefix))
        assert (taken.status_code, taken.json) == (200, {"accepted": True})
    assert len(desk.json("/api/v1/jobs?job_type=refresh-order&limit=1000")["items"]) == jobs + 1
    assert http.post("/api/v1/webhooks/fedex", data=body, headers=JSON).status_code == 404
    damaged = b"{not json"
    assert http.post(path, data=damaged, headers=a_delivery(desk, damaged)).status_code == 400


def cents(amount: float) -> int:
    """Return an amount in cents."""
    return round(amount * 100)


def short(line: dict[str, Any]) -> int:
    """Return the units a line waits for."""
    found: int = line["ordered_quantity"] if line["short_quantity"] is None else line["short_quantity"]
    return found


def test_created_bounds_keep_the_runs_begun_within_them(desk: Desk) -> None:
    path = "/api/v1/refresh/runs?limit=100"
    everything = desk.json(path)["items"]
    latest = max(run["created_at"] for run in everything)

    later = [run["id"] for run in everything if run["created_at"] == latest]
    assert 0 < len(later) < len(everything)
    assert [run["id"] for run in desk.json(f"{path}&created_from={latest}")["items"]] == later
    assert desk.json(f"{path}&source=stord,shipbob&created_to={latest}&include_total=true")["total"] == len(everything)
    assert desk.json(f"{path}&created_to=2020-01-01")["items"] == []
