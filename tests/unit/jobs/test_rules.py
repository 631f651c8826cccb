"""The rules of jobs, for every state and any numbers."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.clock import instant
from shared.jobs import rules
from shared.jobs.record import Lease, Record, lock_key
from shared.jobs.rules import Admission, Trouble
from shared.jobs.states import JobStatus
from shared.ports.documents import Key, Stored

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
PASSING = Trouble("down", "Down.", transient=True)


@given(attempts=st.integers(1, 40), asked=st.none() | st.floats(0, 5000), limited=st.booleans(), seed=st.integers())
def test_waits_stay_between_what_is_planned_or_asked_and_a_fifth_more(
    attempts: int, asked: float | None, limited: bool, seed: int
) -> None:
    base, cap = (60, 1800) if limited else (30, 600)
    least = max(min(cap, base * 2 ** (attempts - 1)), asked or 0)

    wait = rules.retry_wait_s(attempts, replace(PASSING, wait_s=asked, rate_limited=limited), random.Random(seed))

    assert least <= wait <= least * 1.2


@pytest.mark.parametrize(
    ("changes", "step", "epoch", "expected"),
    [
        ({}, 2, 5, Admission.RUN),
        ({}, 2, 9, Admission.RUN),
        ({}, 2, 4, Admission.OLD),
        ({}, 1, 9, Admission.OLD),
        ({}, 3, 5, Admission.UNKNOWN),
        ({"status": JobStatus.CANCELLED}, 2, 5, Admission.OLD),
        ({"lease": Lease("a", instant(NOW + timedelta(seconds=1)))}, 2, 5, Admission.WAIT),
        ({"lease": Lease("a", instant(NOW))}, 2, 5, Admission.RUN),
        ({"cancel_requested": True}, 2, 5, Admission.CANCEL),
        ({"cancel_requested": True, "lease": Lease("a", instant(NOW + timedelta(seconds=1)))}, 2, 5, Admission.WAIT),
        ({"next_attempt_at": instant(NOW + timedelta(seconds=1))}, 2, 5, Admission.WAIT),
        ({"next_attempt_at": instant(NOW)}, 2, 5, Admission.RUN),
        ({"attempts": 5}, 2, 5, Admission.EXHAUSTED),
        ({"attempts": 4}, 2, 5, Admission.RUN),
    ],
)
def test_who_may_run(changes: dict[str, object], step: int, epoch: int, expected: Admission) -> None:
    assert rules.admission(_record(**changes), step, epoch, NOW).admission is expected


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED])
def test_an_ended_job_holds_nothing_and_says_when_it_goes(status: JobStatus) -> None:
    held = rules.started(_record(), "me", NOW)

    end = rules.ended(held, status, NOW, trouble=PASSING if status is JobStatus.FAILED else None)

    assert (end.lease, end.next_attempt_at, end.due_at) == (None, None, None)
    assert (end.progress_percent == 100, end.dead_letter) == (status == "succeeded", status == "failed")
    assert end.delete_at == instant(NOW + timedelta(days=30 if status == "failed" else 7))
    assert end.version == held.version + 1
    assert "due_at" not in end.data()
    assert "delete_at" not in held.data()


def test_a_record_survives_storage_and_newer_keys() -> None:
    record = rules.started(_record(cursor={"page": 3}, counts={"rows": 1}), "me", NOW)
    stored = Stored(Key("jobs", record.id), record.data() | {"of_a_newer_release": 1}, "1")

    assert Record.of(stored) == record


@given(kind=st.sampled_from(["a", "b"]), subjects=st.lists(st.text(min_size=1, max_size=5), min_size=2, max_size=2))
def test_claims_of_different_subjects_never_meet(kind: str, subjects: list[str]) -> None:
    first, second = (lock_key(kind, subject) for subject in subjects)

    assert "/" not in first.id
    assert (first == second) == (subjects[0] == subjects[1])


def _record(**changes: object) -> Record:
    record = Record(
        id="job_1",
        kind="count",
        queue="refresh",
        name="Count",
        subject=None,
        input={},
        status=JobStatus.QUEUED,
        created_by=None,
        created_at=instant(NOW),
        max_attempts=5,
        single_flight=True,
        step=2,
        step_epoch=5,
        epoch=5,
    )
    return replace(record, **changes)  # type: ignore[arg-type]
