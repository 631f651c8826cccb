"""The audit says what it could not look at, and never calls that passed."""

from pathlib import Path

import pytest

from tests.house.infra.audit import EXAMPLES, findings, verdict, weaknesses

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("codes", "ends"), [([0, 0, 0], 0), ([0, 3, 0], 3), ([3, 1, 0], 1), ([0, 0, 1], 1), ([3, 3, 3], 3)]
)
def test_it_passes_only_when_every_part_was_looked_at_and_found_nothing(codes: list[int], ends: int) -> None:
    assert verdict(codes) == ends


def test_weak_packages_and_those_nobody_knows_are_told_apart() -> None:
    answer = {
        "dependencies": [
            {"name": "a", "version": "1", "vulns": []},
            {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1"}, {"id": "PYSEC-2"}]},
            {"name": "c", "skip_reason": "not found"},
        ]
    }

    assert weaknesses(answer) == (["b 2: PYSEC-1", "b 2: PYSEC-2"], ["c"])


def test_only_the_listed_examples_pass_for_no_secrets() -> None:
    (check, path), *_ = EXAMPLES
    failed = [_failed(check, path), _failed("CKV_SECRET_13", path), _failed(check, "shared/core/ids.py")]

    assert [each.split()[:2] for each in findings({"results": {"failed_checks": failed}})] == [
        ["CKV_SECRET_13", f"{path}:7"],
        [check, "shared/core/ids.py:7"],
    ]


def test_every_example_lies_in_a_file_that_is_there() -> None:
    assert [path for _, path in EXAMPLES if not (ROOT / path).is_file()] == []


def _failed(check: str, path: str) -> dict[str, object]:
    return {"check_id": check, "file_path": f"/{path}", "file_line_range": [7, 8], "resource": "r", "check_name": "n"}
