"""function.json is read strictly: what Terraform would refuse, or worse accept, is refused here."""

from typing import Any

import pytest
from pydantic import ValidationError

from local.manifest import Manifest

NEEDS = {"documents": "read", "warehouse": "none", "queues": [], "secrets": [], "files": "none", "kms": False}
FACTS: dict[str, Any] = {
    "description": "Out-of-stock feeds",
    "entry_point": "main",
    "public": True,
    "paths": ["/api/v1/oos"],
    "memory": "512Mi",
    "cpu": "1",
    "concurrency": 40,
    "timeout_s": 60,
    "min_instances": 0,
    "max_instances": 10,
    "schedules": [],
    "needs": NEEDS,
}
SCHEDULE = {
    "name": "refresh",
    "cron": "*/15 * * * *",
    "time_zone": "UTC",
    "path": "/internal/schedules/refresh",
    "deadline_s": 60,
}


def test_a_good_manifest_is_read() -> None:
    assert Manifest.model_validate(FACTS).memory_mib == 512


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": "0.333", "concurrency": 1, "memory": "1Gi"},
        {"cpu": "0.583", "concurrency": 40},
        {"schedules": [SCHEDULE]},
        {"public": False, "schedules": [{**SCHEDULE, "time_zone": "Mars/Olympus"}]},
        {"public": False, "schedules": [{**SCHEDULE, "cron": "* * * *"}]},
        {"public": False, "schedules": [{**SCHEDULE, "path": "/api/v1/refresh"}]},
        {"max_instances": 51},
        {"min_instances": 11},
        {"timeout_s": 3601},
        {"paths": []},
        {"description": "no capital"},
        {"needs": {**NEEDS, "documents": "owner"}},
        {"needs": {**NEEDS, "queues": ["unknown"]}},
        {"memroy": "512Mi"},
    ],
)
def test_what_the_platform_would_not_take_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Manifest.model_validate({**FACTS, **change})


def test_a_missing_fact_is_refused() -> None:
    for name in FACTS:
        with pytest.raises(ValidationError):
            Manifest.model_validate({key: value for key, value in FACTS.items() if key != name})
