"""Drafts over HTTP: written by templates or a model, decided on by people; usage; advice on prices."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from shared.core.caller import Role
from tests.client import Client
from tests.http.inventory.builders import Shop, a_shop, ok
from tests.http.settling import settle


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give a deployment without a model."""
    made = a_shop(tmp_path)
    yield made
    made.app.close()


def a_product(shop: Shop, **facts: Any) -> dict[str, Any]:
    """Make a product; return it."""
    body = {"name": "Clay mug", "brand": "Terra", "sale_price": 12, "unit_cost": "6.00", **facts}
    product: dict[str, Any] = ok(shop.operator.post("/api/v1/products", body), 201)
    return product


def done(shop: Shop, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask for work, let it be done, and return its jobs."""
    answer = shop.operator.post(path, body)
    assert answer.status == 202, answer.json
    settle(shop.app)
    return [ok(shop.viewer.get(f"/api/v1/jobs/{job_id}")) for job_id in answer.json["job_ids"]]


def the_draft(shop: Shop, product_id: str, **wanted: Any) -> dict[str, Any]:
    """Have a draft written; return it."""
    (job,) = done(shop, "/api/v1/ai/generate-content", {"product_id": product_id, "language": "en", **wanted})
    assert job["status"] == "succeeded", job
    draft: dict[str, Any] = ok(shop.viewer.get(f"/api/v1/ai/drafts/{job['result']['draft_id']}"))
    return draft


def test_a_draft_changes_nothing_until_a_person_applies_it(shop: Shop) -> None:
    mug = a_product(shop)

    draft = the_draft(shop, mug["id"])
    before = ok(shop.viewer.get(f"/api/v1/products/{mug['id']}"))
    applied = ok(shop.operator.post(f"/api/v1/ai/drafts/{draft['id']}/apply"))
    after = ok(shop.viewer.get(f"/api/v1/products/{mug['id']}"))

    assert (draft["writer"], draft["label"], draft["status"]) == ("template", "Template text, not AI", "pending")
    assert draft["fields"] == {"title": "Clay mug by Terra", "description": "Clay mug by Terra."}
    assert draft["current"] == {"title": "Clay mug", "description": None}
    assert before == mug
    assert (after["name"], after["description"], after["version"]) == ("Clay mug by Terra", "Clay mug by Terra.", 2)
    assert (applied["status"], applied["decided_by"]) == ("applied", "usr_operator")
    again = shop.operator.post(f"/api/v1/ai/drafts/{draft['id']}/apply")
    assert (again.status, again.json["current"]) == (409, "applied")


def test_only_the_fields_asked_for_are_applied(shop: Shop) -> None:
    mug = a_product(shop)
    draft = the_draft(shop, mug["id"], content_types=["title", "seo_title"])

    ok(shop.operator.post(f"/api/v1/ai/drafts/{draft['id']}/apply", {"fields": ["seo_title"]}))

    after = ok(shop.viewer.get(f"/api/v1/products/{mug['id']}"))
    assert (after["name"], after["seo_title"]) == ("Clay mug", "Clay mug")
    other = the_draft(shop, mug["id"])
    refused = shop.operator.post(f"/api/v1/ai/drafts/{other['id']}/apply", {"fields": ["seo_title"]})
    assert (refused.status, refused.codes) == (422, [("/fields/0", "not_in_draft")])


def test_a_product_that_moved_refuses_the_draft_and_stays(shop: Shop) -> None:
    mug = a_product(shop)
    draft = the_draft(shop, mug["id"])
    moved = ok(shop.operator.patch(f"/api/v1/products/{mug['id']}", {"name": "Another mug"}))

    refused = shop.operator.post(f"/api/v1/ai/drafts/{draft['id']}/apply")

    assert (refused.status, refused.problem, refused.json["moved"]) == (409, "BaseMoved", [mug["id"]])
    assert ok(shop.viewer.get(f"/api/v1/products/{mug['id']}")) == moved
    assert ok(shop.viewer.get(f"/api/v1/ai/drafts/{draft['id']}"))["status"] == "pending"
    priced = ok(shop.operator.patch(f"/api/v1/products/{mug['id']}", {"sale_price": 13}))
    assert priced["version"] == 3


def test_a_newer_draft_of_a_kind_supersedes_pending_ones(shop: Shop) -> None:
    mug = a_product(shop)
    first = the_draft(shop, mug["id"])
    done(shop, "/api/v1/ai/optimize-seo", {"product_ids": [mug["id"]]})
    second = the_draft(shop, mug["id"])

    listed = ok(shop.viewer.get("/api/v1/ai/drafts", product_id=mug["id"]))["items"]

    states = {one["id"]: (one["kind"], one["status"]) for one in listed}
    assert states[first["id"]] == ("content", "superseded")
    assert states[second["id"]] == ("content", "pending")
    assert sorted(states.values()) == [("content", "pending"), ("content", "superseded"), ("seo", "pending")]
    rejected = ok(shop.operator.post(f"/api/v1/ai/drafts/{second['id']}/reject"))
    assert rejected["status"] == "rejected"


def test_search_texts_keep_their_limits_and_use_keywords_that_fit(shop: Shop) -> None:
    long = a_product(shop, name="A very long name of a product that goes on and on without an end " * 3)
    mug = a_product(shop)

    jobs = done(
        shop, "/api/v1/ai/optimize-seo", {"product_ids": [long["id"], mug["id"]], "target_keywords": ["handmade"]}
    )

    drafts = [ok(shop.viewer.get(f"/api/v1/ai/drafts/{job['result']['draft_id']}")) for job in jobs]
    assert all(len(one["fields"]["seo_title"]) <= 60 for one in drafts)
    assert all(len(one["fields"]["seo_description"]) <= 155 for one in drafts)
    assert drafts[0]["notes"] == ["cut_seo_title", "cut_seo_description"]
    assert drafts[1]["fields"]["seo_title"] == "Clay mug | handmade"


def test_enriching_takes_what_matches_and_counts_it(shop: Shop) -> None:
    for number in range(3):
        a_product(shop, name=f"Mug {number}", category="Kitchen")
    a_product(shop, name="Chair", category="Garden")

    (job,) = done(shop, "/api/v1/ai/bulk-enrich", {"filter_criteria": {"category": "Kitchen"}, "limit": 2})

    assert (job["status"], job["result"]) == ("succeeded", {"total": 2, "enriched": 2, "failed": 0})
    assert len(ok(shop.viewer.get("/api/v1/ai/drafts", kind="enrich"))["items"]) == 2
    unknown = shop.operator.post("/api/v1/ai/bulk-enrich", {"filter_criteria": {"colour": "red"}})
    assert (unknown.status, unknown.codes) == (422, [("/filter_criteria/colour", "unknown_field")])


def test_unknown_products_are_404_or_entries_of_the_result(shop: Shop) -> None:
    mug = a_product(shop)

    assert shop.operator.post("/api/v1/ai/generate-content", {"product_id": "prd_none"}).status == 404
    assert shop.operator.post("/api/v1/ai/optimize-seo", {"product_ids": [mug["id"], "prd_none"]}).status == 404
    (job,) = done(shop, "/api/v1/ai/analyze-pricing", {"product_ids": [mug["id"], "prd_none"]})
    assert job["result"]["errors"] == [{"product_id": "prd_none", "error": "not_found"}]
    assert shop.viewer.post("/api/v1/ai/generate-content", {"product_id": mug["id"]}).status == 403


def test_advice_on_prices_follows_cost_positioning_and_competitors(shop: Shop) -> None:
    mug = a_product(shop, sale_price=9, unit_cost=10, current_stock=4)
    free = a_product(shop, name="Sticker", unit_cost=None, sale_price=1)
    ok(shop.operator.post(f"/api/v1/products/{mug['id']}/competitor-prices", {"competitor": "Rival", "price": 15}), 201)
    ok(
        shop.operator.post(
            f"/api/v1/products/{mug['id']}/competitor-prices", {"competitor": "Far", "price": 1, "currency": "USD"}
        ),
        201,
    )

    (job,) = done(shop, "/api/v1/ai/analyze-pricing", {"product_ids": [mug["id"], free["id"]]})

    row, other = job["result"]["recommendations"]
    assert (row["cost_price"], row["current_price"], row["current_margin"]) == (10.0, 9.0, -11.11)
    assert (row["recommended_price"], row["competitor_avg"], row["price_change"]) == (14.49, 15.0, 5.49)
    assert (other["recommended_price"], other["reasoning"]) == (1.0, ["no_cost"])
    assert job["result"]["summary"]["total_price_impact"] == {"EUR": 21.96}
    assert (job["result"]["summary"]["price_increases"], job["result"]["summary"]["unchanged"]) == (1, 1)
    assert ok(shop.viewer.get(f"/api/v1/products/{mug['id']}"))["sale_price"] == 9.0


def test_the_template_writes_the_same_again_over_its_own_text(shop: Shop) -> None:
    mug = a_product(shop, description="Holds half a litre.")

    for _ in range(2):
        draft = the_draft(shop, mug["id"])
        ok(shop.operator.post(f"/api/v1/ai/drafts/{draft['id']}/apply"))
        after = ok(shop.viewer.get(f"/api/v1/products/{mug['id']}"))
        assert (after["name"], after["description"]) == ("Clay mug by Terra", "Clay mug by Terra. Holds half a litre.")


# With a model


class Model(BaseHTTPRequestHandler):
    """An endpoint that speaks chat completions; the server holds what it answers and what it was asked."""

    def do_POST(self) -> None:
        """Answer with the next prepared status, else with texts."""
        server: Any = self.server
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append((self.headers["Authorization"], self.path, asked))
        status = server.statuses.pop(0) if server.statuses else 200
        content = json.dumps({"title": "A mug " * 40, "description": "Good. " * 400})
        body = {"choices": [{"message": {"content": content}}], "usage": {"total_tokens": 321}}
        sent = json.dumps(body).encode() if status == 200 else b"{}"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def model() -> Iterator[Any]:
    """Run the endpoint."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.asked, server.statuses = [], []  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def with_model(tmp_path: Path, model: Any) -> Iterator[Shop]:
    """Give a deployment whose texts a model writes."""
    host = f"127.0.0.1:{model.server_address[1]}"
    ai: dict[str, Any] = {
        "AI_BASE_URL": f"http://{host}/v1",
        "AI_API_KEY": "key-of-the-model",
        "AI_MODEL": "small-1",
        "AI_MONTHLY_QUOTA": "2",
    }
    made = a_shop(tmp_path, None, FETCH_ALLOW_HOSTS=host, **ai)
    yield made
    made.app.close()


def test_a_model_is_asked_once_and_its_texts_are_kept_within_limits(with_model: Shop, model: Any) -> None:
    mug = a_product(with_model)

    draft = the_draft(with_model, mug["id"])

    key, path, asked = model.asked[0]
    assert (key, path, asked["model"], len(model.asked)) == (
        "Bearer key-of-the-model",
        "/v1/chat/completions",
        "small-1",
        1,
    )
    assert "6.00" not in json.dumps(asked)
    assert (draft["writer"], draft["label"], draft["tokens"]) == ("small-1", None, 321)
    assert len(draft["fields"]["title"]) <= 70
    assert len(draft["fields"]["description"].split()) == 300
    assert draft["notes"] == ["cut_title", "cut_description"]
    usage = ok(with_model.viewer.get("/api/v1/ai/usage"))
    assert (usage["requests_today"], usage["requests_this_month"], usage["tokens_used"]) == (1, 1, 321)
    assert (usage["quota_limit"], usage["quota_remaining"], usage["by_kind"]) == (2, 1, {"content": 1})


def test_a_retried_answer_is_counted_once_and_a_used_up_quota_starts_nothing(with_model: Shop, model: Any) -> None:
    mug = a_product(with_model)
    model.statuses += [503, 500]
    answer = with_model.operator.post("/api/v1/ai/generate-content", {"product_id": mug["id"]})
    for _ in range(4):
        settle(with_model.app)
        with_model.clock.advance(130)
    job = ok(with_model.viewer.get(f"/api/v1/jobs/{answer.json['job_id']}"))
    assert (job["status"], len(model.asked)) == ("succeeded", 3)
    assert ok(with_model.viewer.get("/api/v1/ai/usage"))["requests_this_month"] == 1

    refused = with_model.operator.post(
        "/api/v1/ai/optimize-seo", {"product_ids": [mug["id"], a_product(with_model)["id"]]}
    )

    assert (refused.status, refused.problem) == (429, "QuotaExceeded")
    assert int(refused.headers["Retry-After"]) > 0
    assert len(ok(with_model.viewer.get("/api/v1/jobs", job_type="optimize-seo"))["items"]) == 0
    assert ok(with_model.viewer.get("/api/v1/ai/usage"))["requests_this_month"] == 1


def test_a_refused_key_fails_the_job_at_once_without_naming_it(with_model: Shop, model: Any) -> None:
    model.statuses.append(401)
    (job,) = done(with_model, "/api/v1/ai/generate-content", {"product_id": a_product(with_model)["id"]})

    assert (job["status"], job["error"]["code"], len(model.asked)) == ("failed", "http_401", 1)
    assert "key-of-the-model" not in json.dumps(job)


def budgeted(folder: Path, model: Any, **budgets: str) -> Shop:
    """Give a deployment with a model and the budgets named."""
    host = f"127.0.0.1:{model.server_address[1]}"
    ai: dict[str, Any] = {"AI_BASE_URL": f"http://{host}/v1", "AI_MODEL": "small-1", **budgets}
    return a_shop(folder, None, FETCH_ALLOW_HOSTS=host, **ai)


def asked_for(shop: Shop, client: Client, product_id: str) -> tuple[int, str]:
    """Ask for a text; return the status and, of a refusal, what it says."""
    answer = client.post("/api/v1/ai/generate-content", {"product_id": product_id})
    return answer.status, "" if answer.status == 202 else answer.json["detail"]


def test_each_user_has_a_budget_for_the_day_and_all_have_one_together(tmp_path: Path, model: Any) -> None:
    shop = budgeted(tmp_path, model, AI_USER_DAILY_QUOTA="2", AI_DAILY_QUOTA="3")
    mug = a_product(shop)["id"]

    answers = [asked_for(shop, client, mug) for client in (shop.operator, shop.operator, shop.operator)]
    answers += [asked_for(shop, client, mug) for client in (shop.manager, shop.manager)]
    mine, others = (ok(client.get("/api/v1/ai/usage")) for client in (shop.operator, shop.manager))

    assert answers == [
        (202, ""),
        (202, ""),
        (429, "0 of 2 requests are left for you today."),
        (202, ""),
        (429, "0 of 3 requests are left today."),
    ]
    assert (mine["user_requests_today"], mine["user_daily_limit"], mine["daily_limit"]) == (2, 2, 3)
    assert (others["user_requests_today"], others["requests_today"], others["requests_this_month"]) == (1, 3, 3)
    assert len(ok(shop.viewer.get("/api/v1/jobs", job_type="generate-content"))["items"]) == 3
    wait_s = int(shop.operator.post("/api/v1/ai/generate-content", {"product_id": mug}).headers["Retry-After"])
    shop.clock.advance(wait_s)
    assert asked_for(shop, shop.bound(None, Role.OPERATOR), mug)[0] == 202
    shop.app.close()


def test_without_budgets_for_a_day_there_are_none(with_model: Shop) -> None:
    usage = ok(with_model.viewer.get("/api/v1/ai/usage"))

    assert (usage["daily_limit"], usage["user_daily_limit"], usage["user_requests_today"]) == (None, None, 0)


def test_of_two_requests_for_the_last_of_a_budget_one_is_taken(tmp_path: Path, model: Any) -> None:
    shop = budgeted(tmp_path, model, AI_USER_DAILY_QUOTA="5", AI_MONTHLY_QUOTA="6")
    mug = a_product(shop)["id"]

    with ThreadPoolExecutor(8) as pool:
        operators = list(pool.map(lambda _: asked_for(shop, shop.operator, mug)[0], range(8)))
        managers = list(pool.map(lambda _: asked_for(shop, shop.manager, mug)[0], range(8)))

    usage = ok(shop.operator.get("/api/v1/ai/usage"))
    assert (operators.count(202), operators.count(429)) == (5, 3)
    assert (managers.count(202), managers.count(429)) == (1, 7)
    assert (usage["requests_this_month"], usage["quota_remaining"], usage["user_requests_today"]) == (6, 0, 5)
    assert len(ok(shop.viewer.get("/api/v1/jobs", job_type="generate-content"))["items"]) == 6
    shop.app.close()
