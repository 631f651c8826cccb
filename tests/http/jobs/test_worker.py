"""The worker on the wire: api.md, section 4."""

from pathlib import Path
from typing import Any

import pytest

from shared.core.errors import Transient
from shared.jobs.kinds import Done, Step
from tests.http.jobs.client import Api

SLOT = {"X-CloudScheduler-ScheduleTime": "2026-01-15T10:30:00Z"}


@pytest.fixture
def api(tmp_path: Path) -> Api:
    """Start both functions."""
    return Api(tmp_path)


def test_a_delivery_says_what_became_of_the_job(api: Api) -> None:
    job = api.start()

    [answer] = api.run()

    assert (answer.status_code, answer.json) == (200, {"job_id": job.id, "status": "succeeded"})


def test_a_transient_error_answers_503_with_its_wait(tmp_path: Path) -> None:
    def failing(_: Step) -> Done:
        raise Transient("down", "Down.")

    api = Api(tmp_path, failing)
    job = api.start()

    [answer] = api.run()

    assert (answer.status_code, answer.json) == (503, {"job_id": job.id, "status": "queued"})
    assert 30 <= int(answer.headers["Retry-After"]) <= 37


@pytest.mark.parametrize("who", [None, "viewer", "admin"])
@pytest.mark.parametrize("path", ["/internal/tasks/count", "/internal/schedules/refresh"])
def test_only_the_queue_may_call(api: Api, path: str, who: str | None) -> None:
    job = api.start()

    answer = api.send("POST", path, who, json={"job_id": job.id, "step": 0}, headers=dict(SLOT))

    assert answer.status_code == 401
    assert api.app.jobs.get(job.id) == job


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/jobs/stats/summary"])
def test_the_queue_may_call_nothing_else(api: Api, path: str) -> None:
    assert api.send("GET", path, "queue").status_code == 401


@pytest.mark.parametrize("body", [{}, [], None, "x", {"job_id": "job_none", "step": 0}, {"job_id": 1, "step": 0}])
def test_what_is_no_task_is_acknowledged(api: Api, body: Any) -> None:
    answer = api.send("POST", "/internal/tasks/count", "queue", json=body)

    assert (answer.status_code, answer.json) == (200, {"status": "dropped"})


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\x00", b'{"job_id": "a", "job_id": "b"}', b"NaN"])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "application/octet-stream"])
def test_what_is_not_even_json_is_acknowledged(api: Api, body: bytes, media_type: str) -> None:
    answer = api.send("POST", "/internal/tasks/count", "queue", data=body, content_type=media_type)

    assert (answer.status_code, answer.json) == (200, {"status": "dropped"})


def test_an_unknown_type_is_acknowledged(api: Api) -> None:
    answer = api.send("POST", "/internal/tasks/nothing", "queue", json={"job_id": "job_1", "step": 0})

    assert (answer.status_code, answer.json) == (200, {"status": "dropped"})


def test_a_schedule_slot_starts_its_jobs_once(api: Api) -> None:
    answers = [api.send("POST", "/internal/schedules/refresh", "queue", json={}, headers=dict(SLOT)) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json == answers[1].json
    assert answers[0].json is not None
    [job_id] = answers[0].json["job_ids"]
    job = api.app.jobs.get(job_id)
    assert (job.job_type, job.subject, job.input["trigger"]) == ("refresh-source", "shipbob", "schedule")


def test_the_cleanup_starts_no_job(api: Api) -> None:
    api.start()
    api.run()
    api.clock.advance(8 * 86400)

    answer = api.send("POST", "/internal/schedules/cleanup", "queue", json={})

    assert (answer.status_code, answer.json) == (202, {"job_ids": []})
    assert api.send("GET", "/api/v1/jobs").json == {"items": [], "next_cursor": None}


def test_an_unknown_schedule_is_acknowledged(api: Api) -> None:
    answer = api.send("POST", "/internal/schedules/nothing", "queue", json={})

    assert (answer.status_code, answer.json) == (200, {"status": "dropped"})
