"""The page on ASVS answers every row once, and each test it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| (.*) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _fault(answer: str) -> str | None:
    """Return what is wrong with an answer, or None."""
    if re.fullmatch(r"(n/a|accepted): \S.*", answer):
        return None
    named = TEST.fullmatch(answer)
    if named is None:
        return "no answer"
    file = ROOT / named[1]
    if not file.is_file():
        return "no such file"
    found = re.search(rf"^(async )?def {named[2]}\(", file.read_text(encoding="utf-8"), re.MULTILINE)
    return None if found else "no such test"


def test_every_requirement_has_one_answer_and_every_named_test_exists() -> None:
    text = (ROOT / "docs" / "asvs.md").read_text(encoding="utf-8")
    rows = ROW.findall(text)
    lines = [line for line in text.splitlines() if re.match(r"\| *\d", line)]
    assert len(rows) == len(lines) == 253
    assert len({row[0] for row in rows}) == len(rows)
    assert {row[0]: _fault(row[3]) for row in rows if _fault(row[3])} == {}


def test_a_missing_answer_file_or_test_is_seen() -> None:
    here = "tests/house/test_asvs.py"
    assert _fault("") == "no answer"
    assert _fault("accepted: ") == "no answer"
    assert _fault("`tests/house/nowhere.py::test_x`") == "no such file"
    assert _fault(f"`{here}::test_that_nobody_wrote`") == "no such test"
    assert _fault(f"`{here}::test_a_missing_answer_file_or_test_is_seen`") is None
