"""The page on what must hold has every row of the test plan once, and each test it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([A-Z]\d\d) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
COUNTS = {"R": 8, "S": 7, "I": 4, "J": 7, "M": 4, "A": 3, "F": 1, "H": 5, "T": 10, "C": 5}
"""How many rows the plan has in each group."""


def _unknown(cell: str) -> list[str]:
    """Return the tests a cell names that nobody wrote."""
    return [f"{file}::{name}" for file, name in TEST.findall(cell) if not _exists(ROOT / file, name)]


def _exists(file: Path, name: str) -> bool:
    return file.is_file() and re.search(rf"^def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


def test_every_row_is_there_once_and_every_named_test_exists() -> None:
    rows = ROW.findall((ROOT / "docs" / "promises.md").read_text(encoding="utf-8"))

    assert [row[0] for row in rows] == [
        f"{group}{n:02}" for group, count in COUNTS.items() for n in range(1, count + 1)
    ]
    assert [row[0] for row in rows if not TEST.search(row[1])] == []
    assert [
        row[0] for row in rows if not TEST.search(row[4]) and not row[4].startswith(("none", "the same test"))
    ] == []
    assert {row[0]: _unknown(f"{row[1]} {row[4]}") for row in rows if _unknown(f"{row[1]} {row[4]}")} == {}


def test_a_test_that_nobody_wrote_is_seen() -> None:
    here = "tests/house/test_promises.py"

    assert _unknown(f"`{here}::test_that_nobody_wrote`") == [f"{here}::test_that_nobody_wrote"]
    assert _unknown("`tests/house/nowhere.py::test_x`") == ["tests/house/nowhere.py::test_x"]
    assert _unknown(f"`{here}::test_a_test_that_nobody_wrote_is_seen`") == []
