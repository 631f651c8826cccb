"""Jobs on the wire: api.md 1.10 and 2.13."""

from pathlib import Path

import pytest

from shared.core.errors import Terminal
from shared.jobs.kinds import Done, Step
from tests.http.jobs.client import Api

KEYS = (
    "id job_type status name subject progress_percent progress_message items_total items_processed items_succeeded "
    "items_failed input result error attempts max_attempts cancel_requested retry_of retried_by dead_letter created_by "
    "created_at started_at finished_at duration_ms version"
)


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """Start both functions."""
    return Api(tmp_path)


def test_a_job_is_shown_whole(api: Api) -> None:
    job = api.start("stord", pages=2, token="hidden")

    answer = api.send("GET", f"/api/v1/jobs/{job.id}", "viewer")

    assert answer.status_code == 200
    assert answer.json is not None
    assert " ".join(answer.json) == KEYS
    assert answer.json["input"] == {"pages": 2}
    assert answer.json["created_at"] == "2026-01-15T10:30:00Z"
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["ETag"].startswith('"')


def test_an_ended_job_needs_no_coming_back_and_answers_304(api: Api) -> None:
    job = api.start()
    api.run()

    answer = api.send("GET", f"/api/v1/jobs/{job.id}?wait=25", "viewer")
    again = api.send("GET", f"/api/v1/jobs/{job.id}", "viewer", headers={"If-None-Match": answer.headers["ETag"]})

    assert (answer.json["status"], answer.json["result"]) == ("succeeded", {"ok": True})  # type: ignore[index]
    assert "Retry-After" not in answer.headers
    assert (again.status_code, again.data) == (304, b"")
    assert api.clock.slept == []


@pytest.mark.parametrize(("wait", "status", "slept"), [("2", 200, 2.0), ("26", 422, 0), ("-1", 422, 0), ("x", 422, 0)])
def test_a_long_poll_is_bounded(api: Api, wait: str, status: int, slept: float) -> None:
    job = api.start()

    assert api.send("GET", f"/api/v1/jobs/{job.id}?wait={wait}", "viewer").status_code == status
    assert sum(api.clock.slept) == slept


def test_jobs_are_listed_in_pages_newest_first(api: Api) -> None:
    for number in range(5):
        api.start(f"s{number}")
        api.clock.advance(1)
    api.send("POST", f"/api/v1/jobs/{_ids(api, '?subject=s2')[0]}/cancel")

    first = api.send("GET", "/api/v1/jobs?limit=2", "viewer").json
    assert first is not None
    rest = api.send("GET", f"/api/v1/jobs?limit=9&cursor={first['next_cursor']}", "viewer").json
    assert rest is not None
    assert [job["subject"] for job in first["items"] + rest["items"]] == ["s4", "s3", "s2", "s1", "s0"]
    assert rest["next_cursor"] is None
    assert len(_ids(api, "?status=pending")) == 4
    assert len(_ids(api, "?status=cancelled,completed&job_type=count")) == 1
    assert len(_ids(api, "?job_type=other")) == 0
    assert len(_ids(api, "?status=all&sort=created_at&created_from=2026-01-15T10:30:02Z")) == 3
    assert api.send("GET", "/api/v1/jobs?status=nonsense", "viewer").status_code == 422
    assert api.send("GET", "/api/v1/jobs?sort=name", "viewer").status_code == 422
    assert api.send("GET", "/api/v1/jobs?skip=1&limit=2", "viewer").json["total"] == 5  # type: ignore[index]


