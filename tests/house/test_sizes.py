"""Functions and files stay small enough to be read at once."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("functions", "shared", "local", "tests", "bench")
LONGEST_FUNCTION = 40
LONGEST_FILE = 400


def test_no_function_is_longer_than_forty_lines() -> None:
    sizes = sorted((size for path in _sources() for size in _functions(path)), reverse=True)

    print("the ten longest functions:", *(f"{lines:4d}  {where}" for lines, where in sizes[:10]), sep="\n")

    assert [where for lines, where in sizes if lines > LONGEST_FUNCTION] == []


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    sizes = sorted(((path.read_text().count("\n"), _name(path)) for path in _sources()), reverse=True)

    print("the ten longest files:", *(f"{lines:4d}  {where}" for lines, where in sizes[:10]), sep="\n")

    assert [where for lines, where in sizes if lines > LONGEST_FILE] == []


def test_a_long_function_is_seen(tmp_path: Path) -> None:
    body = "".join(f"    x = {number}\n" for number in range(40))
    (tmp_path / "long.py").write_text(f"def f():\n{body}")

    assert [lines for lines, _ in _functions(tmp_path / "long.py")] == [41]


def _sources() -> list[Path]:
    return [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]


def _functions(path: Path) -> list[tuple[int, str]]:
    tree = ast.parse(path.read_bytes())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [((node.end_lineno or 0) - node.lineno + 1, f"{_name(path)}:{node.lineno} {node.name}") for node in found]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