def test_items_are_listed_for_bulk_jobs_and_empty_for_others(tmp_path: Path) -> None:
    def bulk(step: Step) -> Done:
        if step.input.get("bulk"):
            step.item("row-1", "succeeded")
            step.item("row-2", "failed", "bad_price", "The price is no number.")
        return Done()

    api = Api(tmp_path, bulk)
    jobs = [api.start("a", bulk=True), api.start("b")]
    api.run()

    pages = [api.send("GET", f"/api/v1/jobs/{job.id}/items", "viewer").json for job in jobs]
    failed = api.send("GET", f"/api/v1/jobs/{jobs[0].id}/items?status=failed&include_total=true", "viewer").json

    bad = {"key": "row-2", "status": "failed", "code": "bad_price", "message": "The price is no number."}
    good = {"key": "row-1", "status": "succeeded", "code": None, "message": None}
    assert pages == [{"items": [good, bad], "next_cursor": None}, {"items": [], "next_cursor": None}]
    assert failed == {"items": [bad], "next_cursor": None, "total": 1}


def test_the_summary_has_its_keys(api: Api) -> None:
    api.start("a")
    api.run()
    api.start("b")

    answer = api.send("GET", "/api/v1/jobs/stats/summary", "viewer").json
    later = api.send("GET", "/api/v1/jobs/stats/summary?since=2026-01-16", "viewer").json

    assert answer == {
        "total": 2,
        "queued": 1,
        "running": 0,
        "succeeded": 1,
        "failed": 0,
        "cancelled": 0,
        "by_type": {"count": {"queued": 1, "succeeded": 1}},
        "oldest_queued_at": "2026-01-15T10:30:00Z",
    }
    assert later is not None
    assert (later["total"], later["by_type"]) == (0, {})


def test_cancel_and_its_refusals(api: Api) -> None:
    job = api.start()
    path = f"/api/v1/jobs/{job.id}/cancel"
    tag = api.send("GET", f"/api/v1/jobs/{job.id}").headers["ETag"]
    stale = api.send("POST", path, headers={"If-Match": '"0000.0000"'})
    forbidden = api.send("POST", path, "viewer")

    done = api.send("POST", path, headers={"If-Match": tag})
    again = api.send("POST", path)

    assert (stale.status_code, forbidden.status_code, done.status_code, again.status_code) == (412, 403, 200, 409)
    assert done.json is not None
    assert again.json is not None
    assert (done.json["status"], done.json["version"]) == ("cancelled", 2)
    assert again.json["type"] == "/problems/InvalidState"
    assert (again.json["current"], again.json["allowed"]) == ("cancelled", ["queued", "running"])


def test_retry_answers_accepted_with_the_new_job(tmp_path: Path) -> None:
    def failing(_: Step) -> Done:
        raise Terminal("no", "No.")

    api = Api(tmp_path, failing)
    job = api.start()
    early = api.send("POST", f"/api/v1/jobs/{job.id}/retry")
    api.run()

    first = api.send("POST", f"/api/v1/jobs/{job.id}/retry")
    second = api.send("POST", f"/api/v1/jobs/{job.id}/retry")

    assert early.status_code == 409
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json is not None
    assert second.json is not None
    new_id = first.json["new_job_id"]
    assert first.headers["Location"] == f"/api/v1/jobs/{new_id}"
    assert first.json == {
        "success": True,
        "message": "The job is being repeated.",
        "job_id": new_id,
        "job_ids": [new_id],
        "joined": False,
        "status_url": f"/api/v1/jobs/{new_id}",
        "data": {"job_id": new_id},
        "new_job_id": new_id,
    }
    assert (second.json["new_job_id"], second.json["joined"]) == (new_id, True)
    assert api.send("GET", f"/api/v1/jobs/{new_id}").json["retry_of"] == job.id  # type: ignore[index]


@pytest.mark.parametrize("path", ["", "/items"])
def test_an_unknown_job_is_404(api: Api, path: str) -> None:
    answer = api.send("GET", f"/api/v1/jobs/job_none{path}")

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["resource"] == "job"


def _ids(api: Api, query: str) -> list[str]:
    page = api.send("GET", f"/api/v1/jobs{query}", "viewer").json
    assert page is not None
    return [job["id"] for job in page["items"]]
